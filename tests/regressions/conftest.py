"""One standing exchange for all regressions that can share it; each test finds it whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.regressions.standing import Standing


@pytest.fixture(scope="package")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """The exchange, laid out once."""
    standing = Standing(tmp_path_factory.mktemp("standing"))
    try:
        yield standing
    finally:
        standing.end()


@pytest.fixture
def standing(laid_out: Standing) -> Standing:
    """The exchange with both nodes running, ready, and nothing under way."""
    laid_out.whole()
    return laid_out
