"""Origin entries of routed records: read, and held against their lines and manifests."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

from node.envelope import (
    Attested,
    check_origins,
    open_parcel,
    read_manifest,
    read_origins,
    unframe,
    verify,
    verify_bytes,
    write_origins,
)
from node.envelope.provenance import evidence
from node.envelope.statement import Unverified
from node.model import codes
from node.model.parcel import Manifest
from node.model.trouble import trouble
from tests.fuzz.mutate import any_of, armoured, asn1, json_text, members, octets
from tests.fuzz.people import ALICE, BOB, CRYPTO, rows, unwrap
from tests.fuzz.target import Target


def _attest(unverified: Unverified[Manifest], *_: object) -> Attested[Manifest]:
    if unverified.claimed != ALICE.signing.fingerprint:
        raise trouble(codes.SIGNATURE)
    return verify(unverified, ALICE.signing, CRYPTO)


SEALED: set[tuple[str, int, bytes]] = set()
"""Every record that ALICE sealed: parcel, index, line."""


def _good() -> Iterator[tuple[list[bytes], Manifest, bytes]]:
    for row in rows("parcels"):
        if row["stage"] == "good" and row["sender"] == "dept-a":
            framed = unframe(row["octets"])
            attested = verify(read_manifest(framed.manifest, CRYPTO), ALICE.signing, CRYPTO)
            opened = open_parcel(verify_bytes(attested, framed.payload, CRYPTO), unwrap, CRYPTO)
            SEALED.update((attested.statement.parcel, index, line) for index, line in enumerate(opened.lines))
            keep = list(range(0, len(opened.lines), 2))
            entries = evidence(opened, [ALICE.code] * len(opened.lines), keep, CRYPTO) if keep else ()
            yield [opened.lines[index] for index in keep], attested.statement, write_origins(entries)


GOOD = list(_good())


def seeds() -> Iterator[bytes]:
    """Yield the entries of the good vectors, half of their records carried on."""
    yield from (entries for _, _, entries in GOOD)


def run(data: bytes) -> Hashable:
    """Read and write back; then hold them against every set of lines: a proof is good for its own lines only."""
    entries = read_origins(data)
    assert write_origins(entries) == data
    told = []
    for lines, manifest, _ in GOOD:
        hop = manifest if not lines else _passed_on(manifest)
        found = check_origins(lines, [ALICE.code] * len(lines), hop, entries, _attest, CRYPTO)
        assert len(found) == len(lines)
        spoken, left = iter(lines), iter(found)
        for entry in entries if ALICE.code in found else ():
            parcel = read_manifest(entry.manifest, CRYPTO).statement.parcel
            for (index, _), line, node in zip(entry.at, spoken, left):
                assert node != ALICE.code or (parcel, index, line) in SEALED, "it proves what nobody sealed"
        told.append(tuple(found))
    return tuple(told)


def _passed_on(manifest: Manifest) -> Manifest:
    """Return the manifest as the centre would send the lines on."""
    return replace(manifest, sender=BOB.as_sender)


TARGET = Target("origins", "origin entries of routed records", seeds, run,
                any_of(members, json_text, octets, armoured(asn1)), rounds=150)
