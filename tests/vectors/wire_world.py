"""The world the receiver of the vectors stands in: who it is, whom it knows and trusts; folder world.

Two things differ from one reader's day to the next, the clock and the address; everything else is here.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Any

from tests.vectors import authorities
from tests.vectors.authorities import LATE, LISTLESS, ROOT, STRANGER
from tests.vectors.wire_parts import ALICE, BOB, CAROL, ORG, SPEC, Node

OVER = (b"260101000000Z", b"260301000000Z")
NOT_YET = (b"450101000000Z", b"460101000000Z")
EXPIRED = Node("dept-expired", 11, term=OVER)
EARLY = Node("dept-early", 12, term=NOT_YET)
REVOKED = Node("dept-revoked", 13)
UNLISTED = Node("dept-unlisted", 14, ca=LISTLESS)
OVERDUE = Node("dept-overdue", 15, ca=LATE)
FOREIGN = Node("dept-foreign", 16, ca=STRANGER)
SUSPENDED = Node("dept-suspended", 17)
LIMITED = Node("dept-limited", 18)
NOBODY = Node("nobody", 19)
REVOKED_SINCE = "2026-05-10"

PEERS: dict[Node, dict[str, Any]] = {
    ALICE: {"resources": ["*"]}, CAROL: {"resources": ["*"]}, EXPIRED: {"resources": ["*"]},
    EARLY: {"resources": ["*"]}, REVOKED: {"resources": ["*"]}, UNLISTED: {"resources": ["*"]},
    OVERDUE: {"resources": ["*"]}, FOREIGN: {"resources": ["*"]},
    SUSPENDED: {"resources": ["*"], "suspended": True},
    LIMITED: {"resources": ["granted"], "kinds": ["void"]},
}
"""Whom the receiver has registered, and what it lets them do; `nobody` has a good certificate and is not among them."""


def lists() -> dict[str, bytes]:
    """Return the revocation lists the receiver holds: the root's is current, one authority's is old, one has none."""
    return {
        "root": authorities.revocations(ROOT, (REVOKED.signs, REVOKED_SINCE)),
        "late": authorities.revocations(LATE, this="2026-01-02", due="2026-02-01"),
    }


def papers() -> dict[str, bytes]:
    """Return the certificates of authorities the receiver trusts or has as a way to one it trusts."""
    return {name: authorities.certificate(one) for name, one in (
        ("root", ROOT), ("listless", LISTLESS), ("late", LATE))}


def known(resources: Iterable[str]) -> bytes:
    """Return world/index.json; `resources` are the catalogue's codes, one lane each."""
    told = {
        "domain": "city.example", "org": ORG, "specification": SPEC,
        "clock": "any day after 2026-06-01 and before 2045",
        "receiver": {"node": BOB.code, **_certificates(BOB), **_keys(BOB)},
        "authorities": {name: _text(der) for name, der in papers().items()},
        "lists": {name: _text(der) for name, der in lists().items()},
        "peers": [
            {"node": node.code, "org": ORG, "kinds": ["records", "void"], "suspended": False, **may,
             **_certificates(node), **_keys(node)}
            for node, may in PEERS.items()
        ],
        "strangers": [{"node": NOBODY.code, **_certificates(NOBODY), **_keys(NOBODY)}],
        "resources": sorted(resources),
    }
    return json.dumps(told, indent=1).encode() + b"\n"


def _certificates(node: Node) -> dict[str, str]:
    return {
        "sign": _text(node.signing.der), "encrypt": _text(node.encryption.der), "tls": _text(node.channel.der),
    }


def _keys(node: Node) -> dict[str, Any]:
    keys = {"sign": node.signs.d, "encrypt": node.opens.d, "tls": node.speaks.d}
    return {"keys": {use: f"{d:064x}" for use, d in keys.items()}}


def _text(octets: bytes) -> str:
    return b64encode(octets).decode()


def nodes() -> Iterator[Node]:
    """Yield everybody who has a part."""
    yield from (BOB, *PEERS, NOBODY)
