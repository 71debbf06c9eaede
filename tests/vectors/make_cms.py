"""Writes tests/vectors/cms/: one message per file, each with one failure, and the index that says which.

`python -m tests.vectors.make_cms` writes the folder anew, the same octets each time.  In the index:
`stage` is where the wire's reader must stop (`read`, `verify`, `open`, `statement`; `good` where it must not) with
`code`; `tool` is what the `cms` command must say: a verdict, or the problem, after a slash the reading that verified.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from node.envelope.cms import der, names
from tests.vectors import textbook
from tests.vectors.cms_parts import (
    CEK,
    CONTENT,
    CRYPTO,
    ISSUER,
    IV,
    OTHER,
    RECIPIENT,
    SECOND,
    SIGNER,
    SM3,
    VERSION,
    algorithm,
    attributes,
    data_info,
    enveloped,
    numbers,
    recipient_info,
    secret_info,
    signed,
    signed_and_enveloped,
    signed_value,
    signer_info,
    wrap,
    wrapped_numbers,
)

FOLDER = Path(__file__).parent / "cms"
FORM, SIGNATURE, OPEN, STATEMENT = "EXN-CMS-FORM", "EXN-SIGNATURE", "EXN-OPEN", "EXN-STATEMENT"
GOOD_SIGNATURE = signed_value(CONTENT)


@dataclass(frozen=True)
class Vector:
    """One file and what must become of it."""

    name: str
    says: str
    octets: bytes = field(repr=False)
    tool: str
    stage: str = "read"
    code: str | None = FORM

    @property
    def row(self) -> dict[str, str | None]:
        return {
            "file": f"{self.name}.der", "says": self.says, "stage": self.stage, "code": self.code, "tool": self.tool,
        }


def good() -> Iterator[Vector]:
    yield Vector("signed", "the profile", signed(), "verified", "good", None)
    empty = signed(signer_info(signed_value(b"")), content=data_info(b""))
    yield Vector("signed-empty", "the profile over no octets", empty, "verified", "good", None)
    yield Vector("enveloped", "the profile for one recipient", enveloped(), "opened", "good", None)
    two = enveloped(recipient_info(), recipient_info(OTHER))
    yield Vector("enveloped-two", "the profile with self-recipient", two, "opened", "good", None)


def signed_forms() -> Iterator[Vector]:
    one = signer_info(GOOD_SIGNATURE)
    told = attributes()
    signature = signed_value(der.tlv(der.SET, *told))
    with_attributes = signer_info(signature, attributes=der.context(0, *told))
    yield Vector("attributes", "authenticated attributes", signed(with_attributes), "verified")
    wrong = attributes(CONTENT + b".")
    wrong_info = signer_info(signed_value(der.tlv(der.SET, *wrong)), attributes=der.context(0, *wrong))
    yield Vector("attributes-digest", "messageDigest of another content", signed(wrong_info), "message-digest")
    other = attributes(kind=names.SIGNED)
    other_info = signer_info(signed_value(der.tlv(der.SET, *other)), attributes=der.context(0, *other))
    yield Vector("attributes-type", "contentType of another type", signed(other_info), "content-type")
    unsigned = signer_info(GOOD_SIGNATURE, unsigned=der.tlv(0xA1, told[0]))
    yield Vector("unsigned-attributes", "unauthenticated attributes", signed(unsigned), "verified")
    second = signer_info(signed_value(CONTENT, SECOND), SECOND)
    both = der.context(0, SIGNER.der, SECOND.der)
    yield Vector("signers-two", "two signers", signed(one, second, certificates=both), "verified")
    spoilt = signer_info(signed_value(CONTENT + b".", SECOND), SECOND)
    yield Vector("signers-one-bad", "two signers, one of them bad", signed(one, spoilt, certificates=both), "signature")
    yield Vector("signers-none", "a bag of certificates", _no_signers(), "no-signer")
    yield Vector("certificate-extra", "a second certificate", signed(certificates=both), "verified")
    yield Vector("certificate-none", "no certificate", signed(certificates=b""), "verified")
    yield Vector("certificate-other", "another's certificate alone", _other_certificate(), "verified")
    crl = der.tlv(0xA1, der.sequence(der.sequence(VERSION), algorithm(names.SM2_WITH_SM3), der.tlv(3, b"\0")))
    yield Vector("crls", "a CRL", signed(crls=crl), "verified")
    yield Vector("detached", "no content enclosed", signed(content=data_info(None)), "verified")
    yield Vector("type-pkcs7", "PKCS #7's content types", _pkcs7(), "verified")
    yield Vector("type-inner", "PKCS #7's data inside", signed(content=data_info(
        kind=der.identifier(f"{names.PKCS7}.1"))), "verified")
    yield Vector("version-3", "SignedData version 3", signed(version=der.integer(3)), "verified")
    key_id = signer_info(GOOD_SIGNATURE, version=der.integer(3), sid=der.tlv(0x80, SIGNER.key_id))
    yield Vector("signer-key-id", "the signer by key identifier", signed(key_id), "verified")
    serial = signer_info(GOOD_SIGNATURE, sid=der.sequence(ISSUER, der.integer(SIGNER.serial + 1)))
    yield Vector("signer-serial", "another serial than the certificate's", signed(serial), "no-certificate")


def _no_signers() -> bytes:
    body = der.sequence(VERSION, der.set_of(), data_info(None), der.context(0, SIGNER.der), der.set_of())
    return der.sequence(names.SIGNED_TYPE, der.context(0, body))


def _other_certificate() -> bytes:
    return signed(signer_info(GOOD_SIGNATURE), certificates=der.context(0, SECOND.der))


def _pkcs7() -> bytes:
    return signed(content=data_info(kind=der.identifier(f"{names.PKCS7}.1")), kind=der.identifier(f"{names.PKCS7}.2"))


def algorithms() -> Iterator[Vector]:
    def by(method: bytes) -> bytes:
        return signed(signer_info(GOOD_SIGNATURE, method=method))

    yield Vector("algorithm-501", "signature algorithm 501", by(algorithm(names.SM2_WITH_SM3)), "verified")
    yield Vector("algorithm-301.1-bare", "301.1 without parameters", by(algorithm(names.SM2_SIGN, b"")), "verified")
    bare = algorithm(names.SM3, b"")
    yield Vector("digest-bare", "SM3 without parameters", signed(
        signer_info(GOOD_SIGNATURE, digest=bare), digests=der.set_of(bare)), "verified")
    yield Vector("digest-two", "two digest algorithms", signed(
        digests=der.set_of(names.SM3_ALGORITHM, bare)), "verified")
    sha = algorithm("2.16.840.1.101.3.4.2.1")
    yield Vector("digest-sha256", "digest algorithm SHA-256", signed(
        signer_info(GOOD_SIGNATURE, digest=sha), digests=der.set_of(sha)), "digest-algorithm")


def writings() -> Iterator[Vector]:
    octets = signed()
    yield Vector("trailing", "an octet after the message", octets + b"\0", "verified")
    yield Vector("ber-length", "a length in more octets than it needs", _long_length(octets), "verified")
    yield Vector("ber-indefinite", "indefinite lengths and a string in pieces", _indefinite(), "verified")
    r, s = numbers(CONTENT)
    forms = {
        "trailing": (textbook.signature(r, s) + b"\0", "verified"),
        "member": (der.sequence(der.integer(r), der.integer(s), der.NULL), "signature-form"),
        "length": (_long_length(textbook.signature(r, s)), "verified"),
        "raw": (r.to_bytes(32, "big") + s.to_bytes(32, "big"), "verified"),
        "r-zero": (textbook.signature(0, s), "signature-form"),
        "s-zero": (textbook.signature(r, 0), "signature-form"),
        "r-n": (textbook.signature(textbook.N, s), "signature-form"),
        "s-n": (textbook.signature(r, textbook.N), "signature-form"),
        "r-plus-n": (textbook.signature(r + textbook.N, s), "signature-form"),
        "s-plus-n": (textbook.signature(r, s + textbook.N), "signature-form"),
        "sign-octet": (der.sequence(*(der.tlv(2, one.to_bytes(32, "big")) for one in (r, s))), "verified"),
    }
    for name, (value, tool) in forms.items():
        yield Vector(f"signature-{name}", f"SM2Signature: {name}", signed(signer_info(value)), tool)


def _long_length(octets: bytes) -> bytes:
    """Return the same element with a longer length of its outermost."""
    walked = octets[1]
    size = 1 if walked < 0x80 else 1 + (walked & 0x7F)
    body = octets[1 + size:]
    return octets[:1] + b"\x84" + len(body).to_bytes(4, "big") + body


def _indefinite() -> bytes:
    def open_ended(tag: int, *parts: bytes) -> bytes:
        return bytes((tag, 0x80)) + b"".join(parts) + b"\0\0"

    pieces = open_ended(0x24, der.octets(CONTENT[:7]), der.octets(CONTENT[7:]))
    body = open_ended(
        0x30, VERSION, der.set_of(names.SM3_ALGORITHM), open_ended(0x30, names.DATA_TYPE, open_ended(0xA0, pieces)),
        der.context(0, SIGNER.der), der.set_of(signer_info(GOOD_SIGNATURE)),
    )
    return open_ended(0x30, names.SIGNED_TYPE, open_ended(0xA0, body))


def identities() -> Iterator[Vector]:
    def over(data: bytes, signer: bytes = textbook.ID, plain: bool = False) -> bytes:
        return signed(signer_info(signed_value(data, signer=signer, plain=plain)))

    readings = {
        "content-empty-id": ("the empty ID", over(CONTENT, b"")),
        "content-tls-id": ("the ID of TLS 1.3", over(CONTENT, b"TLSv1.3+GM+Cipher+Suite")),
        "content-no-z": ("e = SM3(content), no Z", over(CONTENT, plain=True)),
        "digest-as-message": ("SM3(content) as the message", over(SM3(CONTENT))),
        "content-info": ("e = SM3(whole ContentInfo), no Z", over(data_info(), plain=True)),
        "element": ("tag and length signed as well", over(der.octets(CONTENT))),
    }
    for reading, (says, octets) in readings.items():
        yield Vector(f"id-{reading}", says, octets, f"nonstandard/{reading}", "verify", SIGNATURE)
    told = attributes()
    as_sent = signer_info(signed_value(der.context(0, *told)), attributes=der.context(0, *told))
    yield Vector("id-attributes-as-sent", "attributes signed under [0]", signed(as_sent),
                 "nonstandard/attributes-as-sent")
    order = told[::-1]
    reverse = signer_info(signed_value(der.tlv(der.SET, *order)), attributes=der.context(0, *order))
    yield Vector("id-attributes-order", "attributes out of order", signed(reverse), "nonstandard/attributes-not-der")
    yield Vector("signature-other", "another content's signature", over(CONTENT + b"."), "signature", "verify",
                 SIGNATURE)
    attribute_set = der.tlv(der.SET, *told)
    lifted = signed(signer_info(signed_value(attribute_set)), content=data_info(attribute_set))
    yield Vector("content-attributes", "a SET of signed attributes passed off as content", lifted, "attribute-content",
                 "statement", STATEMENT)


def envelopes() -> Iterator[Vector]:
    third = enveloped(recipient_info(), recipient_info(OTHER), recipient_info(SIGNER))
    yield Vector("recipients-three", "a third recipient", third, "opened")
    twice = enveloped(infos=der.set_of(recipient_info(), recipient_info()))
    yield Vector("recipients-twice", "one recipient twice", twice, "opened")
    infos = sorted((recipient_info(), recipient_info(OTHER)), reverse=True)
    yield Vector("recipients-order", "recipients out of order", enveloped(infos=der.tlv(der.SET, *infos)), "opened")
    yield Vector("recipients-none", "no recipient", enveloped(infos=der.set_of()), "no-recipient")
    key_id = recipient_info(version=der.integer(2), rid=der.tlv(0x80, RECIPIENT.key_id))
    yield Vector("recipient-key-id", "a recipient by key identifier, version 2", enveloped(key_id), "opened")
    nameless = recipient_info(rid=der.sequence(b"\0\0", der.integer(RECIPIENT.serial)))
    yield Vector("recipient-nameless", "a recipient without issuer", enveloped(nameless), "opened")
    yield Vector("recipient-other", "for somebody else", enveloped(recipient_info(OTHER)), "no-recipient", "open", OPEN)
    for oid, name in ((names.SM2_EXCHANGE, "301.2"), (names.SM2_WITH_SM3, "501")):
        info = recipient_info(method=algorithm(oid))
        yield Vector(f"key-algorithm-{name}", f"key encryption algorithm {name}", enveloped(info), "opened")
    bare = recipient_info(method=algorithm(names.SM2_ENCRYPT, b""))
    yield Vector("key-algorithm-bare", "301.3 without parameters", enveloped(bare), "opened")
    yield Vector("envelope-version-2", "EnvelopedData version 2", enveloped(version=der.integer(2)), "opened")
    yield Vector("envelope-trailing", "an octet after the envelope", enveloped() + b"\0", "opened")
    yield Vector("envelope-length", "a long length", _long_length(enveloped()), "opened")
    unprotected = enveloped(after=der.tlv(0xA1, attributes()[0]))
    yield Vector("envelope-attributes", "unprotected attributes", unprotected, "opened")
    yield Vector("type-enveloped-pkcs7", "PKCS #7's content type", enveloped(
        kind=der.identifier(f"{names.PKCS7}.3")), "opened")
    shared = secret_info(after=der.tlv(0x81, b"shared"))
    yield Vector("shared-info", "sharedInfo", enveloped(secret=shared), "opened")


def wrapped_keys() -> Iterator[Vector]:
    x, y, digest, text = wrapped_numbers()
    for size in (15, 17, 32):
        octets = wrap(key=(CEK * 2)[:size])
        yield Vector(f"key-{size}", f"a wrapped key of {size} octets", enveloped(recipient_info(wrapped=octets)),
                     "no-recipient")
    raw = b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")
    forms = {
        "trailing": (wrap() + b"\0", "opened"),
        "length": (_long_length(wrap()), "opened"),
        "member": (der.sequence(wrap()[2:], der.NULL), "no-recipient"),
        "raw-132": (raw + digest + text, "opened"),
        "raw-123": (raw + text + digest, "opened"),
        "x-plus-p": (textbook.cipher(x + textbook.P, y, digest, text), "no-recipient"),
        "hash-31": (textbook.cipher(x, y, digest[:31], text), "no-recipient"),
    }
    for name, (octets, tool) in forms.items():
        yield Vector(f"cipher-{name}", f"SM2Cipher: {name}", enveloped(recipient_info(wrapped=octets)), tool)
    spoilt = {
        "off-curve": textbook.cipher(x, y ^ 1, digest, text),
        "c3": textbook.cipher(x, y, bytes((digest[0] ^ 1,)) + digest[1:], text),
        "c2": textbook.cipher(x, y, digest, bytes((text[0] ^ 1,)) + text[1:]),
    }
    for name, octets in spoilt.items():
        yield Vector(f"cipher-{name}", f"SM2Cipher: bad {name}", enveloped(recipient_info(wrapped=octets)),
                     "no-recipient", "open", OPEN)


def ciphers() -> Iterator[Vector]:
    iv, padded = der.octets(IV), CONTENT + bytes([16 - len(CONTENT) % 16]) * (16 - len(CONTENT) % 16)
    ecb = CRYPTO.sm4_ecb(CEK, padded)
    gcm = der.sequence(der.octets(IV[:12]), der.integer(16))
    kinds = {
        "104-iv": (names.SM4, iv, None), "104-bare": (names.SM4, b"", ecb), "104-null": (names.SM4, der.NULL, ecb),
        "ecb": (names.SM4_ECB, b"", ecb), "ecb-unpadded": (names.SM4_ECB, b"", CRYPTO.sm4_ecb(CEK, CONTENT[:32])),
        "ofb": (names.SM4_OFB, iv, _ofb()), "cfb": (names.SM4_CFB, iv, _cfb()),
        "ctr": (names.SM4_CTR, iv, CRYPTO.sm4_ctr(CEK, IV, CONTENT)),
        "gcm": (names.SM4_GCM, gcm, CRYPTO.sm4_gcm_seal(CEK, IV[:12], CONTENT, b"")),
    }
    for name, (oid, parameters, secret) in kinds.items():
        octets = enveloped(secret=secret_info(secret, algorithm(oid, parameters)))
        yield Vector(f"cipher-mode-{name}", f"content encryption {name}", octets, "opened")
    iv12 = algorithm(names.SM4_CBC, der.octets(IV[:12]))
    yield Vector("cipher-mode-iv12", "an IV of 12 octets", enveloped(secret=secret_info(method=iv12)), "cipher")
    ccm = algorithm(names.SM4_CCM, gcm)
    yield Vector("cipher-mode-ccm", "content encryption CCM", enveloped(secret=secret_info(method=ccm)), "cipher")
    cut = CRYPTO.sm4_cbc_encrypt(CEK, IV, CONTENT)[:-1]
    yield Vector("ciphertext-cut", "ciphertext of no whole blocks", enveloped(secret=secret_info(cut)), "ciphertext")
    yield Vector("ciphertext-none", "an empty ciphertext", enveloped(secret=secret_info(b"")), "ciphertext")
    padding = CRYPTO.sm4_cbc_encrypt(CEK, IV, CONTENT)[:-16]
    yield Vector("ciphertext-padding", "bad padding", enveloped(secret=secret_info(padding)), "ciphertext", "open",
                 OPEN)


def _ofb() -> bytes:
    made, last = b"", IV
    for at in range(0, len(CONTENT), 16):
        last = CRYPTO.sm4_ecb(CEK, last)
        made += bytes(a ^ b for a, b in zip(CONTENT[at:at + 16], last))
    return made


def _cfb() -> bytes:
    made, last = b"", IV
    for at in range(0, len(CONTENT), 16):
        last = bytes(a ^ b for a, b in zip(CONTENT[at:at + 16], CRYPTO.sm4_ecb(CEK, last)))
        made += last
    return made


def signed_and_enveloped_forms() -> Iterator[Vector]:
    bare_ecb = algorithm(names.SM4, b"")
    ecb = secret_info(CRYPTO.sm4_ecb(CEK, CONTENT[:32]), bare_ecb)
    kinds = {
        "cbc": (secret_info(), signed_value(CONTENT), "opened-verified"),
        "ecb-unpadded": (ecb, signed_value(CONTENT[:32]), "opened-verified"),
        "bad": (secret_info(), signed_value(CONTENT + b"."), "signature"),
        "no-z": (secret_info(), signed_value(CONTENT, plain=True), "nonstandard/content-no-z"),
    }
    for name, (secret, value, tool) in kinds.items():
        octets = signed_and_enveloped(secret, signer_info(value))
        yield Vector(f"signed-and-enveloped-{name}", f"SignedAndEnvelopedData: {name}", octets, tool)


def vectors() -> list[Vector]:
    """Return all vectors."""
    parts = (
        good, signed_forms, algorithms, writings, identities, envelopes, wrapped_keys, ciphers,
        signed_and_enveloped_forms,
    )
    return [vector for part in parts for vector in part()]


def index() -> bytes:
    """Return the index as it stands in the folder."""
    told = {
        "content": CONTENT.hex(), "signer": SIGNER.der.hex(), "second": SECOND.der.hex(),
        "recipient": RECIPIENT.der.hex(), "recipient_key": f"{RECIPIENT.d:064x}",
        "vectors": [vector.row for vector in vectors()],
    }
    return json.dumps(told, indent=1).encode() + b"\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for vector in vectors():
        (FOLDER / f"{vector.name}.der").write_bytes(vector.octets)
    (FOLDER / "index.json").write_bytes(index())
