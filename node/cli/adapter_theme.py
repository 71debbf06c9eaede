"""`adapter discover --theme`: a specification of one's own drafted from a table, where no published one fits.

Each column becomes a field of the same name, as far as a field can have it; the primary key is the business key.

Rule 1: what is printed fits the profile, or every fault of it is told: `spec check` has nothing more to say.
Rule 2: no cell stands in it; of the sampled rows it is only asked whether a column is ever empty.
Rule 3: what a person must decide is marked 核对 / CHECK: the sensitivity of every field above all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

import xsd
from node.cli import exits
from node.cli.adapter_theme_kinds import Form, form_of
from node.cli.grammar import misused
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.validate import Files, examine
from node.validate.profile import INCLUDE

CONTROL = (("RecordId", "p:RowId", "来源记录号", "row id"), ("Operation", "p:OperationCode", "同步类型", "operation"),
           ("EventTime", "p:Moment", "业务产生时间", "business time"))
_WORDS = re.compile("[A-Za-z0-9]+")
_MOST = 64
_PRIVATE: Sequence[tuple[str, str]] = (
    ("phone", r"PHONE|MOBILE|TELEPHONE|\bFAX\b|电话|手机|传真"), ("id", r"ID_?CARD|IDENTITY|SFZ|ZJHM|身份证|证件号"),
    ("name", r"FIRST_?NAME|LAST_?NAME|FULL_?NAME|PERSON_?NAME|\bXM\b|姓名"),
    ("address", r"ADDRESS|\bDZ\b|ZHUZHI|地址|住址"), ("all", r"E_?MAIL|BIRTH|邮箱|出生"))
"""What a column is called that speaks of a person, and how it is masked: grade 3 until somebody decides."""

FAULT = Sentence("第{line}行：{says}", "line {line}: {says}")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the draft and the column it is made for."""

    name: str
    column: Mapping[str, Any]
    form: Form
    key: bool
    needed: bool


def theme(here: Situation, named: str, described: Mapping[str, Any], lines: Sequence[bytes]) -> int:
    """Print the specification `named` drafted for a table as its adapter describes it; return the exit status."""
    if not INCLUDE.fullmatch(named + ".xsd"):
        raise misused("--theme 形如 my-theme/1.0", "--theme is written as my-theme/1.0")
    columns = described.get("columns") or ()
    if not any(one["key"] for one in columns):
        raise misused("表没有主键，请用 --key 指明唯一的列", "The table has no primary key; name unique columns with --key")
    text = written(named, described, list(fields(columns, lines)))
    files = Files(xsd.FOLDER)
    faults = examine(named, text.encode(), files.fetch, files.table)
    here.out.show({"specification": text, "faults": len(faults)}, lambda: here.out.raw(text))
    for one in faults:
        here.out.note(FAULT.fill(line=one.line, says=one.says))
    return exits.DATA if faults else exits.OK


def fields(columns: Sequence[Mapping[str, Any]], lines: Sequence[bytes]) -> Iterator[Field]:
    """Yield the fields for the columns that a field can carry."""
    rows = [orjson.loads(line) for line in lines]
    taken = {name for name, *_ in CONTROL}
    for number, one in enumerate(columns, 1):
        form = form_of(str(one["kind"]), bool(one["key"]))
        if form is None:
            continue
        name = _name(str(one["name"]), number, taken)
        taken.add(name)
        key = bool(one["key"])
        empty = any(str(row.get(one["name"], "")).strip() == "" for row in rows)
        yield Field(name, one, form, key, key or not one["null"] and not empty)


def _name(column: str, number: int, taken: set[str]) -> str:
    """Return a name for a column's field: its letters in the profile's form, else its number."""
    words = _WORDS.findall(column) if column.isascii() else []
    said = "".join(word[0].upper() + word[1:] for word in words)[:_MOST]
    said = said if said[:1].isalpha() else f"Field{number}"
    return said if said not in taken else f"{said[:_MOST - 8]}Column{number}"


# --- the document -----------------------------------------------------------------------------------------------------


