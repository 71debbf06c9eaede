"""The promises of DESIGN §8, asked of a city that has come to rest: what each store and the wire can prove.

    accounted     1  every acknowledged record is delivered, or refused with its reason; no version applied twice
    born_once     2  ids and versions never change; one key, one answer
    forward       3  effects per key never go back; lanes without a gap, in order
    in_order      4  nothing opened, handed out or applied before its time (what the wire and the witnesses saw)
    kept          5  nothing forgotten but finished entries
    agreed           chains, receipts and final states agree at all ends
    alarmed          a held lane told it once, and told nothing it did not do
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from node.envelope import read_receipt
from node.ledger import chain, steps
from node.model import codes
from node.model.instant import day
from node.model.parcel import Lane, Outcome, Stage
from node.model.record import Record, Stream, Version
from node.model.spool import ArrivalState, EntryState
from node.validate import split_line
from tests.crypto.papers import CRYPTO
from tests.stage.desk import CENTRE, DOMAIN, SPECIFICATIONS, specifications
from tests.world import alarms
from tests.world.city import RESOURCES, A, B, City
from tests.world.liar import LIAR
from tests.world.machine import Machine
from tests.world.source import Change, Post, final_state

LANES = [
    Lane(DOMAIN, sender, receiver, resource, stream)
    for sender, receiver in ((A, CENTRE), (B, CENTRE), (CENTRE, A), (CENTRE, B))
    for resource in RESOURCES for stream in Stream
]


@dataclass(frozen=True)
class Effect:
    """One record of one delivery, as a warehouse's history has it."""

    lane: Lane
    parcel: str
    leaf: int
    origin: str
    version: Version
    line: bytes
    outcome: Outcome


def check(city: City, forked: bool = False) -> None:
    """Raise AssertionError with every promise that was broken.

    `forked`: an old copy of a node that others connect to came back in silence, so evidence of forks may be kept.
    """
    broken = [*city.broken, *(said for machine in city.machines.values() for said in machine.witness.broken)]
    histories = {name: list(_history(machine)) for name, machine in city.machines.items()}
    for part in (_accounted, _born_once, _forward, _final):
        broken += part(city, histories)
    broken += alarms.check(city)
    for machine in city.machines.values():
        broken += [said for said in _lanes(city, machine) if not (forked and ": forks " in said)]
        broken += _chains(machine)
        broken += _receipts(city, machine)
    assert not broken, "\n  ".join([f"seed={city.seed}: promises are broken:", *broken[:12]])


def _stores(machine: Machine) -> Any:
    assert machine.life is not None, f"{machine.name} is down"
    return machine.life.stores


def _history(machine: Machine) -> Iterator[Effect]:
    with _stores(machine).warehouse.unit() as unit:
        for resource in RESOURCES:
            for block in unit.history(resource, 0, 1 << 20):
                verdicts = {one.index: one.outcome for one in unit.applied(block.parcel) or ()}
                lane = Lane(DOMAIN, block.sender, machine.name, resource, block.stream)
                for leaf, line in zip(block.leaves, block.lines, strict=True):
                    head = split_line(line)[1]
                    yield Effect(lane, block.parcel, leaf, head.origin, head.version, line, verdicts[leaf])


def _versions(city: City, node: str) -> Iterator[tuple[Post, Version, Change]]:
    """Yield every acknowledged change of a department with the version it was given."""
    for post in city.sources[node].acknowledged():
        assert post.first is not None, f"the versions of {post.key} were never seen"
        for at, change in enumerate(post.changes):
            yield post, Version(post.first.epoch, post.first.n + at), change


# --- 1 ------------------------------------------------------------------------------------------------------------


def _accounted(city: City, histories: dict[str, list[Effect]]) -> Iterator[str]:
    """Promise 1: each 202 is delivered, or refused with its reason; no sink applied a version twice."""
    delivered = {(one.lane.resource, one.origin, one.version) for one in histories[CENTRE]}
    for node in (A, B):
        refused = _refused_rows(city.machines[node])
        for post, version, change in _versions(city, node):
            there = (post.resource, node, version) in delivered
            if change.bent and (there or not (post.forgotten or refused & {change.row, "*"})):
                yield f"{node}: {change.row} {version} breaks its specification and was not refused"
            if not change.bent and not there and not post.forgotten:
                yield f"{node}: {change.row} {version} of {post.key} was acknowledged and is nowhere"
    for name, effects in histories.items():
        applied = Counter(
            (one.lane.resource, one.origin, one.version) for one in effects if one.outcome is Outcome.APPLIED
        )
        yield from (f"{name} applied {what} {often} times" for what, often in applied.items() if often > 1)
        twice = Counter((one.parcel, one.leaf) for one in effects)
        yield from (f"{name} has {what} {often} times in its history" for what, often in twice.items() if often > 1)


