"""Proof files: one record and all that shows who signed it."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache

from node.crypto.certificates import parse
from node.envelope import Beside, check_proof, open_parcel, prove, read_manifest, unframe, verify, verify_bytes
from node.model.certificate import Certificate
from node.model.trouble import Trouble
from tests.fuzz.mutate import any_of, armoured, asn1, json_text, members, octets
from tests.fuzz.people import ALICE, CRYPTO, rows, unwrap
from tests.fuzz.target import Target


def _parse(der: bytes) -> Certificate:
    return parse(der, CRYPTO.sm3)


@cache
def made() -> tuple[bytes, ...]:
    """Return the proofs of every record of the good vectors that ALICE sealed."""
    proofs = []
    for row in rows("parcels"):
        if row["stage"] != "good" or row["sender"] != "dept-a":
            continue
        framed = unframe(row["octets"])
        attested = verify(read_manifest(framed.manifest, CRYPTO), ALICE.signing, CRYPTO)
        opened = open_parcel(verify_bytes(attested, framed.payload, CRYPTO), unwrap, CRYPTO)
        beside = Beside((), {ALICE.signing.fingerprint: b"archive"}, [ALICE.signing.der])
        proofs += [prove(attested, opened.secret, opened.lines, index, beside, CRYPTO)
                   for index in range(len(opened.lines))]
    return tuple(proofs)


def seeds() -> Iterator[bytes]:
    """Yield the proofs."""
    yield from made()


@cache
def proved() -> frozenset[tuple[str, int, bytes]]:
    """Return what may be proved: parcel, index, line."""
    found = set()
    for one in made():
        report = check_proof(one, _parse, lambda *_: (), CRYPTO)
        found.add((report.manifest.statement.parcel, report.index, report.line))
    return frozenset(found)


def run(data: bytes) -> Hashable:
    """Check; nothing is proved that was not sealed."""
    report = check_proof(data, _parse, lambda *_: ("revocation",), CRYPTO)
    assert (report.manifest.statement.parcel, report.index, report.line) in proved(), "it proves what nobody sealed"
    try:
        told = [finding.says.zh + finding.says.en for finding in (*report.shown, *report.not_shown)]
    except Trouble as incomplete:
        raise AssertionError("a finding cannot be told") from incomplete
    return len(told)


TARGET = Target("proof", "Merkle proofs and proof files", seeds, run,
                any_of(members, json_text, octets, armoured(asn1), armoured(octets)), rounds=150)
