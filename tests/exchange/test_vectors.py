"""Each parcel of tests/vectors is turned away by the very step that its row names, and by none before or after it.

The same rows are played to a running node by `tests/processes/test_vectors.py`, which sees codes and not steps.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest

from node.crypto.chain import CertificateTrust
from node.crypto.keyring import Keyring
from node.envelope import read_manifest, unframe
from node.exchange.admit import glance, keep, offer, weigh
from node.exchange.authority import attest, recognise
from node.exchange.means import Means
from node.model import codes
from node.model.certificate import Role
from node.model.registry import Peer, Resource
from node.model.trouble import Trouble, trouble
from node.service.registry import StaticRegistry
from tests.fakes.inbox import MemoryInbox
from tests.stage.desk import specifications
from tests.vectors import wire_world
from tests.vectors.authorities import day
from tests.vectors.cms_parts import CRYPTO
from tests.vectors.play import FOLDER, index
from tests.vectors.wire_parts import BOB, ORG, Node

NOW = day("2026-09-01")
ROWS = [
    (folder, row) for folder in ("parcels", "exchange") for row in index(folder)["vectors"]
    if not row.get("before") and not row.get("purged")
]


@cache
def means() -> Means:
    """Return the receiver of the vectors in its world."""
    ring = Keyring(CRYPTO, os.urandom)
    for role, certificate, d in (
        (Role.SIGN, BOB.signing, BOB.signs.d), (Role.ENCRYPT, BOB.encryption, BOB.opens.d),
        (Role.TLS, BOB.channel, BOB.speaks.d),
    ):
        ring.add(role.value, role, certificate, CRYPTO.sm2_load(d.to_bytes(32, "big")))
    papers = wire_world.papers()
    trust = CertificateTrust(CRYPTO, [papers.pop("root")], papers.values(), wire_world.lists().values())
    catalogue = [Resource(code, "region-code/1.0") for code in index("world")["resources"]]
    registry = StaticRegistry([_peer(node, may) for node, may in wire_world.PEERS.items()], catalogue, ())
    identity = ring.identity("city.example", BOB.code, ORG)
    return Means(identity, CRYPTO, registry, trust, specifications(), os.urandom)


def _peer(node: Node, may: dict[str, Any]) -> Peer:
    return Peer(
        node.code, ORG, [node.signing], node.encryption, [node.channel],
        kinds=frozenset(may.get("kinds", ["records", "void"])), resources=frozenset(may["resources"]),
        suspended=may.get("suspended", False),
    )


def channel(node: str) -> str:
    """Return who comes over a channel, as the gateway finds it."""
    speaker = next(one for one in wire_world.nodes() if one.code == node)
    peer = means().registry.channel(speaker.channel.fingerprint)
    if peer is None:
        raise trouble(codes.UNREGISTERED)
    if peer.suspended:
        raise trouble(codes.SUSPENDED, peer=peer.node)
    return peer.node


def fate(inbox: MemoryInbox, octets: bytes, node: str) -> tuple[str, str | None, bytes]:
    """Return the stage that ended a parcel's way in, its code if it was turned away, and the receipt if not."""
    stage = "channel"
    try:
        speaker = channel(node)
        stage = "frame"
        framed = unframe(octets)
        stage = "statement"
        unverified = read_manifest(framed.manifest, CRYPTO)
        stage = "registry"
        known = recognise(unverified, means(), speaker)
        stage = "place"
        offered = offer(framed.manifest, framed.payload, means(), speaker)
        with inbox.unit() as unit:
            told = glance(unit, offered)
        if told is not None:
            return stage, None, told
        stage = "signature"
        attest(known, means(), NOW)
        stage = "permission"
        received = weigh(offered, means(), NOW)
        stage = "store"
        with inbox.unit() as unit:
            return "stored", None, keep(unit, received, known.peer)
    except Trouble as met:
        return "digest" if met.code is codes.DIGEST else stage, met.code.name, b""


@pytest.mark.parametrize("folder, row", ROWS, ids=lambda one: one["file"] if isinstance(one, dict) else one)
def test_the_step_that_a_row_names_ends_its_way_in(folder: str, row: dict[str, Any]) -> None:
    inbox, node = MemoryInbox(CRYPTO.sm3), row.get("channel") or row["sender"]
    receipts = {}
    for before in row.get("given", ()):
        stage, _, receipts[before] = fate(inbox, (FOLDER / folder / before).read_bytes(), "dept-a")
        assert stage in ("stored", "place"), before
    answer = row["answer"]
    stage, code, receipt = fate(inbox, (FOLDER / folder / row["file"]).read_bytes(), node)
    assert (stage, code) == (answer["stage"], answer["code"])
    if "receipt_of" in answer:
        first = answer["receipt_of"]
        assert receipt == (receipts.get(first) or receipts[row["given"][0]])
