"""An old database is read by a node's adapter; what stands there arrives everywhere, whatever happens on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, running, until
from tests.processes.legacy import Legacy, section


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """Give an exchange that has not been started."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture
def legacy(exchange: Exchange, tmp_path: Path) -> Iterator[Legacy]:
    """Give an old database."""
    spec = exchange.specifications.get("population-basic/1.0")
    assert spec is not None
    found = Legacy(tmp_path / "old.db", spec)
    yield found
    found.close()


def arrived(exchange: Exchange, legacy: Legacy, node: str) -> bool:
    """Return whether a node holds exactly what stands in the database."""
    (ledgers,) = exchange.ledgers(node)
    return Counter(ledgers.rows("population")) == legacy.bodies()


def test_what_stands_in_an_old_table_arrives_and_what_changes_follows(exchange: Exchange, legacy: Legacy) -> None:
    legacy.put(range(3000))
    exchange.set(SOURCE, "60-adapter", section(legacy))
    exchange.start(CENTRE, SOURCE, SUBSCRIBER)
    for node in (CENTRE, SUBSCRIBER):
        until(f"{node} has the table", lambda: arrived(exchange, legacy, node))
    legacy.put([7, 8, 3001], Remark="改")
    for node in (CENTRE, SUBSCRIBER):
        until(f"{node} has the changes", lambda: arrived(exchange, legacy, node))
