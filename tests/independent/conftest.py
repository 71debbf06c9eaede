"""The independent checkers; where Debian's packages are missing their tests are skipped, but in CI they fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import IN_CI
from tests.independent.castle import JARS, Castle


@pytest.fixture(scope="session")
def castle(server: Callable[[str, str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Castle]:
    """Return Bouncy Castle as a judge."""
    java, javac = server("default-jdk-headless", "java"), server("default-jdk-headless", "javac")
    missing = [jar.name for jar in JARS if not jar.exists()]
    if missing:
        why = f"{missing} missing (Debian packages libbcprov-java, libbcpkix-java, libbcutil-java)"
        if IN_CI:
            pytest.fail(why)
        pytest.skip(why)
    made = Castle(java, javac, tmp_path_factory.mktemp("castle"))
    yield made
    made.close()
