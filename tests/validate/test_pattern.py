"""Patterns: what the profile lets in is read alike by three engines; what could blow up or differ stays out."""

from __future__ import annotations

import re

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from node.validate import pattern
from node.validate.made.dice import Dice
from node.validate.made.texts import write
from node.validate.shape import leaves
from tests.validate.held import NAMES, spec

USED = sorted({
    leaf.facets.pattern for name in NAMES for _, leaf in leaves(spec(name).shape.record) if leaf.facets.pattern
})
MORE = [
    r"a\-b", r"[a\-z]+", r"[0-9\]\\\[]{2}", r"\{\}\|\.\*", "x?y", "[$&~#]+", r"[\^a]{1,2}", "(ab|cd)(e|f)?",
    "汉[一-龥]{1,3}",
]


def verdicts(source: str, text: str) -> set[bool]:
    """Return what Python, Rust and libxml2 say of a text."""
    schema = {"type": "string", "pattern": f"^(?:{source})$"}
    options = jsonschema_rs.RegexOptions()
    xsd = etree.XMLSchema(etree.fromstring(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:simpleType>'
        '<xs:restriction base="xs:string"><xs:pattern/></xs:restriction></xs:simpleType></xs:element></xs:schema>'
        .replace("<xs:pattern/>", etree.tostring(
            etree.Element("{http://www.w3.org/2001/XMLSchema}pattern", {"value": source}), encoding="unicode"))
    ))
    element = etree.Element("a")
    element.text = text
    return {
        re.compile(source).fullmatch(text) is not None,
        jsonschema_rs.Draft202012Validator(schema, pattern_options=options).is_valid(text), bool(xsd(element)),
    }


@pytest.mark.parametrize("source", USED + MORE)
def test_three_engines_read_a_pattern_alike(source: str) -> None:
    tree = pattern.parse(source)
    for index in range(30):
        text = write(tree, Dice(1, index, source))
        assert verdicts(source, text) == {True}, text
        for changed in (text + "\n", text + "$", "^" + text, text[1:], text[:-1] + "１", text + text, text.lower()):
            if changed.strip("\n") and "\x00" not in changed:
                assert len(verdicts(source, changed)) == 1, changed


@pytest.mark.parametrize("source", [
    "", "a*", "a?", "(a|)", "|a", "a|", "()", ".", "a.b", r"\d", r"\w+", r"\s", r"\p{L}", "[^a]", "^a", "a$", "a(?=b)",
    "(?i)a", "(a", "a)", "[a", "a]", "[]", "[z-a]", "[a-]", "[-a]", "a{2", "a{,2}", "a{3,2}", "a{0}", "a{1001}",
    "a{99999999999}", "a**", "a+?", "a{2}{3}", "{2}", "*a", "(a+)+", "(a*){2,3}", "(a|a)*", "(a|ab){1,9}",
    "((a{1,9}){1,9}){1,9}", "a*b*c*d", " a", "a ", "[ a]", "a[ -~]", "\u3000", "a\n", "a\x00b", "\x85", "[\x00-z]",
    r"[\.-0]", r"[\*-\.]",
    "[a&&b]", "[a~~b]", "[[a]]", "\\", "a\\", r"\b", r"\1", r"\$", "((((((((((a))))))))))", "([a-z]{100}){100}",
    "\ud800",
])
def test_a_pattern_outside_the_profile_is_refused(source: str) -> None:
    with pytest.raises(pattern.PatternFault):
        pattern.parse(source)


@settings(max_examples=500, deadline=None)
@given(st.text("ab01[](){}|?*+-\\^.,2 ", max_size=14))
def test_whatever_is_let_in_compiles_everywhere_and_reads_alike(source: str) -> None:
    try:
        tree = pattern.parse(source)
    except pattern.PatternFault:
        return
    for index in range(3):
        assert verdicts(source, write(tree, Dice(2, index))) == {True}
    for text in ("", "a", "ab", "-", "0]", "\\"):
        assert len(verdicts(source, text)) == 1
    longest = pattern.longest(tree)
    assert longest is None or all(len(write(tree, Dice(3, index))) <= longest for index in range(5))
