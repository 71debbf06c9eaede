"""SignedData in the strict profile, around statements."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

from node.envelope import read_collect, read_manifest, read_probe, read_receipt, verify
from node.envelope.cms.signed import assemble, read_signed
from node.envelope.kinds import KINDS, lead
from node.model.certificate import Certificate
from node.model.trouble import Refused
from tests.fuzz.mutate import any_of, asn1, octets
from tests.fuzz.people import ALICE, BOB, CAROL, CRYPTO, files
from tests.fuzz.target import Target

READERS: dict[str, Any] = {
    "parcel": read_manifest, "receipt": read_receipt, "probe": read_probe, "collect": read_collect,
}


def seeds() -> Iterator[bytes]:
    """Yield the signed vectors."""
    yield from files("statements")
    yield from files("cms")


@cache
def spoken() -> frozenset[bytes]:
    """Return every content that a vector signs: no change of an input makes another one good."""
    found = set()
    for one in seeds():
        try:
            found.add(read_signed(one).content)
        except Refused:
            continue
    return frozenset(found)


def run(data: bytes) -> Hashable:
    """Read; there is one writing of what is read, and nothing verifies that nobody signed."""
    signed = read_signed(data)
    signer = SimpleNamespace(der=signed.certificate_der, issuer=signed.issuer, serial=signed.serial)
    assert assemble(signed.content, cast(Certificate, signer), signed.signature, attached=True) == data
    for kind in KINDS:
        if signed.content.startswith(lead(kind)):
            unverified = READERS[kind](data, CRYPTO)
            known = [one.signing for one in (ALICE, BOB, CAROL) if one.signing.fingerprint == unverified.claimed]
            for certificate in known:
                verify(unverified, certificate, CRYPTO)
                assert signed.content in spoken(), "a statement nobody signed is good"
            return kind, bool(known)
    return "other"


TARGET = Target("signed", "SignedData, strict", seeds, run, any_of(asn1, asn1, octets), rounds=200)
