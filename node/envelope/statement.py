"""Statements in their signed form: written, read, and verified, in the order WIRE §2 demands.

    octets ─read_…─► Unverified ─verify─► Attested

Rule 1: the verifier says which kind it expects, and the leading octets are compared before anything is parsed.
Rule 2: the signature is checked over the octets received, never over a statement written again.
Rule 3: the digest of a statement is SM3 of its content octets; the SignedData around them is malleable.
Rule 4: only `verify` makes an Attested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from node.envelope.cms.signed import Signed, read_signed, sign_data
from node.envelope.kinds import KINDS, lead
from node.envelope.members import READERS, Members, Statement, kind_of, members
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.parcel import Collect, Manifest, Probe, Receipt
from node.model.trouble import Trouble, trouble
from node.ports import Crypto

S = TypeVar("S", bound=Statement, covariant=True)
Sign = Callable[[bytes], bytes]
"""Signs content octets: DER SM2Signature over SM3(Z ‖ content)."""


@dataclass(frozen=True, slots=True)
class Unverified(Generic[S]):
    """A well-formed statement whose signature nobody has checked; `claimed` is SM3 of the certificate it brings."""

    statement: S
    digest: str
    claimed: str
    content: bytes = field(repr=False)
    signed: Signed = field(repr=False)
    der: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Attested(Generic[S]):
    """A statement whose signature by `certificate` was checked; `der` is the SignedData as it came."""

    statement: S
    digest: str
    certificate: Certificate
    content: bytes = field(repr=False)
    der: bytes = field(repr=False)


def digest_of(content: bytes, crypto: Crypto) -> str:
    """Return a statement's digest: lower-case hex of SM3 of its content octets."""
    return crypto.sm3(content).hex()


def content_of(statement: Statement) -> bytes:
    """Return the content octets of a statement; raise Refused(STATEMENT) if a member breaks its pattern."""
    return encode(members(statement))


def encode(said: Members) -> bytes:
    """Return the content octets of a statement's members, held against its kind."""
    kind = str(said["@type"]).split(".")[1]
    if kind not in KINDS:
        raise _refusal("a kind this version does not know")
    content = KINDS[kind].form.write(said)
    _hold(kind, said)
    return content


def write(statement: Statement, certificate: Certificate, sign: Sign) -> bytes:
    """Return the statement as SignedData; raise Refused: STATEMENT, TOO_LARGE above its kind's limit."""
    return enclose(kind_of(statement), content_of(statement), certificate, sign)


def enclose(kind: str, content: bytes, certificate: Certificate, sign: Sign) -> bytes:
    """Return content octets already written as SignedData; raise Refused(TOO_LARGE)."""
    der = sign_data(content, certificate, sign)
    _bound(kind, len(der))
    return der


def read_manifest(der: bytes, crypto: Crypto) -> Unverified[Manifest]:
    """Return the manifest in a SignedData; raise Refused: TOO_LARGE, CMS_FORM, STATEMENT."""
    return _read("parcel", der, crypto)


def read_receipt(der: bytes, crypto: Crypto) -> Unverified[Receipt]:
    """Return the receipt in a SignedData; raise Refused: TOO_LARGE, CMS_FORM, STATEMENT."""
    return _read("receipt", der, crypto)


def read_probe(der: bytes, crypto: Crypto) -> Unverified[Probe]:
    """Return the probe in a SignedData; raise Refused: TOO_LARGE, CMS_FORM, STATEMENT."""
    return _read("probe", der, crypto)


def read_collect(der: bytes, crypto: Crypto) -> Unverified[Collect]:
    """Return the collect statement in a SignedData; raise Refused: TOO_LARGE, CMS_FORM, STATEMENT."""
    return _read("collect", der, crypto)


def decode(kind: str, content: bytes) -> Statement:
    """Return the statement of `kind` that content octets spell; raise Refused: STATEMENT, TOO_LARGE."""
    if not content.startswith(lead(kind)):
        raise _refusal(f"not a statement of kind {kind}")
    said = KINDS[kind].form.read(content, KINDS[kind].limit)
    _hold(kind, said)
    try:
        return READERS[kind](said)
    except ValueError:
        raise _refusal(f"{kind}: no such day") from None


def verify(unverified: Unverified[S], certificate: Certificate, crypto: Crypto) -> Attested[S]:
    """Return the statement as attested by `certificate`, which the registry holds for its sender.

    Raises Refused(SIGNATURE) for another certificate, another name in `sender.cert` or a bad signature, and
    Hold(KEY_ROLE) for a certificate that may not sign.  Chain, dates and revocation are the port Trust's.
    """
    if Role.SIGN not in certificate.roles:
        raise trouble(codes.KEY_ROLE, name=certificate.fingerprint, role=Role.SIGN.value)
    signed, statement = unverified.signed, unverified.statement
    if signed.certificate_der != certificate.der or statement.sender.cert != certificate.fingerprint:
        raise trouble(codes.SIGNATURE)
    if not crypto.sm2_verify(certificate.public, unverified.content, signed.signature):
        raise trouble(codes.SIGNATURE)
    return Attested(statement, unverified.digest, certificate, unverified.content, unverified.der)


def _read(kind: str, der: bytes, crypto: Crypto) -> Unverified[Any]:
    _bound(kind, len(der))
    signed = read_signed(der)
    statement = decode(kind, signed.content)
    claimed = crypto.sm3(signed.certificate_der).hex()
    return Unverified(statement, digest_of(signed.content, crypto), claimed, signed.content, signed, der)


def _hold(kind: str, said: Members) -> None:
    for name, holds in KINDS[kind].between.items():
        if not holds(said):
            raise _refusal(f"{kind}: {name}")


def _bound(kind: str, size: int) -> None:
    if size > KINDS[kind].limit:
        raise trouble(codes.TOO_LARGE, what=f"statement of kind {kind}", limit=KINDS[kind].limit)


def _refusal(reason: str) -> Trouble:
    return trouble(codes.STATEMENT, reason=reason)
