"""The gate of a form says yes to nothing that the walk refuses, and to what is written every day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as ops  # type: ignore[attr-defined]  # the only description of a pattern there is
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from node.envelope import canonical
from node.envelope.inner import _INNER
from node.envelope.kinds import KINDS
from node.envelope.letter import _LETTER, Enclosure, Letter, write_letter
from node.envelope.schema import FEW, Flag, Form, Group, Many, Number, Pair, Rule, Text, conform, spelling, text
from node.envelope.statement import content_of
from node.model.trouble import Refused
from tests.envelope.people import lines_of, sealed

FORMS = {**{name: kind.form for name, kind in KINDS.items()}, "inner": _INNER, "letter": _LETTER}
SMALL = Form(Group(
    {"b": Number(0, 65), "n": Number(1), "t": text(r"[a-z]{1,3}|x"), "list": Many(Group({"f": Flag()}), 0, 20)},
    {"a": Number(0, 9), "z": text(r"[0-9]{2}"), "many": Many(text(r"[a-z]"), 1, 3), "pair": Pair(Flag(), Flag())},
), "small")


def rules(rule: Rule) -> Iterator[Rule]:
    yield rule
    if isinstance(rule, Group):
        for part in (*rule.must.values(), *rule.may.values()):
            yield from rules(part)
    elif isinstance(rule, Many):
        yield from rules(rule.of)
    elif isinstance(rule, Pair):
        yield from (rule.first, rule.second)


def letters(parsed: Any) -> Iterator[int]:
    """Yield every character a pattern may match; fail for a way of naming them that this does not follow."""
    for op, value in parsed:
        if op is ops.LITERAL:
            yield value
        elif op is ops.RANGE:
            yield from range(value[0], value[1] + 1)
        elif op is ops.IN:
            yield from letters(value)
        elif op is ops.MAX_REPEAT:
            yield from letters(value[2])
        elif op is ops.SUBPATTERN:
            yield from letters(value[3])
        elif op is ops.BRANCH:
            for branch in value[1]:
                yield from letters(branch)
        else:
            raise AssertionError(f"a pattern that says {op}")


@pytest.mark.parametrize("name", FORMS)
def test_no_text_of_a_form_may_hold_what_would_end_or_escape_it(name: str) -> None:
    for rule in rules(FORMS[name].rule):
        if isinstance(rule, Text):
            found = set(letters(_parser.parse(rule.pattern.pattern)))
            assert found <= {*range(0x20, 0x7F)} - {*b'"\\'}, rule.pattern.pattern


def agrees(form: Form, content: bytes) -> None:
    """The walk takes what the gate takes, and for the same value."""
    if form.passes(content):
        value = canonical.read(content, 1 << 20)
        conform(form.rule, value, "it")
        assert form.read(content, 1 << 20) == value and form.write(value) == content


VALUES = st.fixed_dictionaries(
    {"b": st.integers(-1, 120), "n": st.integers(0, 1 << 54), "t": st.sampled_from(["a", "abc", "x", "", "abcd", "A"]),
     "list": st.lists(st.fixed_dictionaries({"f": st.booleans()}), max_size=22)},
    optional={"a": st.integers(0, 12), "z": st.sampled_from(["01", "1"]), "many": st.lists(st.just("q"), max_size=4),
              "pair": st.just([True, False]), "other": st.just(1)},
)


@given(VALUES)
@example({"b": 9, "n": 1, "t": "x", "list": []})
def test_the_gate_and_the_walk_agree_about_values(value: dict[str, Any]) -> None:
    content = canonical.spell(value)
    agrees(SMALL, content)
    try:
        conform(SMALL.rule, value, "small")
    except Refused:
        with pytest.raises(Refused):
            SMALL.write(value)
        with pytest.raises(Refused):
            SMALL.read(content, 1 << 20)
        return
    assert SMALL.write(value) == content and SMALL.read(content, 1 << 20) == value
    seldom = value["b"] > 9 or value["n"] > 10**15 - 1 or len(value["list"]) > FEW or "pair" in value
    assert SMALL.passes(content) is not seldom


def manifest() -> bytes:
    return content_of(sealed(lines_of(3)).statement)


@settings(max_examples=400)
@given(st.data())
def test_one_octet_changed_and_the_gate_still_agrees_with_the_walk(data: st.DataObject) -> None:
    content = bytearray(CONTENT)
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(0, len(content) - 1))
        how = data.draw(st.sampled_from(["set", "drop", "add", "double"]))
        octet = data.draw(st.sampled_from(b'"\\{}[]:,0159aAzZ.-+eE \n\x00\x7f\xc3'))
        if how == "set":
            content[at] = octet
        elif how == "drop":
            del content[at]
        else:
            content.insert(at, octet if how == "add" else content[at])
    agrees(KINDS["parcel"].form, bytes(content))


CONTENT = manifest()


def test_what_is_written_every_day_passes_the_gate() -> None:
    assert KINDS["parcel"].form.passes(CONTENT)
    assert _LETTER.passes(write_letter(Letter([Enclosure(b"receipt")], ["0190a5b0-0000-7000-8000-000000000000"])))
    for name in ("receipt", "collect", "probe", "inner"):
        assert spelling(FORMS[name].rule), name


def test_open_members_numbers_at_their_bound_and_long_arrays_are_walked() -> None:
    form = KINDS["parcel"].form
    ext = CONTENT.replace(b',"kind":', b',"ext":{"a":{"b":[1]}},"kind":')
    assert not form.passes(ext) and form.read(ext, 1 << 16)["ext"] == {"a": {"b": [1]}}
    assert re.fullmatch(str(spelling(Number(0, 9))), "9") and not re.fullmatch(str(spelling(Number(0, 65))), "65")
    assert spelling(Number(2, 5)) is None and spelling(Many(Flag(), 2, 5)) is None and spelling(Number(0, 7)) is None
