"""Two nodes with certificates and keys, and parcels between them, for the tests of the envelope."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from node.envelope.inner import Said
from node.envelope.opening import Opened, open_parcel, verify_bytes
from node.envelope.seal import ParcelDraft, Signer, seal
from node.envelope.statement import Attested, read_manifest, verify
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.ids import uuid7
from node.model.parcel import NOTHING, Manifest, Party, Place
from node.model.record import SpecificationId, Stream
from node.model.spool import Sealed
from node.model.trouble import trouble
from node.ports import Chance
from tests.crypto.papers import CRYPTO, ORG, Paper, the_leaf

AT = 1_780_000_000_123
SPEC = SpecificationId("population-basic", "1.0", CRYPTO.sm3(b"population-basic/1.0").hex())


class Person:
    """A node: a certificate and a key to sign with, and a pair to be sealed to."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.signing: Paper = the_leaf(Role.SIGN, node)
        self.encryption: Paper = the_leaf(Role.ENCRYPT, node)

    @property
    def signer(self) -> Signer:
        return Signer(self.signing.certificate, self.signing.key.sign)

    @property
    def as_sender(self) -> Party:
        return Party(ORG, self.node, self.signing.certificate.fingerprint)

    @property
    def as_receiver(self) -> Party:
        return Party(ORG, self.node, self.encryption.certificate.fingerprint)

    def unwrap(self, issuer: bytes, serial: int, wrapped: bytes) -> bytes:
        own = self.encryption.certificate
        if (issuer, serial) != (own.issuer, own.serial):
            raise trouble(codes.KEY_ROLE, name="decryption", role="encrypt")
        return self.encryption.key.unwrap(wrapped)


__all__ = [
    "ALICE", "AT", "BOB", "CAROL", "CRYPTO", "SPEC", "Person", "attested", "draft", "lines_of", "opened", "sealed",
]

ALICE, BOB, CAROL = Person("dept-a"), Person("centre"), Person("dept-c")


def draft(sender: Person = ALICE, receiver: Person = BOB, **given: Any) -> ParcelDraft:
    made = ParcelDraft(
        domain="city.test", sender=sender.as_sender, receiver=receiver.as_receiver, parcel=uuid7(AT, os.urandom(10)),
        resource="population", stream=Stream.LIVE, spec=SPEC, place=Place(1_700_000_000, 1, NOTHING), created=AT,
        priority=5,
    )
    return replace(made, **given)


def lines_of(count: int, size: int = 200) -> list[bytes]:
    return [b'{"body":{"Text":"%s"},"head":{"n":%d}}' % (os.urandom(size // 2).hex().encode(), i) for i in range(count)]


def sealed(
    lines: Sequence[bytes], sender: Person = ALICE, receiver: Person = BOB, *, said: Said = Said(),
    chance: Chance = os.urandom, copy_to_self: bool = False, **given: Any,
) -> Sealed:
    recipients: list[Certificate] = [receiver.encryption.certificate]
    if copy_to_self:
        recipients.append(sender.encryption.certificate)
    return seal(draft(sender, receiver, **given), lines, said, sender.signer, recipients, CRYPTO, chance)


def attested(manifest: bytes, sender: Person = ALICE) -> Attested[Manifest]:
    return verify(read_manifest(manifest, CRYPTO), sender.signing.certificate, CRYPTO)


def opened(parcel: Sealed, sender: Person = ALICE, receiver: Person = BOB) -> Opened:
    verified = verify_bytes(attested(parcel.manifest, sender), parcel.payload, CRYPTO)
    return open_parcel(verified, receiver.unwrap, CRYPTO)
