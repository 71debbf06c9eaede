"""A source that is reset begins as if it had never been read: what its `history` says decides again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.model.record import Stream
from tests.processes.exchange import CENTRE, SOURCE, Exchange, until
from tests.processes.legacy import Legacy, section
from tests.processes.test_adapters import arrived, command


@pytest.fixture
def legacy(exchange: Exchange, tmp_path: Path) -> Iterator[Legacy]:
    """Give an old database with some history."""
    spec = exchange.specifications.get("population-basic/1.0")
    assert spec is not None
    found = Legacy(tmp_path / "old.db", spec)
    found.put(range(300), ago=60)
    yield found
    found.close()


def streams(exchange: Exchange) -> dict[Stream, int]:
    """Return how many records the centre was given on each lane."""
    (ledgers,) = exchange.ledgers(CENTRE)
    found: dict[Stream, int] = {}
    for block in ledgers.blocks("population"):
        found[block.stream] = found.get(block.stream, 0) + len(block.lines)
    return found


@pytest.mark.parametrize("history, again", [
    ("live", {Stream.LIVE: 600}), ("backfill", {Stream.BACKFILL: 600}), ("none", {}),
])
def test_a_reset_reads_as_the_history_says(
    exchange: Exchange, legacy: Legacy, history: str, again: dict[Stream, int]
) -> None:
    exchange.set(SOURCE, "60-adapter", section(legacy, history=history))
    exchange.start(CENTRE, SOURCE)
    until("it is read", lambda: command(exchange, "run", "hukou")[0] == 0
          and command(exchange, "state")[1][0]["under_way"] == []
          and sum(streams(exchange).values()) == sum(again.values()) / 2)
    status, _ = command(exchange, "state", "hukou", "--reset", "--who", "li")
    assert status == 0
    until("it is read again", lambda: streams(exchange) == again and command(exchange, "run", "hukou")[0] == 0)
    assert command(exchange, "state")[1][0]["under_way"] == []
    legacy.put([301], Remark="新")
    until("what is new follows", lambda: streams(exchange).get(Stream.LIVE, 0) == again.get(Stream.LIVE, 0) + 1)
    assert arrived(exchange, legacy, CENTRE) == (history != "none")