def _refused_rows(machine: Machine) -> set[str]:
    """Return the rows of refused records, and `*` if some of those verdicts were purged by now."""
    rows: set[str] = set()
    with _stores(machine).outbox.unit() as unit:
        entries = unit.entries(None, "", 1 << 20)
        for entry in entries:
            # A list under a key that was lost tells no rows.
            rows |= {one.row or "*" for one in unit.refused(entry.parcel)}
        kept = {entry.parcel for entry in entries}
        processed = {
            one.subject for lane in LANES if lane.sender == machine.name
            for one in unit.ledger(lane, 0, 1 << 20) if one.step == steps.PROCESSED
        }
    return rows | ({"*"} if processed - kept else set())


# --- 2 ------------------------------------------------------------------------------------------------------------


def _born_once(city: City, histories: dict[str, list[Effect]]) -> Iterator[str]:
    """Promise 2: lines are the same octets wherever they are; a key has one answer, and another body none."""
    lines: dict[tuple[str, str, Version], bytes] = {}
    for name, effects in histories.items():
        for one in effects:
            if lines.setdefault((one.lane.resource, one.origin, one.version), one.line) != one.line:
                yield f"{name}: {one.origin} {one.version} is another line here"
    for node, source in city.sources.items():
        for post in source.posts:
            if len(set(post.answers)) != 1:
                yield f"{node}: {post.key} was answered {len(set(post.answers))} ways"
            if set(post.others) - {422}:
                yield f"{node}: {post.key} with another body was answered {post.others}"
        given: set[tuple[str, Version]] = set()
        for post, version, change in _versions(city, node):
            if (post.resource, version) in given and not post.forgotten:
                yield f"{node}: version {version} of {post.resource} was given twice"
            given.add((post.resource, version))
            line = lines.get((post.resource, node, version))
            if line is not None and json.loads(line)["body"] != change.twin:
                yield f"{node}: {change.row} {version} is not what was submitted"


# --- 3 ------------------------------------------------------------------------------------------------------------


def _forward(city: City, histories: dict[str, list[Effect]]) -> Iterator[str]:
    """Promise 3: the versions applied to one key only grow."""
    for name, effects in histories.items():
        last: dict[tuple[str, str, str], Version] = {}
        for one in effects:
            if one.lane.sender not in (CENTRE, one.origin):
                yield f"{name}: {one.lane.sender} changed {one.version} of {one.origin}"
            if one.outcome is Outcome.APPLIED:
                key = (one.lane.resource, one.origin, str(_record(one).key))
                if last.get(key, Version(0, 0)) >= one.version:
                    yield f"{name}: {key} went from {last[key]} to {one.version}"
                last[key] = one.version


def _record(effect: Effect) -> Record:
    """Return the record of an effect, validated once more: nothing unvalidated reaches a sink (promise 4)."""
    spec = specifications().get(SPECIFICATIONS[effect.lane.resource])
    assert spec is not None
    record = spec.judge_body(0, split_line(effect.line)[0], day(1 << 42))
    assert isinstance(record, Record), f"an unvalidated record was applied: {record}"
    return record


def _lanes(city: City, machine: Machine) -> Iterator[str]:
    """Promise 3: in each lane every place was taken once, in order, each parcel naming the one before."""
    arrivals = defaultdict(list)
    with _stores(machine).inbox.unit() as unit:
        for one in unit.arrivals(None, "", 1 << 20):
            arrivals[one.lane].append(one)
        for lane, found in arrivals.items():
            if lane.sender == LIAR:
                continue
            before = ""
            for at, one in enumerate(sorted(found, key=lambda one: (one.epoch, one.seq))):
                said = city.manifests[one.parcel].place
                if (said.epoch, said.seq) != (one.epoch, one.seq) or (at and said.prev != before):
                    yield f"{machine.name}: the chain of {lane} is broken at {one.epoch}, {one.seq}"
                if one.state is not ArrivalState.DONE:
                    yield f"{machine.name}: {one.parcel} is {one.state.value} ({one.code})"
                before = one.digest
            head = unit.head(lane)
            if head is None or head.digest != before:
                yield f"{machine.name}: the head of {lane} is not its last parcel"
        # What an old copy, or one of two, said before it knew itself stays as evidence; nobody else ever forks.
        known = [city.manifests[parcel] for parcel, _, _ in unit.forks() if parcel in city.manifests]
        forks = [said.parcel for said in known if said.sender.node not in city.silent | city.cloned]
        if forks:
            yield f"{machine.name}: forks {forks}"


# --- 5, and what both ends must agree on ---------------------------------------------------------------------------


def _chains(machine: Machine) -> Iterator[str]:
    """Every chain of every store holds; what was supplied was processed (promise 5: only then forgotten)."""
    for name in ("outbox", "inbox", "warehouse"):
        with _stores(machine).of(name).unit() as unit:
            told = {lane: unit.ledger(lane, 0, 1 << 20) for lane in LANES}
            if name == "outbox":
                yield from _kept(machine, unit, told)
        for lane, entries in told.items():
            if not chain.intact(CRYPTO.sm3, entries):
                yield f"{machine.name}: the ledger of {lane} in the {name} is broken"


