"""A proof file: one record, and all that shows offline what was signed about it, and by whom (WIRE §2, §6).

Rule 1: good means good when accepted: certificates are judged at `received_at` with the archive, never at `created`.
Rule 2: what a proof does not show is said, not passed over; a signature shows that a key signed a commitment, not
        that the content is true.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.envelope import canonical, kinds, merkle
from node.envelope.origins import BASE64, Origin
from node.envelope.schema import Group, Many, Number, conform, text
from node.envelope.statement import Attested, read_manifest, read_receipt, verify
from node.model import codes
from node.model.certificate import Certificate
from node.model.ids import uuid_bytes
from node.model.instant import Instant, stamp
from node.model.parcel import Manifest, Receipt, Stage
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.ports import Crypto

LIMIT = 32 << 20

_PROOF = Group(
    {
        "@type": text(r"exn\.proof\.1"),
        "archives": Many(Group({"archive": BASE64, "certificate": kinds.DIGEST}), 0, 16),
        "certificates": Many(BASE64, 0, 16), "index": kinds.COUNT, "line": BASE64, "manifest": BASE64,
        "n": Number(1, kinds.MOST), "path": Many(kinds.DIGEST, 0, 32), "receipts": Many(BASE64, 0, 16),
        "salt": kinds.DIGEST,
    }
)

Parse = Callable[[bytes], Certificate]
"""Reads a certificate's DER; raises a Trouble."""

