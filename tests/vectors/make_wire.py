"""Writes tests/vectors/ but for cms, and the worked example of node/PROTOCOL.md.

`python -m tests.vectors.make_wire` writes them anew, the same octets each time.  README.md there says what an index
means.
"""

from __future__ import annotations

import json
import textwrap
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from node.envelope import merkle
from node.envelope.binding import BLOCKS
from tests.vectors import wire_lanes, wire_manifests, wire_parcels, wire_proofs, wire_statements, wire_world
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.wire_parts import ALICE, BOB, CAROL, Forge, Vector, canonical, line, wrap

FOLDER = Path(__file__).parent
PROTOCOL = FOLDER.parent.parent / "node" / "PROTOCOL.md"
BEGIN, END = "<!-- example: written by tests/vectors/make_wire.py -->\n", "<!-- end of the example -->\n"


def parcels() -> Iterator[Vector]:
    """Yield all parcels."""
    yield from wire_parcels.good()
    yield from wire_parcels.frames()
    yield from wire_parcels.sealed()
    yield from wire_manifests.manifests()
    yield from wire_manifests.envelopes()


FOLDERS: dict[str, Callable[[], Iterator[Vector]]] = {
    "json": wire_statements.canonical_json, "statements": wire_statements.statements, "parcels": parcels,
    "merkle": wire_parcels.trees, "exchange": wire_lanes.exchange, "proofs": wire_proofs.proofs,
}


@cache
def vectors(folder: str) -> Sequence[Vector]:
    """Return the vectors of a folder."""
    return tuple(FOLDERS[folder]())


def index(folder: str) -> bytes:
    """Return the index of a folder as it stands there."""
    told = {**_beside(folder), "vectors": [vector.row for vector in vectors(folder)]}
    return json.dumps(told, indent=1, ensure_ascii=False).encode() + b"\n"


def _beside(folder: str) -> dict[str, Any]:
    nodes = {
        node.code: {
            "signing": node.signing.der.hex(), "encryption": node.encryption.der.hex(),
            "channel": node.channel.der.hex(),
        }
        for node in (ALICE, BOB, CAROL)
    }
    told: dict[str, Any] = {}
    if folder in ("statements", "parcels"):
        told |= {"nodes": nodes, "receiver": "centre", "receiver_key": f"{BOB.opens.d:064x}"}
    if folder in ("statements", "json"):
        told["payload"] = wire_statements.FORGE.payload.hex()
    if folder == "proofs":
        told["lists"] = {name: der.hex() for name, der in wire_proofs.LISTS.items()}
    return told


def world() -> bytes:
    """Return world/index.json."""
    lanes = {wire_statements.FORGE.resource, "granted"}
    for folder in ("parcels", "exchange"):
        lanes |= {vector.more["resource"] for vector in vectors(folder) if not vector.more.get("unregistered")}
    return wire_world.known(lanes)


def example() -> str:
    """Return the worked example as it stands in PROTOCOL.md."""
    forge = Forge("the worked example", [line(0), line(1)], resource="region-code")
    salts = merkle.salts(forge.secret, 2, CRYPTO)
    unbound = {name: member for name, member in forge.members.items() if name != "bind"}
    parts = [
        _words("Both records are lines of UTF-8 without their 0A."),
        _block("line-0", forge.lines[0].decode()), _block("line-1", forge.lines[1].decode()),
        _words("Fixed here, random elsewhere: S, the content key and the IV."),
        _hex("S", forge.secret), _hex("CEK", forge.key), _hex("IV", forge.iv),
        _words("Leaves and root, the parcel's id being that of the manifest."),
        *(part for n in (0, 1) for part in (_hex(f"salt-{n}", salts[n]), _hex(f"leaf-{n}", forge.leaves[n]))),
        _hex("root", merkle.root(forge.leaves, CRYPTO.sm3)),
        _words("The payload in clear is S ‖ u32 ‖ inner ‖ body, here not compressed; under CEK and IV it becomes:"),
        _block("inner", canonical(forge.inner_members).decode()), _base64("ciphertext", forge.ciphertext),
        _words("The receiver's certificate, its key (worthless: SM3 of a sentence), the wrapped content key, and the\n"
               "EnvelopedData of all this."),
        _base64("receiver-certificate", BOB.encryption.der), _block("receiver-key", f"{BOB.opens.d:064x}"),
        _hex("wrapped-key", wrap(BOB.encryption, forge.key)), _base64("payload", forge.payload),
        _words("`bind` over the manifest without it:"),
        _hex("Kb", CRYPTO.sm4_ecb(forge.key, BLOCKS)), _block("unbound", canonical(unbound).decode()),
        _hex("bind", bytes.fromhex(forge.members["bind"])),
        _words("The manifest, its digest, the sender's certificate, and the SignedData with its recorded signature.\n"
               "Another signature over the same octets is the same statement."),
        _block("manifest", forge.content.decode()), _hex("digest", CRYPTO.sm3(forge.content)),
        _base64("sender-certificate", ALICE.signing.der), _base64("statement", forge.statement),
        _words("The parcel is `EXNP` 01 ‖ u32 ‖ statement ‖ u64 ‖ payload, whose SM3 is:"),
        _hex("frame-digest", CRYPTO.sm3(forge.frame)),
    ]
    return "\n".join(parts)


def _words(text: str) -> str:
    return text + "\n"


def _block(name: str, text: str) -> str:
    return f"```example {name}\n{text}\n```\n"


def _hex(name: str, octets: bytes) -> str:
    return _block(name, "\n".join(textwrap.wrap(octets.hex(), 96)))


def _base64(name: str, octets: bytes) -> str:
    return _block(name, "\n".join(textwrap.wrap(b64encode(octets).decode(), 96)))


def protocol() -> str:
    """Return PROTOCOL.md with the example written anew."""
    text = PROTOCOL.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "\n" + example() + "\n" + END + rest.partition(END)[2]


def write() -> None:
    """Write every folder anew."""
    for folder in FOLDERS:
        (FOLDER / folder).mkdir(exist_ok=True)
        for left in (FOLDER / folder).iterdir():
            left.unlink()
        for vector in vectors(folder):
            (FOLDER / folder / vector.file).write_bytes(vector.octets)
        (FOLDER / folder / "index.json").write_bytes(index(folder))
    (FOLDER / "world").mkdir(exist_ok=True)
    (FOLDER / "world" / "index.json").write_bytes(world())
    PROTOCOL.write_text(protocol(), encoding="utf-8")


if __name__ == "__main__":
    write()
