"""`adapter`: what is installed, and a source looked at before anything is configured: its tables, and rows as they map.

Rule: the adapter runs in its own process; what it reads is shown masked, and a row that cannot be mapped is not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.metadata import entry_points
from itertools import islice
from pathlib import Path
from typing import Any

import click
import orjson

from node.cli import adapter_kit, exits
from node.cli.adapter_state import COMMANDS
from node.cli.grammar import Group, argument, as_json, file, misused, option
from node.cli.situation import Situation
from node.cli.spec.held import installed
from node.crypto import keyfile
from node.hosts import Child, Limits
from node.model.frames import GROUP, FrameKind
from node.model.record import Draft, Record, Refusal
from node.model.sentence import Sentence
from node.validate import masked
from node.validate.mapping import SourceMapping, load_mapping

SQL = "sql_table"
PATIENCE = Limits(silence=120.0)
NAME, PACKAGE = Sentence("名称", "Name"), Sentence("程序包", "Package")
TABLE, COLUMN, KIND = Sentence("表", "Table"), Sentence("列", "Column"), Sentence("类型", "Type")
MARKS, COMMENT, ROWS = Sentence("标记", "Marks"), Sentence("注释", "Comment"), Sentence("行数", "Rows")
KEY, INDEX, NEEDED = Sentence("主键", "key"), Sentence("索引", "index"), Sentence("非空", "not null")
LEVELS = {"good": Sentence("正常", "good"), "warning": Sentence("注意", "mind"), "fault": Sentence("错误", "fault")}
MAPPED = Sentence("{good}行可转换，{bad}行有问题", "{good} row(s) map, {bad} do not")

with_url = argument("url", metavar="URL", says=Sentence(
    "数据库地址，写明驱动，如 postgresql+psycopg://reader@10.0.0.5/hukou；不写口令",
    "the database with its driver, as postgresql+psycopg://reader@10.0.0.5/hukou; without a password"))
with_password = option("--password-file", "password", **file(), says=Sentence(
    "口令所在文件，权限0600", "the file of the password, mode 0600"))


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


@adapter.command("check", says=Sentence("试着连接，看来源时钟", "connect, and look at the source's clock"))
@with_url
@with_password
@as_json
@click.pass_obj
def check(here: Situation, url: str, password: Path | None) -> int:
    with _Source(url, password) as source:
        told = source.ask("check")
    here.out.show(told, lambda: here.out.table((Sentence("结果", "Result"), Sentence("说明", "What")), (
        (LEVELS.get(one["level"]), Sentence(one["zh"], one["en"])) for one in told)))
    return exits.DATA if any(one["level"] == "fault" for one in told) else exits.OK


@adapter.command("discover", says=Sentence("列出表和列", "list tables and columns"))
@with_url
@with_password
@option("--table", metavar="NAME", says=Sentence("只列这张表或视图的列", "the columns of this table or view"))
@as_json
@click.pass_obj
def discover(here: Situation, url: str, password: Path | None, table: str | None) -> None:
    with _Source(url, password) as source:
        told = source.ask("discover")
    if table is None:
        here.out.show(told, lambda: here.out.table((TABLE, Sentence("列数", "Columns"), KEY, COMMENT), (
            (one["name"], len(one["columns"]), " ".join(each["name"] for each in one["columns"] if each["key"]),
             one["comment"]) for one in told)))
        return
    found = next((one for one in told if one["name"] == table), None)
    if found is None:
        raise misused(f"没有表或视图 {table}", f"There is no table or view {table}")
    here.out.show(found, lambda: here.out.table((COLUMN, KIND, MARKS, COMMENT), (
        (one["name"], one["kind"], _marks(here, one), one["comment"]) for one in found["columns"])))


def _marks(here: Situation, column: dict[str, Any]) -> str:
    marks = ((column["key"], KEY), (column["indexed"] and not column["key"], INDEX), (not column["null"], NEEDED))
    return " ".join(says.into(here.language) for stands, says in marks if stands)


@adapter.command("preview", says=Sentence(
    "读几行，按字段映射转换并校验，遮盖后显示", "read some rows, map and judge them, show them masked"))
@with_url
@with_password
@option("--table", metavar="NAME", required=True, says=Sentence("表或视图", "the table or view"))
@option("--mapping", "mapped", required=True, **file(), says=Sentence("字段映射", "the mapping"))
@option("--key", multiple=True, metavar="COLUMN", says=Sentence("唯一的列；默认主键", "unique columns; else the primary key"))
@option("--where", metavar="CONDITION", says=Sentence("条件，用来源数据库的SQL写", "a condition, in the source's SQL"))
@option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, says=Sentence("行数", "how many rows"))
@as_json
@click.pass_obj
def preview(
    here: Situation, url: str, password: Path | None, table: str, mapped: Path, key: tuple[str, ...],
    where: str | None, count: int,
) -> int:
    by = load_mapping(mapped, installed(here), here.crypto.sm3)
    what: dict[str, Any] = {"table": table, "page": count}
    what |= {name: value for name, value in (("key", list(key)), ("where", where)) if value}
    today = datetime.fromtimestamp(here.now() / 1000).date()
    with _Source(url, password) as source:
        lines = list(islice(source.rows(what, count), count))
    judged = [by.judge(Draft(number, "json", line), today) for number, line in enumerate(lines)]
    refused = [one for one in judged if isinstance(one, Refusal)]
    here.out.show(
        {"rows": [_shown(by, one, line) for one, line in zip(judged, lines)], "problems": len(refused)},
        lambda: _people(here, by, judged),
    )
    return exits.DATA if refused else exits.OK


def _shown(by: SourceMapping, one: Record | Refusal, line: bytes) -> dict[str, Any]:
    if isinstance(one, Record):
        return {"record": masked(by.spec.shape, orjson.loads(one.body)), "problems": []}
    problems = [{"field": p.field, "rule": p.rule, "zh": p.says.zh, "en": p.says.en} for p in one.problems]
    return {"record": None, "problems": problems}


def _people(here: Situation, by: SourceMapping, judged: Sequence[Record | Refusal]) -> None:
    labels = {name: member.label for name, member in by.spec.shape.record.members.items()}
    for one in judged:
        if isinstance(one, Record):
            twin = masked(by.spec.shape, orjson.loads(one.body))
            here.out.facts([(label, _cell(twin[name])) for name, label in labels.items() if name in twin])
        else:
            for problem in one.problems:
                here.out.line("  ".join((problem.field or "-", problem.rule, problem.says.into(here.language))))
        here.out.line("")
    bad = sum(isinstance(one, Refusal) for one in judged)
    here.out.line(MAPPED.fill(good=len(judged) - bad, bad=bad))


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else "…"


class _Source:
    """The process that reads a database."""

    def __init__(self, url: str, password: Path | None) -> None:
        settings = {"url": url}
        if password is not None:
            settings["password"] = keyfile.read(password).strip().decode("utf-8", "replace")
        self._child = Child(SQL, settings, PATIENCE)

    def __enter__(self) -> _Source:
        return self

    def __exit__(self, *why: object) -> None:
        self._child.close()

    def ask(self, do: str) -> Any:
        """Have one act done that gives no rows."""
        return self._child.ask(do)

    def rows(self, what: dict[str, Any], limit: int) -> Iterator[bytes]:
        """Yield the rows of a whole read, as lines of JSON."""
        for frame in self._child.act("read", what=what, mode="whole", limit=limit):
            if frame.kind is FrameKind.RECORDS:
                yield from frame.lines


for each in (*COMMANDS, *adapter_kit.COMMANDS):
    adapter.add_command(each)
