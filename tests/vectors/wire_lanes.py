"""Vectors of a lane's places, of time and trust, of authority, of kinds and of records (folder exchange).

`given` are the parcels the receiver has taken before, in order, over the channel of the same sender.  `answer` is
what it says to the vector itself; `head` in it is where the lane stands, `receipt_of` whose stored receipt it must be,
octet for octet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from node.envelope.cms.signed import assemble
from node.envelope.frame import MAGIC
from node.envelope.members import party_members
from node.model.instant import stamp
from node.model.parcel import NOTHING
from tests.vectors import textbook, wire_world
from tests.vectors.authorities import day
from tests.vectors.cms_parts import CRYPTO, nonce
from tests.vectors.wire_parts import ALICE, BOB, CAROL, SPEC, Forge, Node, Vector, canonical, line, taken, turned

EPOCH = 1_780_000_000
Answer = dict[str, Any]


def at(seq: int, prev: str, epoch: int = EPOCH) -> dict[str, Any]:
    """Return a place as the manifest names it."""
    return {"epoch": epoch, "prev": prev, "seq": seq}


def digest(forge: Forge) -> str:
    """Return the digest of a parcel's manifest."""
    return CRYPTO.sm3(forge.content).hex()


def framed(statement: bytes, payload: bytes) -> bytes:
    return MAGIC + len(statement).to_bytes(4, "big") + statement + len(payload).to_bytes(8, "big") + payload


def spoilt(forge: Forge) -> bytes:
    """Return the frame under a signature that is none of these octets."""
    statement = forge.statement
    return framed(statement[:-1] + bytes([statement[-1] ^ 1]), forge.payload)


def again(forge: Forge) -> bytes:
    """Return the same statement under a second signature of the same key."""
    who = forge.sender.signs
    e = CRYPTO.sm3(textbook.z(CRYPTO.sm3, who.public) + forge.content)
    value = textbook.signature(*textbook.sign(who.d, e, nonce(b"a second signature", forge.content)))
    return framed(assemble(forge.content, forge.sender.signing, value, attached=True), forge.payload)


class Lane:
    """One lane with its first parcels; each vector has a lane of its own."""

    def __init__(self, name: str, says: str, count: int = 1) -> None:
        self.name, self.says = name, says
        self.before: list[Forge] = []
        prev = NOTHING
        for number in range(count):
            made = self.make(f"{number}", lane=at(number + 1, prev))
            self.before.append(made)
            prev = digest(made)
        self.head = {"epoch": EPOCH if count else 0, "seq": count, "head": prev}

    def make(self, label: str = "", *, sender: Node = ALICE, **members: Any) -> Forge:
        return Forge(f"{self.name} {label}".strip(), resource=self.name, sender=sender, manifest=members)

    def vectors(self, octets: bytes, answer: Answer, **more: Any) -> Iterator[Vector]:
        """Yield what goes before and the vector itself."""
        given = []
        for number, forge in enumerate(self.before):
            file = f"{self.name}-{number}.exnp"
            given.append(file)
            yield Vector(file, f"goes before {self.name}", forge.frame, "good", None, {
                "channel": forge.sender.code, "resource": self.name, "given": given[:-1], "before": True,
                "answer": taken()})
        stage, code = answer["stage"], answer["code"]
        yield Vector(f"{self.name}.exnp", self.says, octets, stage, code, {
            "channel": "dept-a", "resource": self.name, "given": given, "answer": answer, **more})


def exchange() -> Iterator[Vector]:
    """Yield all of the folder."""
    yield from _repeated()
    yield from _places()
    yield from _epochs()
    yield from _sealed_again()
    yield from _trust()
    yield from _authority()
    yield from _addresses()
    yield from _kinds()
    yield from _records()


def _told(lane: Lane) -> Answer:
    return {"status": 200, "code": None, "stage": "place", "receipt_of": f"{lane.name}-0.exnp"}


def _repeated() -> Iterator[Vector]:
    lane = Lane("replay", "the same octets a second time")
    yield from lane.vectors(lane.before[0].frame, _told(lane))
    lane = Lane("replay-signed-again", "the same statement under another signature")
    yield from lane.vectors(again(lane.before[0]), _told(lane))
    lane = Lane("replay-other-payload", "a manifest taken before, with other octets: its receipt, and nothing else")
    yield from lane.vectors(framed(lane.before[0].statement, b"other octets"), _told(lane))
    lane = Lane("replay-old", "the first parcel after the second", 2)
    yield from lane.vectors(lane.before[0].frame, _told(lane))
    lane = Lane("purged", "a parcel whose receipt was purged: `purged` says so of all that went before", 2)
    answer = turned("EXN-PURGED", "store", **lane.head)
    yield from lane.vectors(lane.before[0].frame, answer, purged=True)


