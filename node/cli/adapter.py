"""`adapter`: what is installed, and a source looked at, configured or not: is it well, and what tables has it."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import click

from node.cli import adapter_kit, exits
from node.cli.adapter_draft import draft, draft_theme
from node.cli.adapter_preview import preview
from node.cli.adapter_script import script
from node.cli.adapter_source import Asked, with_password, with_source
from node.cli.adapter_state import COMMANDS
from node.cli.grammar import Group, as_json, misused, option
from node.cli.situation import Situation
from node.model.frames import GROUP
from node.model.sentence import Sentence

NAME, PACKAGE = Sentence("名称", "Name"), Sentence("程序包", "Package")
TABLE, COLUMN, KIND = Sentence("表", "Table"), Sentence("列", "Column"), Sentence("类型", "Type")
MARKS, COMMENT, ROWS = Sentence("标记", "Marks"), Sentence("注释", "Comment"), Sentence("行数", "Rows")
KEY, INDEX, NEEDED = Sentence("主键", "key"), Sentence("索引", "index"), Sentence("非空", "not null")
LEVELS = {"good": Sentence("正常", "good"), "warning": Sentence("注意", "mind"), "fault": Sentence("错误", "fault")}
OF, RESULT, WHAT = Sentence("对象", "Of"), Sentence("结果", "Result"), Sentence("说明", "What")


@click.group("adapter", cls=Group, says=Sentence(
    "适配器：查看来源数据库，预览转换结果", "adapters: look into a source database, see how its rows map"))
def adapter() -> None:
    pass


@adapter.command("list", says=Sentence("列出已安装的适配器", "list the adapters that are installed"))
@as_json
@click.pass_obj
def listed(here: Situation) -> None:
    found = sorted((one.name, one.value.partition(":")[0]) for one in entry_points(group=GROUP))
    here.out.show([{"name": name, "package": package} for name, package in found],
                  lambda: here.out.table((NAME, PACKAGE), found))


@adapter.command("check", says=Sentence(
    "试着连接，看来源时钟和权限；配置了的适配器，再看其每个读取项和写入项",
    "connect, look at clock and rights; of a configured adapter also at each of its reads and writes"))
@with_source
@with_password
@as_json
@click.pass_obj
def check(here: Situation, source: str, password: Path | None) -> int:
    from node.service.adapter_check import FAULT, look, seen

    with Asked(here, source, password) as asked:
        if asked.section is None:
            told = list(seen("", asked.ask("check")))
        else:
            told = list(look(asked.child, asked.section, asked.read.name if asked.read else None))
    of = [{"of": one.of} if one.of else {} for one in told]
    here.out.show(
        [{**name, "level": one.level, "zh": one.says.zh, "en": one.says.en} for name, one in zip(of, told)],
        lambda: here.out.table((OF, RESULT, WHAT) if any(of) else (RESULT, WHAT), (
            (*name.values(), LEVELS.get(one.level), one.says) for name, one in zip(of, told))))
    return exits.DATA if any(one.level == FAULT for one in told) else exits.OK


@adapter.command("discover", says=Sentence(
    "列出表和列；--draft 草拟字段映射", "list tables and columns; with --draft, draft a mapping"))
@with_source
@with_password
@option("--table", metavar="NAME", says=Sentence("只列这张表或视图的列", "the columns of this table or view"))
@option("--draft", "drafted", metavar="ID", says=Sentence(
    "由列名、注释和抽样的行，草拟到此接口规范的字段映射，须由人核对",
    "draft a mapping to this specification from names, comments and sampled rows, for a person to review"))
@option("--theme", "themed", metavar="NAME/VERSION", says=Sentence(
    "没有合适的接口规范时，由表的列草拟自己的规范，须由人核对",
    "where no specification fits, draft one of your own from the table's columns, for a person to review"))
@option("--key", multiple=True, metavar="COLUMN", says=Sentence(
    "草拟时用作主键的列；默认表的主键", "unique columns to draft by; else the primary key"))
@as_json
@click.pass_obj
def discover(
    here: Situation, source: str, password: Path | None, table: str | None, drafted: str | None, themed: str | None,
    key: tuple[str, ...],
) -> int:
    if drafted is not None and themed is not None or key and drafted is None and themed is None:
        raise misused("--draft 和 --theme 用其一，--key 与它们同用", "Use one of --draft and --theme; --key goes with them")
    with Asked(here, source, password) as asked:
        if drafted is not None:
            return draft(here, asked, table, drafted, key)
        if themed is not None:
            return draft_theme(here, asked, table, themed, key)
        told = asked.ask("discover")
    if table is None:
        here.out.show(told, lambda: here.out.table((TABLE, Sentence("列数", "Columns"), KEY, COMMENT), (
            (one["name"], len(one["columns"]), " ".join(each["name"] for each in one["columns"] if each["key"]),
             one["comment"]) for one in told)))
        return exits.OK
    found = next((one for one in told if one["name"] == table), None)
    if found is None:
        raise misused(f"没有表或视图 {table}", f"There is no table or view {table}")
    here.out.show(found, lambda: here.out.table((COLUMN, KIND, MARKS, COMMENT), (
        (one["name"], one["kind"], _marks(here, one), one["comment"]) for one in found["columns"])))
    return exits.OK


def _marks(here: Situation, column: dict[str, Any]) -> str:
    marks = ((column["key"], KEY), (column["indexed"] and not column["key"], INDEX), (not column["null"], NEEDED))
    return " ".join(says.into(here.language) for stands, says in marks if stands)


for each in (preview, script, *COMMANDS, *adapter_kit.COMMANDS):
    adapter.add_command(each)
