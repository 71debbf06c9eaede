"""`adapter preview`: some rows of a source as its mapping makes records of them.

Rule: what is read is shown masked, and a row that cannot be mapped is told by its columns and not shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import orjson

from node.cli import exits
from node.cli.adapter_source import Asked, with_password, with_source
from node.cli.grammar import Command, as_json, file, misused, option
from node.cli.mapped import Reads, reads
from node.cli.situation import Situation
from node.model import codes
from node.model.record import Draft, Problem, Record, Refusal
from node.model.sentence import Sentence
from node.model.source import Source
from node.model.trouble import trouble
from node.validate import Specification, masked
from node.validate.mapping import load_mapping
from node.validate.shape import Shape

MAPPED = Sentence("{good}行可转换，{bad}行有问题", "{good} row(s) map, {bad} do not")


@click.command("preview", cls=Command, says=Sentence(
    "读几行，按字段映射转换并校验，遮盖后显示", "read some rows, map and judge them, show them masked"))
@with_source
@with_password
@option("--table", metavar="NAME", says=Sentence("表或视图；用地址时必须给出", "the table or view; needed with a URL"))
@option("--mapping", "mapped", **file(), says=Sentence(
    "字段映射；用地址时必须给出，否则默认为配置的映射", "the mapping; needed with a URL, else that of the configuration"))
@option("--spec", metavar="ID", says=Sentence(
    "字段映射所用的自编接口规范（XSD文件）；仅用于地址", "the specification of your own that the mapping is to, an XSD file; with a URL only"))
@option("--key", multiple=True, metavar="COLUMN", says=Sentence("唯一的列；默认主键", "unique columns; else the primary key"))
@option("--where", metavar="CONDITION", says=Sentence("条件，用来源数据库的SQL写", "a condition, in the source's SQL"))
@option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, says=Sentence("行数", "how many rows"))
@as_json
@click.pass_obj
def preview(
    here: Situation, source: str, password: Path | None, table: str | None, mapped: Path | None, spec: str | None,
    key: tuple[str, ...], where: str | None, count: int,
) -> int:
    with Asked(here, source, password) as asked:
        if asked.section is not None:
            if table or key or where or spec:
                raise misused("--table、--spec、--key、--where 只用于数据库地址",
                              "--table, --spec, --key and --where go with a URL")
            read = asked.one_read()
            by, what = _configured(here, read, mapped), dict(read.what)
        elif table is None or mapped is None:
            raise misused("请用 --table 指明表，用 --mapping 给出字段映射", "Give --table and --mapping")
        else:
            by = reads(here, spec, mapped)
            what = {"table": table, "page": count}
            what |= {name: value for name, value in (("key", list(key)), ("where", where)) if value}
        judged = _judged(here, asked, by, what, count)
    refused = [one for one in judged if isinstance(one, Refusal)]
    shape = _shape(by)
    here.out.show(
        {"rows": [_shown(shape, one) for one in judged], "problems": len(refused)},
        lambda: _people(here, shape, judged),
    )
    return exits.DATA if refused else exits.OK


def _configured(here: Situation, read: Source, mapped: Path | None) -> Reads:
    """Return what judges the rows of a configured read: its mapping, or the specification whose names they have."""
    from node.service.papers import read_specifications

    resource = next(one for one in here.settings.resource if one.code == read.resource)
    held = read_specifications(here.settings, here.crypto)
    path = mapped or (resource.mappings[read.mapping] if read.mapping is not None else None)
    if path is not None:
        return load_mapping(path, held, here.crypto.sm3, resource.specification)
    found = held.get(resource.specification)
    if found is None:
        raise trouble(codes.UNKNOWN_SPECIFICATION, spec=resource.specification)
    return found


def _judged(
    here: Situation, asked: Asked, by: Reads, what: dict[str, Any], count: int
) -> list[Record | Refusal]:
    today = datetime.fromtimestamp(here.now() / 1000).date()
    with closing(asked.rows(what, count)) as rows:
        return [
            Refusal(number, None, (one,)) if isinstance(one, Problem) else by.judge(Draft(number, "json", one), today)
            for number, one in enumerate(islice(rows, count))
        ]


def _shape(by: Reads) -> Shape:
    return by.shape if isinstance(by, Specification) else by.spec.shape


def _shown(shape: Shape, one: Record | Refusal) -> dict[str, Any]:
    if isinstance(one, Record):
        return {"record": masked(shape, orjson.loads(one.body)), "problems": []}
    problems = [{"field": p.field, "rule": p.rule, "zh": p.says.zh, "en": p.says.en} for p in one.problems]
    return {"record": None, "problems": problems}


def _people(here: Situation, shape: Shape, judged: Sequence[Record | Refusal]) -> None:
    for one in judged:
        if isinstance(one, Record):
            here.out.facts(_facts(shape, one))
        else:
            here.out.lines(_lines(here, one))
        here.out.line("")
    bad = sum(isinstance(one, Refusal) for one in judged)
    here.out.line(MAPPED.fill(good=len(judged) - bad, bad=bad))


def _lines(here: Situation, one: Refusal) -> Iterator[str]:
    for problem in one.problems:
        yield "  ".join((problem.field or "-", problem.rule, problem.says.into(here.language)))


def _facts(shape: Shape, one: Record) -> list[tuple[Sentence, str]]:
    twin = masked(shape, orjson.loads(one.body))
    return [(member.label, twin[name] if isinstance(twin[name], str) else "…")
            for name, member in shape.record.members.items() if name in twin]
