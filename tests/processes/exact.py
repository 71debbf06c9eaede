"""What must be exact when an exchange has come to rest: source, centre and subscriber, receipts, histories."""

from __future__ import annotations

from node.cli.demo.audit import tally
from node.cli.demo.cargo import RESOURCES, Cargo
from node.validate import split_line
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange


def exact(exchange: Exchange, cargo: Cargo, good: int, accepted: int) -> int:
    """Raise AssertionError unless all agree on `good` valid records; return how many receipts were verified."""
    source, centre, subscriber = exchange.ledgers(SOURCE, CENTRE, SUBSCRIBER)
    found = tally(source, centre, subscriber, cargo.truth)
    assert accepted == good, "what the client was told"
    assert (found.accepted, found.processed, found.delivered) == (good, good, good)
    assert found.receipts == found.verified >= 2 * found.parcels
    assert [each for each in found.agreements if not each.exact] == []
    assert {each.node for each in found.agreements} == {CENTRE, SUBSCRIBER}
    for ledgers in (centre, subscriber):
        for resource in RESOURCES:
            records = [
                split_line(line)[1].record for block in ledgers.blocks(resource) for line in block.lines
            ]
            assert len(records) == len(set(records)), "a record stands twice in the history"
    return found.verified
