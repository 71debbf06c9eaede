"""`findings`: what the records of one case say together that they should not; nothing was refused for it."""

from __future__ import annotations

from typing import Any

import click

from node.cli.control_client import change, consult
from node.cli.grammar import Group, argument, as_json, option
from node.cli.output import Cell
from node.cli.person import named, who_decides
from node.cli.situation import Situation
from node.model.sentence import Sentence

NUMBER, RULE = Sentence("编号", "Number"), Sentence("规则", "Rule")
CASE, OPENED, CLOSED = Sentence("办件编号", "Case"), Sentence("打开", "Opened"), Sentence("消除", "Closed")
RECORDS, LEVEL = Sentence("涉及记录", "Records"), Sentence("程度", "Severity")
HEADS = (NUMBER, LEVEL, RULE, CASE, RECORDS, OPENED, CLOSED)
ROWS = (Sentence("信息资源", "Resource"), Sentence("来源节点", "Origin"), Sentence("来源记录号", "Row id"))
LEVELS = {"warn": Sentence("提示", "warning"), "error": Sentence("错误", "error")}
GONE = Sentence("（此规则已不再生效）", "(a rule in force no more)")


@click.group("findings", cls=Group, says=Sentence(
    "查看核对发现：同一办件各记录之间的矛盾或缺失", "look at findings: what records of one case contradict or lack"))
def findings() -> None:
    pass


@findings.command("list", says=Sentence("列出核对发现", "list findings"))
@option("--open", "unclosed", is_flag=True, says=Sentence("仅尚未消除的", "only those that are open"))
@option("--rule", metavar="RULE", says=Sentence("仅此规则的，如 case.overdue", "of this rule only, as case.overdue"))
@option("--after", type=click.IntRange(0), default=0, metavar="N", says=Sentence("从此编号之后起", "after this number"))
@option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, says=Sentence(
    "最多几个", "how many at most"))
@as_json
@click.pass_obj
def listed(here: Situation, unclosed: bool, rule: str | None, after: int, limit: int) -> None:
    told = consult(here, "findings.list", open=unclosed, rule=rule, after=after, limit=limit)
    here.out.show(told, lambda: here.out.table(HEADS, (
        (one["finding"], _level(one), one["rule"], one["correlation"], one["records"], one["opened"], one["closed"])
        for one in told["findings"]
    )))


@findings.command("show", says=Sentence(
    "查看一个核对发现：说明和涉及的记录", "tell one finding: what it means, and which records"))
@argument("number", type=click.IntRange(1), metavar="N", says=Sentence("编号", "its number"))
@as_json
@click.pass_obj
def show(here: Situation, number: int) -> None:
    told = consult(here, "findings.show", finding=number)
    here.out.show(told, lambda: _show(here, told))


@findings.command("recheck", says=Sentence(
    "重新核对全部办件：规则刚启用或有改动时", "look at every case again: when rules are new here, or were changed"))
@who_decides
@as_json
@click.pass_obj
def recheck(here: Situation, who: str | None) -> None:
    told = change(here, "findings.recheck", who=named(who))
    here.out.show(told, lambda: here.out.line(Sentence(
        f"将按{len(told['rules'])}条规则重新核对全部办件", f"Every case is looked at again by {len(told['rules'])} rule(s)")))


def _level(one: dict[str, Any]) -> Cell:
    return LEVELS.get(str(one["severity"]))


def _says(one: dict[str, Any]) -> Sentence:
    return GONE if one["zh"] is None else Sentence(one["zh"], one["en"])


def _show(here: Situation, told: dict[str, Any]) -> None:
    here.out.line(_says(told))
    here.out.facts([
        (NUMBER, told["finding"]), (RULE, told["rule"]), (LEVEL, _level(told)), (CASE, told["correlation"]),
        (RECORDS, told["records"]), (Sentence("首次发现", "First seen"), told["seen"]), (OPENED, told["opened"]),
        (CLOSED, told["closed"]),
    ])
    here.out.table(ROWS, ((row["resource"], row["origin"], row["key"]) for row in told["rows"]))
