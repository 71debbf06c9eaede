"""A certificate as the rooms above `crypto` see it: parsed facts, no key operations."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from node.model.instant import Instant


class Role(str, Enum):
    """What a key pair may be used for; a node has one of each, never one in two roles (WIRE §1)."""

    SIGN = "sign"
    ENCRYPT = "encrypt"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Certificate:
    """An SM2 certificate (GM/T 0015).

    `fingerprint` is lower-case hex of SM3(DER); `issuer` the DER of the issuer's Name; `public` the point
    `04 ‖ X ‖ Y`; `org` the holder's unified social credit code if the certificate carries one.
    """

    der: bytes = field(repr=False)
    fingerprint: str
    issuer: bytes = field(repr=False)
    serial: int
    public: bytes = field(repr=False)
    subject: str
    roles: frozenset[Role]
    not_before: Instant
    not_after: Instant
    org: str | None = None
