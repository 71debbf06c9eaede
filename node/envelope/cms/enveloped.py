"""EnvelopedData in the profile of WIRE §1: SM4-CBC with a 16-byte IV, its key SM2-wrapped for one or two recipients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from node.envelope.cms import der, names
from node.envelope.cms.schema import (
    EnvelopedMessage,
    RecipientInfo,
    RecipientInfos,
    SM2Cipher,
    demand,
    parse,
    whole,
)
from node.envelope.cms.signed import issuer_and_serial
from node.model import codes
from node.model.trouble import trouble

PRIME = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
"""p of the curve of GB/T 32918.5."""
LIMIT = (64 << 20) + (64 << 10)
"""Octets of an EnvelopedData that are looked at; a parcel's is bounded before, to 16 MiB (WIRE §2)."""
RECIPIENTS = 2
"""The receiver alone, or the receiver and the sender (WIRE §2)."""
_RECIPIENTS_LIMIT = 8 << 10
_SERIAL_BITS = 160
_VERSION = der.integer(1)


@dataclass(frozen=True, slots=True)
class Recipient:
    """For whom the key is wrapped: issuer's Name DER, serial, and DER SM2Cipher of a 16-byte key."""

    issuer: bytes = field(repr=False)
    serial: int
    wrapped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Enveloped:
    """What an EnvelopedData holds, nothing of it opened yet; `secret` is SM4-CBC under `iv` with PKCS#7 padding."""

    recipients: tuple[Recipient, ...]
    iv: bytes
    secret: bytes = field(repr=False)


def envelop(secret: bytes, iv: bytes, recipients: Sequence[tuple[bytes, int, bytes]]) -> bytes:
    """Return DER ContentInfo(envelopedData) around `secret`; recipients are (issuer DER, serial, wrapped)."""
    infos = [
        der.sequence(_VERSION, issuer_and_serial(issuer, serial), names.WRAP_ALGORITHM, der.octets(wrapped))
        for issuer, serial, wrapped in recipients
    ]
    size = len(secret)
    algorithm = der.sequence(names.CBC_TYPE, der.octets(iv))
    head = _before(size, der.SEQUENCE, names.DATA_TYPE, algorithm, der.header(0x80, size))
    head = _before(size, der.SEQUENCE, _VERSION, der.set_of(*infos), head)
    return _before(size, der.SEQUENCE, names.ENVELOPED_TYPE, _before(size, 0xA0, head)) + secret


def _before(size: int, tag: int, *parts: bytes) -> bytes:
    """Return an element but for its last `size` octets, so that a large ciphertext is copied once."""
    body = b"".join(parts)
    return der.header(tag, len(body) + size) + body


def read_enveloped(octets: bytes) -> Enveloped:
    """Return the parts of an EnvelopedData exactly in the profile; raise Refused(CMS_FORM) for any other writing."""
    if len(octets) > LIMIT:
        raise trouble(codes.TOO_LARGE, what="EnvelopedData", limit=LIMIT)
    message = parse(EnvelopedMessage, octets)
    enveloped, content = message.enveloped, message.enveloped.content
    demand(whole(message.type) == names.ENVELOPED_TYPE, "content-type")
    demand(enveloped.version == 1, "version")
    demand(whole(content.type) == names.DATA_TYPE, "inner-content-type")
    demand(whole(content.algorithm.type) == names.CBC_TYPE, "content-encryption-algorithm")
    demand(len(content.algorithm.iv) == 16, "iv")
    demand(len(content.secret) > 0 and len(content.secret) % 16 == 0, "ciphertext")
    demand(len(enveloped.recipients.data) <= _RECIPIENTS_LIMIT, "recipients")
    infos = parse(RecipientInfos, der.sequence(whole(enveloped.recipients))).infos.as_list()
    demand(1 <= len(infos) <= RECIPIENTS, "recipients")
    recipients = tuple(_recipient(info) for info in infos)
    demand(len({(r.issuer, r.serial) for r in recipients}) == len(recipients), "recipients")
    return Enveloped(recipients, content.algorithm.iv, content.secret)


def _recipient(info: RecipientInfo) -> Recipient:
    issuer, serial = whole(info.rid.issuer), info.rid.serial
    demand(info.version == 1, "version")
    demand(whole(info.algorithm) == names.WRAP_ALGORITHM, "key-encryption-algorithm")
    demand(issuer[0] == der.SEQUENCE, "recipient")
    demand(serial > 0 and serial.bit_length() <= _SERIAL_BITS, "serial")
    check_cipher(info.wrapped)
    return Recipient(issuer, serial, info.wrapped)


def check_cipher(wrapped: bytes) -> None:
    """Raise Refused(CMS_FORM) unless `wrapped` is DER SM2Cipher of a 16-byte key with coordinates below p.

    Whether C1 is on the curve and C3 agrees is for the key operation to say.
    """
    cipher = parse(SM2Cipher, wrapped)
    demand(0 <= cipher.x < PRIME and 0 <= cipher.y < PRIME and len(cipher.hash) == 32, "wrapped-key")
    demand(len(cipher.text) == 16, "wrapped-key-length")
