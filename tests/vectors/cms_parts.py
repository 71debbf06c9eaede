"""The parts CMS vectors are put together from: two parties with fixed keys, and each structure with every part open.

The recipient has the sample key of GB/T 32918.5, the signer SM3 of a sentence: both are public and worthless.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from node.crypto.certificates import SPKI_HEAD, parse
from node.crypto.openssl import OpenSslCrypto
from node.envelope.cms import der, names
from node.model.certificate import Certificate
from tests.vectors import textbook

CRYPTO = OpenSslCrypto()
SM3 = CRYPTO.sm3
SIGNER_KEY = int.from_bytes(SM3(b"the signer of the CMS vectors"), "big") % (textbook.N - 2) + 1
RECIPIENT_KEY = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
OTHER_KEY = 0x1649AB77A00637BD5E2EFE283FBF353534AA7F7CB89463F208DDBC2920BB0DA0
CONTENT = "电子政务数据交换 content of the CMS vectors\n".encode()
CEK, IV = SM3(b"the key of the CMS vectors")[:16], SM3(b"the IV of the CMS vectors")[:16]
VERSION = der.integer(1)
KEY_ID = der.identifier("2.5.29.14")


def nonce(*about: bytes) -> int:
    """Return a nonce that depends on what it is for."""
    return int.from_bytes(SM3(b"nonce" + b"|".join(about)), "big") % (textbook.N - 1) + 1


def name(common: str) -> bytes:
    rdns = [("2.5.4.6", der.tlv(0x13, b"CN")), ("2.5.4.3", der.tlv(0x0C, common.encode()))]
    return der.sequence(*(der.set_of(der.sequence(der.identifier(oid), value)) for oid, value in rdns))


ISSUER = name("CMS vectors CA")


@dataclass(frozen=True)
class Authority:
    """Who signs certificates: the DER of its name, and its key."""

    name: bytes
    d: int


CA = Authority(ISSUER, SIGNER_KEY ^ 1)
TERM = (b"260101000000Z", b"460101000000Z")


@dataclass(frozen=True)
class Who:
    """A party: key, serial, key usage bits, who certified it, from when to when."""

    label: str
    d: int
    serial: int
    usage: bytes
    ca: Authority = CA
    term: tuple[bytes, bytes] = TERM

    @property
    def public(self) -> bytes:
        return _public(self.d)

    @property
    def key_id(self) -> bytes:
        return SM3(self.public)[:20]

    @property
    def certificate(self) -> Certificate:
        return parse(self.der, SM3)

    @property
    def der(self) -> bytes:
        return certificate(self)

    @property
    def sid(self) -> bytes:
        return der.sequence(self.ca.name, der.integer(self.serial))


@cache
def _public(d: int) -> bytes:
    return textbook.public(d)


SIGNER = Who("signer", SIGNER_KEY, 0x51A9E5, bytes.fromhex("030206c0"))
SECOND = Who("second signer", OTHER_KEY, 0x51A9E6, bytes.fromhex("030206c0"))
RECIPIENT = Who("recipient", RECIPIENT_KEY, 0xEC0001, bytes.fromhex("03020338"))
OTHER = Who("other recipient", OTHER_KEY, 0xEC0002, bytes.fromhex("03020338"))


@cache
def certificate(who: Who) -> bytes:
    """Return a version 3 certificate signed by the party's authority."""
    algorithm = der.sequence(der.identifier(names.SM2_WITH_SM3))
    validity = der.sequence(*(der.tlv(0x17, moment) for moment in who.term))
    extensions = [
        der.sequence(der.identifier("2.5.29.15"), der.tlv(1, b"\xff"), der.octets(who.usage)),
        der.sequence(KEY_ID, der.octets(der.octets(who.key_id))),
    ]
    certified = der.sequence(
        der.context(0, der.integer(2)), der.integer(who.serial), algorithm, who.ca.name, validity, name(who.label),
        SPKI_HEAD + who.public, der.context(3, der.sequence(*extensions)),
    )
    e = SM3(textbook.z(SM3, _public(who.ca.d)) + certified)
    signature = textbook.signature(*textbook.sign(who.ca.d, e, nonce(b"certificate", certified)))
    return der.sequence(certified, algorithm, der.tlv(3, b"\x00" + signature))


def algorithm(oid: str, parameters: bytes = der.NULL) -> bytes:
    return der.sequence(der.identifier(oid), parameters)


