"""Vectors of canonical JSON (folder json) and of signed statements (folder statements)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node.envelope.canonical import MAX_DEPTH
from node.envelope.cms.signed import assemble
from node.envelope.members import party_members
from node.model.instant import stamp
from node.model.parcel import NOTHING
from tests.vectors.cms_parts import CRYPTO, Who, signed_value
from tests.vectors.wire_parts import ALICE, AT, BOB, CAROL, SIGNS, Forge, Vector, canonical, sign, taken, turned

FORGE = Forge("statements")
MANIFEST = FORGE.members
RETURNED = Forge("receipts", sender=BOB, receiver=ALICE)
FORM = turned("EXN-STATEMENT", "statement")
GOOD = canonical(MANIFEST)


def _changed(was: bytes, now: bytes) -> bytes:
    assert GOOD.count(was) == 1, was
    return GOOD.replace(was, now)


def _with(**members: Any) -> bytes:
    said = {**MANIFEST, **members}
    return canonical({name: member for name, member in said.items() if member is not None})


def canonical_json() -> Iterator[Vector]:
    """Yield content octets: a manifest, and the manifest in every other spelling (stage `canonical`)."""
    yield Vector("good.json", "a manifest", GOOD, "good", None)
    yield Vector("good-ext.json", "unknown members in ext", _with(ext={"later": [1, {"x": True}]}), "good", None)
    yield Vector("good-kind.json", "a kind of parcel of the future", _with(kind="of-the-future"), "good", None)
    yield Vector("good-largest-number.json", "2^53-1", _with(batch={
        "id": MANIFEST["parcel"], "last": False, "part": (1 << 53) - 1}), "good", None)
    deep: Any = 1
    for _ in range(MAX_DEPTH):
        deep = [deep]
    spellings = {
        "duplicate": ("a member twice", _changed(b'"priority":5', b'"priority":5,"priority":5')),
        "duplicate-other": ("a member twice with two values", _changed(b'"priority":5', b'"priority":4,"priority":5')),
        "order": ("members out of order", _changed(b'"priority":5', b"").replace(
            b',,', b",").replace(b'"count":2', b'"priority":5,"count":2')),
        "blank": ("a blank after a colon", _changed(b'"priority":5', b'"priority": 5')),
        "line-end": ("a line end after the last brace", GOOD + b"\n"),
        "escape": ("an escaped letter", _changed(b'"live"', b'"l\\u0069ve"')),
        "escaped-slash": ("an escaped solidus", _changed(b'"live"', b'"live\\/"')),
        "fraction": ("1.0 for a number", _changed(b'"priority":5', b'"priority":5.0')),
        "exponent": ("an exponent", _changed(b'"priority":5', b'"priority":5e0')),
        "overflow": ("1E400", _changed(b'"priority":5', b'"priority":1E400')),
        "minus-zero": ("-0", _changed(b'"priority":5', b'"priority":-0')),
        "minus": ("a negative number", _changed(b'"priority":5', b'"priority":-5')),
        "leading-zero": ("a leading zero", _changed(b'"priority":5', b'"priority":05')),
        "nan": ("NaN", _changed(b'"priority":5', b'"priority":NaN')),
        "too-great": ("2^53", _changed(b'"priority":5', b'"priority":9007199254740992')),
        "null": ("null", _changed(b'"priority":5', b'"priority":null')),
        "non-ascii": ("a Chinese resource", _changed(b'"statements","root"', '"区划","root"'.encode())),
        "delete": ("a control character", _changed(b'"live"', b'"li\x7fve"')),
        "name": ("a member's name with a capital", _changed(b'"priority":5', b'"Priority":5')),
        "mark": ("a byte order mark", b"\xef\xbb\xbf" + GOOD),
        "cut": ("the last octet missing", GOOD[:-1]),
        "deep": ("too deep", _with(ext={"x": deep})),
        "array": ("an array, not an object", b"[" + GOOD + b"]"),
    }
    for name, (says, octets) in spellings.items():
        yield Vector(f"{name}.json", says, octets, "canonical", more={"answer": FORM})
    yield from _members()


def _members() -> Iterator[Vector]:
    changes: dict[str, tuple[str, dict[str, Any]]] = {
        "unknown": ("an unknown member", {"extra": 1}),
        "missing": ("a missing member", {"root": None}),
        "upper-hex": ("upper-case hex", {"bind": str(MANIFEST["bind"]).upper()}),
        "short-hex": ("a digest of 31 octets", {"bind": str(MANIFEST["bind"])[2:]}),
        "uuid-4": ("a UUID of version 4", {"parcel": MANIFEST["parcel"][:14] + "4" + MANIFEST["parcel"][15:]}),
        "uuid-upper": ("a UUID in capitals", {"parcel": MANIFEST["parcel"].upper()}),
        "day": ("a day that does not exist", {"created": "2026-02-30T00:00:00.000Z"}),
        "second-60": ("a leap second", {"created": "2026-06-30T23:59:60.000Z"}),
        "time-form": ("a time without milliseconds", {"created": "2026-06-30T23:59:59Z"}),
        "count-none": ("records without a record", {"count": 0}),
        "count-many": ("65537 records", {"count": 65537}),
        "void-full": ("a void with records", {"kind": "void", "supersedes": "1" * 64}),
        "prev": ("a second parcel after nothing", {"lane": {"epoch": 7, "prev": NOTHING, "seq": 2}}),
        "seq-zero": ("seq 0", {"lane": {"epoch": 7, "prev": "1" * 64, "seq": 0}}),
        "stream": ("an unknown stream", {"stream": "dead"}),
        "leaf": ("another leaf construction", {"leaf": "exn.leaf.2"}),
        "crit": ("a critical member nobody knows", {"crit": ["later"], "ext": {"later": 1}}),
        "crit-absent": ("a critical member that is not there", {"crit": ["later"]}),
        "via": ("nine hops", {"via": ["node"] * 9}),
        "flag": ("1 for a flag", {"batch": {"id": MANIFEST["parcel"], "last": 1, "part": 1}}),
        "number-text": ("a number as a text", {"priority": "5"}),
        "count-flag": ("true for a number", {"count": True}),
        "version": ("statements of version 2", {"@type": "exn.parcel.2"}),
    }
    for name, (says, members) in changes.items():
        yield Vector(f"member-{name}.json", says, _with(**members), "members", more={"answer": FORM})


def receipt(**members: Any) -> dict[str, Any]:
    """Return the members of Alice's receipt for a parcel of Bob's."""
    manifest = RETURNED.members
    said = {
        "@type": "exn.receipt.1", "checkpoint": {"head": NOTHING, "size": 0},
        "digest": CRYPTO.sm3(canonical(manifest)).hex(), "domain": manifest["domain"],
        "envelope": manifest["envelope"]["digest"], "lane": {"epoch": 1780000000, "seq": 1},
        "parcel": manifest["parcel"], "received_at": stamp(AT + 1000), "receiver": party_members(BOB.as_receiver),
        "sender": party_members(ALICE.as_sender), "stage": "accepted", "validation": CRYPTO.sm3(b"archive").hex(),
    }
    return {**said, **members}


def statements() -> Iterator[Vector]:
    """Yield SignedData: `expects` is the kind asked for, `signer` whose certificate the registry gives."""
    counts = {"applied": 2, "older": 0, "refused": 0}
    some = {"applied": 1, "older": 0, "refused": 1}
    greeting = {
        "boot": "0" * 32, "domain": MANIFEST["domain"], "epoch": 1780000000, "receiver": party_members(BOB.as_receiver),
        "sender": party_members(ALICE.as_sender), "time": stamp(AT),
    }
    probe, collect = {"@type": "exn.probe.1", **greeting, "lanes": []}, {"@type": "exn.collect.1", **greeting}
    receipts = {
        "accepted": receipt(), "processed": receipt(stage="processed", counts=counts),
        "processed-refusals": receipt(
            stage="processed", counts=some, verdicts={"envelope": "1" * 64, "list": "2" * 64}
        ),
        "refused": receipt(stage="refused", code="EXN-OPEN"),
    }

    def one(name: str, says: str, said: Any, stage: str, code: str | None, expects: str, who: Who = ALICE.signs,
            registered: str = "dept-a", answer: Any = None) -> Vector:
        octets = said if isinstance(said, bytes) else sign(canonical(said), who)
        heard = {"status": 200, "code": None, "log": code} if expects == "receipt" else FORM
        return Vector(f"{name}.der", says, octets, stage, code, {
            "expects": expects, "signer": registered, "answer": answer or heard})

    for name, said in receipts.items():
        # Its verdict list does not travel with it here, so it is no final word and will be asked for again.
        heard = {"status": 200, "code": None, "log": "EXN-DIGEST"} if name == "processed-refusals" else None
        yield one(f"receipt-{name}", f"a receipt: {name}", said, "good", None, "receipt", answer=heard)
    yield one("manifest", "a manifest", MANIFEST, "good", None, "parcel", answer=taken())
    yield one("probe", "a probe of another day", probe, "good", None, "probe", answer=turned("EXN-CLOCK", "time"))
    yield one("collect", "a collect before any hello", collect, "good", None, "collect",
              answer=turned("EXN-GREET", "greeting"))
    wrong = "EXN-STATEMENT"
    yield one("receipt-as-parcel", "a receipt as a parcel", receipts["accepted"], "type", wrong, "parcel")
    yield one("parcel-as-receipt", "a manifest as a receipt", MANIFEST, "type", wrong, "receipt")
    yield one("probe-as-collect", "a probe as a collect", probe, "type", wrong, "collect")
    yield one("collect-as-probe", "a collect as a probe", collect, "type", wrong, "probe")
    yield one("probe-as-parcel", "a probe as a parcel", probe, "type", wrong, "parcel")
    command = {**probe, "@type": "exn.command.1"}
    yield one("command", "a command, the kind of the future, as a probe", command, "type", wrong, "probe")
    yield one("probe-as-command", "a probe that says it is a command, as a parcel", command, "type", wrong, "parcel")
    yield one("plain", "content that is no statement", sign(b"hello", ALICE.signs), "type", wrong, "parcel")
    late = canonical({"a": 1, **MANIFEST}).replace(b'{"@type":"exn.parcel.1",', b"{", 1)
    yield one("type-missing", "no @type", sign(late, ALICE.signs), "type", wrong, "parcel")
    contradictions = {
        "code": receipt(code="EXN-OPEN"), "no-code": receipt(stage="refused"), "no-counts": receipt(stage="processed"),
        "no-verdicts": receipt(stage="processed", counts=some),
        "checkpoint": receipt(checkpoint={"head": NOTHING, "size": 1}),
        "idle-verdicts": receipt(stage="processed", counts=counts, verdicts={"envelope": "1" * 64, "list": "2" * 64}),
    }
    for name, said in contradictions.items():
        yield one(f"receipt-{name}", f"a receipt at odds with itself: {name}", said, "members", wrong, "receipt")
    yield one("receipt-signer-other", "a receipt signed by another member", sign(canonical(receipt()), CAROL.signs),
              "verify", "EXN-SIGNATURE", "receipt", answer={"status": 200, "code": None, "log": "EXN-UNREGISTERED"})
    yield from _signatures(one)


def _signatures(one: Any) -> Iterator[Vector]:
    swapped = {**MANIFEST, "sender": party_members(CAROL.as_sender)}
    refused, strange = "EXN-SIGNATURE", turned("EXN-UNREGISTERED", "registry")
    stranger = sign(GOOD, CAROL.signs)
    yield one("signer-other", "another member's signature and certificate", stranger, "verify", refused, "parcel",
              answer=strange)
    yield one("sender-other", "another sender named than the certificate's", swapped, "verify", refused, "parcel",
              answer=strange)
    twin = Who(ALICE.signs.label, ALICE.signs.d, 0x2FFFFF, ALICE.signs.usage)
    yield one("certificate-other", "the same key in another certificate", sign_with(twin), "verify", refused, "parcel",
              answer=strange)
    content = GOOD.replace(b'"priority":5', b'"priority":4')
    altered = sign(GOOD, ALICE.signs).replace(GOOD, content)
    yield one("content-altered", "content changed after signing", altered, "verify", refused, "parcel",
              answer=turned(refused, "signature"))
    usage = {**MANIFEST, "sender": {**MANIFEST["sender"], "cert": ALICE.encryption.fingerprint}}
    yield one("encryption-certificate", "signed with the encryption key", usage, "verify", "EXN-KEY-ROLE", "parcel",
              ALICE.opens, "dept-a encryption", answer=strange)
    channel = {**MANIFEST, "sender": {**MANIFEST["sender"], "cert": ALICE.channel.fingerprint}}
    spoken = Who("dept-a TLS", ALICE.speaks.d, ALICE.channel.serial, SIGNS)
    by_channel = assemble(canonical(channel), ALICE.channel, signed_value(canonical(channel), spoken), attached=True)
    yield one("tls-certificate", "signed with the TLS key", by_channel, "verify", "EXN-KEY-ROLE", "parcel",
              registered="dept-a channel", answer=strange)
    long = canonical({**MANIFEST, "ext": {"x": ["0" * 1000] * 66}})
    large = sign(long, ALICE.signs)
    yield one("too-large", "a SignedData above 65536 octets", large, "limit", "EXN-TOO-LARGE", "parcel",
              answer=turned("EXN-TOO-LARGE", "frame"))


def sign_with(who: Who) -> bytes:
    """Return the manifest as SignedData by a party that is no node of the vectors."""
    return assemble(GOOD, who.certificate, signed_value(GOOD, who), attached=True)
