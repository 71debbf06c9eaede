"""`parcel`: what a parcel or a proof is, whether it holds, its records, and the proof of one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.cli import certificates, exits, files
from node.cli.grammar import Group, argument, as_json, file, misused, option
from node.cli.output import described as as_error
from node.cli.situation import Situation
from node.cli.told import described, flat
from node.envelope import Beside, check_proof
from node.envelope.proof import LIMIT, Finding, Report
from node.model.sentence import Sentence
from node.model.trouble import Trouble
from node.validate import split_line

parcel = Group("parcel", says=Sentence(
    "数据包与证明：查看、验证、打开、出具证明", "parcels and proofs: inspect, verify, open, prove"))

_file = argument("path", **file(), says=Sentence("文件，- 为标准输入", "the file, - for standard input"))
SHOWN, NOT_SHOWN = Sentence("已证明", "Shown"), Sentence("未证明", "Not shown")
GOOD = Sentence("证明成立", "The proof holds")
STRICT = Sentence("证明成立，但有未证明之处（--strict）", "The proof holds, but leaves something unshown (--strict)")


@parcel.command("inspect", says=Sentence(
    "查看数据包、声明或证明的内容，不需要密钥", "tell what a parcel, statement or proof says; needs no key"))
@_file
@as_json
@click.pass_obj
def inspect(here: Situation, path: Path) -> None:
    told = described(files.read(path), here)
    here.out.show(told, lambda: here.out.facts(flat(told)))


@parcel.command("verify", says=Sentence(
    "凭CA证书离线验证一份证明，并说明哪些未被证明",
    "check a proof offline with the CA's certificate, and tell what it does not show"))
@_file
@option("--ca", multiple=True, required=True, **file(), says=Sentence("信任的CA证书", "certificates of the trusted CA"))
@option("--crl", multiple=True, **file(), says=Sentence("另有的吊销列表", "further revocation lists"))
@option("--strict", is_flag=True, says=Sentence("有任何未证明之处即算不通过", "fail if anything is not shown"))
@as_json
@click.pass_obj
def verify(here: Situation, path: Path, ca: tuple[Path, ...], crl: tuple[Path, ...], strict: bool) -> int:
    trust = certificates.Trusted(here, ca, crl)
    data = files.read(path, LIMIT)
    try:
        report = check_proof(data, certificates.reader(here), trust.judge, here.crypto)
    except Trouble as met:
        return _failed(here, met)
    here.out.show(_told(report), lambda: _people(here, report, strict))
    return exits.OK if report.whole or not strict else exits.DATA


def _failed(here: Situation, met: Trouble) -> int:
    """Whatever is wrong, of the proof or of a certificate in it, the proof does not hold."""
    told = {"good": False, "whole": False, "error": as_error(met)}
    here.out.show(told, lambda: here.out.trouble(met))
    return exits.DATA


def _told(report: Report) -> dict[str, Any]:
    said, head = report.manifest.statement, split_line(report.line)[1]
    return {
        "good": True, "whole": report.whole, "parcel": said.parcel, "digest": report.manifest.digest,
        "sender": said.sender.node, "org": said.sender.org, "resource": said.resource, "spec": str(said.spec),
        "index": report.index, "n": said.count, "record": head.record, "row": head.row, "origin": head.origin,
        "version": list(head.version), "shown": [_finding(one) for one in report.shown],
        "not_shown": [_finding(one) for one in report.not_shown],
    }


def _finding(one: Finding) -> dict[str, str]:
    return {"name": one.name, "zh": one.says.zh, "en": one.says.en}


def _people(here: Situation, report: Report, strict: bool) -> None:
    told = _told(report)
    names = ("parcel", "sender", "org", "resource", "spec", "record", "row", "origin", "version")
    here.out.facts(flat({name: told[name] for name in names}))
    here.out.facts([(SHOWN, one.says) for one in report.shown])
    here.out.facts([(NOT_SHOWN, says) for says in dict.fromkeys(one.says for one in report.not_shown)])
    here.out.line(GOOD if report.whole or not strict else STRICT)


@parcel.command("open", says=Sentence(
    "用本节点的密钥打开数据包，把记录写入新文件（0600），不打印",
    "open a parcel with this node's keys; its records go to a new file (0600) and are not printed"))
@_file
@option("--out", required=True, **file(), says=Sentence("记录写入此文件，每行一条", "the file for the records, one a line"))
@as_json
@click.pass_obj
def open_(here: Situation, path: Path, out: Path) -> None:
    from node.cli.evidence import open_file
    from node.service.papers import read_papers

    papers = read_papers(here.settings, here.out.note, here.chance)
    whole = open_file(files.read(path), papers)
    said = whole.manifest.statement
    try:
        papers.trust.check(whole.manifest.certificate, here.now())
    except Trouble as met:
        here.out.trouble(met)  # it may have been good when the parcel was accepted; this file does not tell
    files.write(out, b"".join(line + b"\n" for line in whole.lines))
    told = {"parcel": said.parcel, "sender": said.sender.node, "records": said.count, "out": str(out)}
    here.out.show(told, lambda: here.out.facts(flat(told)))


@parcel.command("prove", says=Sentence(
    "为一条记录出具可离线验证的证明：取自数据包文件，或取自本节点的数据库",
    "extract the proof of one record, to be checked offline: from a parcel's file, or from this node's stores"))
@argument("path", required=False, **file(), says=Sentence(
    "本节点能打开的数据包文件", "the file of a parcel that this node can open"))
@option("--parcel", "name", metavar="ID", says=Sentence("或数据库中的数据包", "or a parcel in the stores"))
@option("--index", type=int, required=True, says=Sentence("第几条，自0起", "which record, counted from 0"))
@option("--out", required=True, **file(), says=Sentence(
    "证明写入此文件（0600）；其中含该记录", "the file for the proof (0600), which holds the record"))
@as_json
@click.pass_obj
def prove(here: Situation, path: Path | None, name: str | None, index: int, out: Path) -> None:
    if (path is None) == (name is None):
        raise misused("请给出数据包文件或 --parcel", "Give the file of a parcel, or --parcel")
    proof = _from_stores(here, name or "", index) if path is None else _from_file(here, files.read(path), index)
    files.write(out, proof)
    told = {"out": str(out), "size": len(proof)}
    here.out.show(told, lambda: here.out.facts(flat(told)))


def _from_stores(here: Situation, parcel: str, index: int) -> bytes:
    from node.cli.evidence import prove_stored
    from node.cli.open_stores import reading

    with reading(here) as (papers, stores):
        return prove_stored(stores, parcel, index, papers)


def _from_file(here: Situation, data: bytes, index: int) -> bytes:
    """Return the proof of a record of a parcel's file, with the receipts this node holds, if it ever ran."""
    from node.cli.evidence import beside, open_file
    from node.cli.open_stores import exist, reading
    from node.service.papers import read_papers

    if not exist(here):
        papers = read_papers(here.settings, here.out.note, here.chance)
        return open_file(data, papers).prove(index, Beside(), papers)
    with reading(here) as (papers, stores):
        whole = open_file(data, papers)
        return whole.prove(index, beside(stores, whole.manifest, papers), papers)