def _places() -> Iterator[Vector]:
    def behind(lane: Lane) -> Answer:
        return turned("EXN-BEHIND", "place", **lane.head)

    def fork(lane: Lane) -> Answer:
        return turned("EXN-FORK", "store", **lane.head)

    lane = Lane("gap", "a place too far ahead")
    yield from lane.vectors(lane.make(lane=at(3, "1" * 64)).frame, behind(lane))
    lane = Lane("gap-unsigned", "the same under a bad signature: the place is looked at before the signature")
    yield from lane.vectors(spoilt(lane.make(lane=at(3, "1" * 64))), behind(lane))
    lane = Lane("gap-first", "the second parcel first", 0)
    yield from lane.vectors(lane.make(lane=at(2, "1" * 64)).frame, behind(lane))
    lane = Lane("fork-next", "the next place after another parcel")
    yield from lane.vectors(lane.make(lane=at(2, "1" * 64)).frame, fork(lane), fork=True)
    lane = Lane("fork-taken", "another parcel at a taken place")
    yield from lane.vectors(lane.make().frame, fork(lane), fork=True)
    lane = Lane("fork-unsigned", "the same under a bad signature: nothing is held for it")
    yield from lane.vectors(spoilt(lane.make()), turned("EXN-SIGNATURE", "signature"))
    lane = Lane("fork-id", "the id of a parcel taken before, at the next place")
    twice = lane.make(lane=at(2, digest(lane.before[0])))
    twice.parcel = lane.before[0].parcel
    yield from lane.vectors(twice.frame, turned("EXN-FORK", "store"), fork=True)


def _epochs() -> Iterator[Vector]:
    lane = Lane("epoch-new", "a higher epoch that begins upon the head")
    yield from lane.vectors(lane.make(lane=at(1, digest(lane.before[0]), EPOCH + 9)).frame, taken())
    lane = Lane("epoch-old", "a lower epoch")
    yield from lane.vectors(lane.make(lane=at(1, NOTHING, EPOCH - 1)).frame,
                            turned("EXN-SUPERSEDED", "store", **lane.head))
    lane = Lane("epoch-prev", "a higher epoch that begins upon another head")
    yield from lane.vectors(lane.make(lane=at(1, "1" * 64, EPOCH + 9)).frame,
                            turned("EXN-BEHIND", "place", **lane.head))
    lane = Lane("epoch-gap", "a higher epoch that begins with its second place")
    yield from lane.vectors(lane.make(lane=at(2, digest(lane.before[0]), EPOCH + 9)).frame,
                            turned("EXN-BEHIND", "place", **lane.head))


def _sealed_again() -> Iterator[Vector]:
    lane = Lane("supersedes-accepted", "sealed again although it was accepted")
    yield from lane.vectors(lane.make(supersedes=digest(lane.before[0])).frame, _told(lane))
    lane = Lane("void-accepted", "a void of a parcel that was accepted")
    void = lane.make(bind=NOTHING, kind="void", supersedes=digest(lane.before[0]))
    void.lines, void.payload_octets = [], b""
    yield from lane.vectors(void.frame, _told(lane))
    lane = Lane("supersedes-strange", "the place of one parcel, said to supersede another that never was")
    yield from lane.vectors(lane.make(supersedes="1" * 64).frame,
                            turned("EXN-FORK", "store", **lane.head), fork=True)


def _trust() -> Iterator[Vector]:
    before = stamp(day("2026-04-01"))
    cases: dict[str, tuple[str, Node, str, dict[str, Any]]] = {
        "certificate-expired": (
            "a certificate that ended before now, `created` within its term", wire_world.EXPIRED, "EXN-CERT-TIME",
            {"created": stamp(day("2026-02-01"))}),
        "certificate-early": ("a certificate whose term is to come", wire_world.EARLY, "EXN-CERT-TIME", {}),
        "certificate-revoked": ("a revoked certificate", wire_world.REVOKED, "EXN-CERT-REVOKED", {}),
        "revoked-backdated": (
            "a revoked key, `created` dated before it was revoked", wire_world.REVOKED, "EXN-CERT-REVOKED",
            {"created": before}),
        "list-missing": ("its authority's revocation list is not there", wire_world.UNLISTED, "EXN-CRL-MISSING", {}),
        "list-overdue": ("its authority's revocation list is overdue", wire_world.OVERDUE, "EXN-CRL-MISSING", {}),
        "chain-unknown": ("its authority is not trusted", wire_world.FOREIGN, "EXN-CERT-CHAIN", {}),
    }
    for name, (says, node, code, members) in cases.items():
        lane = Lane(name, says, 0)
        yield from lane.vectors(lane.make(sender=node, **members).frame, turned(code, "signature"), channel=node.code)


