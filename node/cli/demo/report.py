"""The report of a performance: one table a clerk can read, and the same for a program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from node.cli.demo.play import Outcome
from node.cli.output import Output, yes
from node.model.sentence import Sentence

HEADS = (Sentence("项目", "Figure"), Sentence("应为", "Expected"), Sentence("实际", "Found"), Sentence("一致", "Exact"))
Line = tuple[Sentence, int, int]


def figures(outcome: Outcome) -> Iterator[Line]:
    """Yield every figure that must be exact: its name, what it must be, what it is."""
    told, found = outcome.told, outcome.tally
    good = told.submitted - told.planted
    yield Sentence("提交", "submitted"), good + told.planted, told.submitted
    for rule, count in sorted(told.refused.items()):
        yield Sentence(f"校验退回：{rule}", f"refused by rule: {rule}"), _planted(outcome, rule), count
    yield Sentence("误退或漏退", "refused wrongly or missed"), 0, told.missed
    yield Sentence("中心已接收", "accepted by the centre"), good, found.accepted
    yield Sentence("中心已入库", "processed by the centre"), good, found.processed
    yield Sentence("送达第二个部门", "delivered to the second department"), good, found.delivered
    yield Sentence("回执验签通过", "receipts verified"), found.receipts, found.verified
    for each in found.agreements:
        yield Sentence(
            f"{each.node} {each.resource}：与来源不同的键", f"{each.node} {each.resource}: keys unlike the source"
        ), 0, each.different
        if each.wanted:
            yield Sentence(
                f"{each.node} {each.resource}：已删除的键", f"{each.node} {each.resource}: deleted keys"
            ), each.wanted, each.deleted
    landed = outcome.landed
    did = f"{landed.changed}/{landed.deleted}/{landed.backdated}"
    yield Sentence(
        f"老数据库{landed.rows}行（改/删/补录 {did}）落地第二个部门的库：不同的行",
        f"old database, {landed.rows} rows (changed/deleted/back-dated {did}), landed in another: rows unlike",
    ), 0, landed.unlike
    yield Sentence("离线验证一条记录的来源签名", "one record proved offline against its origin"), 1, int(outcome.proven)


def _planted(outcome: Outcome, rule: str) -> int:
    return outcome.told.faults[rule]


def paces(outcome: Outcome) -> Sequence[tuple[Sentence, str]]:
    """Return what is measured and need not be exact."""
    told = outcome.told
    return (
        (Sentence("用时", "time"), f"{told.seconds:.1f} s"),
        (Sentence("每秒记录（含两次强杀重启）", "records/s (two kills and restarts included)"),
         f"{told.accepted / told.seconds:.0f}"),
        (Sentence("空闲时单条至最终回执 p50 / p99", "one record, idle, to its final receipt, p50 / p99"),
         f"{outcome.idle[0]} / {outcome.idle[1]} ms"),
        (Sentence("全程至最终回执 p50 / p99", "all, to their final receipts, p50 / p99"),
         f"{outcome.whole[0]} / {outcome.whole[1]} ms"),
        (Sentence("数据包", "parcels"), str(outcome.tally.parcels)),
        (Sentence("因强杀而重试的提交", "submissions repeated because of the kills"), str(outcome.repeated)),
    )


def show(outcome: Outcome, out: Output) -> None:
    """Print the report."""
    lines = list(figures(outcome))
    if out.json:
        out.data(_document(outcome, lines))
        return
    out.table(HEADS, [(name, wanted, found, yes(wanted == found)) for name, wanted, found in lines])
    out.facts(paces(outcome))
    out.line(
        Sentence("全部一致", "Every figure is exact") if outcome.exact
        else Sentence("有不一致的项目", "Some figure is not exact")
    )


def _document(outcome: Outcome, lines: Sequence[Line]) -> dict[str, Any]:
    return {
        "exact": outcome.exact,
        "figures": [{"name": name.en, "expected": wanted, "found": found} for name, wanted, found in lines],
        "paces": {name.en: value for name, value in paces(outcome)},
    }
