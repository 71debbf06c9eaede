"""A draft written as TOML, with what a person must know beside each line, Chinese first and English below.

Rule 1: whatever comes from the source stands in a quoted text or in a comment, every sign that is not printable
        replaced: nothing of it can end a line, a text or a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.model.sentence import Sentence
from node.validate.mapping.drafting.columns import SourceColumn, SourceTable
from node.validate.mapping.drafting.control import told
from node.validate.mapping.drafting.entries import Entry
from node.validate.mapping.drafting.judging import ZONE
from node.validate.mapping.drafting.known_codes import Guess
from node.validate.shape import Leaf, leaves
from node.validate.specification import Specification

_BARE = re.compile("[A-Za-z0-9_-]+")
_ORDER = ("from", "first", "join", "value", "by")
LISTED = 200
"""Most columns that are listed."""
GRADE = Sentence("{label}（敏感等级{grade}）", "{label} (grade {grade})")


@dataclass(frozen=True, slots=True)
class Page:
    """What is written: the fields, and the columns the table may be read by."""

    spec: Specification
    table: SourceTable
    entries: tuple[Entry, ...]
    cursors: tuple[SourceColumn, ...]


def written(page: Page, good: int | None = None, problems: Mapping[tuple[str, str], int] | None = None) -> str:
    """Return the draft; `good` and `problems` are what became of the sampled rows."""
    known = dict(leaves(page.spec.shape.record))
    pieces = [*_head(page, good, problems or {}), *_mapping(page)]
    for entry in page.entries:
        pieces += _codes(entry)
    pieces += ["", "[fields]"]
    for entry in page.entries:
        pieces += _field(entry, known[entry.path])
    pieces += _rest(page, known)
    return "\n".join((*pieces, *_read(page))) + "\n"


def text(said: str) -> str:
    """Return a text in quotes, signs that are not printable escaped."""
    quoted = json.dumps(said, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in quoted)


def _value(said: Any) -> str:
    if isinstance(said, bool | int):
        return json.dumps(said)
    if isinstance(said, str):
        return text(said)
    if isinstance(said, Mapping):
        return "{ " + ", ".join(f"{_key(str(name))} = {_value(one)}" for name, one in said.items()) + " }"
    return "[" + ", ".join(map(_value, said)) + "]"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else text(name)


def _line(said: str) -> str:
    """Return a comment on one line."""
    return "# " + "".join(sign if sign.isprintable() else "\ufffd" for sign in said)


def _pair(zh: str, en: str) -> list[str]:
    return [_line(zh), _line(en)]


# --- the head ---------------------------------------------------------------------------------------------------


def _head(page: Page, good: int | None, problems: Mapping[tuple[str, str], int]) -> Iterator[str]:
    name, rows = told(page.table.name), len(page.table.rows)
    yield from _pair(
        f"来源表{name}到{page.spec.id}的映射草稿，由列名、注释和抽样的{rows}行推测而成。",
        f"A mapping from the table {name} to {page.spec.id}, drafted from names, comments and {rows} sampled rows.")
    doubtful = sum(one.doubtful for one in page.entries)
    yield from _pair(
        f"每一行都要由人确认；标有“核对”的{doubtful}处尤其如此。",
        f"A person confirms every line, the {doubtful} marked CHECK above all.")
    if good is not None:
        yield from _pair(f"按此草稿，抽样的{rows}行中有{good}行合格。", f"By this draft {good} of the {rows} sampled rows are valid.")
    for (field, rule), count in sorted(problems.items(), key=lambda one: -one[1])[:20]:
        yield _line(f"  {field or '-'}  {rule}: {count}")


def _mapping(page: Page) -> Iterator[str]:
    yield from ("", "[mapping]", f"specification = {text(str(page.spec.id))}", f"zone = {text(ZONE)}")
    if page.table.nothing:
        yield from _pair("内容为下列文本的，等于没有；抽样中见到这些：", "Texts that count as nothing; these were seen among the cells:")
        yield f"empty = {_value(page.table.nothing)}"


# --- codes ------------------------------------------------------------------------------------------------------


def _table(entry: Entry) -> str:
    return entry.path.replace("/", "_")


def _codes(entry: Entry) -> Iterator[str]:
    off = "# " if entry.off or "codes" not in entry.words else ""
    derived = entry.words.get("codes")
    if isinstance(derived, dict):
        yield ""
        yield from _pair("由本字段的代码表推出，不取自来源内容", "Follows from the field's own code table, not from the cells")
        yield f"{off}[codes.{_key(_table(entry))}]"
        yield from (f"{off}{text(said)} = {text(code)}" for said, code in derived.items())
    elif entry.guesses:
        yield ""
        yield from _pair("核对：来源的代码，右边是猜测，请逐个确认", "CHECK: the source's codes; what they mean was guessed, confirm each")
        yield f"{off}[codes.{_key(_table(entry))}]"
        yield from (_guess(one, off) for one in entry.guesses)


def _guess(one: Guess, off: str) -> str:
    if one.code is None or one.why is None:
        return f"# {text(one.cell)} = \"\"" + "  " + _line(f"{one.count}个，请填写 / {one.count} cells, fill in")
    why = f"猜测：{one.why.zh}，{one.count}个 / guessed: {one.why.en}, {one.count} cells"
    return f"{off}{text(one.cell)} = {text(one.code)}  {_line(why)}"


# --- fields -----------------------------------------------------------------------------------------------------


def _field(entry: Entry, leaf: Leaf) -> Iterator[str]:
    yield ""
    yield from _why(entry, leaf)
    words = dict(entry.words)
    if isinstance(words.get("codes"), dict):
        words["codes"] = _table(entry)
    key = ".".join(map(_key, entry.path.split("/")))
    said = _value(words["from"] if list(words) == ["from"] else {
        **{name: words[name] for name in _ORDER if name in words},
        **{name: one for name, one in words.items() if name not in _ORDER}})
    yield f"{'# ' if entry.off else ''}{key} = {said}"


def _why(entry: Entry, leaf: Leaf) -> Iterator[str]:
    zh, en = [entry.why.zh], [entry.why.en]
    if entry.valid is not None and entry.given:
        zh.append(f"抽样{entry.given}个值，有效{entry.valid}个")
        en.append(f"{entry.valid} of {entry.given} sampled cells are valid")
    for note in entry.notes:
        zh.append(note.zh)
        en.append(note.en)
    if entry.rivals:
        named = [told(one) for one in entry.rivals[:5]]
        zh.append(f"也可能是：{'、'.join(named)}")
        en.append(f"or it may be: {', '.join(named)}")
    mark = ("缺：", "MISSING: ") if entry.missing else ("核对：", "CHECK: ") if entry.doubtful or entry.off else ("", "")
    yield from _pair(f"{mark[0]}{leaf.label.zh}——{'；'.join(zh)}", f"{mark[1]}{leaf.label.en}: {'; '.join(en)}")


# --- what is left, and how to read the table ----------------------------------------------------------------------


def _rest(page: Page, known: Mapping[str, Leaf]) -> Iterator[str]:
    there = {one.path for one in page.entries}
    without = [f"{path} {leaf.label.zh}" for path, leaf in known.items() if path not in there]
    if without:
        yield ""
        yield from _pair("没有找到列的可选字段：", "Optional fields for which no column was found:")
        yield from (_line("  " + one) for one in without)
    used = {name for one in page.entries for name in one.columns if not one.off}
    free = [one for one in page.table.columns if one.name not in used]
    if free:
        yield ""
        yield from _pair("没有用到的列：", "Columns that are not used:")
        yield from (_line(f"  {told(one.name)}  {told(one.comment)}".rstrip()) for one in free[:LISTED])
        if len(free) > LISTED:
            yield _line(f"  … {len(free) - LISTED}")
    if page.table.left_out:
        yield ""
        yield from _pair(
            "列名不能写进映射的列（应为1至128个可见字符，不含{n}，至多500列）：",
            "Columns whose names no mapping can say (1 to 128 visible signs, no {n}, at most 500 columns):")
        yield from (_line("  " + told(one)) for one in page.table.left_out[:LISTED])


def _read(page: Page) -> Iterator[str]:
    what: dict[str, Any] = {"table": page.table.name}
    good = next((one for one in page.cursors if one.indexed), next(iter(page.cursors), None))
    if good is not None:
        what["cursor"] = good.name
    keys = [one.name for one in page.table.columns if one.key] or _row_columns(page)
    if keys:
        what["key"] = keys
    yield ""
    yield from _pair("读取此表的配置，复制到node.toml的[[adapter]]之下：",
                     "How the table is read; to be copied below [[adapter]] in node.toml:")
    yield from _pair(*_cursor(page.cursors, good))
    for line in ("  [[adapter.read]]", '  resource = ""', '  mapping = ""', f"  what = {_value(what)}"):
        yield _line(line)


def _row_columns(page: Page) -> Sequence[str]:
    row = next(one for one in page.entries if one.path == page.spec.shape.row)
    return [] if row.missing else list(row.columns)


def _cursor(found: Sequence[SourceColumn], good: SourceColumn | None) -> tuple[str, str]:
    if good is None:
        return ("没有找到随每次变更而增大的列：每次整表读取；有这样的列时用cursor指明",
                "No column was found that grows with every change: the whole table is read each time; or name a cursor")
    named = "、".join(told(one.name) for one in found)
    if good.indexed:
        return (f"cursor可用的列：{named}；须随每次变更而增大",
                f"Columns for cursor: {named}; it must grow with every change")
    return (f"cursor可用的列：{named}；须随每次变更而增大，请先建索引，否则每次扫描整表",
            f"Columns for cursor: {named}; it must grow with every change; without an index each read scans the table")
