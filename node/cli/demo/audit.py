"""The audit: the three stores, opened read-only, against what was submitted; counts, keys, signatures, a proof."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from node.cli.demo.cargo import RESOURCES, Truth
from node.cli.demo.site import Site
from node.config import load
from node.envelope import read_manifest, read_origins, read_receipt, verify
from node.envelope.proof import Beside, prove_origin
from node.model.parcel import Stage
from node.model.spool import ArrivalState, Block, Entry, EntryState
from node.model.trouble import Trouble
from node.ports import OutboxUnit
from node.service.build import now
from node.service.papers import Papers, read_papers
from node.service.stores import Stores, open_stores
from node.validate import split_line

OPEN = (EntryState.SEALED, EntryState.SENT, EntryState.ACCEPTED)
PAGE = 1000


class Ledgers:
    """The stores of one node, for reading while it runs."""

    def __init__(self, site: Site, node: str) -> None:
        settings = load(site.seats[node].config)
        self.node = node
        self.papers: Papers = read_papers(settings, lambda said: None)
        self.stores: Stores = open_stores(
            settings.node.state, self.papers.keyring.storage(), self.papers.crypto, now, os.urandom, writing=False
        )

    def entries(self) -> list[Entry]:
        """Return every parcel sent."""
        with self.stores.outbox.unit() as unit:
            return list(_entries(unit, None))

    def idle(self) -> bool:
        """Return whether nothing waits, nothing is unaccounted for, and nothing is unopened."""
        with self.stores.outbox.unit() as unit:
            if any(state.waiting for state in unit.lanes()) or any(unit.entries(state, "", 1) for state in OPEN):
                return False
        with self.stores.inbox.unit() as unit:
            return not any(unit.arrivals(state, "", 1) for state in (ArrivalState.STORED, ArrivalState.JUDGED))

    def routed(self, grants: list[str]) -> bool:
        """Return whether the bookmark of every grant is at the end of its resource's history."""
        with self.stores.warehouse.unit() as unit:
            last = {code: unit.last(code) for code in RESOURCES}
        with self.stores.outbox.unit() as unit:
            return all(
                int(unit.bookmark(f"grant:{name}") or 0) == last[name.partition(":")[0]] for name in grants
            )

    def blocks(self, resource: str, after: int = 0) -> Iterator[Block]:
        """Yield the history of a resource, behind a block."""
        while True:
            with self.stores.warehouse.unit() as unit:
                found = unit.history(resource, after, 50)
            if not found:
                return
            yield from found
            after = found[-1].id

    def rows(self, resource: str) -> dict[bytes, int]:
        """Return the bodies of the current rows, and how often each stands (once)."""
        found: Counter[bytes] = Counter()
        after = 0
        while True:
            with self.stores.warehouse.unit() as unit:
                page = unit.rows(resource, after, PAGE)
            if not page:
                return dict(found)
            found.update(split_line(row.line)[0] for _, row in page if row.line is not None)
            after = page[-1][0]

    def tombstones(self, resource: str) -> int:
        """Return how many keys of a resource are deleted."""
        count = after = 0
        while True:
            with self.stores.warehouse.unit() as unit:
                page = unit.rows(resource, after, PAGE)
            if not page:
                return count
            count += sum(row.line is None for _, row in page)
            after = page[-1][0]

    def receipts(self) -> tuple[int, int]:
        """Return how many receipts are held, and how many of them verify for the entry they finished."""
        held = good = 0
        for entry in self.entries():
            with self.stores.outbox.unit() as unit:
                receipts = unit.receipts(entry.parcel)
            held += len(receipts)
            good += sum(self._good(der, entry) for _, der in receipts)
        return held, good

    def _good(self, der: bytes, entry: Entry) -> bool:
        crypto = self.papers.crypto
        try:
            unverified = read_receipt(der, crypto)
            peer = self.papers.registry.signer(unverified.claimed)
            certificate = next(one for one in peer.signing if one.fingerprint == unverified.claimed) if peer else None
            said = verify(unverified, certificate, crypto).statement if certificate else None
        except Trouble:
            return False
        return said is not None and (said.parcel, said.digest, said.sender.node) == (
            entry.parcel, entry.digest, entry.lane.receiver,
        )

    def close(self) -> None:
        """Close the stores."""
        self.stores.close()


