"""`adapter state|run|reread|dirty`: how the configured sources stand, and what a named person may have done with them.

A source is named `ADAPTER/READ`, or by its adapter alone for all that it reads.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click

from node.cli import exits
from node.cli.control_client import change, consult
from node.cli.grammar import Command, argument, as_json, misused, option
from node.cli.person import named, who_decides
from node.cli.situation import Situation
from node.model.sentence import Sentence

PAGE = 1000
SOURCE, RESOURCE = Sentence("来源", "Source"), Sentence("信息资源", "Resource")
HEADS = (SOURCE, RESOURCE, Sentence("状态", "State"), Sentence("上次成功", "Last good"), Sentence("行数", "Rows"),
         Sentence("不合格", "Dirty"), Sentence("说明", "Why"))
STATES = {
    "stopped": Sentence("节点未运行", "node stopped"), "failed": Sentence("失败", "failed"),
    "reading": Sentence("读取中", "reading"), "good": Sentence("正常", "good"), "new": Sentence("未读过", "never read"),
}
BEGINS = {
    "live": Sentence("{source}：从头再读，全部重新报送", "{source}: read from its start, all is sent again"),
    "backfill": Sentence("{source}：增量从现在起，全部作为历史在其后重新报送",
                         "{source}: what is new from now on; all is sent again as its history, behind it"),
    None: Sentence("{source}：只从现在起读（history = none），此前未读的变更不再读；要全部重报用reread --whole",
                   "{source}: read from now on (history = none); changes not read until now are left out; for "
                   "everything use reread --whole"),
}
UNDER_WAY = {"backfill": Sentence("历史补录中", "history under way"), "resupply": Sentence("重读中", "reread under way")}

with_name = argument("name", metavar="NAME", says=Sentence(
    "适配器，或 适配器/读取项", "an adapter, or ADAPTER/READ"))


@click.command("state", cls=Command, says=Sentence(
    "各来源的状态：断点、上次读取、不合格的行", "how sources stand: bookmark, last read, rows that are no records"))
@argument("name", metavar="NAME", required=False, says=Sentence("适配器，或 适配器/读取项", "an adapter, or ADAPTER/READ"))
@option("--reset", is_flag=True, says=Sentence(
    "忘记断点，像第一次那样开始：按history全部重新报送、在增量之后补报，或只从现在起",
    "forget the bookmark and begin as if never read: as `history` says all is sent again, all behind what is new, or "
    "only what changes from now on"))
@who_decides
@as_json
@click.pass_obj
def state(here: Situation, name: str | None, reset: bool, who: str | None) -> int:
    names = _names(here, name)
    if reset:
        if name is None:
            raise misused("请指明来源", "Name a source")
        for one in names:
            told = change(here, "sources.reset", source=one, who=named(who))
            here.out.note(BEGINS[told["history"]].fill(source=one))
    told = consult(here, "sources.state", sources=list(names))
    live = told.get("live", {})
    rows = [{**one, "resource": names[one["source"]], "live": live.get(one["source"])} for one in told["sources"]]
    here.out.show(rows, lambda: here.out.table(HEADS, (_row(here, one) for one in rows)))
    return exits.DATA if any(one["live"] and one["live"]["trouble"] for one in rows) else exits.OK


def _row(here: Situation, one: dict[str, Any]) -> tuple[Any, ...]:
    now = one["live"] or {}
    word = ("stopped" if not now else "failed" if now["trouble"] else "reading" if now["reading"]
            else "good" if now["good"] else "new")
    why = [UNDER_WAY[stream].into(here.language) for stream in one["under_way"]]
    if now and now["trouble"]:
        why.append(now["trouble"][here.language])
    return one["source"], one["resource"], STATES[word], now.get("good"), now.get("total"), one["dirty"], "；".join(why)


@click.command("run", cls=Command, says=Sentence("立即读取一次", "read once, now"))
@with_name
@option("--once", is_flag=True, says=Sentence("读一次（总是如此）", "once, as it always is"))
@who_decides
@as_json
@click.pass_obj
def run(here: Situation, name: str, once: bool, who: str | None) -> int:
    told = [change(here, "sources.run", source=one, who=named(who)) for one in _names(here, name)]
    here.out.show(told, lambda: here.out.table((SOURCE, *HEADS[4:]), (
        (one["source"], one["rows"], one["refused"], (one["trouble"] or {}).get(here.language, "")) for one in told)))
    if not all(one["ended"] for one in told):
        return exits.TRY_AGAIN
    return exits.DATA if any(one["trouble"] for one in told) else exits.OK


@click.command("reread", cls=Command, says=Sentence(
    "重新读取：映射修正后补报，或全部重报", "read once more: after a mapping was mended, or everything"))
@with_name
@option("--refused", is_flag=True, says=Sentence("只补报此前不合格的行", "supply only rows that were refused"))
@option("--whole", is_flag=True, says=Sentence("全部重新报送", "supply everything again"))
@who_decides
@as_json
@click.pass_obj
def reread(here: Situation, name: str, refused: bool, whole: bool, who: str | None) -> None:
    if refused == whole:
        raise misused("请用 --refused 或 --whole 之一", "Use one of --refused and --whole")
    told = [change(here, "sources.reread", source=one, refused=refused, who=named(who)) for one in _names(here, name)]
    here.out.show(told, lambda: here.out.line(Sentence(
        "已开始；用 exchange-node adapter state 查看", "Begun; see exchange-node adapter state").into(here.language)))


@click.command("dirty", cls=Command, says=Sentence(
    "列出不合格的行及原因，以来源记录号称呼", "list rows that are no records and why, by row id"))
@with_name
@option("--csv", "as_csv", is_flag=True, says=Sentence("输出CSV", "as CSV"))
@as_json
@click.pass_obj
def dirty(here: Situation, name: str, as_csv: bool) -> int:
    heads = (SOURCE, Sentence("来源记录号", "Row id"), Sentence("字段", "Field"), Sentence("规则", "Rule"),
             Sentence("原因", "Why"))
    rows = [row for source in _names(here, name) for row in _dirty(here, source)]
    lines = [(row["source"], row["key"] or row["name"], p["field"], p["rule"], p[here.language])
             for row in rows for p in row["problems"]]
    if as_csv:
        written = csv.writer(sys.stdout)
        written.writerow([head.into(here.language) for head in heads])
        written.writerows(lines)
    else:
        here.out.show(rows, lambda: here.out.table(heads, lines))
    return exits.DATA if rows else exits.OK


def _dirty(here: Situation, source: str) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        page = consult(here, "sources.dirty", source=source, after=after, limit=PAGE)["rows"]
        yield from ({"source": source, **row} for row in page)
        if len(page) < PAGE:
            return
        after = page[-1]["name"]


def _names(here: Situation, name: str | None) -> dict[str, str]:
    """Return the sources a name means, each with its resource."""
    found = {
        source.name: source.resource for section in here.settings.adapter for source in section.sources()
        if name in (None, section.name, source.name)
    }
    if not found and name is not None:
        raise misused(f"配置中没有来源 {name}", f"No source {name} is configured")
    return found


COMMANDS: Sequence[click.Command] = (state, run, reread, dirty)
