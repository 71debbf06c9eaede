"""Vectors of whole parcels whose manifest or envelope is CMS outside the profile, one failure each (folder parcels)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from node.envelope.cms import der, names
from node.envelope.frame import MAGIC
from tests.vectors import cms_parts as parts
from tests.vectors import textbook
from tests.vectors.cms_parts import SM3, algorithm, signed_value
from tests.vectors.wire_parts import ALICE, BOB, CAROL, Forge, Vector, taken, turned

FORM = "EXN-CMS-FORM"
SIGNER, SECOND = ALICE.signs, CAROL.signs


def manifests() -> Iterator[Vector]:
    """Yield parcels whose manifest is another SignedData than the profile's; all end before anything is kept."""
    for name, (says, made, code) in {**_forms(), **_values(), **_identities()}.items():
        forge = Forge(f"cms {name}")
        statement, payload = made(forge.content), forge.payload
        stage = "verify" if code == "EXN-SIGNATURE" else "statement"
        data = MAGIC + len(statement).to_bytes(4, "big") + statement + len(payload).to_bytes(8, "big") + payload
        answer = turned(code, "signature" if stage == "verify" else "statement")
        yield Vector(f"cms-{name}.exnp", says, data, stage, code, {
            "sender": "dept-a", "resource": forge.resource, "answer": answer})


Made = Callable[[bytes], bytes]


def _signed(content: bytes, *infos: bytes, **given: bytes) -> bytes:
    given = {"certificates": der.context(0, SIGNER.der), "content": parts.data_info(content), **given}
    return parts.signed(*(infos or (_info(content),)), **given)  # type: ignore[arg-type]


def _info(content: bytes, value: bytes | None = None, **given: bytes) -> bytes:
    return parts.signer_info(signed_value(content, SIGNER) if value is None else value, SIGNER, **given)


def _with_attributes(content: bytes) -> bytes:
    told = parts.attributes(content)
    value = signed_value(der.tlv(der.SET, *told), SIGNER)
    return _signed(content, _info(content, value, attributes=der.context(0, *told)))


def _set_as_content(content: bytes) -> bytes:
    lifted = der.tlv(der.SET, *parts.attributes(content))
    return _signed(lifted)


def _two_signers(content: bytes) -> bytes:
    other = parts.signer_info(signed_value(content, SECOND), SECOND)
    return _signed(content, _info(content), other, certificates=der.context(0, SIGNER.der, SECOND.der))


def _indefinite(content: bytes) -> bytes:
    octets = _signed(content)
    body = octets[4 if octets[1] == 0x82 else 3 :]
    return b"\x30\x80" + body + b"\0\0"


def _forms() -> dict[str, tuple[str, Made, str]]:
    crl = der.tlv(0xA1, der.sequence(der.sequence(parts.VERSION), algorithm(names.SM2_WITH_SM3), der.tlv(3, b"\0")))
    bare = algorithm(names.SM3, b"")

    def by(method: bytes) -> Made:
        return lambda content: _signed(content, _info(content, method=method))

    return {
        "attributes": ("authenticated attributes", _with_attributes, FORM),
        "set-content": ("a DER SET of attributes as content", _set_as_content, "EXN-STATEMENT"),
        "two-signers": ("two signers", _two_signers, FORM),
        "certificate-extra": ("a second certificate", lambda content: _signed(
            content, certificates=der.context(0, SIGNER.der, SECOND.der)), FORM),
        "crls": ("a CRL enclosed", lambda content: _signed(content, crls=crl), FORM),
        "algorithm-501": ("signature algorithm 501", by(algorithm(names.SM2_WITH_SM3)), FORM),
        "algorithm-bare": ("301.1 without parameters", by(algorithm(names.SM2_SIGN, b"")), FORM),
        "digest-bare": ("SM3 without parameters", lambda content: _signed(
            content, _info(content, digest=bare), digests=der.set_of(bare)), FORM),
        "key-identifier": ("the signer by key identifier", lambda content: _signed(content, _info(
            content, version=der.integer(3), sid=der.tlv(0x80, SIGNER.key_id))), FORM),
        "indefinite": ("BER: an indefinite length", _indefinite, FORM),
        "trailing": ("an octet after the SignedData", lambda content: _signed(content) + b"\0", FORM),
    }


def _values() -> dict[str, tuple[str, Made, str]]:
    order = textbook.N

    def value(make: Callable[[int, int], bytes]) -> Made:
        return lambda content: _signed(content, _info(content, make(*parts.numbers(content, SIGNER))))

    numbers: dict[str, Callable[[int, int], bytes]] = {
        "r-zero": lambda r, s: textbook.signature(0, s), "s-zero": lambda r, s: textbook.signature(r, 0),
        "r-n": lambda r, s: textbook.signature(order, s), "s-n": lambda r, s: textbook.signature(r, order),
        "r-plus-n": lambda r, s: textbook.signature(r + order, s),
        "s-plus-n": lambda r, s: textbook.signature(r, s + order),
        "signature-trailing": lambda r, s: textbook.signature(r, s) + b"\0",
    }
    return {name: (f"SM2Signature: {name}", value(make), FORM) for name, make in numbers.items()}