def _entries(unit: OutboxUnit, state: EntryState | None) -> Iterator[Entry]:
    after = ""
    while True:
        page = unit.entries(state, after, PAGE)
        if not page:
            return
        yield from page
        after = page[-1].parcel


@dataclass(frozen=True, slots=True)
class Agreement:
    """One resource at one node against the truth: rows that differ, and tombstones found against those wanted."""

    node: str
    resource: str
    rows: int
    different: int
    deleted: int
    wanted: int

    @property
    def exact(self) -> bool:
        """Whether every key agrees."""
        return not self.different and self.deleted == self.wanted


def agreement(ledgers: Ledgers, truth: Truth, resource: str) -> Agreement:
    """Return how one node's current rows agree with the source, key by key."""
    wanted = truth.rows.get(resource, {})
    expected = Counter(body for body in wanted.values() if body is not None)
    found = Counter(ledgers.rows(resource))
    different = sum(((expected - found) + (found - expected)).values())
    deleted = sum(body is None for body in wanted.values())
    return Agreement(
        ledgers.node, resource, sum(found.values()), different, ledgers.tombstones(resource), deleted
    )


@dataclass(slots=True)
class Tally:
    """What the stores say, beside what the client was told."""

    accepted: int = 0
    processed: int = 0
    delivered: int = 0
    receipts: int = 0
    verified: int = 0
    parcels: int = 0
    agreements: list[Agreement] = field(default_factory=list)


def tally(source: Ledgers, centre: Ledgers, subscriber: Ledgers, truth: Truth) -> Tally:
    """Return the counts of all three nodes and their agreement with the truth."""
    entries = [entry for entry in source.entries() if entry.lane.resource in RESOURCES]
    finished = [entry for entry in entries if entry.state is EntryState.DONE]
    found = Tally(
        accepted=sum(entry.count for entry in entries if entry.accepted is not None),
        processed=sum(entry.count - entry.refused for entry in finished),
        delivered=sum(len(block.lines) for code in RESOURCES for block in subscriber.blocks(code)),
        parcels=len(entries),
    )
    for ledgers in (source, centre):
        held, good = ledgers.receipts()
        found.receipts += held
        found.verified += good
    found.agreements = [agreement(ledgers, truth, code) for ledgers in (centre, subscriber) for code in RESOURCES]
    return found


def proof_of_one(source: Ledgers, subscriber: Ledgers, resource: str = "population") -> tuple[bytes, str]:
    """Return the proof that a record delivered to the subscriber was signed by its origin, and the record's id.

    The origin's own receipt from the centre and the archive it names travel in the proof.
    """
    block = next(iter(subscriber.blocks(resource)))
    crypto = subscriber.papers.crypto
    entry = read_origins(block.evidence)[0]
    lines = block.lines[: len(entry.at)]
    parcel = read_manifest(entry.manifest, crypto).statement.parcel
    with source.stores.outbox.unit() as unit:
        receipts = [der for stage, der in unit.receipts(parcel) if stage is Stage.ACCEPTED]
    proof = prove_origin(entry, lines, 0, _beside(source, receipts), crypto)
    head = split_line(lines[0])[1]
    return proof, head.record


def _beside(source: Ledgers, receipts: list[bytes]) -> Beside:
    papers = source.papers
    identity = papers.keyring.identity("-", source.node, "-")
    centre = papers.registry.peers()[0]
    certificates = [identity.signing, centre.signing[0]]
    archives = {one.fingerprint: papers.trust.archive(one) for one in certificates}
    return Beside(receipts, archives, [one.der for one in certificates])
