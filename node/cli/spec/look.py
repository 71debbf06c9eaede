"""`spec list`, `spec show`, `spec jsonschema`: what is held, one specification on one screen, its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

import xsd
from node.cli.grammar import Command, as_json
from node.cli.output import Cell, yes
from node.cli.situation import Situation
from node.cli.spec.held import installed, one, specification
from node.model.sentence import Sentence
from node.validate import Files, Specification, published_schema
from node.validate.rules.compiled import Rule
from node.validate.shape import Group, Leaf, Member
from node.validate.tables import Table
from node.validate.told.showing import Examples
from node.validate.told.words import GRADES, MASKS, SEVERITIES, form, members, named, tables_of, times

NAME, TITLE, DIGEST = Sentence("编号", "Id"), Sentence("名称", "Title"), Sentence("摘要（SM3）", "Digest (SM3)")
FIELDS, RULES, CODES = Sentence("字段", "Fields"), Sentence("规则", "Rules"), Sentence("代码数", "Codes")
TABLE, ROW, TIME = Sentence("代码表", "Code table"), Sentence("来源记录号", "Row id"), Sentence("业务时间", "Business time")
KEY, CORRELATION = Sentence("业务主键", "Business key"), Sentence("关联编号", "Correlation")
OPERATION, SPACE = Sentence("同步类型", "Operation"), Sentence("命名空间", "Namespace")
FIELD, LABEL, FORM = Sentence("字段", "Field"), Sentence("含义", "Label"), Sentence("格式", "Form")
MUST, TIMES, GRADE = Sentence("必填", "Required"), Sentence("次数", "Occurs"), Sentence("分级", "Grade")
MASK, RULE, SAYS = Sentence("脱敏", "Mask"), Sentence("规则", "Rule"), Sentence("含义", "Meaning")
SEVERITY = Sentence("后果", "Effect")
SHORT = 16


@click.command("list", cls=Command, says=Sentence("列出全部接口规范和代码表", "list every specification and code table"))
@as_json
@click.pass_obj
def listed(here: Situation) -> None:
    held = installed(here)
    every = [spec for name in held.names() if (spec := held.get(name)) is not None]
    tables = list(_tables(here))
    here.out.show(
        {"specifications": [_summary(spec) for spec in every], "tables": [row for row, _ in tables]},
        lambda: _list(here, every, [table for _, table in tables]),
    )


def _list(here: Situation, every: list[Specification], tables: list[Table]) -> None:
    here.out.table((NAME, TITLE, FIELDS, RULES, DIGEST), (
        (str(spec.id), spec.title, _count(spec), len(named(spec)), spec.id.digest[:SHORT]) for spec in every))
    here.out.line("")
    here.out.table((TABLE, CODES), ((table.name, len(table.rows)) for table in tables))


def _tables(here: Situation) -> Iterator[tuple[dict[str, Any], Table]]:
    files = Files(xsd.FOLDER)
    for path in sorted(xsd.FOLDER.glob("tables/*/*.tsv")):
        table = files.table(f"{path.parent.name}/{path.stem}")
        digest = here.crypto.sm3(files.fetch(f"tables/{table.name}.tsv")).hex()
        yield {"name": table.name, "codes": len(table.rows), "current": len(table.current), "digest": digest}, table


def _count(spec: Specification) -> int:
    return sum(1 for _ in members(spec.shape.record))


def _summary(spec: Specification) -> dict[str, Any]:
    return {
        "id": str(spec.id), "interface": spec.id.id, "version": spec.id.version, "digest": spec.id.digest,
        "title": _both(spec.title), "fields": _count(spec), "rules": len(named(spec)),
        "tables": list(spec.shape.tables),
    }


@click.command("show", cls=Command, says=Sentence("一屏看清一个接口规范", "one specification on one screen"))
@one
@as_json
@click.pass_obj
def show(here: Situation, name: str) -> None:
    spec = specification(here, name)
    here.out.show(_whole(spec), lambda: _shown(here, spec))


def _shown(here: Situation, spec: Specification) -> None:
    shape, out = spec.shape, here.out
    facts: list[tuple[Cell, Cell]] = [
        (NAME, str(spec.id)), (TITLE, spec.title), (SPACE, shape.namespace), (ROW, shape.row),
        (OPERATION, shape.operation), (TIME, shape.time), (KEY, " ".join(shape.key)), (CORRELATION, shape.correlation),
        (DIGEST, spec.id.digest),
    ]
    out.facts(facts)
    out.line("")
    out.table((FIELD, LABEL, FORM, MUST, TIMES, GRADE, MASK, TABLE), (
        (path, member.label, form(member), yes(member.least > 0), times(member), *_care(member))
        for path, member in members(shape.record)
    ))
    out.line("")
    out.table((RULE, FIELD, SEVERITY, SAYS), (
        (rule.id, rule.path, SEVERITIES[rule.severity], rule.says) for rule in named(spec)))
    if spec.tables:
        out.line("")
        out.table((TABLE, CODES), ((table.name, len(table.rows)) for table in spec.tables.values()))


def _care(member: Member) -> tuple[Cell, Cell, Cell]:
    if isinstance(member, Group):
        return None, None, None
    mask = MASKS[member.mask] if member.mask else None
    return GRADES[member.grade], mask, " ".join(tables_of(member)) or None


def _whole(spec: Specification) -> dict[str, Any]:
    shape = spec.shape
    return {
        **_summary(spec), "note": _both(shape.note) if shape.note else None,
        "namespace": shape.namespace, "record": shape.record.name, "row": shape.row, "operation": shape.operation,
        "time": shape.time, "key": list(shape.key), "correlation": shape.correlation,
        "fields": [_field(path, member) for path, member in members(shape.record)],
        "rules": [_rule(rule) for rule in named(spec)],
        "tables": [
            {"name": table.name, "codes": len(table.rows), "current": len(table.current)}
            for table in spec.tables.values()
        ],
    }


def _field(path: str, member: Member) -> dict[str, Any]:
    told: dict[str, Any] = {
        "field": path, "label": _both(member.label), "form": _both(form(member)),
        "kind": "group" if isinstance(member, Group) else member.numeric or "text",
        "required": member.least > 0, "most": member.most, "note": _both(member.note) if member.note else None,
    }
    if isinstance(member, Leaf):
        told |= {"types": list(member.types), "grade": member.grade, "mask": member.mask,
                 "tables": list(tables_of(member))}
    return told


def _rule(rule: Rule) -> dict[str, Any]:
    return {"id": rule.id, "kind": rule.kind, "field": rule.path, "severity": rule.severity, **_both(rule.says)}


def _both(sentence: Sentence) -> dict[str, str]:
    return {"zh": sentence.zh, "en": sentence.en}


@click.command("jsonschema", cls=Command, says=Sentence(
    "输出JSON Schema（2020-12），带中英文标题和说明", "print the JSON Schema (2020-12) with titles and words in both languages"))
@one
@click.pass_obj
def schema(here: Situation, name: str) -> None:
    spec = specification(here, name)
    made = published_schema(spec, Examples(spec).record)
    here.out.raw(json.dumps(made, ensure_ascii=False, indent=2) + "\n")
