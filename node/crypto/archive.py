"""The archive kept with a receipt: the chain and the CRLs relied on, in one self-describing DER blob (WIRE §6).

    Archive ::= SEQUENCE { version INTEGER (1),
                           certificates SEQUENCE SIZE (1..8) OF Certificate,        -- leaf first, root last
                           crls SEQUENCE SIZE (0..8) OF CertificateList }

The order is fixed, so the same reliance has the same octets, and a receipt's `validation` is their SM3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from node.crypto.der import SEQUENCE, Malformed, Reader, encode, integer
from node.model import codes
from node.model.trouble import trouble

VERSION = 1
LIMIT = 16 << 20
"""The most octets of one archive."""

MEMBERS = 8
"""The most certificates, and the most CRLs, of one archive."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What was relied on: DER of the certificates from leaf to root, and of the CRLs in the order of their use."""

    certificates: tuple[bytes, ...]
    crls: tuple[bytes, ...]


def write_archive(certificates: Sequence[bytes], crls: Sequence[bytes]) -> bytes:
    """Return the blob of a chain, leaf first, and its CRLs."""
    return encode(
        SEQUENCE, integer(VERSION), encode(SEQUENCE, *certificates), encode(SEQUENCE, *crls),
    )


def read_archive(blob: bytes) -> Archive:
    """Return what a blob holds; raise Refused(PROOF) unless it is exactly one archive of this version."""
    try:
        if len(blob) > LIMIT:
            raise Malformed("too large")
        outer = Reader(blob)
        body = outer.inner()
        outer.end()
        version, certificates, crls = body.number(), _members(body.take(SEQUENCE)), _members(body.take(SEQUENCE))
        body.end()
        if version != VERSION or not certificates:
            raise Malformed("another version, or empty")
        return Archive(certificates, crls)
    except Malformed:
        raise trouble(codes.PROOF, reason="archive") from None


def _members(content: bytes) -> tuple[bytes, ...]:
    members: list[bytes] = []
    rest = Reader(content)
    while rest.peek():
        if len(members) == MEMBERS:
            raise Malformed("too many")
        members.append(encode(SEQUENCE, rest.take(SEQUENCE)))
    rest.end()
    return tuple(members)
