"""Vectors of proofs: one record, and what shows years later that it was signed, and received when (folder proofs).

`lists` names revocation lists the checker holds beside those in the proof, `not_shown` what a good proof leaves open.
Every proof is of a parcel received on 2026-05-28; a checker's own clock plays no part.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.crypto.archive import write_archive
from node.envelope import merkle
from node.envelope.members import party_members
from node.model.instant import stamp
from node.model.parcel import NOTHING
from tests.vectors import authorities, wire_world
from tests.vectors.authorities import ROOT, STRANGER, day
from tests.vectors.cms_parts import CRYPTO, Authority
from tests.vectors.wire_parts import ALICE, AT, BOB, CAROL, Forge, Node, Vector, canonical, line, sign

THEN = {"this": "2026-05-01", "due": "2026-06-30"}
ENDED_SINCE = Node("dept-ended", 21, term=(b"260101000000Z", b"260630000000Z"))
PROOF, GOOD = "EXN-PROOF", None
LISTS = {
    "revoked-since": authorities.revocations(ROOT, (ALICE.signs, "2026-07-01"), number=3, this="2026-07-02"),
    "revoked-before": authorities.revocations(ROOT, (ALICE.signs, "2026-05-10"), number=3, this="2026-07-02"),
}


@dataclass
class Case:
    """A proof with every part open."""

    label: str
    sender: Node = ALICE
    ca: Authority = ROOT
    lists: Sequence[bytes] = (authorities.revocations(ROOT, number=2, **THEN),)
    manifest: dict[str, Any] = field(default_factory=dict)
    receipt: dict[str, Any] | None = field(default_factory=dict)
    archive: bytes | None = None
    named: bytes | None = None
    count: int = 5
    index: int = 2

    def __post_init__(self) -> None:
        lines = [line(number) for number in range(self.count)]
        self.forge = Forge(f"proof {self.label}", lines, sender=self.sender, manifest=self.manifest)
        self.archive = self.archive or write_archive(
            [self.sender.signing.der, authorities.certificate(self.ca)], self.lists)

    @property
    def receipts(self) -> list[bytes]:
        if self.receipt is None:
            return []
        forge, members = self.forge, self.forge.members
        said = {
            "@type": "exn.receipt.1", "checkpoint": {"head": NOTHING, "size": 0},
            "digest": CRYPTO.sm3(forge.content).hex(), "domain": members["domain"],
            "envelope": members["envelope"]["digest"], "lane": {"epoch": 1780000000, "seq": 1},
            "parcel": forge.parcel, "received_at": stamp(AT + 1000), "receiver": party_members(forge.sender.as_sender),
            "sender": party_members(BOB.as_sender), "stage": "accepted",
            "validation": CRYPTO.sm3(self.named or self.archive or b"").hex(),
        }
        return [sign(canonical({**said, **self.receipt}), BOB.signs)]

    @property
    def members(self) -> dict[str, Any]:
        forge = self.forge
        salts = merkle.salts(forge.secret, self.count, CRYPTO)
        path = merkle.path(self.count, dict(enumerate(forge.leaves)), (), self.index, CRYPTO.sm3)
        ours = write_archive([BOB.signing.der, authorities.certificate(ROOT)], self.lists)
        archives = {self.sender.signing.fingerprint: self.archive or b"", BOB.signing.fingerprint: ours}
        receipts = self.receipts
        return {
            "@type": "exn.proof.1",
            "archives": [{"archive": _text(blob), "certificate": name} for name, blob in sorted(archives.items())
                         ] if receipts else [],
            "certificates": [], "index": self.index, "line": _text(forge.lines[self.index]),
            "manifest": _text(forge.statement), "n": self.count, "path": [one.hex() for one in path],
            "receipts": [_text(one) for one in receipts], "salt": salts[self.index].hex(),
        }


def _text(octets: bytes) -> str:
    return b64encode(octets).decode()


def proofs() -> Iterator[Vector]:
    """Yield all of the folder."""
    yield from _over_time()
    yield from _broken()


def _vector(name: str, says: str, octets: bytes, code: str | None, shown: Sequence[str] = (),
            lists: Sequence[str] = ()) -> Vector:
    more: dict[str, Any] = {"lists": list(lists)}
    if code is None:
        more["not_shown"] = sorted(shown)
    return Vector(f"{name}.json", says, octets, "good" if code is None else "proof", code, more)


def _over_time() -> Iterator[Vector]:
    def one(name: str, says: str, case: Case, code: str | None, shown: Sequence[str] = ("time",),
            lists: Sequence[str] = ()) -> Vector:
        return _vector(name, says, canonical(case.members), code, shown, lists)

    yield one("good", "a record, its receipt, the archive of then", Case("good"), GOOD)
    yield one("good-last", "the last of eight", Case("good last", count=8, index=7), GOOD)
    yield one("good-alone", "the only one", Case("good alone", count=1, index=0), GOOD)
    yield one("no-receipt", "no receipt: that it was received is not shown", Case("no receipt", receipt=None), GOOD,
              ("acceptance", "chain", "revocation", "time"))
    yield one("expired-after", "a certificate that ended after it was received", Case(
        "expired after", sender=ENDED_SINCE), GOOD)
    yield one("expired-before", "a certificate that had ended when it was received", Case(
        "expired before", sender=wire_world.EXPIRED), "EXN-CERT-TIME")
    yield one("revoked-after", "a certificate revoked after it was received", Case("revoked after"), GOOD,
              ("revoked-later", "time"), ["revoked-since"])
    yield one("revoked-before", "a certificate that was revoked when it was received: its own archive says so", Case(
        "revoked before", lists=[authorities.revocations(ROOT, (ALICE.signs, "2026-05-10"), number=2, **THEN)]),
        "EXN-CERT-REVOKED")
    yield one("revoked-backdated", "a key revoked since, from a day before it was received; `created` is earlier", Case(
        "revoked backdated", manifest={"created": stamp(day("2026-04-01"))}), "EXN-CERT-REVOKED", (),
        ["revoked-before"])
    yield one("list-missing", "no revocation list: that it was not revoked is not shown", Case(
        "list missing", lists=[]), GOOD, ("revocation", "time"))
    yield one("list-overdue", "a list that was overdue when it was received", Case("list overdue", lists=[
        authorities.revocations(ROOT, number=2, this="2026-04-01", due="2026-05-01")]), GOOD, ("revocation", "time"))
    yield one("chain-unknown", "a root the checker does not trust", Case(
        "chain unknown", sender=wire_world.FOREIGN, ca=STRANGER), "EXN-CERT-CHAIN")
    yield one("archive-other", "an archive that is not the one the receipt names", Case(
        "archive other", named=b"another archive"), PROOF)
    yield one("archive-certificate", "the archive of another certificate", Case("archive certificate", archive=(
        write_archive([CAROL.signing.der, authorities.certificate(ROOT)], []))), PROOF)
    yield one("receipt-other", "the receipt of another parcel", Case(
        "receipt other", receipt={"digest": "1" * 64}), PROOF)


def _broken() -> Iterator[Vector]:
    good, other = Case("broken"), Case("broken", index=3)
    told, beside = good.members, other.members
    changes: dict[str, tuple[str, dict[str, Any], str]] = {
        "index": ("another index", {"index": 3}, PROOF), "count": ("another n", {"n": 6}, PROOF),
        "count-none": ("n = 0", {"n": 0}, "EXN-STATEMENT"),
        "path-long": ("a path one too long", {"path": [*told["path"], "00" * 32]}, PROOF),
        "path-short": ("a path one too short", {"path": told["path"][:-1]}, PROOF),
        "salt": ("the salt of another record", {"salt": beside["salt"]}, PROOF),
        "line": ("another record", {"line": beside["line"]}, PROOF),
        "operation": ("the operation changed", {"line": _text(line(2, operation="D"))}, PROOF),
        "unknown": ("an unknown member", {"extra": 1}, "EXN-STATEMENT"),
        "manifest-altered": ("the manifest changed after signing", {"manifest": _text(
            good.forge.statement.replace(b'"priority":5', b'"priority":4'))}, "EXN-SIGNATURE"),
        "receipt-altered": ("the receipt changed after signing", {"receipts": [_text(
            good.receipts[0].replace(b'"stage":"accepted"', b'"stage":"refused_"'))]}, "EXN-STATEMENT"),
        "receipt-signature": ("a receipt under another signature", {"receipts": [_text(
            good.receipts[0][:-1] + bytes([good.receipts[0][-1] ^ 1]))]}, "EXN-SIGNATURE"),
    }
    for name, (says, members, code) in changes.items():
        yield _vector(f"broken-{name}", says, canonical({**told, **members}), code)
    yield _vector("broken-blank", "in another spelling", canonical(told).replace(b'"n":', b'"n": '), "EXN-STATEMENT")
