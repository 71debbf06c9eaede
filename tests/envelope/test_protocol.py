"""The worked example of node/PROTOCOL.md, read out of the document and made again by the code."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace

import orjson

from node.crypto.certificates import parse
from node.envelope import (
    ParcelDraft,
    Said,
    Signer,
    frame,
    merkle,
    open_parcel,
    read_manifest,
    seal,
    unframe,
    verify,
    verify_bytes,
)
from node.envelope.binding import BLOCKS, bind
from node.envelope.cms.enveloped import read_enveloped
from node.envelope.kinds import KINDS
from node.envelope.statement import decode
from node.model import codes
from node.model.ids import uuid_bytes
from node.model.parcel import Manifest
from tests.crypto.papers import CRYPTO
from tests.vectors.cms_parts import signed_value
from tests.vectors.make_wire import PROTOCOL, protocol
from tests.vectors.wire_parts import ALICE

TEXT = PROTOCOL.read_text(encoding="utf-8")
TOLD = dict(re.findall(r"^```example ([\w-]+)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL))
SM3 = CRYPTO.sm3


def octets(name: str) -> bytes:
    text = re.sub(r"\s", "", TOLD[name])
    return bytes.fromhex(text) if re.fullmatch(r"(?:[0-9a-f]{2})+", text) else b64decode(text, validate=True)


LINES = [TOLD["line-0"].encode(), TOLD["line-1"].encode()]
MANIFEST = orjson.loads(TOLD["manifest"])
SENDER, RECEIVER = (parse(octets(f"{who}-certificate"), SM3) for who in ("sender", "receiver"))


def test_the_example_is_written_by_the_generator() -> None:
    assert protocol() == TEXT


def test_leaves_and_root() -> None:
    parcel = uuid_bytes(MANIFEST["parcel"])
    salts = merkle.salts(octets("S"), 2, CRYPTO)
    leaves = merkle.leaves(parcel, salts, LINES, SM3)
    assert salts == [octets("salt-0"), octets("salt-1")] and leaves == [octets("leaf-0"), octets("leaf-1")]
    assert merkle.root(leaves, SM3) == SM3(b"\x01" + leaves[0] + leaves[1]) == octets("root")
    assert octets("root").hex() == MANIFEST["root"]


def test_payload_and_ciphertext() -> None:
    inner = TOLD["inner"].encode()
    clear = octets("S") + len(inner).to_bytes(4, "big") + inner + b"".join(line + b"\n" for line in LINES)
    assert CRYPTO.sm4_cbc_encrypt(octets("CEK"), octets("IV"), clear) == octets("ciphertext")
    enveloped = read_enveloped(octets("payload"))
    assert (enveloped.iv, enveloped.secret) == (octets("IV"), octets("ciphertext"))
    assert [one.wrapped for one in enveloped.recipients] == [octets("wrapped-key")]
    assert CRYPTO.sm2_load(octets("receiver-key")).unwrap(octets("wrapped-key")) == octets("CEK")
    assert MANIFEST["envelope"] == {"digest": SM3(octets("payload")).hex(), "size": len(octets("payload"))}


def test_bind() -> None:
    assert BLOCKS == b"exn.bind.1\0\0\0\0\0\x01exn.bind.1\0\0\0\0\0\x02"
    assert CRYPTO.sm4_ecb(octets("CEK"), BLOCKS) == octets("Kb")
    assert CRYPTO.hmac_sm3(octets("Kb"), TOLD["unbound"].encode()) == octets("bind")
    assert bind(MANIFEST, octets("CEK"), CRYPTO) == octets("bind").hex() == MANIFEST["bind"]


def test_the_recorded_signature_verifies_and_the_parcel_opens() -> None:
    data = frame(octets("statement"), octets("payload"))
    assert SM3(data) == octets("frame-digest") and unframe(data).manifest == octets("statement")
    manifest = verify(read_manifest(octets("statement"), CRYPTO), SENDER, CRYPTO)
    assert manifest.content == TOLD["manifest"].encode() and manifest.digest == octets("digest").hex()
    key = CRYPTO.sm2_load(octets("receiver-key"))
    assert key.public == RECEIVER.public
    opened = open_parcel(
        verify_bytes(manifest, octets("payload"), CRYPTO), lambda issuer, serial, wrapped: key.unwrap(wrapped), CRYPTO
    )
    assert opened.lines == LINES and opened.secret == octets("S")


def test_sealing_makes_the_example_from_its_s() -> None:
    """With the example's S, CEK and IV for chance; only compression, which `seal` chooses, makes another envelope."""
    said = decode("parcel", TOLD["manifest"].encode())
    assert isinstance(said, Manifest)
    draft = ParcelDraft(
        said.domain, said.sender, said.receiver, said.parcel, said.resource, said.stream, said.spec, said.place,
        said.created, said.priority,
    )
    given = iter([octets("S"), octets("CEK"), octets("IV")])
    signer = Signer(SENDER, lambda content: signed_value(content, ALICE.signs))
    made = seal(draft, LINES, Said(), signer, [RECEIVER], CRYPTO, lambda size: next(given))
    assert made.secret == octets("S")
    assert made.statement == replace(said, envelope=made.statement.envelope, bind=made.statement.bind)


def test_the_document_names_every_kind_member_and_code() -> None:
    for kind, told in KINDS.items():
        for name in (*told.form.rule.must, *told.form.rule.may):
            assert f"`{name}`" in TEXT, f"{kind}.{name}"
    for name in re.findall(r"`(EXN-[A-Z-]+)`", TEXT):
        assert name in codes.TABLE, name
    assert str(16 << 20) in TEXT and str(64 << 20) in TEXT and str(8 << 20) in TEXT
