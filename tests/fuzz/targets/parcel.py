"""A whole parcel from frame to lines: a changed one yields no plaintext."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from random import Random

from node.envelope import open_parcel, read_manifest, unframe, verify, verify_bytes
from node.model.trouble import Refused, Trouble
from tests.fuzz.mutate import any_of, asn1, octets
from tests.fuzz.people import ALICE, BOB, CAROL, CRYPTO, rows, unwrap
from tests.fuzz.target import Target


def seeds() -> Iterator[bytes]:
    """Yield the vectors of parcels, good and bad."""
    for row in rows("parcels"):
        yield row["octets"]


def _opened(data: bytes) -> tuple[bytes, ...]:
    framed = unframe(data)
    unverified = read_manifest(framed.manifest, CRYPTO)
    certificate = next((one.signing for one in (ALICE, BOB, CAROL) if one.signing.fingerprint == unverified.claimed),
                       ALICE.signing)
    attested = verify(unverified, certificate, CRYPTO)
    return tuple(open_parcel(verify_bytes(attested, framed.payload, CRYPTO), unwrap, CRYPTO).lines)


@cache
def known() -> frozenset[tuple[bytes, ...]]:
    """Return the lines of every vector that opens."""
    found = set()
    for one in seeds():
        try:
            found.add(_opened(one))
        except Trouble:
            continue
    return frozenset(found)


def run(data: bytes) -> Hashable:
    """Open; whatever opens has the lines of a parcel that somebody sealed."""
    lines = _opened(data)
    assert lines in known(), "plaintext that nobody sealed was released"
    return len(lines)


def parts(data: bytes, chance: Random) -> bytes:
    """Return the parcel with its manifest or payload changed as ASN.1, the frame's lengths put right."""
    try:
        manifest, payload = unframe(data)
    except Refused:
        return octets(data, chance)
    if chance.random() < 0.5:
        manifest = asn1(manifest, chance)
    else:
        payload = asn1(payload, chance)
    return data[:5] + len(manifest).to_bytes(4, "big") + manifest + len(payload).to_bytes(8, "big") + payload


TARGET = Target("parcel", "a whole parcel, frame to lines", seeds, run, any_of(octets, parts), rounds=150)