def _identities() -> dict[str, tuple[str, Made, str]]:
    def over(data: Callable[[bytes], bytes], signer: bytes = textbook.ID, plain: bool = False) -> Made:
        return lambda content: _signed(
            content, _info(content, signed_value(data(content), SIGNER, signer=signer, plain=plain)))

    cases = {
        "id-empty": ("signed under the empty ID", over(bytes, b"")),
        "id-tls": ("signed under the ID of TLS 1.3", over(bytes, b"TLSv1.3+GM+Cipher+Suite")),
        "id-no-z": ("e = SM3(content), no Z", over(bytes, plain=True)),
        "id-digest": ("SM3(content) signed as the message", over(SM3)),
        "id-content-info": ("e = SM3(whole ContentInfo), no Z", over(parts.data_info, plain=True)),
    }
    return {name: (says, made, "EXN-SIGNATURE") for name, (says, made) in cases.items()}


def envelopes() -> Iterator[Vector]:
    """Yield parcels whose payload is another EnvelopedData than the profile's; the manifest is good, so all are taken.

    `reason` is for the local log alone.
    """
    for name, (says, make) in _envelopes().items():
        forge = Forge(f"envelope {name}")
        forge.payload_octets = make(forge)
        reason = "recipients" if name == "recipient-other" else ""
        yield Vector(f"envelope-{name}.exnp", says, forge.frame, "open", "EXN-OPEN", {
            "sender": "dept-a", "resource": forge.resource, "reason": reason, "answer": taken("refused", "EXN-OPEN")})


Sealed = Callable[[Forge], bytes]


def _enveloped(forge: Forge, *infos: bytes, secret: bytes | None = None) -> bytes:
    secret = parts.secret_info(forge.ciphertext, algorithm(names.SM4_CBC, der.octets(forge.iv))) \
        if secret is None else secret
    return parts.enveloped(*(infos or (_recipient(forge),)), secret=secret)


def _recipient(forge: Forge, wrapped: bytes | None = None, **given: bytes) -> bytes:
    wrapped = parts.wrap(BOB.opens, forge.key) if wrapped is None else wrapped
    return parts.recipient_info(BOB.opens, wrapped, **given)


def _other(forge: Forge, node: object = ALICE) -> bytes:
    who = node.opens  # type: ignore[attr-defined]
    return parts.recipient_info(who, parts.wrap(who, forge.key))


def _envelopes() -> dict[str, tuple[str, Sealed]]:
    def by(method: bytes) -> Sealed:
        return lambda forge: _enveloped(forge, _recipient(forge, method=method))

    def bare(forge: Forge) -> bytes:
        return _enveloped(forge, secret=parts.secret_info(forge.ciphertext, algorithm(names.SM4, b"")))

    def sized(size: int) -> Sealed:
        return lambda forge: _enveloped(forge, _recipient(forge, parts.wrap(BOB.opens, (forge.key * 2)[:size])))

    return {
        "301.2": ("key encryption algorithm 301.2", by(algorithm(names.SM2_EXCHANGE))),
        "301.3-bare": ("301.3 without parameters", by(algorithm(names.SM2_ENCRYPT, b""))),
        "104-bare": ("content encryption 104 without a mode", bare),
        "key-identifier": ("the recipient by key identifier", lambda forge: _enveloped(forge, _recipient(
            forge, version=der.integer(2), rid=der.tlv(0x80, BOB.opens.key_id)))),
        "three-recipients": ("a third recipient", lambda forge: _enveloped(
            forge, _recipient(forge), _other(forge), _other(forge, CAROL))),
        "recipient-other": ("sealed to somebody else, while the manifest names us", lambda forge: _enveloped(
            forge, _other(forge))),
        "key-15": ("a wrapped key of 15 octets", sized(15)),
        "key-17": ("a wrapped key of 17 octets", sized(17)),
        "key-32": ("a wrapped key of 32 octets", sized(32)),
        "trailing": ("an octet after the EnvelopedData", lambda forge: _enveloped(forge) + b"\0"),
        "padding": ("ciphertext without its last block", _unpadded),
        **_ciphers(),
    }


def _unpadded(forge: Forge) -> bytes:
    cut = parts.secret_info(forge.ciphertext[:-16], algorithm(names.SM4_CBC, der.octets(forge.iv)))
    return _enveloped(forge, secret=cut)


def _ciphers() -> dict[str, tuple[str, Sealed]]:
    def spoilt(make: Callable[[int, int, bytes, bytes], bytes]) -> Sealed:
        return lambda forge: _enveloped(forge, _recipient(forge, make(*parts.wrapped_numbers(BOB.opens, forge.key))))

    cases: dict[str, tuple[str, Callable[[int, int, bytes, bytes], bytes]]] = {
        "cipher-trailing": ("an octet after the SM2Cipher", lambda x, y, c3, c2: textbook.cipher(x, y, c3, c2) + b"\0"),
        "off-curve": ("C1 off the curve", lambda x, y, c3, c2: textbook.cipher(x, y ^ 1, c3, c2)),
        "c3": ("a bad C3", lambda x, y, c3, c2: textbook.cipher(x, y, bytes([c3[0] ^ 1]) + c3[1:], c2)),
        "c2": ("a bad C2", lambda x, y, c3, c2: textbook.cipher(x, y, c3, bytes([c2[0] ^ 1]) + c2[1:])),
    }
    return {name: (says, spoilt(make)) for name, (says, make) in cases.items()}
