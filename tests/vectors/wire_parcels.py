"""Vectors of whole parcels (folder parcels) and of the tree (folder merkle)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from node.envelope import merkle
from node.envelope.cms.enveloped import envelop
from node.model.parcel import NOTHING
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.wire_parts import (
    ALICE,
    BOB,
    CAROL,
    Forge,
    Vector,
    canonical,
    fixed,
    line,
    taken,
    turned,
    wrap,
    zstd,
)

OPEN = "EXN-OPEN"
LINES = [line(0), line(1)]
BODY = b"".join(one + b"\n" for one in LINES)


def good() -> Iterator[Vector]:
    """Yield parcels that open; `lines` is their number."""
    def one(name: str, says: str, forge: Forge, **more: Any) -> Vector:
        told = {"sender": "dept-a", "resource": forge.resource, "lines": len(forge.lines), "answer": taken(), **more}
        return Vector(f"{name}.exnp", says, forge.frame, "good", None, told)

    for count in (1, 2, 3, 5, 8):
        yield one(f"good-{count}", f"{count} records", Forge(f"good {count}", [line(n) for n in range(count)]))
    yield one("good-self", "two recipients, the sender among them", Forge(
        "good self", recipients=[(BOB.encryption, None), (ALICE.encryption, None)]))
    yield one("good-zstd", "a compressed body", Forge("good zstd", body=zstd(BODY), compression="zstd"))
    yield one("good-zstd-window", "a compressed body with a window of 8 MiB", Forge(
        "good zstd window", body=zstd(BODY, window=23), compression="zstd"))
    first = Forge("good 2", LINES)
    yield one("good-reseal", "the same records sealed again", Forge(
        "good reseal", manifest={"supersedes": CRYPTO.sm3(first.content).hex()}))
    yield one("good-largest-number", "2^53-1", Forge("good largest number", manifest={
        "batch": {"id": first.parcel, "last": False, "part": (1 << 53) - 1}}))
    yield one("good-ext", "unknown members in ext", Forge("good ext", manifest={"ext": {"later": [1, {"x": True}]}}))
    yield one("good-void", "a void", Forge("good void", [], payload_octets=b"", manifest={
        "bind": NOTHING, "kind": "void", "supersedes": CRYPTO.sm3(first.content).hex()}))


def frames() -> Iterator[Vector]:
    """Yield frames broken outside the parcel."""
    data, forge = Forge("frame").frame, Forge("frame")
    size = len(forge.statement)
    changes = {
        "magic": ("another magic", b"EXNQ" + data[4:], "EXN-FRAME"),
        "version": ("version 2", data[:4] + b"\x02" + data[5:], "EXN-FRAME"),
        "trailing": ("an octet after the payload", data + b"\x00", "EXN-FRAME"),
        "cut": ("the last octet missing", data[:-1], "EXN-FRAME"),
        "manifest-length": (
            "a manifest of 65537 octets announced", data[:5] + b"\x00\x01\x00\x01" + data[9:], "EXN-TOO-LARGE"),
        "payload-length": (
            "a payload of 2^63 octets announced", data[: 9 + size] + b"\x80" + data[10 + size :], "EXN-TOO-LARGE"),
    }
    for name, (says, octets, code) in changes.items():
        yield Vector(f"frame-{name}.exnp", says, octets, "frame", code, {
            "sender": "dept-a", "resource": "frame", "answer": turned(code, "frame")})
    flipped = data[:-1] + bytes([data[-1] ^ 1])
    longer = data[: 9 + size] + (len(forge.payload) + 1).to_bytes(8, "big") + forge.payload + b"\x00"
    for name, says, octets in (
        ("altered", "the last octet of the payload altered", flipped),
        ("longer", "an octet more in the payload", longer),
    ):
        yield Vector(f"envelope-{name}.exnp", says, octets, "digest", "EXN-DIGEST", {
            "sender": "dept-a", "resource": "frame", "answer": turned("EXN-DIGEST", "digest")})


def sealed() -> Iterator[Vector]:
    """Yield parcels with good signature and digest that do not open; `reason` is for the local log alone."""
    def one(name: str, says: str, reason: str, forge: Forge, sender: str = "dept-a") -> Vector:
        return Vector(f"{name}.exnp", says, forge.frame, "open", OPEN, {
            "sender": sender, "resource": forge.resource, "reason": reason, "answer": taken("refused", OPEN)})

    yield from _binding(one)
    yield from _inner(one)
    yield from _body(one)
    yield from _records(one)


def _binding(one: Any) -> Iterator[Vector]:
    victim = Forge("stolen")
    thief = Forge("thief", sender=CAROL, payload_octets=victim.payload)
    yield one("stolen", "dept-a's envelope under dept-c's signature", "bind", thief, "dept-c")
    infos = [(BOB.encryption.issuer, BOB.encryption.serial, wrap(BOB.encryption, victim.key))]
    torn = bytes([victim.ciphertext[0] ^ 1]) + victim.ciphertext[1:]
    altered = Forge("thief altered", sender=CAROL, payload_octets=envelop(torn, victim.iv, infos))
    yield one("stolen-altered", "the same with altered ciphertext: no padding answer", "bind", altered, "dept-c")
    yield one("bind", "a bind under another key", "bind", Forge("bind", bind_key=fixed("another key", 16)))
    other = Forge("bind changed", manifest={"priority": 6})
    yield one("bind-changed", "a bind of another manifest", "bind", Forge(
        "bind changed", manifest={"bind": other.members["bind"]}))
    key = fixed("the sender's own key", 16)
    yield one("keys-differ", "the recipients' keys differ, bind is of the sender's", "bind", Forge(
        "keys differ", recipients=[(BOB.encryption, None), (ALICE.encryption, key)], bind_key=key))
    yield one("key-other", "the wrapped key does not open the ciphertext's padding", OPEN, Forge(
        "key other", secret_octets=CRYPTO.sm4_cbc_encrypt(key, fixed("iv", 16), b"x" * 100)))


def _inner(one: Any) -> Iterator[Vector]:
    carol = {"cert": CAROL.encryption.fingerprint, "node": "dept-c", "org": "91110000MA00A0000X"}
    for name, change in (
        ("receiver", {"receiver": carol}), ("sender", {"sender": {**carol, "cert": CAROL.signing.fingerprint}}),
        ("resource", {"resource": "population"}), ("spec", {"spec": "1" * 64}),
    ):
        yield one(f"inner-{name}", f"inner names another {name}", "inner", Forge(f"inner {name}", inner=change))
    form = "inner: unknown member"
    yield one("inner-unknown", "inner with an unknown member", form, Forge("inner unknown", inner={"extra": 1}))
    blank = Forge("inner blank")
    blank.inner_octets = canonical(blank.inner_members).replace(b":", b": ", 1)
    yield one("inner-blank", "inner in another spelling", "not canonical", blank)
    yield one("inner-length", "inner said to be longer than the payload", "payload: too short", Forge(
        "inner length", inner_length=1 << 30))
    yield one("inner-none", "no inner", "not JSON", Forge("inner none", inner_octets=b""))


def _body(one: Any) -> Iterator[Vector]:
    head = "body: dictionary, window or size of the zstd frame"
    frame = zstd(BODY)
    skip = b"\x50\x2a\x4d\x18\x01\x00\x00\x00\x00"
    cases = {
        "two-frames": ("two frames", frame + frame, len(BODY), "body: zstd"),
        "trailing": ("an octet after the frame", frame + b"\x00", len(BODY), "body: zstd"),
        "skippable-before": ("a skippable frame before", skip + frame, len(BODY), "body: not a zstd frame"),
        "skippable-after": ("a skippable frame after", frame + skip, len(BODY), "body: zstd"),
        "dictionary": ("a dictionary", zstd(BODY, dictionary=7), len(BODY), head),
        "window": ("a window of 16 MiB", zstd(BODY, window=24), len(BODY), head),
        "size-absent": ("no content size", zstd(BODY, size=None), len(BODY), head),
        "size-more": ("clear size one more than the frame's", frame, len(BODY) + 1, head),
        "size-less": ("clear size one less than the frame's", frame, len(BODY) - 1, head),
        "size-false": ("a frame that says one octet more", zstd(BODY, size=len(BODY) + 1), len(BODY) + 1, "body: zstd"),
        "bomb": ("far more than the frame says", zstd(b"", run=64 << 20, size=len(BODY)), len(BODY), "body: zstd"),
        "cut": ("the frame's last octet missing", frame[:-1], len(BODY), "body: zstd"),
        "plain": ("a plain body called zstd", BODY, len(BODY), "body: not a zstd frame"),
    }
    for name, (says, body, size, reason) in cases.items():
        yield one(f"zstd-{name}", says, reason, Forge(f"zstd {name}", body=body, size=size, compression="zstd"))
    for name, size in (("more", len(BODY) + 1), ("less", len(BODY) - 1)):
        yield one(f"body-size-{name}", f"clear size one {name}", "body: not of the size stated", Forge(name, size=size))
    broken = "body: a line is empty or has no end"
    joined = LINES[0] + b"\n" + LINES[1]
    yield one("body-no-end", "the last line has no end", "count", Forge("no end", body=joined, size=len(joined)))
    begun = BODY + b"x"
    yield one("body-begun-line", "a line begun after the last", broken, Forge("begun", body=begun, size=len(begun)))
    blank = b"\n" + LINES[0] + LINES[1] + b"\n"
    yield one("body-empty-line", "an empty line", broken, Forge("empty line", body=blank, size=len(blank)))
    yield one("body-none", "no body", "count", Forge("no body", body=b"", size=0))


def _records(one: Any) -> Iterator[Vector]:
    def told(name: str, lines: list[bytes], **more: Any) -> Forge:
        body = b"".join(part + b"\n" for part in lines)
        return Forge(name, body=body, size=len(body), **more)

    yield one("count-more", "a line more than count", "count", told("count more", [*LINES, line(2)]))
    yield one("count-less", "a line less than count", "count", told("count less", LINES[:1]))
    yield one("record-changed", "a name changed", "root", told("record changed", [line(0, "思明区"), LINES[1]]))
    yield one("record-op", "an operation changed", "root", told("record op", [line(0, operation="D"), LINES[1]]))
    head = LINES[0].split(b',"head":')[0] + b',"head":' + LINES[1].split(b',"head":')[1]
    yield one("record-head", "the head of another record", "root", told("record head", [head, LINES[1]]))
    yield one("record-order", "records in another order", "root", told("record order", LINES[::-1]))
    yield one("salt", "leaves under another S", "root", Forge("salt", leaf_secret=fixed("another S", 32)))
    yield one("root", "another root", "root", Forge("root", manifest={"root": "1" * 64}))
    doubled = Forge("doubled", [line(0), line(1), line(2)])
    leaves = [*doubled.leaves, doubled.leaves[-1]]
    doubled.manifest = {"root": merkle.root(leaves, CRYPTO.sm3).hex()}
    yield one("leaf-doubled", "the last leaf doubled to fill the tree", "root", doubled)


def trees() -> Iterator[Vector]:
    """Yield proofs of leaves as JSON; stage `climb` where the path must not lead to the root."""
    for count in (1, 2, 3, 5, 8):
        forge = Forge(f"tree {count}", [line(n) for n in range(count)])
        proofs = [_proof(forge, index) for index in range(count)]
        yield Vector(f"tree-{count}.json", f"every proof of {count} records", _json(proofs), "good", None)
    forge = Forge("tree", [line(n) for n in range(5)])
    proof = _proof(forge, 2)
    other = _proof(forge, 3)
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "index": ("another index", {"index": 3}), "index-out": ("an index beyond n", {"index": 5}),
        "count": ("another n", {"n": 6}), "path-long": ("a path one too long", {"path": [*proof["path"], "00" * 32]}),
        "path-short": ("a path one too short", {"path": proof["path"][:-1]}),
        "path-order": ("a path in another order", {"path": proof["path"][::-1]}),
        "salt": ("the salt of another record", {"salt": other["salt"]}),
        "line": ("another record", {"line": other["line"]}),
        "parcel": ("another parcel", {"parcel": Forge("tree 5").parcel}),
    }
    for name, (says, members) in changes.items():
        yield Vector(f"proof-{name}.json", says, _json([{**proof, **members}]), "climb", "EXN-PROOF")
    node = CRYPTO.sm3(b"\x01" + forge.leaves[0] + forge.leaves[1])
    inside = {**proof, "index": 0, "n": 3, "leaf": node.hex(), "path": [
        CRYPTO.sm3(b"\x01" + forge.leaves[2] + forge.leaves[3]).hex(), forge.leaves[4].hex()]}
    says = "an inner node said to be a leaf of a smaller tree: a decoder makes the leaf from the line"
    yield Vector("proof-node-as-leaf.json", says, _json([inside]), "climb", "EXN-PROOF")


def _proof(forge: Forge, index: int) -> dict[str, Any]:
    carried, count = dict(enumerate(forge.leaves)), len(forge.lines)
    salts = merkle.salts(forge.secret, count, CRYPTO)
    return {
        "parcel": forge.parcel, "n": count, "index": index, "salt": salts[index].hex(),
        "line": forge.lines[index].decode(), "leaf": forge.leaves[index].hex(),
        "path": [one.hex() for one in merkle.path(count, carried, (), index, CRYPTO.sm3)],
        "root": merkle.root(forge.leaves, CRYPTO.sm3).hex(),
    }


def _json(proofs: list[dict[str, Any]]) -> bytes:
    return json.dumps(proofs, indent=1, ensure_ascii=False).encode() + b"\n"
