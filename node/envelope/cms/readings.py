"""The readings of an SM2 signature in a SignedData: the standard's two, and those met in products (STANDARDS §3.3).

Rule 1: the standard's reading is tried first, and it alone is good; any other is named and accepted only by name.
Rule 2: a reading is a statement about octets; which product made them is not inferred.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from node.envelope.cms import der, names
from node.envelope.cms.ber import Walk
from node.envelope.cms.message import Attributes, Content, Signer
from node.envelope.cms.signed import ORDER
from node.model.trouble import Trouble
from node.ports import SM2_ID, Crypto

STANDARD = ("content", "attributes")
TLS_ID = b"TLSv1.3+GM+Cipher+Suite"
MESSAGE_DIGEST, CONTENT_TYPE = "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.3"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Under which reading a signature verified; or why under none; and whether its value was strict DER."""

    reading: str | None = None
    problem: str | None = None
    strict: bool = True

    @property
    def standard(self) -> bool:
        """Whether the standard's own reading verified."""
        return self.reading in STANDARD


def judge(crypto: Crypto, public: bytes, signer: Signer, content: Content) -> Outcome:
    """Return what is to be said of `signer`'s signature by the key `public` over attached or supplied content."""
    if content.octets is None:
        return Outcome(problem="no-content")
    if signer.digest.oid != names.SM3:
        return Outcome(problem="digest-algorithm")
    signature = normal(signer.signature)
    if signature is None:
        return Outcome(problem="signature-form")
    strict = signature == signer.signature
    digest = crypto.sm3(content.octets)
    if signer.attributes and (problem := _attribute_problem(signer.attributes, digest, content.type)):
        return Outcome(problem=problem, strict=strict)
    if not signer.attributes and _is_attributes(content.octets):
        return Outcome(problem="attribute-content", strict=strict)
    for name, verifies in _tries(crypto, public, signature, signer.attributes, content):
        if verifies():
            return Outcome(name, None if name in STANDARD else "nonstandard", strict)
    return Outcome(problem="signature", strict=strict)


def normal(signature: bytes) -> bytes | None:
    """Return the DER SM2Signature of the same r and s; None if there are no two such numbers.

    Read besides DER: BER, integers without their sign octet, and r ‖ s in 64 octets.
    """
    if len(signature) == 64:
        pair = [signature[:32], signature[32:]]
    else:
        walk = Walk()
        try:
            parts = walk.children(walk.root(signature))
        except Trouble:
            return None
        pair = [part.contents for part in parts if part.tag == der.INTEGER and len(parts) == 2]
    numbers = [int.from_bytes(part, "big") for part in pair]
    if len(numbers) != 2 or not all(0 < number < ORDER for number in numbers):
        return None
    return der.sequence(*map(der.integer, numbers))


def _is_attributes(octets: bytes) -> bool:
    """Whether content is itself a SET OF attributes with a messageDigest: it may have been signed as such elsewhere.

    Without this, the signature of a message with attributes would pass over its attributes as if they were content.
    """
    return octets[:1] == b"\x31" and der.identifier(MESSAGE_DIGEST) in octets[:4096]


def _attribute_problem(attributes: Attributes, digest: bytes, content_type: str) -> str | None:
    told = attributes.values.get(MESSAGE_DIGEST, ())
    if len(told) != 1 or not hmac.compare_digest(told[0], der.octets(digest)):
        return "message-digest"
    types = attributes.values.get(CONTENT_TYPE, ())
    if types and types not in [(der.identifier(oid),) for oid in _twins(content_type)]:
        return "content-type"
    return None


def _twins(oid: str) -> tuple[str, ...]:
    """Return a content type under both arcs, which products mix."""
    arc, _, number = oid.rpartition(".")
    return tuple(f"{one}.{number}" for one in (names.GM, names.PKCS7)) if arc in (names.GM, names.PKCS7) else (oid,)


def _tries(
    crypto: Crypto, public: bytes, signature: bytes, attributes: Attributes | None, content: Content
) -> Iterator[tuple[str, partial[bool]]]:
    """Yield each reading with the check that decides it, the standard's first."""

    def over(data: bytes, signer: bytes = SM2_ID) -> partial[bool]:
        return partial(crypto.sm2_verify, public, data, signature, signer)

    def plain(data: bytes) -> partial[bool]:
        return partial(crypto.sm2_verify_digest, public, crypto.sm3(data), signature)

    if attributes:
        yield "attributes", over(attributes.canonical)
        yield "attributes-not-der", over(attributes.retagged)
        yield "attributes-as-sent", over(attributes.sent)
        yield "attributes-empty-id", over(attributes.canonical, b"")
        yield "attributes-no-z", plain(attributes.canonical)
        return
    octets = content.octets or b""
    inner = content.inner or der.octets(octets)
    whole = content.whole if content.inner else der.sequence(der.identifier(content.type), der.context(0, inner))
    yield "content", over(octets)
    yield "content-no-z", plain(octets)
    yield "content-empty-id", over(octets, b"")
    yield "digest-as-message", over(crypto.sm3(octets))
    yield "content-info", plain(whole)
    yield "element", over(inner)
    yield "content-tls-id", over(octets, TLS_ID)
