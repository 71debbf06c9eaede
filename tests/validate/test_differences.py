"""Two versions compared: every kind of change has its verdict, and no verdict but *breaking* ever costs a record."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Record
from node.validate import Files, Specification, compile_specification, faults, plant, sample
from node.validate.versions.differences import Verdict, differences, worst
from node.validate.versions.inclusion import included
from tests.validate.held import NAMES, by_json, by_xml, sm3, spec
from tests.validate.workshop import FIELDS, NOTE, document, facet, group, leaf
from xsd import FOLDER

BREAKS, WIDENS, SAME = Verdict.BREAKING, Verdict.WIDENING, Verdict.COMPATIBLE
OPTIONAL = 'minOccurs="0"'


@lru_cache(400)
def compiled(content: bytes) -> Specification:
    """Return `workshop/2.1` of this content."""
    files = Files(FOLDER)
    files.read["workshop/2.1.xsd"] = content
    return compile_specification("workshop/2.1", files, sm3)


def _made(fields: str = FIELDS, **rest: str) -> Specification:
    return compiled(document(fields, **rest))


def _swap(old: str, new: str) -> str:
    assert FIELDS.count(old) >= 1, old
    return FIELDS.replace(old, new, 1)


def _rule(kind: str, **params: str) -> str:
    return f'<x:rule kind="{kind}" ' + " ".join(f'{name}="{value}"' for name, value in params.items()) + "/>"


CODE = leaf("Code", "xs:string", OPTIONAL, "{}", facet(pattern="[0-9]"))


def _code(rule: str = "") -> str:
    return FIELDS + CODE.replace("{}", rule)


def _enumerated(*codes: str) -> str:
    return FIELDS + leaf("Kind", "xs:string", "", "", "".join(facet(enumeration=code) for code in codes))


BOUNDED, GRADED = facet(totalDigits="3", minInclusive="-10", maxInclusive="100"), '<x:field grade="3" mask="all"/>'
SCORE = leaf("Score", "p:Integer", OPTIONAL, "", BOUNDED)
SAID = '<x:says xml:lang="zh">错</x:says><x:says xml:lang="en">wrong</x:says></x:rule>'
SIX, FIVE, FOUR = (f'<x:rule kind="form" pattern="[0-{top}]" id="f"/>' for top in (6, 5, 4))
TABLE = _rule("table", table="sex/1.0", id="t")

CASES: dict[str, tuple[str, str, str, Verdict]] = {
    "nothing": (FIELDS, FIELDS, "", SAME),
    "optional added": (FIELDS, FIELDS + leaf("More", "p:Date", OPTIONAL), "field-added", WIDENS),
    "required added": (FIELDS, FIELDS + leaf("More", "p:Date"), "field-added", BREAKS),
    "optional group added": (FIELDS, FIELDS + group("More", leaf("A", "p:Date"), OPTIONAL), "field-added", WIDENS),
    "removed": (FIELDS, FIELDS.replace(SCORE, ""), "field-removed", BREAKS),
    "renamed": (FIELDS, FIELDS.replace('"Score"', '"Mark"', 1), "field-renamed", BREAKS),
    "made required": (FIELDS, FIELDS.replace(SCORE, SCORE.replace(OPTIONAL, "")), "required", BREAKS),
    "made optional": (FIELDS.replace(SCORE, SCORE.replace(OPTIONAL, "")), FIELDS, "optional", WIDENS),
    "more often": (FIELDS, _swap('maxOccurs="5"', 'maxOccurs="6"'), "occurs", WIDENS),
    "less often": (FIELDS, _swap('maxOccurs="5"', 'maxOccurs="4"'), "occurs", BREAKS),
    "once to many": (FIELDS, FIELDS.replace(SCORE, SCORE.replace(OPTIONAL, 'minOccurs="0" maxOccurs="2"')), "occurs",
                     BREAKS),
    "order": (FIELDS, FIELDS.replace(SCORE, "") + SCORE, "sequence", BREAKS),
    "longer": (FIELDS, _swap('maxLength value="20"', 'maxLength value="21"'), "max-length", WIDENS),
    "shorter": (FIELDS, _swap('maxLength value="20"', 'maxLength value="19"'), "max-length", BREAKS),
    "least shorter": (FIELDS, _swap('minLength value="2"', 'minLength value="1"'), "min-length", WIDENS),
    "least longer": (FIELDS, _swap('minLength value="2"', 'minLength value="3"'), "min-length", BREAKS),
    "length that pattern has": (
        FIELDS, _swap('<xs:pattern value="[0-9A-Z]{4,12}"/>', '<xs:pattern value="[0-9A-Z]{4,12}"/>'
                      '<xs:maxLength value="12"/>'), "", SAME),
    "pattern wider": (FIELDS, _swap("[a-z]+", "[a-z0-9]+"), "pattern", WIDENS),
    "pattern narrower": (FIELDS, _swap("[a-z]+", "[a-y]+"), "pattern", BREAKS),
    "pattern written otherwise": (FIELDS, _swap("[a-z]+", "[a-c]?[a-z][a-z]*"), "pattern", WIDENS),
    "bound looser": (FIELDS, _swap('maxInclusive value="100"', 'maxInclusive value="101"'), "most", WIDENS),
    "bound tighter": (FIELDS, _swap('minInclusive value="-10"', 'minInclusive value="-9"'), "least", BREAKS),
    "bound now in": (FIELDS, _swap('minExclusive value="0"', 'minInclusive value="0"'), "least", WIDENS),
    "bound now out": (FIELDS, _swap('maxInclusive value="100"', 'maxExclusive value="100"'), "most", BREAKS),
    "digits more": (FIELDS, _swap('totalDigits value="3"', 'totalDigits value="4"'), "total-digits", WIDENS),
    "places fewer": (FIELDS, _swap('fractionDigits value="2"', 'fractionDigits value="1"'), "fraction-digits", BREAKS),
    "whole to decimal": (FIELDS, FIELDS.replace(SCORE, SCORE.replace("p:Integer", "p:Decimal")), "kind", WIDENS),
    "decimal to whole": (FIELDS.replace(SCORE, SCORE.replace("p:Integer", "p:Decimal")), FIELDS, "kind", BREAKS),
    "number to text": (FIELDS, FIELDS.replace(SCORE, leaf("Score", "xs:string", OPTIONAL, "", facet(
        pattern="[0-9]{1,9}"))), "kind", BREAKS),
    "leaf to group": (FIELDS, FIELDS.replace(SCORE, group("Score", leaf("A", "p:Date"), OPTIONAL)), "kind", BREAKS),
    "code added": (_enumerated("a", "b"), _enumerated("a", "b", "c"), "enumeration", WIDENS),
    "code removed": (_enumerated("a", "b"), _enumerated("a"), "enumeration", BREAKS),
    "codes freed": (_enumerated("a", "b"), FIELDS + leaf("Kind", "xs:string", "", "", facet(pattern="[a-z]")),
                    "enumeration", WIDENS),
    "label": (FIELDS, FIELDS.replace(">Score<", ">Points<"), "label", SAME),
    "grade": (FIELDS, FIELDS.replace(SCORE, leaf("Score", "p:Integer", OPTIONAL, GRADED, BOUNDED)), "grade", SAME),
    "rule added": (_code(), _code(TABLE), "rule-added", BREAKS),
    "warning added": (_code(), _code(TABLE.replace("/>", ' severity="warn"/>')), "rule-added", SAME),
    "rule removed": (_code(TABLE), _code(), "rule-removed", WIDENS),
    "made a warning": (_code(TABLE), _code(TABLE.replace("/>", ' severity="warn"/>')), "rule-severity", WIDENS),
    "made to refuse": (_code(TABLE.replace("/>", ' severity="warn"/>')), _code(TABLE), "rule-severity", BREAKS),
    "table's codes added": (_code(_rule("table", table="sex/1.0", id="t")), _code(_rule(
        "table", table="person-status/1.0", id="t")), "table", BREAKS),
    "rule's sentence": (_code(TABLE), _code(TABLE.replace("/>", f">{SAID}")), "rule-says", SAME),
    "rule's limit looser": (_code(FIVE), _code(SIX), "rule-changed", WIDENS),
    "rule's limit tighter": (_code(FIVE), _code(FOUR), "rule-changed", BREAKS),
    "guard changed": (_code(_rule("table", table="sex/1.0", id="t", when="CaseNo", begins="A")), _code(_rule(
        "table", table="sex/1.0", id="t", when="CaseNo", begins="B")), "rule-changed", BREAKS),
    "rule of a new field": (FIELDS, _code(TABLE), "rule-added", WIDENS),
    "required when, of a new field": (FIELDS, _code(_rule("required-when", when="CaseNo", begins="A")), "rule-added",
                                      BREAKS),
    "inside a group": (FIELDS, _swap('maxLength value="9"', 'maxLength value="8"'), "max-length", BREAKS),
}


@pytest.mark.parametrize("name", CASES)
def test_every_kind_of_change_has_its_verdict(name: str) -> None:
    old, new, what, verdict = CASES[name]
    found = differences(_made(old), _made(new))
    assert worst(found) is verdict, found
    assert (what in {one.what for one in found}) if what else not found, found
    for one in found:
        assert re.search("[一-鿿]", one.says.zh) and not re.search("[一-鿿]", re.sub(".项", "", one.says.en)), one


@pytest.mark.parametrize(("note", "what"), [
    (NOTE.replace('key="CaseNo Name"', 'key="CaseNo"'), "key"), (NOTE.replace('row="RecordId"', 'row="Other"'), "row"),
    (NOTE.replace(' correlation="CaseNo"', ""), "correlation"),
])
def test_changes_of_what_names_a_record_are_told(note: str, what: str) -> None:
    fields = FIELDS + leaf("Other", "p:RowId")
    found = differences(_made(fields), _made(fields, note=note))
    assert [one.what for one in found] == [what] and worst(found) is (SAME if what == "correlation" else BREAKS)


def test_a_table_with_more_codes_widens_and_one_with_fewer_breaks() -> None:
    def made(rows: str) -> Specification:
        files = Files(FOLDER)
        files.read["workshop/2.1.xsd"] = document(_code(TABLE))
        files.read["tables/sex/1.0.tsv"] = f"code\tname\n{rows}".encode()
        return compile_specification("workshop/2.1", files, sm3)

    two, three = made("1\ta\n2\tb\n"), made("1\ta\n2\tb\n3\tc\n")
    assert worst(differences(two, three)) is WIDENS and worst(differences(three, two)) is BREAKS
    assert "3" in differences(three, two)[0].says.zh


def test_another_interface_is_breaking_and_the_same_has_no_difference() -> None:
    for name in NAMES:
        assert differences(spec(name), spec(name)) == []
    found = differences(spec(NAMES[0]), spec(NAMES[1]))
    assert worst(found) is BREAKS and {"namespace", "record"} <= {one.what for one in found}


# --- the verdict is proved on records -----------------------------------------------------------------------------

_EDITS: tuple[Callable[[str, int], str], ...] = (
    lambda f, n: f.replace('maxLength value="20"', f'maxLength value="{18 + n}"'),
    lambda f, n: f.replace('minLength value="2"', f'minLength value="{1 + n % 4}"'),
    lambda f, n: f.replace('maxLength value="5"', f'maxLength value="{3 + n}"'),
    lambda f, n: f.replace("[a-z]+", ["[a-z0-9]+", "[a-m]+", "[a-z][a-z]*", "[a-z]+-?[a-z]"][n % 4]),
    lambda f, n: f.replace("{4,12}", f"{{{2 + n},{12 + n % 2}}}"),
    lambda f, n: f.replace('maxOccurs="5"', f'maxOccurs="{3 + n}"'),
    lambda f, n: f.replace('totalDigits value="6"', f'totalDigits value="{4 + n}"'),
    lambda f, n: f.replace('minExclusive value="0"', f'min{["Exclusive", "Inclusive"][n % 2]} value="{n % 3 - 1}"'),
    lambda f, n: f.replace('maxInclusive value="100"', f'maxInclusive value="{95 + 2 * n}"'),
    lambda f, n: f.replace(SCORE, SCORE.replace(OPTIONAL, ["", 'minOccurs="0" maxOccurs="3"'][n % 2])),
    lambda f, n: f.replace(SCORE, SCORE.replace("p:Integer", "p:Decimal")),
    lambda f, n: f.replace(SCORE, "") + ["", SCORE][n % 2] if SCORE in f else f,
    lambda f, n: f + leaf(f"More{n % 3}", ["p:Date", "p:RowId"][n % 2], [OPTIONAL, OPTIONAL, ""][n % 3]),
    lambda f, n: f + CODE.replace("{}", ["", TABLE, TABLE.replace("/>", ' severity="warn"/>')][n % 3]),
    lambda f, n: f.replace('<x:rule kind="table" table="sex/1.0"/>', ""),
    lambda f, n: f.replace('maxLength value="9"', f'maxLength value="{7 + n}"'),
    lambda f, n: f.replace(">Name<", ">Title<").replace('kind="order" field', 'kind="time-order" field'),
)
_some = st.lists(st.tuples(st.integers(0, len(_EDITS) - 1), st.integers(0, 5)), max_size=3)


def _edited(edits: list[tuple[int, int]]) -> Specification:
    fields = FIELDS
    for number in sorted(dict(edits)):
        fields = _EDITS[number](fields, dict(edits)[number])
    return _made(fields)


@settings(max_examples=60, deadline=None)
@given(_some, _some, st.integers(0, 1 << 20))
def test_no_record_is_lost_unless_the_verdict_is_breaking(
    first: list[tuple[int, int]], second: list[tuple[int, int]], seed: int
) -> None:
    old, new = _edited(first), _edited(second)
    verdict = worst(differences(old, new))
    if verdict is BREAKS:
        return
    for number in range(12):
        twin = sample(old, seed, number, operation="IUD"[number % 3])
        assert isinstance(by_json(old, twin), Record)
        assert isinstance(by_json(new, twin), Record) and isinstance(by_xml(new, twin), Record)
    if verdict is SAME:
        for number, fault in enumerate(faults(old)):
            broken = plant(old, sample(old, seed, number), fault, number)
            assert isinstance(by_json(new, broken), Record) == isinstance(by_json(old, broken), Record)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 12))])
def test_every_single_edit_that_does_not_break_keeps_every_sample(seed: int) -> None:
    kept = 0
    for number in range(len(_EDITS)):
        for size in range(6):
            for old, new in ((_made(), _edited([(number, size)])), (_edited([(number, size)]), _made())):
                if worst(differences(old, new)) is not BREAKS:
                    kept += 1
                    twins = [sample(old, seed, n) for n in range(3)]
                    assert all(isinstance(by_json(new, twin), Record) for twin in twins), (number, size, seed)
    assert kept > 40


# --- one pattern within another -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second", "within"), [
    ("[0-9]{2}", "[0-9]{2,3}", True), ("[0-9]{2,3}", "[0-9]{2}", False), ("a|b", "[ab]", True), ("[ab]", "a|b", True),
    ("(ab){2}", "abab", True), ("[a-c]", "[a-b]", False), ("a+", "a*a", True), ("a{1,999}", "a{1,1000}", True),
    ("a{1,1000}", "a{1,999}", False), ("ab?c", "abc|ac", True), ("ab?c", "abc", False), ("(a|b)c", "ac|bc|d", True),
    ("[!-~]{1,50}", "[!-~]([ -~]*[!-~])?", True), ("[!-~]([ -~]*[!-~])?", "[!-~]{1,50}", False),
])
def test_inclusion_of_patterns(first: str, second: str, within: bool) -> None:
    assert included(first, second) is within


_ATOMS = st.sampled_from(["a", "b", "[ab]", "[a-c]", "c"])
_COUNTED = st.tuples(_ATOMS, st.sampled_from(["", "", "?", "+", "{1,2}", "{2}", "{0,2}"])).map("".join)
_ROWS = st.lists(_COUNTED, min_size=1, max_size=2).map(lambda parts: f"a{''.join(parts)}b")
_PATTERNS = st.lists(_ROWS, min_size=1, max_size=2).map("|".join).filter(lambda source: source.count("+") <= 2)


@settings(max_examples=300, deadline=None)
@given(_PATTERNS, _PATTERNS)
def test_inclusion_is_that_of_the_words(first: str, second: str) -> None:
    words = [word for size in range(1, 7) for word in _words(size)]  # of patterns without end all words are shorter
    lost = [word for word in words if re.fullmatch(first, word) and not re.fullmatch(second, word)]
    told = included(first, second)
    assert not (told and lost), (first, second, lost[:1])
    assert told or lost or "+" in first, (first, second)


@lru_cache(None)
def _words(size: int) -> tuple[str, ...]:
    return ("",) if size == 0 else tuple(word + sign for word in _words(size - 1) for sign in "abc")


@pytest.mark.parametrize(("first", "second"), [
    ("|".join(f"a{n}" for n in range(900)), "|".join(f"a{n}" for n in range(901))),
    ("[a-z]{900}", "([a-z]|[0-9]){900}"),
    ("a{0,40}b{0,40}c{0,40}d{0,40}e", "a{0,41}b{0,41}c{0,41}d{0,41}e"),
])
def test_the_search_is_bounded(first: str, second: str) -> None:
    start = time.perf_counter()
    included(first, second)
    assert time.perf_counter() - start < 5
