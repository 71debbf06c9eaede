"""What the tests of the verbs do with a department and a centre, in one word each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from node.crypto.keyring import Keyring
from node.envelope import Attested, Said, accepted, processed, read_manifest, refused, seal_verdicts, verify, write
from node.exchange import seal, settle
from node.exchange.authority import ourselves, party
from node.exchange.means import Means
from node.exchange.seal import Drawn, Outgoing
from node.model import codes
from node.model.certificate import Role
from node.model.parcel import Checkpoint, Lane, Manifest, Stage, Verdict
from node.model.registry import Grant, Peer
from node.model.spool import Entry, LaneState, Waiting
from node.model.trouble import Code, Trouble
from tests.crypto.papers import CRYPTO, ORG, make_leaf, the_authority, the_leaf
from tests.intake.api import twin
from tests.stage.desk import DOMAIN, Staged, means_of, peer_of, storage_secret
from tests.stage.forging import line_of, spec_id
from tests.stage.pair import Pair, lane_of

LEASE = 1000


def renewed(node: str, *roles: Role, old_key: str = "held") -> tuple[Means, Peer]:
    """Return a node's means and registration after it was given new certificates of these roles.

    An old encryption key opens what was sealed to it; unless it is `missing`, or declared `lost` for good.
    """
    ring = Keyring(CRYPTO, os.urandom)
    given: dict[str, Any] = {}
    for role in Role:
        old = the_leaf(role, node)
        paper = make_leaf(the_authority(), role, node) if role in roles else old
        ring.add(f"{node}-{role.value}", role, paper.certificate, paper.key)
        if role in roles:
            if role is Role.ENCRYPT and old_key == "lost":
                ring.declare_lost(old.certificate)
            elif role is Role.ENCRYPT and old_key == "held":
                ring.add(f"{node}-old-{role.value}", role, old.certificate, old.key)
            given |= {Role.SIGN: {"signing": [paper.certificate]}, Role.ENCRYPT: {"encryption": paper.certificate},
                      Role.TLS: {"tls": [paper.certificate]}}[role]
    ring.add_storage("storage", storage_secret(node))
    return replace(means_of(node, []), identity=ring.identity(DOMAIN, node, ORG)), peer_of(node, **given)


def supplied(staged: Staged, count: int = 1, start: int = 0, lane: Lane | None = None, **given: Any) -> None:
    """Let records wait for the centre."""
    lane = lane or lane_of()
    with staged.stores.outbox.unit() as unit:
        first = unit.allot(lane.resource, count)
        now = staged.desk.now()
        lines = [line_of(twin(start + n), now, lane.sender, first.n + n) for n in range(count)]
        unit.wait(lane, Waiting(spec_id(), lines, now, first, **given))


def taken(staged: Staged, means: Means | None = None, lane: Lane | None = None, at: int = 0) -> Outgoing | None:
    """Return what the lane sends next, its claim given back."""
    now, means = staged.desk.now() + at, means or staged.desk.means
    with staged.stores.outbox.unit() as unit:
        found = seal.take(unit, lane or lane_of(), means, now, LEASE)
        if isinstance(found, Drawn):
            found = seal.keep(unit, found, seal.close(found, means, now), now)
        elif found is not None:
            unit.sent(found.claim, found.entry.parcel, now)
        if found is not None:
            unit.release(found.claim)
    return found


def sent(staged: Staged, means: Means | None = None, **given: Any) -> Outgoing:
    """Return what the lane sends next; there is something."""
    found = taken(staged, means, **given)
    assert found is not None, "nothing may be sent"
    return found


def refusal(staged: Staged, means: Means | None = None, **given: Any) -> str:
    """Return why the lane may not send; nothing was written."""
    with pytest.raises(Trouble) as caught:
        taken(staged, means, **given)
    return caught.value.code.name


def entry_of(staged: Staged, parcel: str) -> Entry:
    with staged.stores.outbox.unit() as unit:
        found = unit.entry(parcel)
    assert found is not None
    return found


def state_of(staged: Staged, lane: Lane | None = None) -> LaneState:
    with staged.stores.outbox.unit() as unit:
        found = unit.lane(lane or lane_of())
    assert found is not None
    return found


def receipt(
    outgoing: Outgoing, issuer: Means, to: Means, stage: Stage = Stage.ACCEPTED, *, verdicts: Sequence[Verdict] = (),
    at: int = 1_780_000_000_000, code: Code = codes.OPEN, **changed: Any,
) -> tuple[bytes, bytes]:
    """Return a receipt for a parcel and its verdict list; `changed` replaces its members."""
    said = statement_of(outgoing, to)
    receiver = party(peer_of(to.identity.node, encryption=to.identity.encryption))
    given = (said, ourselves(issuer), receiver, at, Checkpoint(), "ab" * 32)
    listed = b""
    if stage is Stage.ACCEPTED:
        made = accepted(*given)
    elif stage is Stage.REFUSED:
        made = refused(*given, code)
    else:
        secret = seal_verdicts(verdicts, to.identity.encryption, issuer.crypto, issuer.chance)
        made = processed(*given, verdicts, secret[1] if secret else None)
        listed = secret[0] if secret else b""
    return write(replace(made, **changed), issuer.identity.signing, issuer.identity.sign), listed


def statement_of(outgoing: Outgoing, sender: Means) -> Attested[Manifest]:
    """Return a parcel's manifest as attested, by whichever certificate it was signed."""
    unverified = read_manifest(outgoing.manifest, sender.crypto)
    return verify(unverified, sender.trust.read(unverified.signed.certificate_der), sender.crypto)


def heard(staged: Staged, statement: bytes, listed: bytes = b"", channel: str | None = "centre") -> Entry | None:
    """Take a receipt home."""
    desk = staged.desk
    one = settle.hear(statement, listed, desk.means, channel, desk.now())
    with staged.stores.outbox.unit() as unit:
        moved = settle.settle(unit, one, desk.now())
    return moved.entry if moved else None


def turned_away(staged: Staged, statement: bytes, listed: bytes = b"", channel: str | None = "centre") -> str:
    """Return why a receipt is not taken home."""
    with pytest.raises(Trouble) as caught:
        heard(staged, statement, listed, channel)
    return caught.value.code.name


def grant_of(receiver: str = "dept-b", until: int = 1 << 45, purpose: str = "govern") -> Grant:
    return Grant("population", receiver, purpose, until)


def with_grants(means: Means, *grants: Grant, peers: Sequence[str | Peer] = ("centre",)) -> Means:
    return replace(means, registry=means_of(means.identity.node, peers, grants=grants).registry)


__all__ = [
    "LEASE", "Pair", "Said", "entry_of", "grant_of", "heard", "lane_of", "receipt", "refusal", "renewed", "sent",
    "state_of", "statement_of", "supplied", "taken", "turned_away", "with_grants",
]
