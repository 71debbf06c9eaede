"""A record written as some legacy system would, and mapped back, is the same record."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Record
from node.validate import Media, Specification, sample
from node.validate.made.dice import Dice
from node.validate.mapping import SourceMapping, read_mapping
from node.validate.shape import Leaf, Member
from tests.validate.held import NAMES, TODAY, sm3, spec
from tests.validate.mapping.made import fetch, judged, specifications

FULL = {code: code + 0xFEE0 for code in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))}
DAYS = ["YYYY-MM-DD", "YYYY/M/D", "YYYY年M月D日", "YYYYMMDD", "YYYY.MM.DD"]
MANY = 5
"""Most numbered columns of what repeats; a sample has three at most."""

Written = tuple[str, Callable[[str], str]]
"""The words of a field, and what writes its text as the source has it."""


def plain_day(text: str, form: str) -> str:
    """Return `YYYYMMDD` in another form."""
    year, month, day = text[:4], text[4:6], text[6:]
    for token, value in (("YYYY", year), ("MM", month), ("DD", day), ("M", str(int(month))), ("D", str(int(day)))):
        form = form.replace(token, value)
    return form


def shapes(leaf: Leaf, column: str, of: Specification, dice: Dice) -> Written:
    """Return some legacy shape of a field that loses nothing."""
    choices: list[Written] = [
        (f'{{ from = "{column}" }}', lambda text: f" {text}　"),
        (f'{{ first = ["{column}x", "{column}"], empty = ["NULL"] }}', lambda text: text),
    ]
    if "Date8" in leaf.types:
        form = dice.pick(DAYS)
        choices = [(f'{{ from = "{column}", date = "{form}" }}', lambda text: plain_day(text, form))]
    elif leaf.facets.enumeration or leaf.rules and leaf.rules[0].kind == "table" and not leaf.numeric:
        rule = next((one for one in leaf.rules if one.kind == "table" and "from" not in one.params), None)
        known = leaf.facets.enumeration or (sorted(of.tables[rule.params["table"]].rows) if rule else ())
        if known:
            words = ", ".join(f'"第{code}项" = "{code}"' for code in known)
            choices.append((f'{{ from = "{column}", codes = {{ {words} }} }}', lambda text: f"第{text}项"))
    elif leaf.numeric:
        choices.append((f'{{ from = "{column}", number = true, thousands = "," }}', thousands))
    elif leaf.facets.pattern and leaf.facets.max_length is None and "Moment" not in leaf.types:
        choices.append((f'{{ from = "{column}", width = "half-all" }}', lambda text: text.translate(FULL)))
    return dice.pick(choices)


def thousands(text: str) -> str:
    """Return a number as people print it."""
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}"


def legacy(of: Specification, twin: dict[str, Any], seed: int) -> tuple[SourceMapping, dict[str, str]]:
    """Return a mapping and the row that it maps to the twin."""
    dice, lines, row = Dice(seed), [], {}
    for number, (name, member) in enumerate(of.shape.record.members.items()):
        if isinstance(member, Leaf) and member.most == 1:
            column = f"列{number}"
            words, write = shapes(member, column, of, dice)
            lines.append(f"{name} = {words}")
            row[column] = write(twin[name]) if name in twin else dice.pick(["", " ", "　"])
        else:
            lines.append(f"{name} = {words_of(member, name, '')}")
    text = "\n".join([f'[mapping]\nspecification = "{of.id}"\n[fields]', *lines])
    return read_mapping("legacy", text.encode(), specifications(), fetch, sm3), {**row, **columns(twin, "", "")}


def words_of(member: Member, path: str, mark: str) -> str:
    """Return the words of a group or of what repeats: from columns of their paths, numbered once at most."""
    many = min(member.most, MANY)
    if isinstance(member, Leaf):
        repeat = f", repeat = {many}" if member.most > 1 and not mark else ""
        return f'{{ from = "{path}{mark or ("{n}" if member.most > 1 else "")}"{repeat} }}'
    repeats = member.most > 1 and not mark
    inner = [f"{name} = {words_of(one, f'{path}/{name}', mark or ('{n}' if repeats else ''))}"
             for name, one in member.members.items()]
    return "{ " + ", ".join([*([f"repeat = {many}"] if repeats else []), *inner]) + " }"


def columns(twin: Any, path: str, mark: str) -> dict[str, str]:
    """Return what lies in groups or repeats as columns of their paths."""
    found: dict[str, str] = {}
    if isinstance(twin, dict):
        for name, value in twin.items():
            if path or not isinstance(value, str):
                found |= columns(value, f"{path}/{name}" if path else name, mark)
    elif isinstance(twin, list) and not mark:
        for number, one in enumerate(twin, 1):
            found |= columns(one, path, str(number))
    elif isinstance(twin, list):  # a list inside a list: this shape keeps the first alone
        found |= columns(twin[0], path, mark)
    else:
        found[path + mark] = twin
    return found


def singly(twin: Any, inside: bool = False) -> Any:
    """Return a twin in which a list inside a list has one member."""
    if isinstance(twin, dict):
        return {name: singly(value, inside) for name, value in twin.items()}
    if isinstance(twin, list):
        return [singly(one, True) for one in (twin[:1] if inside else twin)]
    return twin


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(NAMES), st.integers(0, 2**32), st.sampled_from("IUD"))
def test_a_sample_in_a_legacy_shape_is_mapped_back_to_the_same_twin(name: str, seed: int, operation: str) -> None:
    of = spec(name)
    twin = singly(sample(of, seed, seed % 97, operation=operation))
    mapping, row = legacy(of, twin, seed)
    assert mapping.twin(row) == twin
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([list(row), list(row.values())])
    table = text.getvalue().encode("gb18030")
    for body, media in ((orjson.dumps(row), Media("json")), (table, Media("csv", "gb18030"))):
        (record,) = mapping.judge_all(mapping.read_drafts(body, media), TODAY)
        assert isinstance(record, Record), record
        assert orjson.loads(record.body) == twin


CELLS = st.one_of(
    st.text(max_size=30), st.none(), st.booleans(), st.integers(), st.decimals(), st.floats(), st.binary(max_size=5),
    st.lists(st.text(max_size=2), max_size=2), st.sampled_from(["2020-01-01", "441802", "　", "１２", "\ud800", "男"]),
    st.characters(categories=["Cs", "Cc", "Nd", "Zs", "Co"]),
)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 50), st.dictionaries(st.integers(0, 30), CELLS, max_size=8))
def test_whatever_a_row_holds_it_is_judged_and_gates_agree(seed: int, changes: dict[int, Any]) -> None:
    of = spec("legal-entity-basic/1.0" if seed % 2 else "population-basic/1.0")
    mapping, row = legacy(of, sample(of, seed, 1), seed)
    names = list(row)
    for place, cell in changes.items():
        row[names[place % len(names)]] = cell
    one = judged(mapping, row)
    if isinstance(one, Record):
        assert orjson.loads(one.body) == mapping.twin(row)
    else:
        assert one.problems and all(problem.says.zh and problem.says.en for problem in one.problems)
    assert mapping.spec.disagreements == 0