Judge = Callable[[Certificate, Instant, bytes | None, Sequence[bytes]], Collection[str]]
"""(certificate, instant, its archive if any, other certificates) → names of what is not shown; raises a Trouble if
the certificate was not good then.  Names: `time`, `revocation`, `revoked-later`, `chain`."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What goes into a proof beside the record: SignedData of receipts, archives by certificate fingerprint, chains."""

    receipts: Sequence[bytes] = ()
    archives: Mapping[str, bytes] = field(default_factory=dict)
    certificates: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a proof shows or does not show."""

    name: str
    says: Sentence


@dataclass(frozen=True, slots=True)
class Report:
    """What a good proof says: the signed manifest, its receipts, the line, and how far it reaches."""

    manifest: Attested[Manifest]
    receipts: Sequence[Attested[Receipt]]
    index: int
    line: bytes = field(repr=False)
    shown: Sequence[Finding]
    not_shown: Sequence[Finding]

    @property
    def whole(self) -> bool:
        """Whether nothing is left open (what `--strict` asks)."""
        return not self.not_shown


def prove(
    manifest: Attested[Manifest], secret: bytes, lines: Sequence[bytes], index: int, beside: Beside, crypto: Crypto
) -> bytes:
    """Return the proof of one line of a parcel whose S and lines are at hand; raise Refused(PROOF) if they are not."""
    statement = manifest.statement
    if not 0 <= index < len(lines) == statement.count:
        raise _refusal("no such record")
    salted = merkle.salts(secret, len(lines), crypto)
    carried = dict(enumerate(merkle.leaves(uuid_bytes(statement.parcel), salted, lines, crypto.sm3)))
    return _write(manifest.der, statement, index, salted[index], lines[index], carried, (), beside, crypto)


def prove_origin(entry: Origin, lines: Sequence[bytes], place: int, beside: Beside, crypto: Crypto) -> bytes:
    """Return the proof of the line at `place` of an origin entry's lines against its origin's own manifest."""
    statement = read_manifest(entry.manifest, crypto).statement
    if not 0 <= place < len(entry.at) == len(lines):
        raise _refusal("no such record")
    parcel = uuid_bytes(statement.parcel)
    carried = {
        index: merkle.leaf(parcel, index, entry.count, salt, line, crypto.sm3)
        for (index, salt), line in zip(entry.at, lines, strict=True)
    }
    index, salt = entry.at[place]
    return _write(entry.manifest, statement, index, salt, lines[place], carried, entry.rest, beside, crypto)


def _write(
    manifest: bytes, statement: Manifest, index: int, salt: bytes, line: bytes, carried: Mapping[int, bytes],
    rest: Sequence[bytes], beside: Beside, crypto: Crypto,
) -> bytes:
    try:
        path = merkle.path(statement.count, carried, rest, index, crypto.sm3)
    except ValueError:
        raise _refusal("the records are not those of the manifest") from None
    if _root(statement, index, salt, line, path, crypto) != statement.root:
        raise _refusal("the records are not those of the manifest")
    said: dict[str, Any] = {
        "@type": "exn.proof.1",
        "archives": [
            {"archive": canonical.armour(blob), "certificate": name} for name, blob in sorted(beside.archives.items())
        ],
        "certificates": [canonical.armour(der) for der in beside.certificates],
        "index": index,
        "line": canonical.armour(line),
        "manifest": canonical.armour(manifest),
        "n": statement.count,
        "path": [sibling.hex() for sibling in path],
        "receipts": [canonical.armour(der) for der in beside.receipts],
        "salt": salt.hex(),
    }
    conform(_PROOF, said, "proof")
    return canonical.write(said, LIMIT)


def check_proof(data: bytes, parse: Parse, judge: Judge, crypto: Crypto) -> Report:
    """Return what a proof shows and what it does not.

    Raises Refused: PROOF, STATEMENT, CMS_FORM, SIGNATURE, TOO_LARGE for one that does not hold, and whatever `parse`
    and `judge` raise for a certificate that was not good then.
    """
    said = canonical.read(data, LIMIT)
    conform(_PROOF, said, "proof")
    try:
        archives = {entry["certificate"]: canonical.unarmour(entry["archive"]) for entry in said["archives"]}
        receipts = [canonical.unarmour(receipt) for receipt in said["receipts"]]
        beside = Beside(receipts, archives, [canonical.unarmour(der) for der in said["certificates"]])
        line, der = canonical.unarmour(said["line"]), canonical.unarmour(said["manifest"])
    except ValueError:
        raise _refusal("base64") from None
    unverified = read_manifest(der, crypto)
    manifest = verify(unverified, parse(unverified.signed.certificate_der), crypto)
    _check_record(manifest.statement, said, line, crypto)
    answers = [_check_receipt(receipt, manifest, parse, crypto) for receipt in beside.receipts]
    shown, open_ends = _reach(manifest, answers, beside, judge, crypto)
    shown.insert(1, Finding("record", _RECORD.fill(index=said["index"], n=said["n"])))
    return Report(manifest, answers, said["index"], line, tuple(shown), tuple(open_ends))


def _check_record(statement: Manifest, said: Mapping[str, Any], line: bytes, crypto: Crypto) -> None:
    path = [bytes.fromhex(sibling) for sibling in said["path"]]
    root = _root(statement, said["index"], bytes.fromhex(said["salt"]), line, path, crypto)
    if said["n"] != statement.count or root != statement.root:
        raise _refusal("the record is not under the signed root")


def _root(
    statement: Manifest, index: int, salt: bytes, line: bytes, path: Sequence[bytes], crypto: Crypto
) -> str | None:
    leaf = merkle.leaf(uuid_bytes(statement.parcel), index, statement.count, salt, line, crypto.sm3)
    root = merkle.climb(leaf, index, statement.count, path, crypto.sm3)
    return root.hex() if root is not None else None


def _check_receipt(der: bytes, manifest: Attested[Manifest], parse: Parse, crypto: Crypto) -> Attested[Receipt]:
    unverified = read_receipt(der, crypto)
    receipt, said = unverified.statement, manifest.statement
    about = (receipt.domain, receipt.parcel, receipt.digest, receipt.envelope, receipt.epoch, receipt.seq)
    if about != (
        said.domain, said.parcel, manifest.digest, said.envelope.digest, said.place.epoch, said.place.seq
    ) or (receipt.sender.node, receipt.sender.org) != (said.receiver.node, said.receiver.org):
        raise _refusal("a receipt speaks of another parcel")
    return verify(unverified, parse(unverified.signed.certificate_der), crypto)


def _reach(
    manifest: Attested[Manifest], receipts: Sequence[Attested[Receipt]], beside: Beside, judge: Judge, crypto: Crypto
) -> tuple[list[Finding], list[Finding]]:
    said = manifest.statement
    shown = [Finding("signature", _SIGNED.fill(parcel=said.parcel, node=said.sender.node, org=said.sender.org))]
    gaps: set[tuple[str, str]] = set()
    for receipt in receipts:
        spoken = receipt.statement
        at = stamp(spoken.received_at)
        shown.append(Finding(spoken.stage.value, _STAGES[spoken.stage].fill(node=spoken.sender.node, at=at)))
        archive = beside.archives.get(manifest.certificate.fingerprint)
        if archive is not None and crypto.sm3(archive).hex() != spoken.validation:
            raise _refusal("the archive is not the one the receipt names")
        for one, blob in ((manifest.certificate, archive), (receipt.certificate, _archive(receipt, beside))):
            found = judge(one, spoken.received_at, blob, beside.certificates)
            gaps |= {(gap, one.fingerprint) for gap in found}
            if "chain" not in found:
                shown.append(Finding("chain", _CHAIN.fill(certificate=one.fingerprint, at=at)))
    if not receipts:
        gaps |= {(gap, manifest.certificate.fingerprint) for gap in ("acceptance", "time", "chain", "revocation")}
    gaps.add(("time", manifest.certificate.fingerprint))
    return _once(shown), [Finding(gap, _GAPS[gap].fill(certificate=name)) for gap, name in sorted(gaps)]


def _archive(receipt: Attested[Receipt], beside: Beside) -> bytes | None:
    return beside.archives.get(receipt.certificate.fingerprint)


def _once(findings: Sequence[Finding]) -> list[Finding]:
    return list({(finding.name, finding.says): finding for finding in findings}.values())


_SIGNED = Sentence(
    "数据包{parcel}的装箱单由{node}（{org}）签名", "The manifest of parcel {parcel} was signed by {node} ({org})"
)
_RECORD = Sentence("该记录是其中第{index}条（自0起，共{n}条）", "The record is leaf {index} of {n}, counted from 0")
_CHAIN = Sentence("证书{certificate}在{at}可追溯到可信根", "Certificate {certificate} chained to a trusted root at {at}")
_STAGES: Mapping[Stage, Sentence] = {
    Stage.ACCEPTED: Sentence("{node}签署：{at}已收妥存储", "{node} signed that it stored the parcel at {at}"),
    Stage.PROCESSED: Sentence("{node}签署：{at}收到的数据包已处理", "{node} signed that it processed the parcel of {at}"),
    Stage.REFUSED: Sentence("{node}签署：{at}收到的数据包被退回", "{node} signed that it refused the parcel of {at}"),
}
_GAPS: Mapping[str, Sentence] = {
    "acceptance": Sentence("没有接收方回执，未证明已收到", "No receipt: that it was received is not shown"),
    "chain": Sentence("未证明证书{certificate}的证书链", "The chain of certificate {certificate} is not shown"),
    "revocation": Sentence(
        "没有当时有效的吊销列表，未证明证书{certificate}未被吊销",
        "No list current then: that certificate {certificate} was not revoked is not shown",
    ),
    "revoked-later": Sentence(
        "证书{certificate}收妥之后被吊销；时间由接收方所述",
        "Certificate {certificate} was revoked later; the time before it is the receiver's word",
    ),
    "time": Sentence("时间由接收方所述，没有第三方时间戳", "The time is the receiver's word; no time stamp of a third party"),
}


def _refusal(reason: str) -> Trouble:
    return trouble(codes.PROOF, reason=reason)