def _authority() -> Iterator[Vector]:
    lane = Lane("sender-suspended", "a sender that is suspended", 0)
    yield from lane.vectors(lane.make(sender=wire_world.SUSPENDED).frame, turned("EXN-SUSPENDED", "channel"),
                            channel="dept-suspended")
    lane = Lane("kind-not-granted", "records from one that may send voids", 0)
    limited = Forge(lane.name, sender=wire_world.LIMITED, resource="granted")
    yield from lane.vectors(limited.frame, turned("EXN-NOT-ALLOWED", "permission"), channel="dept-limited")
    lane = Lane("resource-not-granted", "a void for a resource it may not send", 0)
    void = lane.make(sender=wire_world.LIMITED, bind=NOTHING, kind="void", supersedes="1" * 64)
    void.lines, void.payload_octets = [], b""
    yield from lane.vectors(void.frame, turned("EXN-NOT-ALLOWED", "permission"), channel="dept-limited")
    lane = Lane("resource-unknown", "a resource that is not in the catalogue", 0)
    yield from lane.vectors(lane.make().frame, turned("EXN-NOT-ALLOWED", "permission"), unregistered=True)
    lane = Lane("channel-other", "dept-a's parcel over dept-c's channel", 0)
    yield from lane.vectors(lane.make().frame, turned("EXN-NOT-ALLOWED", "registry"), channel="dept-c")
    lane = Lane("channel-unregistered", "over the channel of a certificate that is nobody's here", 0)
    yield from lane.vectors(lane.make().frame, turned("EXN-UNREGISTERED", "channel"), channel="nobody")
    lane = Lane("via-itself", "a parcel that went through the receiver before", 0)
    yield from lane.vectors(lane.make(via=["centre"]).frame, turned("EXN-NOT-ALLOWED", "permission"))
    spec = "a specification of the right name with another digest"
    lane = Lane("specification-digest", spec, 0)
    yield from lane.vectors(lane.make(spec={**SPEC, "digest": "1" * 64}).frame,
                            turned("EXN-SPECIFICATION", "permission"))
    lane = Lane("specification-other", "a specification of another interface than the resource's", 0)
    yield from lane.vectors(lane.make(spec={**SPEC, "id": "population-basic"}).frame,
                            turned("EXN-NOT-ALLOWED", "permission"))
    lane = Lane("signature-altered", "a signature altered in its last octet", 0)
    yield from lane.vectors(spoilt(lane.make()), turned("EXN-SIGNATURE", "signature"))


def _addresses() -> Iterator[Vector]:
    misaddressed = turned("EXN-MISADDRESSED", "registry")
    receiver = party_members(BOB.as_receiver)
    cases: dict[str, tuple[str, dict[str, Any], Answer]] = {
        "domain-other": ("another domain", {"domain": "province.example"}, misaddressed),
        "receiver-other": ("for another node", {"receiver": party_members(CAROL.as_receiver)}, misaddressed),
        "receiver-org": ("for another organisation", {"receiver": {**receiver, "org": "91110000MA00B0000X"}},
                         misaddressed),
        "receiver-centre": ("for another centre of the same name: the certificate is not ours",
                            {"receiver": {**receiver, "cert": CAROL.encryption.fingerprint}},
                            turned("EXN-KEY-ROLE", "permission")),
    }
    for name, (says, members, answer) in cases.items():
        lane = Lane(name, says, 0)
        yield from lane.vectors(lane.make(**members).frame, answer)


def _kinds() -> Iterator[Vector]:
    for name, kind in (("kind-unknown", "of-the-future"), ("kind-reserved", "query")):
        lane = Lane(name, f"a kind this version does not handle: {kind}", 0)
        yield from lane.vectors(lane.make(kind=kind).frame, taken("refused", "EXN-UNSUPPORTED"))


def _records() -> Iterator[Vector]:
    """One record of two is refused; the other is applied."""
    strange = {**orjson.loads(line(0))["head"], "origin": "dept-c"}
    unknown = {**orjson.loads(line(0))["head"], "operation": "replace"}
    other_row = {**orjson.loads(line(0))["head"], "row": "r-9"}
    body = orjson.loads(line(0))["body"]

    def with_head(head: dict[str, Any]) -> bytes:
        return canonical({"body": body, "head": head})

    cases = {
        "record-origin": ("another's record, without its proof", with_head(strange), "origin"),
        "record-operation": ("an unknown operation", with_head(unknown), "line"),
        "record-row": ("a head with another row id than the body's", with_head(other_row), "head"),
        "record-duplicate": ("a member twice", line(0).replace(b'"RegionName"', b'"RecordId":"r-0","RegionName"'),
                             "canonical"),
        "record-blank": ("a line that is not canonical", line(0).replace(b'":"r-0"', b'": "r-0"', 1), "canonical"),
        "record-rule": ("a field that breaks its specification", line(0).replace(b"350200", b"35020x"), "pattern"),
    }
    for name, (says, bad, rule) in cases.items():
        lane = Lane(name, says, 0)
        forge = replace(lane.make(), lines=[bad, line(1)])
        yield from lane.vectors(forge.frame, taken(refused=[[0, rule]]))
