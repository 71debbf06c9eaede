"""Provenance of routed records: keeping, thinning and checking their origin entries (WIRE §2, §6).

Rule 1: entries speak, in order, of the lines whose origin is not the parcel's sender, in order.
Rule 2: what is kept for later covers exactly the lines kept; the leaves of the others become rest roots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from node.envelope import merkle
from node.envelope.opening import Opened
from node.envelope.origins import Origin
from node.envelope.statement import Attested, Unverified, read_manifest
from node.model.ids import uuid_bytes
from node.model.parcel import Manifest
from node.model.trouble import Refused
from node.ports import Crypto

Attest = Callable[[Unverified[Manifest]], Attested[Manifest]]
"""Finds the registered certificate of an origin's manifest and verifies it by it; raises a Trouble."""


@dataclass(frozen=True, slots=True)
class _Source:
    """A parcel some lines were sealed in, as far as it is known: carried leaves with their salts, and the rest."""

    manifest: bytes
    count: int
    salts: dict[int, bytes]
    carried: dict[int, bytes]
    rest: Sequence[bytes]


def evidence(opened: Opened, origins: Sequence[str], keep: Sequence[int], crypto: Crypto) -> tuple[Origin, ...]:
    """Return entries proving lines `keep` (rising) of an opened parcel against the parcel they were first sealed in.

    `origins` are the lines' origin nodes, of entries already checked by `check_origins`.  A derived line, whose
    origin gave no entry, is proved against this parcel: its sender vouches.  Raises ValueError for entries that fit
    no line.
    """
    sender = opened.manifest.statement.sender.node
    entries = opened.inner.said.origins if opened.inner else ()
    own = _Source(
        opened.manifest.der, len(opened.lines), dict(enumerate(opened.salts)), dict(enumerate(opened.leaves)), ()
    )
    places = [(own, index) for index in range(len(opened.lines))]
    if entries:
        foreign = [index for index, origin in enumerate(origins) if origin != sender]
        spoken = _places(entries, [opened.lines[index] for index in foreign], crypto)
        for index, place in zip(foreign, spoken, strict=True):
            places[index] = place
    return _entries([places[index] for index in keep], crypto)


def thin(entries: Sequence[Origin], lines: Sequence[bytes], keep: Sequence[int], crypto: Crypto) -> tuple[Origin, ...]:
    """Return the entries of lines `keep` (rising) from entries that speak of all `lines`; else raise ValueError."""
    places = _places(entries, lines, crypto)
    return _entries([places[index] for index in keep], crypto)


def check_origins(
    lines: Sequence[bytes],
    origins: Sequence[str],
    manifest: Manifest,
    entries: Sequence[Origin],
    attest: Attest,
    crypto: Crypto,
) -> list[str | None]:
    """Return for each line the node whose signed manifest holds it, None if no proof of it is good.

    A line is proven when that node is its origin.  With no entries at all the sender alone vouches for what it
    passes on, so each foreign line gets the sender's name.  A Hold of `attest` (a certificate not yet registered)
    passes through; a Refused unproves the lines of that entry.
    """
    sender = manifest.sender.node
    if not entries:
        return [sender] * len(lines)
    found: list[str | None] = [sender if origin == sender else None for origin in origins]
    foreign = [index for index, origin in enumerate(origins) if origin != sender]
    if sum(len(entry.at) for entry in entries) != len(foreign):
        return found
    left = iter(foreign)
    for entry in entries:
        spoken = [next(left) for _ in entry.at]
        node = _holder(entry, [lines[index] for index in spoken], manifest, attest, crypto)
        for index in spoken:
            found[index] = node
    return found


def _holder(
    entry: Origin, lines: Sequence[bytes], manifest: Manifest, attest: Attest, crypto: Crypto
) -> str | None:
    """Return the sender of the entry's manifest if it holds these lines at these leaves."""
    try:
        origin = attest(read_manifest(entry.manifest, crypto)).statement
    except Refused:
        return None
    if (origin.domain, origin.resource, origin.count) != (manifest.domain, manifest.resource, entry.count):
        return None
    carried = _carried(entry, origin, lines, crypto)
    if len(carried) != len(entry.at) or list(carried) != sorted(carried):
        return None
    root = merkle.join(entry.count, carried, entry.rest, crypto.sm3)
    return origin.sender.node if root is not None and root.hex() == origin.root else None


def _carried(entry: Origin, origin: Manifest, lines: Sequence[bytes], crypto: Crypto) -> dict[int, bytes]:
    parcel = uuid_bytes(origin.parcel)
    return {
        index: merkle.leaf(parcel, index, entry.count, salt, line, crypto.sm3)
        for (index, salt), line in zip(entry.at, lines, strict=True)
    }


def _places(entries: Sequence[Origin], lines: Sequence[bytes], crypto: Crypto) -> list[tuple[_Source, int]]:
    if sum(len(entry.at) for entry in entries) != len(lines):
        raise ValueError("the entries do not fit the lines")
    places: list[tuple[_Source, int]] = []
    for entry in entries:
        spoken = lines[len(places) : len(places) + len(entry.at)]
        carried = _carried(entry, read_manifest(entry.manifest, crypto).statement, spoken, crypto)
        source = _Source(entry.manifest, entry.count, dict(entry.at), carried, entry.rest)
        places.extend((source, index) for index, _ in entry.at)
    return places


def _entries(places: Sequence[tuple[_Source, int]], crypto: Crypto) -> tuple[Origin, ...]:
    runs = [(source, [index for _, index in run]) for source, run in _runs(places)]
    return tuple(
        Origin(
            source.manifest,
            source.count,
            tuple((index, source.salts[index]) for index in indexes),
            tuple(merkle.narrow(source.count, source.carried, source.rest, indexes, crypto.sm3)),
        )
        for source, indexes in runs
    )


def _runs(places: Sequence[tuple[_Source, int]]) -> list[tuple[_Source, list[tuple[_Source, int]]]]:
    # A source may come in several runs when lines of two parcels alternate; each run is then an entry of its own.
    grouped = [list(run) for _, run in groupby(places, key=lambda place: id(place[0]))]
    return [(run[0][0], run) for run in grouped]