def written(named: str, table: Mapping[str, Any], found: Sequence[Field]) -> str:
    """Return the specification as XSD."""
    interface, _, version = named.partition("/")
    urn = f"urn:exn:{interface}:{version.partition('.')[0]}"
    record = "".join(word.capitalize() for word in interface.split("-"))
    keys = " ".join(one.name for one in found if one.key)
    zh, en = _labels(table)
    note = (f'<x:specification interface="{interface}" version="{version}" row="RecordId" operation="Operation" '
            f'time="EventTime" key="{keys}"/>')
    return "\n".join([
        '<?xml version="1.0" encoding="UTF-8"?>', *_about(table, found),
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:x="urn:exn:annotation:1" xmlns:p="{urn}"',
        f'    targetNamespace="{urn}" elementFormDefault="qualified" version="{version}">',
        *_annotated("  ", zh, en, note), '  <xs:include schemaLocation="types/1.0.xsd"/>', "",
        f'  <xs:element name="{record}">', *_annotated("    ", zh, en), "    <xs:complexType>", "      <xs:sequence>",
        *(line for name, kind, *says in CONTROL for line in _element(name, kind, {}, "", says[0], says[1], "")),
        *(line for one in found for line in _field(one)),
        "      </xs:sequence>", "    </xs:complexType>", "  </xs:element>", "",
        f'  <xs:element name="{record}List">', "    <xs:complexType>", "      <xs:sequence>",
        f'        <xs:element ref="p:{record}" maxOccurs="unbounded"/>',
        "      </xs:sequence>", "    </xs:complexType>", "  </xs:element>", "</xs:schema>"]) + "\n"


def _about(table: Mapping[str, Any], found: Sequence[Field]) -> Iterator[str]:
    name = _comment(str(table["name"]))
    yield f"<!-- 由表{name}的列草拟的接口规范，每一处都要由人确认，敏感等级（grade）尤其如此。"
    yield f"     A specification drafted from the columns of the table {name}: a person confirms all of it, the grades"
    yield "     above all. -->"
    there = {one.column["name"] for one in found}
    left = [_comment(str(one["name"])) for one in table["columns"] if one["name"] not in there]
    if left:
        yield f"<!-- 二进制列不能交换 / columns of octets, which are not exchanged: {', '.join(left)} -->"


def _comment(said: str) -> str:
    """Return a text as it may stand in a comment."""
    printable = "".join(sign if sign.isprintable() else "\ufffd" for sign in said)
    return re.sub("-(?=-|$)", "\N{HYPHEN}", printable)


def _field(one: Field) -> Iterator[str]:
    if one.form.doubtful:
        yield (f"        <!-- 核对：列的类型{_comment(str(one.column['kind']))}没有说明长度或形式 / "
               "CHECK: its type does not tell length or form -->")
    zh, en = _labels(one.column)
    mask = next((mask for mask, called in _PRIVATE if re.search(called, f"{one.column['name']} {zh}", re.I)), None)
    grade = f'<x:field grade="3" mask="{mask}"/>' if mask else '<x:field grade="2"/>'
    occurs = "" if one.needed else ' minOccurs="0"'
    yield from _element(one.name, one.form.base, one.form.facets, occurs, zh, en, grade)


def _element(
    name: str, base: str, facets: Mapping[str, str], occurs: str, zh: str, en: str, note: str
) -> Iterator[str]:
    kind = "" if facets else f' type="{base}"'
    yield f'        <xs:element name="{name}"{kind}{occurs}>'
    yield from _annotated("          ", zh, en, note)
    if facets:
        yield "          <xs:simpleType>"
        yield f'            <xs:restriction base="{base}">'
        yield from (f"              <xs:{facet} value={quoteattr(value)}/>" for facet, value in facets.items())
        yield "            </xs:restriction>"
        yield "          </xs:simpleType>"
    yield "        </xs:element>"


def _labels(one: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a table or column is called, in both languages, one line each."""
    name = " ".join(str(one["name"]).split()) or "-"
    return " ".join(str(one.get("comment") or "").split())[:100] or name, name


def _annotated(space: str, zh: str, en: str, note: str = "") -> Iterator[str]:
    yield f"{space}<xs:annotation>"
    for language, said in (("zh", zh), ("en", en)):
        yield f'{space}  <xs:documentation xml:lang="{language}">{_text(said)}</xs:documentation>'
    if note:
        yield f"{space}  <xs:appinfo>{note}</xs:appinfo>"
    yield f"{space}</xs:annotation>"


def _text(said: str) -> str:
    return escape("".join(sign if sign.isprintable() else "\ufffd" for sign in said))
