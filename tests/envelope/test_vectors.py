"""Every vector of json, statements, parcels, merkle and proofs is stopped at its stage, with its code."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

import pytest

from node.crypto.archive import write_archive
from node.crypto.certificates import parse
from node.crypto.chain import CertificateTrust
from node.envelope import (
    Opened,
    Unopened,
    Verified,
    canonical,
    check_proof,
    merkle,
    open_parcel,
    read_collect,
    read_manifest,
    read_probe,
    read_receipt,
    unframe,
    verify,
    verify_bytes,
)
from node.envelope.cms.signed import read_signed
from node.envelope.kinds import KINDS, lead
from node.envelope.proof import Report
from node.envelope.statement import decode
from node.model import codes
from node.model.certificate import Certificate
from node.model.ids import uuid_bytes
from node.model.trouble import Hold, Trouble, trouble
from tests.crypto.papers import CRYPTO
from tests.vectors import wire_world
from tests.vectors.make_wire import FOLDER, FOLDERS, index, vectors, world

READERS: dict[str, Callable[..., Any]] = {
    "parcel": read_manifest, "receipt": read_receipt, "probe": read_probe, "collect": read_collect,
}
Rows = list[dict[str, Any]]


@cache
def told(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / folder / "index.json").read_bytes())
    return found


def rows(folder: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", told(folder)["vectors"], ids=lambda row: row["file"])


def octets(folder: str, row: dict[str, Any]) -> bytes:
    return (FOLDER / folder / str(row["file"])).read_bytes()


@cache
def certificate(who: str) -> Certificate:
    """`dept-a` is the node's signing certificate, `dept-a encryption` and `dept-a channel` its others."""
    node, _, role = who.partition(" ")
    return parse(bytes.fromhex(told("statements")["nodes"][node][role or "signing"]), CRYPTO.sm3)


def unwrap(issuer: bytes, serial: int, wrapped: bytes) -> bytes:
    own = certificate(f"{told('parcels')['receiver']} encryption")
    if (issuer, serial) != (own.issuer, own.serial):
        raise trouble(codes.KEY_ROLE, name="key", role="encrypt")
    return CRYPTO.sm2_load(bytes.fromhex(told("parcels")["receiver_key"])).unwrap(wrapped)


def opened(verified: Verified) -> Opened:
    """Open a parcel as whoever holds the key of the certificate that the manifest names."""
    try:
        return open_parcel(verified, unwrap, CRYPTO)
    except Hold:
        raise Unopened("recipients") from None


def fate(steps: list[tuple[str, Callable[[], Any]]]) -> tuple[str, str | None]:
    """Run the steps; return the stage that stopped and its code."""
    for stage, step in steps:
        try:
            step()
        except Trouble as stopped:
            return stage, stopped.code.name
    return "good", None


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_folder_is_what_the_generator_writes(folder: str) -> None:
    made = {vector.file: vector.octets for vector in vectors(folder)}
    kept = {path.name: path.read_bytes() for path in (FOLDER / folder).iterdir()}
    assert kept.pop("index.json") == index(folder)
    assert kept == made


def test_the_world_is_what_the_generator_writes() -> None:
    assert (FOLDER / "world" / "index.json").read_bytes() == world()


@rows("json")
def test_canonical_json(row: dict[str, Any]) -> None:
    content = octets("json", row)
    assert fate([
        ("canonical", lambda: _an_object(canonical.read(content, KINDS["parcel"].limit))),
        ("members", lambda: decode("parcel", content)),
    ]) == (row["stage"], row["code"])


def _an_object(value: Any) -> None:
    if not isinstance(value, dict):  # what `lead` refuses before parsing
        raise trouble(codes.STATEMENT, reason="not an object")


@rows("statements")
def test_statements(row: dict[str, Any]) -> None:
    der, kind = octets("statements", row), row["expects"]
    signer = certificate(row["signer"])
    stage, code = fate([
        ("limit", lambda: _bounded(der, kind)),
        ("type", lambda: _leads(read_signed(der).content, kind)),
        ("members", lambda: READERS[kind](der, CRYPTO)),
        ("verify", lambda: verify(READERS[kind](der, CRYPTO), signer, CRYPTO)),
    ])
    assert (stage, code) == (row["stage"], row["code"])
    if stage in ("limit", "type"):  # the reader itself says the same
        assert fate([(stage, lambda: READERS[kind](der, CRYPTO))]) == (stage, code)


def _bounded(der: bytes, kind: str) -> None:
    if len(der) > KINDS[kind].limit:
        raise trouble(codes.TOO_LARGE, what=kind, limit=KINDS[kind].limit)


def _leads(content: bytes, kind: str) -> None:
    if not content.startswith(lead(kind)):
        raise trouble(codes.STATEMENT, reason="type")


@rows("parcels")
def test_parcels(row: dict[str, Any]) -> None:
    data = octets("parcels", row)
    signer = certificate(row["sender"])
    released: list[Opened] = []

    def verified() -> Any:
        manifest, payload = unframe(data)
        return verify_bytes(verify(read_manifest(manifest, CRYPTO), signer, CRYPTO), payload, CRYPTO)

    stage, code = fate([
        ("frame", lambda: unframe(data)),
        ("statement", lambda: read_manifest(unframe(data).manifest, CRYPTO)),
        ("verify", lambda: verify(read_manifest(unframe(data).manifest, CRYPTO), signer, CRYPTO)),
        ("digest", verified),
        ("open", lambda: released.append(opened(verified()))),
    ])
    assert (stage, code) == (row["stage"], row["code"])
    assert [len(one.lines) for one in released] == ([row["lines"]] if stage == "good" else [])
    if stage == "open":
        with pytest.raises(Unopened) as refusal:
            opened(verified())
        assert row["reason"] in refusal.value.reason


@rows("merkle")
def test_trees(row: dict[str, Any]) -> None:
    for proof in json.loads(octets("merkle", row)):
        salt, line = bytes.fromhex(proof["salt"]), proof["line"].encode()
        leaf = merkle.leaf(uuid_bytes(proof["parcel"]), proof["index"], proof["n"], salt, line, CRYPTO.sm3)
        path = [bytes.fromhex(sibling) for sibling in proof["path"]]
        root = merkle.climb(leaf, proof["index"], proof["n"], path, CRYPTO.sm3)
        assert (root == bytes.fromhex(proof["root"])) == (row["stage"] == "good")
        assert row["stage"] != "good" or leaf.hex() == proof["leaf"]


@rows("proofs")
def test_proofs(row: dict[str, Any]) -> None:
    lists = [bytes.fromhex(told("proofs")["lists"][name]) for name in row["lists"]]
    trust = CertificateTrust(CRYPTO, [wire_world.papers()["root"]], (), lists)

    def judge(one: Certificate, at: int, archive: bytes | None, others: Sequence[bytes]) -> Collection[str]:
        return {gap.value for gap in trust.check_archived(one, at, archive or write_archive([one.der, *others], []))}

    found: list[Report] = []
    stage, code = fate([("proof", lambda: found.append(
        check_proof(octets("proofs", row), trust.read, judge, CRYPTO)))])
    assert (stage, code) == (row["stage"], row["code"])
    if found:
        assert sorted({gap.name for gap in found[0].not_shown}) == row["not_shown"]
