"""Opening: from checked bytes to lines, all or nothing (WIRE §2, order of checks).

    Attested manifest + payload ─verify_bytes─► Verified ─open_parcel─► Opened

Rule 1: "verified" is a fact about bytes: only `verify_bytes` makes a Verified, from the bytes themselves, each time.
Rule 2: `bind` is compared before anything is decrypted, so a stolen or altered envelope never meets the padding check.
Rule 3: no line is released before n and root were recomputed.
Rule 4: every failure from unwrap to root gives one answer, EXN-OPEN; its cause is for the local log alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hmac import compare_digest

from node.envelope import merkle
from node.envelope.binding import bound
from node.envelope.cms.enveloped import Enveloped, read_enveloped
from node.envelope.inner import Inner, agree
from node.envelope.payload import expand, read_payload, split_lines
from node.envelope.statement import Attested
from node.model import codes
from node.model.ids import uuid_bytes
from node.model.parcel import Manifest
from node.model.trouble import Hold, Refused, Trouble, trouble
from node.ports import Crypto

Unwrap = Callable[[bytes, int, bytes], bytes]
"""(issuer's Name DER, serial, DER SM2Cipher) → 16-byte key; Hold(KEY_ROLE) for a key that is not ours."""


class Unopened(Refused):
    """EXN-OPEN; `reason` names the step that failed, for the local log and never for the wire."""

    def __init__(self, reason: str) -> None:
        super().__init__(codes.OPEN)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verified:
    """A parcel whose payload octets have just been checked against its attested manifest."""

    manifest: Attested[Manifest]
    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A parcel's records, proved to be those its sender committed to; `lines` are byte for byte as sealed."""

    manifest: Attested[Manifest]
    inner: Inner | None
    secret: bytes = field(repr=False)
    lines: Sequence[bytes] = field(repr=False)
    salts: Sequence[bytes] = field(repr=False)
    leaves: Sequence[bytes] = field(repr=False)


def verify_bytes(manifest: Attested[Manifest], payload: bytes, crypto: Crypto) -> Verified:
    """Return the parcel as verified; raise Refused(DIGEST) unless size and SM3 of `payload` are the manifest's."""
    check_octets(manifest.statement, payload, crypto)
    return Verified(manifest, payload)


def check_octets(manifest: Manifest, payload: bytes, crypto: Crypto) -> None:
    """Return if size and SM3 of `payload` are the manifest's; raise Refused(DIGEST) otherwise.  Proves no signature."""
    envelope = manifest.envelope
    if len(payload) != envelope.size or not compare_digest(crypto.sm3(payload).hex(), envelope.digest):
        raise trouble(codes.DIGEST)


def open_parcel(verified: Verified, unwrap: Unwrap, crypto: Crypto) -> Opened:
    """Return the records of a verified parcel; a void has none, and no `inner`.

    Raises Unopened (EXN-OPEN) for any failure, and Hold(KEY_ROLE) when none of the recipients' keys is ours.
    """
    manifest = verified.manifest
    if manifest.statement.count == 0:
        return Opened(manifest, None, b"", (), (), ())
    try:
        return _open(verified, unwrap, crypto)
    except Unopened:
        raise
    except Refused as cause:
        raise Unopened(str(cause.details.get("reason", cause.code.name))) from cause


def _open(verified: Verified, unwrap: Unwrap, crypto: Crypto) -> Opened:
    statement = verified.manifest.statement
    enveloped = read_enveloped(verified.payload)
    key = unwrap_one(enveloped, unwrap)
    if not bound(verified.manifest.content, statement.bind, key, crypto):
        raise Unopened("bind")
    payload = read_payload(crypto.sm4_cbc_decrypt(key, enveloped.iv, enveloped.secret))
    if not agree(payload.inner, statement):
        raise Unopened("inner")
    body = expand(payload.inner.compression, payload.body, payload.inner.clear_size)
    if body.count(b"\n") != statement.count:  # before the lines exist: they take more memory than the body
        raise Unopened("count")
    lines = split_lines(body)
    salted = merkle.salts(payload.secret, len(lines), crypto)
    leaves = merkle.leaves(uuid_bytes(statement.parcel), salted, lines, crypto.sm3)
    if not compare_digest(merkle.root(leaves, crypto.sm3).hex(), statement.root):
        raise Unopened("root")
    return Opened(verified.manifest, payload.inner, payload.secret, lines, salted, leaves)


def unwrap_one(enveloped: Enveloped, unwrap: Unwrap) -> bytes:
    """Return the content key of the first recipient whose key is ours.

    Raises Hold(KEY_ROLE) when none is, Refused(OPEN) when ours does not open.  Which recipients there are is public,
    so that answer tells a sender nothing it could not read itself.
    """
    missing: Trouble | None = None
    for recipient in enveloped.recipients:
        try:
            return unwrap(recipient.issuer, recipient.serial, recipient.wrapped)
        except Hold as trouble_here:
            missing = trouble_here
    if missing is not None:
        raise missing
    raise Unopened("recipients")
