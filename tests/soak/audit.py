"""What is asked of every store after each phase, beside the exactness of the whole (`tests.processes.exact`)."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from node.cli.demo.audit import Ledgers
from node.cli.demo.site import DOMAIN
from node.crypto.symmetric import sm3
from node.ledger import chain
from node.model.parcel import Lane
from node.model.record import Stream
from node.validate import split_line

PAGE = 1000


def accounted(source: Ledgers, told: Mapping[str, int]) -> list[str]:
    """Return the submissions answered with 202 that a node does not know, or knows otherwise."""
    broken = []
    with source.stores.outbox.unit() as unit:
        for id, count in told.items():
            known = unit.submission(id)
            if known is None or known[0].count != count:
                broken.append(f"{source.node}: submission {id} of {count} records was answered 202 and is {known}")
            elif sum(span.count for span in unit.spans(known[0])) != count:
                broken.append(f"{source.node}: submission {id}: not each of its {count} records has a place")
    return broken


def in_order(sink: Ledgers, resource: str) -> tuple[int, list[str]]:
    """Return how many records a history has, and where the versions of an origin do not follow one on the other.

    Only for what was submitted on one stream: then every version from 1 on is there once, in order.
    """
    last: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    count, broken = 0, []
    for block in sink.blocks(resource):
        for line in block.lines:
            head = split_line(line)[1]
            epoch, n = last[head.origin]
            if (head.version.n, head.version.epoch) != (n + 1, epoch or head.version.epoch):
                broken.append(f"{sink.node}: {resource} of {head.origin}: {head.version} came after {epoch}, {n}")
            last[head.origin] = (head.version.epoch, head.version.n)
            count += 1
    return count, broken[:5]


def places_in_order(sender: Ledgers) -> Iterator[str]:
    """Yield the lanes of a sender in which a place is missing, doubled, or not at its end."""
    lanes = defaultdict(list)
    for entry in sender.entries():
        lanes[entry.lane].append(entry)
    for lane, entries in lanes.items():
        places = sorted(entry.seq for entry in entries)
        if places != list(range(1, len(places) + 1)):
            yield f"{sender.node}: places of {lane}: {places[:3]} to {places[-1]}, {len(places)} of them"


def chains(ledgers: Ledgers, nodes: Iterable[str], resources: Iterable[str]) -> tuple[int, list[str]]:
    """Return how many ledger entries a node's three stores have, and which of their chains do not hold."""
    nodes, count, broken = list(nodes), 0, []
    lanes = [Lane(DOMAIN, a, b, code, stream) for a in nodes for b in nodes if a != b for code in resources
             for stream in Stream]
    for name in ("outbox", "inbox", "warehouse"):
        with getattr(ledgers.stores, name).unit() as unit:
            for lane in lanes:
                head, size = chain.START, 0
                while page := unit.ledger(lane, size, PAGE):
                    if not chain.intact(sm3, page, head, size):
                        broken.append(f"{ledgers.node}: the ledger of {lane} in the {name} is broken after {size}")
                        break
                    head, size = bytes.fromhex(page[-1].head), page[-1].size
                count += size
    return count, broken


def sound(state: Path) -> list[str]:
    """Return what SQLite itself finds wrong with the files of a node."""
    broken = []
    for path in sorted(state.glob("*.db")):
        plain = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)
        try:
            said = plain.execute("PRAGMA integrity_check").fetchall()
        except sqlite3.DatabaseError as error:  # damaged too badly even to be looked at
            said = [(f"{error}",)]
        finally:
            plain.close()
        if said != [("ok",)]:
            broken.append(f"{path.parent.parent.name}/{path.name}: {said[:3]}")
    return broken