def _kept(machine: Machine, unit: Any, told: dict[Lane, Sequence[Any]]) -> Iterator[str]:
    for lane, entries in told.items():
        finals = {one.subject for one in entries if one.step in (steps.PROCESSED, steps.REFUSED)}
        # What its receiver lost after all is given up, and its records wait again: they are counted below.
        last = {one.subject: one.step for one in entries if one.step in (steps.ACCEPTED, steps.VOIDED)}
        gone = {subject for subject, step in last.items() if step == steps.ACCEPTED} - finals
        kept = {entry.parcel for entry in unit.entries(None, "", 1 << 20)}
        if gone - kept:
            yield f"{machine.name}: {gone - kept} of {lane} were forgotten without a final word"
        count = {step: sum(one.count for one in entries if one.step == step) for step in steps.STEPS}
        if count[steps.PROCESSED] + count[steps.REFUSED] < count[steps.SUPPLIED]:
            yield f"{machine.name}: of {count[steps.SUPPLIED]} supplied in {lane} only {count[steps.PROCESSED]} ended"


def _receipts(city: City, machine: Machine) -> Iterator[str]:
    """The receipts of a finished parcel are those its receiver gave, and their counts add up.

    A receiver that was restored may have given others since: it does not know those it gave before; nor does one that
    was cloned know those its copy gave.
    """
    with _stores(machine).outbox.unit() as unit:
        entries = list(unit.entries(None, "", 1 << 20))
        held = {entry.parcel: dict(unit.receipts(entry.parcel)) for entry in entries}
    anew = city.restored | city.cloned
    for entry in entries:
        if entry.state is EntryState.PARKED:
            yield f"{machine.name}: {entry.parcel} is parked ({entry.code})"
        if entry.state is not EntryState.DONE:
            continue
        with _stores(city.machines[entry.lane.receiver]).inbox.unit() as unit:
            given = {one.stage: one.statement for one in unit.given(entry.parcel)}
        with _stores(city.machines[entry.lane.receiver]).warehouse.unit() as unit:
            applied = Counter(one.outcome.value for one in unit.applied(entry.parcel) or ())
        for stage, octets in held[entry.parcel].items():
            if not _one_word(given.get(stage), octets) and entry.lane.receiver not in anew:
                yield f"{machine.name}: the {stage.value} receipt of {entry.parcel} is not its receiver's"
        if entry.code == codes.OPEN.name:
            continue  # refused whole, its key was lost: its records went again
        counts = read_receipt(held[entry.parcel][Stage.PROCESSED], CRYPTO).statement.counts or {}
        if sum(counts.values()) != entry.count or counts["refused"] != entry.refused:
            yield f"{machine.name}: {counts} of {entry}"
        if entry.lane.receiver not in anew and applied + Counter(refused=entry.refused) != Counter(counts):
            yield f"{machine.name}: {counts} told of {entry.parcel}, and {applied} done"


def _one_word(given: bytes | None, held: bytes) -> bool:
    """Whether a receipt is held as it was given, octet for octet, or was signed anew since: its key was revoked."""
    if given is None or given == held:
        return given == held
    now, then = (read_receipt(octets, CRYPTO).statement for octets in (given, held))
    return now.sender.cert != then.sender.cert and replace(now, sender=then.sender) == then


def _final(city: City, histories: dict[str, list[Effect]]) -> Iterator[str]:
    """The centre holds what the sources hold, key by key, and each subscriber what its grants let through."""
    held = {
        name: {(one.lane.resource, one.origin, one.version) for one in effects} for name, effects in histories.items()
    }
    revoked = {node for machine in city.machines.values() for node, _ in machine.terms.revoked}
    for origin in (A, B):
        supplied = list(_versions(city, origin))
        for sink in (CENTRE, B if origin == A else A):
            # What its own node forgot by a restore may have got through: to both, or only to who was not restored.
            through = held[CENTRE] | held[sink]
            changes: dict[str, list[tuple[Version, Change]]] = defaultdict(list)
            # A key that was revoked proves nothing to third parties: what it signed may be refused there.
            proven = sink == CENTRE or origin not in revoked
            for post, version, change in supplied:
                there = (post.resource, origin, version)
                if not change.bent and (there in held[sink] or proven and (not post.forgotten or there in through)):
                    changes[post.resource].append((version, change))
            for resource in RESOURCES:
                yield from _same(city.machines[sink], origin, resource, changes[resource])


def _same(machine: Machine, origin: str, resource: str, changes: list[tuple[Version, Change]]) -> Iterator[str]:
    expected = final_state(changes)
    with _stores(machine).warehouse.unit() as unit:
        for key, stands in expected.items():
            row = unit.row(origin, resource, key)
            body = None if row is None or row.line is None else orjson.loads(row.line)["body"]
            if row is None or body != stands.twin or (body is not None and row.version != stands.version):
                yield f"{machine.name}: {origin} {resource} {key} holds {row}, not {stands}"
        held = [row for _, row in unit.rows(resource, 0, 1 << 20) if row.origin == origin]
        # What was read of a table is asked elsewhere: its keys are no post's.
        tables = [reader.table for reader in machine.city.machines[origin].readers]
        apart = [key for table in tables for key in table.rows if unit.row(origin, resource, (key,)) is not None]
        if len(held) != len(expected) + len(apart):
            yield f"{machine.name}: {len(held)} rows of {origin} {resource}, not {len(expected)}"
