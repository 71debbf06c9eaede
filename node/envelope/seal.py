"""Sealing: records and a draft of their manifest become a parcel whose bytes are fixed (WIRE §2).

Rule 1: the receiver's certificate comes first among the recipients; at most one more, the sender's own.
Rule 2: parties name the very certificates used: the signing one of the sender, the encryption one of the receiver.
Rule 3: the content key lives for one call; S is handed back for the sender's archive, under its storage key.
Rule 4: what costs time does not depend on the parcel's place: a payload may be packed while the parcel before it is on
        its way, and gets its manifest and signature when its place is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from node.envelope import merkle
from node.envelope.binding import bind_under, binding_key
from node.envelope.cms.enveloped import envelop
from node.envelope.frame import PAYLOAD_LIMIT
from node.envelope.inner import Inner, Said
from node.envelope.kinds import LEAF, MOST
from node.envelope.members import members
from node.envelope.payload import SECRET, compress, join_lines, write_payload
from node.envelope.statement import Sign, digest_of, enclose, encode
from node.model import codes
from node.model.certificate import Certificate, Role
from node.model.ids import uuid_bytes
from node.model.instant import Instant
from node.model.parcel import NOTHING, Batch, Envelope, Manifest, Party, Place
from node.model.record import SpecificationId, Stream
from node.model.spool import Sealed
from node.model.trouble import trouble
from node.ports import Chance, Crypto

KEY = IV = 16


class Signer(NamedTuple):
    """A signing certificate and the use of its key."""

    certificate: Certificate
    sign: Sign


@dataclass(frozen=True, slots=True)
class ParcelDraft:
    """Everything a manifest says that sealing does not compute."""

    domain: str
    sender: Party
    receiver: Party
    parcel: str
    resource: str
    stream: Stream
    spec: SpecificationId
    place: Place
    created: Instant
    priority: int
    kind: str = "records"
    expires: Instant | None = None
    supersedes: str | None = None
    via: Sequence[str] = ()
    batch: Batch | None = None
    ext: Mapping[str, Any] = field(default_factory=dict)
    crit: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """What a payload says of its parcel: everything but the place, the time and the priority."""

    parcel: str
    sender: Party
    receiver: Party
    resource: str
    spec: SpecificationId

    @classmethod
    def of(cls, draft: ParcelDraft) -> Address:
        """Return what a payload for this draft must say."""
        return cls(draft.parcel, draft.sender, draft.receiver, draft.resource, draft.spec)


@dataclass(frozen=True, slots=True)
class Packed:
    """A payload whose bytes are fixed, and what a manifest says of it; `binding` is Kb of its content key."""

    address: Address
    count: int
    root: str
    envelope: Envelope
    payload: bytes = field(repr=False)
    secret: bytes = field(repr=False)
    binding: bytes = field(repr=False)


def seal(
    draft: ParcelDraft,
    lines: Sequence[bytes],
    said: Said,
    signer: Signer,
    recipients: Sequence[Certificate],
    crypto: Crypto,
    chance: Chance,
) -> Sealed:
    """Return the parcel of these lines, in this order; raises as `pack` and `sign` do."""
    return sign(draft, pack(Address.of(draft), lines, said, recipients, crypto, chance), signer, crypto)


def pack(
    address: Address, lines: Sequence[bytes], said: Said, recipients: Sequence[Certificate], crypto: Crypto,
    chance: Chance,
) -> Packed:
    """Return the payload of these lines, in this order.

    Raises Refused(TOO_LARGE) above a limit of WIRE §2, Hold(KEY_ROLE) for a certificate of another usage, ValueError
    for an empty line or a broken rule.
    """
    _addressed(address, len(lines), recipients)
    body = join_lines(lines)
    compression, packed = compress(body)
    inner = Inner(
        address.sender, address.receiver, address.resource, address.spec.digest, len(body), compression, said
    )
    secret, key, iv = chance(SECRET), chance(KEY), chance(IV)
    clear = write_payload(secret, inner, packed)
    if len(clear) > PAYLOAD_LIMIT:
        raise trouble(codes.TOO_LARGE, what="payload", limit=PAYLOAD_LIMIT)
    wraps = [(one.issuer, one.serial, crypto.sm2_wrap(one.public, key)) for one in recipients]
    payload = envelop(crypto.sm4_cbc_encrypt(key, iv, clear), iv, wraps)
    if len(payload) > PAYLOAD_LIMIT:
        raise trouble(codes.TOO_LARGE, what="payload", limit=PAYLOAD_LIMIT)
    salted = merkle.salts(secret, len(lines), crypto)
    root = merkle.root(merkle.leaves(uuid_bytes(address.parcel), salted, lines, crypto.sm3), crypto.sm3)
    envelope = Envelope(len(payload), crypto.sm3(payload).hex())
    return Packed(address, len(lines), root.hex(), envelope, payload, secret, binding_key(key, crypto))


def sign(draft: ParcelDraft, packed: Packed, signer: Signer, crypto: Crypto) -> Sealed:
    """Return the parcel of a packed payload at the draft's place.

    Raises Refused(STATEMENT) for a member outside its pattern, Hold(KEY_ROLE) for a certificate of another usage,
    ValueError if the payload was packed for another address.
    """
    if draft.kind == "void" or packed.address != Address.of(draft):
        raise ValueError("the payload was packed for another parcel")
    _signs(draft.sender, signer)
    manifest = _manifest(draft, packed.count, packed.root, packed.envelope)
    manifest = replace(manifest, bind=bind_under(members(manifest), packed.binding, crypto))
    return _sealed(manifest, packed.payload, packed.secret, signer, crypto)


def reseal(
    draft: ParcelDraft, superseded: str, lines: Sequence[bytes], said: Said, signer: Signer,
    recipients: Sequence[Certificate], crypto: Crypto, chance: Chance,
) -> Sealed:
    """Return the same records sealed again at the same place, naming the first statement sealed there."""
    return seal(replace(draft, supersedes=superseded), lines, said, signer, recipients, crypto, chance)


def void(draft: ParcelDraft, given_up: str, signer: Signer, crypto: Crypto) -> Sealed:
    """Return the parcel that takes the place of an unaccepted one; `given_up` is the first statement sealed there.

    It holds no records, so it has no tree, no key and no envelope: count 0, root and bind 64 zeros, payload empty.
    """
    draft = replace(draft, kind="void", supersedes=given_up, batch=None, expires=None)
    manifest = _manifest(draft, 0, NOTHING, Envelope(0, crypto.sm3(b"").hex()))
    return _sealed(replace(manifest, bind=NOTHING), b"", b"", signer, crypto)


def _addressed(address: Address, count: int, recipients: Sequence[Certificate]) -> None:
    if not 1 <= len(recipients) <= 2 or not 1 <= count <= MOST:
        raise ValueError("one or two recipients, and 1 to 65536 records to seal")
    if address.receiver.cert != recipients[0].fingerprint:
        raise ValueError("the receiver names another certificate")
    for certificate in recipients:
        _fits(certificate, Role.ENCRYPT)


def _signs(sender: Party, signer: Signer) -> None:
    if sender.cert != signer.certificate.fingerprint:
        raise ValueError("the sender names another certificate")
    _fits(signer.certificate, Role.SIGN)


def _fits(certificate: Certificate, role: Role) -> None:
    if role not in certificate.roles:
        raise trouble(codes.KEY_ROLE, name=certificate.fingerprint, role=role.value)


def _manifest(draft: ParcelDraft, count: int, root: str, envelope: Envelope) -> Manifest:
    return Manifest(
        domain=draft.domain, sender=draft.sender, receiver=draft.receiver, parcel=draft.parcel, kind=draft.kind,
        resource=draft.resource, stream=draft.stream, spec=draft.spec, place=draft.place, created=draft.created,
        priority=draft.priority, leaf=LEAF, count=count, root=root, envelope=envelope, bind="",
        expires=draft.expires, supersedes=draft.supersedes, via=draft.via, batch=draft.batch, ext=draft.ext,
        crit=draft.crit,
    )


def _sealed(manifest: Manifest, payload: bytes, secret: bytes, signer: Signer, crypto: Crypto) -> Sealed:
    content = encode(members(manifest))
    der = enclose("parcel", content, signer.certificate, signer.sign)
    return Sealed(manifest, digest_of(content, crypto), der, payload, secret)
