"""The city of a seed, for tests that trouble it by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world.city import City


@pytest.fixture
def city(request: pytest.FixtureRequest) -> Iterator[City]:
    """Return a running city; its seed is the indirect parameter."""
    city = City(request.param)
    city.start()
    yield city
    city.end()
