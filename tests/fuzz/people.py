"""Who speaks in the targets: the nodes of the wire vectors, whose keys are fixed, so that an input means the same
in every run; here they sign by the provider, 200 times faster than the vectors' textbook."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from node.envelope import Signer
from node.envelope.statement import enclose
from node.model import codes
from node.model.trouble import trouble
from node.ports import PrivateKey
from tests.house.plan import ROOT
from tests.vectors.wire_parts import ALICE, BOB, CAROL, CRYPTO, Node

VECTORS = ROOT / "tests" / "vectors"
__all__ = ["ALICE", "BOB", "CAROL", "CRYPTO", "VECTORS", "files", "rows", "signed", "signer", "signing_key", "unwrap"]


@cache
def signing_key(node: Node) -> PrivateKey:
    """Return the signing key of a node of the vectors."""
    return CRYPTO.sm2_load(node.signs.d.to_bytes(32, "big"))


@cache
def opening_key(node: Node) -> PrivateKey:
    """Return the decryption key of a node of the vectors."""
    return CRYPTO.sm2_load(node.opens.d.to_bytes(32, "big"))


@cache
def signer(node: Node) -> Signer:
    """Return a node as it signs."""
    return Signer(node.signing, signing_key(node).sign)


def signed(kind: str, content: bytes, node: Node = ALICE) -> bytes:
    """Return content octets, whatever they say, well signed by a node; raise Refused(TOO_LARGE)."""
    return enclose(kind, content, *signer(node))


def unwrap(issuer: bytes, serial: int, wrapped: bytes) -> bytes:
    """Unwrap as BOB, who has one key."""
    own = BOB.encryption
    if (issuer, serial) != (own.issuer, own.serial):
        raise trouble(codes.KEY_ROLE, name="decryption", role="encrypt")
    return opening_key(BOB).unwrap(wrapped)


def files(folder: str, suffix: str = "") -> Iterator[bytes]:
    """Yield the vectors of a folder, in the order of their names."""
    for path in sorted((VECTORS / folder).iterdir()):
        if path.name != "index.json" and path.name.endswith(suffix):
            yield Path(path).read_bytes()


def rows(folder: str) -> list[dict[str, Any]]:
    """Return what the vectors of a folder are, each with its `octets`."""
    told = orjson.loads((VECTORS / folder / "index.json").read_bytes())
    return [row | {"octets": (VECTORS / folder / row["file"]).read_bytes()} for row in told["vectors"]]