def numbers(data: bytes, who: Who = SIGNER, signer: bytes = textbook.ID, plain: bool = False) -> tuple[int, int]:
    """Return r and s over SM3(Z ‖ data), or over SM3(data) where `plain`."""
    e = SM3(data) if plain else SM3(textbook.z(SM3, who.public, signer) + data)
    return textbook.sign(who.d, e, nonce(b"signature", data, signer, bytes([plain])))


def signed_value(data: bytes, who: Who = SIGNER, signer: bytes = textbook.ID, plain: bool = False) -> bytes:
    return textbook.signature(*numbers(data, who, signer, plain))


def signer_info(
    signature: bytes, who: Who = SIGNER, version: bytes = VERSION, sid: bytes | None = None,
    digest: bytes = names.SM3_ALGORITHM, attributes: bytes = b"", method: bytes = names.SIGN_ALGORITHM,
    unsigned: bytes = b"",
) -> bytes:
    return der.sequence(
        version, who.sid if sid is None else sid, digest, attributes, method, der.octets(signature), unsigned
    )


def data_info(content: bytes | None = CONTENT, kind: bytes = names.DATA_TYPE) -> bytes:
    return der.sequence(kind, b"" if content is None else der.context(0, der.octets(content)))


def signed(
    *signers: bytes, content: bytes | None = None, version: bytes = VERSION, digests: bytes | None = None,
    certificates: bytes | None = None, crls: bytes = b"", kind: bytes = names.SIGNED_TYPE,
) -> bytes:
    """Return ContentInfo(signedData); what is left out is as the profile has it."""
    body = der.sequence(
        version, der.set_of(names.SM3_ALGORITHM) if digests is None else digests,
        data_info() if content is None else content,
        der.context(0, SIGNER.der) if certificates is None else certificates, crls,
        der.set_of(*(signers or (signer_info(signed_value(CONTENT)),))),
    )
    return der.sequence(kind, der.context(0, body))


def attributes(content: bytes = CONTENT, *more: bytes, kind: str = names.DATA) -> list[bytes]:
    """Return the authenticated attributes contentType and messageDigest, in DER's order."""
    pairs = [
        ("1.2.840.113549.1.9.3", der.identifier(kind)),
        ("1.2.840.113549.1.9.4", der.octets(SM3(content))),
        ("1.2.840.113549.1.9.5", der.tlv(0x17, b"261123040000Z")),
    ]
    return sorted([*(der.sequence(der.identifier(oid), der.set_of(value)) for oid, value in pairs), *more])


def wrapped_numbers(who: Who = RECIPIENT, key: bytes = CEK) -> tuple[int, int, bytes, bytes]:
    return textbook.encrypt(SM3, who.public, key, nonce(b"wrap", who.public, key))


def wrap(who: Who = RECIPIENT, key: bytes = CEK) -> bytes:
    return textbook.cipher(*wrapped_numbers(who, key))


def recipient_info(
    who: Who = RECIPIENT, wrapped: bytes | None = None, version: bytes = VERSION, rid: bytes | None = None,
    method: bytes = names.WRAP_ALGORITHM,
) -> bytes:
    return der.sequence(
        version, who.sid if rid is None else rid, method, der.octets(wrap(who) if wrapped is None else wrapped)
    )


def secret_info(
    secret: bytes | None = None, method: bytes | None = None, kind: bytes = names.DATA_TYPE, after: bytes = b"",
) -> bytes:
    if secret is None:
        secret = CRYPTO.sm4_cbc_encrypt(CEK, IV, CONTENT)
    return der.sequence(kind, method or algorithm(names.SM4_CBC, der.octets(IV)), der.tlv(0x80, secret), after)


def enveloped(
    *recipients: bytes, version: bytes = VERSION, infos: bytes | None = None, secret: bytes | None = None,
    kind: bytes = names.ENVELOPED_TYPE, after: bytes = b"",
) -> bytes:
    """Return ContentInfo(envelopedData); what is left out is as the profile has it."""
    told = der.set_of(*(recipients or (recipient_info(),))) if infos is None else infos
    body = der.sequence(version, told, secret_info() if secret is None else secret, after)
    return der.sequence(kind, der.context(0, body))


def signed_and_enveloped(secret: bytes, *signers: bytes) -> bytes:
    body = der.sequence(
        VERSION, der.set_of(recipient_info()), der.set_of(names.SM3_ALGORITHM), secret,
        der.context(0, SIGNER.der), der.set_of(*signers),
    )
    return der.sequence(der.identifier(names.SIGNED_ENVELOPED), der.context(0, body))
