"""`spec diff`: what a new version means for those who send by the old one, field by field, with the reason."""

from __future__ import annotations

from typing import Any

import click

from node.cli import exits
from node.cli.grammar import Command, argument, as_json, option
from node.cli.situation import Situation
from node.cli.spec.held import specification
from node.model.record import SpecificationId
from node.model.sentence import Sentence
from node.validate.versions.differences import Difference, Verdict, differences, worst

VERDICT, FIELD, REASON = Sentence("结论", "Verdict"), Sentence("字段", "Field"), Sentence("原因", "Reason")
WHOLE = Sentence("整体：{verdict}（{old} → {new}）", "As a whole: {verdict} ({old} → {new})")
SAME = Sentence("没有差别", "There is no difference")
MEANS = {
    Verdict.COMPATIBLE: Sentence("按旧版合格的记录，结论不变", "no record's verdict changes"),
    Verdict.WIDENING: Sentence("按旧版合格的记录按新版仍合格", "what was valid stays valid, and more is"),
    Verdict.BREAKING: Sentence("按旧版合格的记录可能被新版退回", "what was valid may be refused"),
}
FAIL_ON = {"breaking": Verdict.BREAKING, "widening": Verdict.WIDENING}


@click.command("diff", cls=Command, says=Sentence(
    "比较两个版本：兼容、放宽还是不兼容，逐字段说明", "compare two versions: compatible, widening or breaking, field by field"))
@argument("old", metavar="OLD", says=Sentence("旧版的编号，或XSD文件", "the id of the old version, or an XSD file"))
@argument("new", metavar="NEW", says=Sentence("新版的编号，或XSD文件", "the id of the new version, or an XSD file"))
@option("--fail-on", type=click.Choice(tuple(FAIL_ON)), says=Sentence(
    "结论达到此级别时以65退出", "exit with 65 if the verdict is this or worse"))
@as_json
@click.pass_obj
def diff(here: Situation, old: str, new: str, fail_on: str | None) -> int:
    one, other = specification(here, old), specification(here, new)
    found = sorted(differences(one, other), key=lambda each: -each.verdict)
    verdict = worst(found)
    here.out.show(
        {"old": _id(one.id), "new": _id(other.id), "verdict": verdict.name.lower(), "differences": [
            _difference(each) for each in found]},
        lambda: _shown(here, str(one.id), str(other.id), verdict, found),
    )
    return exits.DATA if fail_on is not None and verdict >= FAIL_ON[fail_on] else exits.OK


def _id(given: SpecificationId) -> dict[str, str]:
    return {"id": str(given), "digest": given.digest}


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "field": each.field, "what": each.what, "verdict": each.verdict.name.lower(), "zh": each.says.zh,
        "en": each.says.en,
    }


def _shown(here: Situation, old: str, new: str, verdict: Verdict, found: list[Difference]) -> None:
    out = here.out
    if not found:
        out.line(SAME)
    else:
        out.table((VERDICT, FIELD, REASON), ((each.verdict.words, each.field or "-", each.says) for each in found))
        out.line("")
    out.line(WHOLE.fill(verdict=verdict.words, old=old, new=new))
    out.line(MEANS[verdict])
