"""EnvelopedData in the strict profile, and the unwrapping of its key."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from node.envelope.cms.enveloped import envelop, read_enveloped
from node.envelope.opening import unwrap_one
from tests.fuzz.mutate import any_of, asn1, octets
from tests.fuzz.people import files, rows, unwrap
from tests.fuzz.target import Target


def seeds() -> Iterator[bytes]:
    """Yield the payloads of the parcels' vectors and the CMS vectors."""
    for row in rows("parcels"):
        at = row["octets"].find(b"\x30\x82", 200)
        size = int.from_bytes(row["octets"][5:9], "big")
        yield row["octets"][9 + size + 8 :] if size < len(row["octets"]) else row["octets"][at:]
    yield from files("cms")


def run(data: bytes) -> Hashable:
    """Read; there is one writing of what is read; then try our key."""
    found = read_enveloped(data)
    wraps = [(one.issuer, one.serial, one.wrapped) for one in found.recipients]
    assert envelop(found.secret, found.iv, wraps) == data
    assert len(unwrap_one(found, unwrap)) == 16
    return len(wraps)


TARGET = Target("enveloped", "EnvelopedData, strict", seeds, run, any_of(asn1, asn1, octets), rounds=200)
