"""What can be told of a message by its writing alone, before any key is used."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from node.envelope.cms import names
from node.envelope.cms.ber import Walk
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.cms.message import Holder, Message, Recipient, Signer
from node.envelope.cms.opening import Cipher
from node.envelope.cms.reading import read_message
from node.envelope.cms.report import SignerTold
from node.envelope.cms.signed import read_signed
from node.model.certificate import Certificate
from node.model.trouble import Trouble

SIGNING_TIME = "1.2.840.113549.1.9.5"
_PLAIN_SIGNATURES = (names.SM2_SIGN, names.SM2_WITH_SM3)
_PLAIN_WRAPS = (names.SM2_ENCRYPT, names.SM2_EXCHANGE)


def caveats_of(message: Message, octets: bytes, cipher: Cipher | None) -> Iterator[str]:
    """Yield the names of what deserves a note about the writing of a message."""
    if message.kind in (2, 3):
        yield "profile" if _in_profile(message.kind, octets) else "not-profile"
    if message.oid.startswith(names.PKCS7 + "."):
        yield "pkcs7-type"
    parties: tuple[Signer | Recipient, ...] = (*message.signers, *message.recipients)
    if message.version not in (None, 1) or any(one.version != 1 for one in parties):
        yield "version"
    if any(one.holder.key_id is not None for one in parties):
        yield "key-id"
    if any(one.holder.serial is not None and one.holder.issuer is None for one in parties):
        yield "no-issuer"
    if message.others:
        yield "other-recipients"
    if any(one.algorithm.oid not in _PLAIN_WRAPS for one in message.recipients):
        yield "key-algorithm"
    if cipher and cipher.caveat:
        yield cipher.caveat
    if message.secret and message.secret.shared:
        yield "shared-info"


def _in_profile(kind: int, octets: bytes) -> bool:
    try:
        if kind == 2:
            read_signed(octets)
        else:
            read_enveloped(octets)
    except Trouble:
        return False
    return True


def is_message(octets: bytes) -> bool:
    """Whether decrypted content is a message of a known kind in its turn."""
    try:
        return octets[:1] == b"\x30" and read_message(octets).kind != 0
    except Trouble:
        return False


def signer_told(signer: Signer) -> SignerTold:
    """Return what is told of a signer before its signature is judged."""
    caveats = [] if signer.algorithm.oid in _PLAIN_SIGNATURES else ["signature-algorithm"]
    if signer.unsigned:
        caveats.append("unsigned-attributes")
    attributes = None if signer.attributes is None else tuple(map(names.called, signer.attributes.values))
    return SignerTold(
        signer.version, signer.holder, signer.digest, signer.algorithm, attributes, _signing_time(signer),
        caveats=tuple(caveats),
    )


def _signing_time(signer: Signer) -> str | None:
    """Return the time the signer states, as written (UTCTime or GeneralizedTime); it proves nothing."""
    values = signer.attributes.values.get(SIGNING_TIME, ()) if signer.attributes else ()
    text = values[0][2:] if len(values) == 1 else b""
    digits = text.removesuffix(b"Z")
    return text.decode("ascii") if digits.isdigit() and 10 <= len(digits) <= 14 else None


def names_certificate(holder: Holder, certificate: Certificate) -> bool:
    """Whether `holder` means `certificate`."""
    if holder.key_id is not None:
        return hmac.compare_digest(holder.key_id, _key_id(certificate) or b"")
    return holder.serial == certificate.serial and holder.issuer in (None, certificate.issuer)


def _key_id(certificate: Certificate) -> bytes | None:
    """Return the subject key identifier of a certificate: the value under 2.5.29.14, found by walking its DER."""
    walk = Walk()
    try:
        extensions = walk.children(walk.children(walk.root(certificate.der))[0])[-1]
        for extension in walk.children(walk.children(extensions)[0]):
            oid, *_, value = walk.children(extension)
            if walk.identifier(oid) == "2.5.29.14":
                return walk.root(value.contents).contents
    except (Trouble, IndexError, ValueError):
        return None
    return None
