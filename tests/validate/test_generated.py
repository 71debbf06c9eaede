"""Records that Hypothesis makes of a specification itself: good ones pass, and one change is caught by its rule."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Record
from node.validate import Specification, faults, plant, sample, warnings
from node.validate.shape import Facets, Leaf
from tests.validate.held import NAMES, TODAY, by_json, by_xml, draft, found, spec

_XML_CANNOT = "\ufffe\uffff"


def texts(leaf: Leaf) -> st.SearchStrategy[str]:
    """Return what draws texts that a leaf's facets take, by readings of their own of pattern, lengths and bounds."""
    facets = leaf.facets
    if facets.enumeration:
        return st.sampled_from(facets.enumeration)
    if leaf.numeric:
        return _numbers(leaf.numeric, facets)
    least, most = facets.min_length or 1, facets.max_length or 100_000
    if "Text" in leaf.types:
        signs = st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cf"], exclude_characters=_XML_CANNOT)
        return st.text(signs, min_size=least, max_size=min(most, 40))
    assert facets.pattern is not None
    return st.from_regex(facets.pattern, fullmatch=True).filter(lambda text: least <= len(text) <= most)


def _numbers(kind: str, facets: Facets) -> st.SearchStrategy[str]:
    places = 0 if kind == "integer" else min(facets.fraction_digits or 0, 3)
    scale, top = 10**places, 10 ** (facets.total_digits or 1) - 1
    low = -top if facets.least is None else max(-top, int(facets.least) * scale)
    high = top if facets.most is None else min(top, int(facets.most) * scale)
    low = low if facets.above is None else max(low, int(facets.above) * scale + 1)
    high = high if facets.below is None else min(high, int(facets.below) * scale - 1)
    return st.integers(low, high).map(lambda number: _plain(number, places))


def _plain(number: int, places: int) -> str:
    if not places:
        return str(number)
    digits = str(abs(number)).rjust(places + 1, "0")
    return ("-" if number < 0 else "") + digits[:-places] + "." + digits[-places:]


def free(of: Specification) -> dict[str, Leaf]:
    """Return the fields that no rule but those of numbers looks at: whatever fits their facets is good."""
    ruled = {path for rule in of.rules.all if rule.params for path in rule.reads}
    return {
        name: member for name, member in of.shape.record.members.items()
        if isinstance(member, Leaf) and name not in ruled and name not in of.shape.kept and not member.rules
    }


@st.composite
def records(draw: st.DrawFn) -> tuple[Specification, dict[str, Any]]:
    """Draw a specification and a good record of it."""
    of = spec(draw(st.sampled_from(NAMES)))
    twin = sample(of, draw(st.integers(0, 2**32 - 1)), draw(st.integers(0, 500)), revision=draw(st.integers(0, 3)))
    fields = free(of)
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=4, unique=True)):
        text = draw(texts(fields[name]))
        twin[name] = [text] if fields[name].most > 1 else text
    return of, {name: twin[name] for name in of.shape.record.members if name in twin}


@settings(max_examples=100, deadline=None)
@given(drawn=records())
def test_whatever_is_made_of_a_specification_passes_at_both_doors(drawn: tuple[Specification, dict[str, Any]]) -> None:
    of, twin = drawn
    record = by_json(of, twin)
    assert isinstance(record, Record), found(record)
    assert by_xml(of, twin) == record


@settings(max_examples=100, deadline=None)
@given(drawn=records(), data=st.data())
def test_a_single_change_is_caught_by_its_rule_at_its_field(
    drawn: tuple[Specification, dict[str, Any]], data: st.DataObject
) -> None:
    of, twin = drawn
    planted = data.draw(st.sampled_from((*faults(of), *warnings(of))))
    broken = plant(of, twin, planted, data.draw(st.integers(0, 1000)))
    told = [(one.field, one.rule, one.severity) for one in of.problems(draft(broken), TODAY)]
    assert (planted.field, planted.rule, planted.severity) in told
    judged = by_json(of, broken)
    assert isinstance(judged, Record) == all(severity == "warn" for _, _, severity in told)
    assert by_xml(of, broken) == judged


def test_fields_of_every_kind_are_drawn() -> None:
    drawn = {(bool(leaf.numeric), bool(leaf.facets.enumeration), "Text" in leaf.types)
             for name in NAMES for leaf in free(spec(name)).values()}
    assert len(drawn) >= 3 and all(len(free(spec(name))) >= 3 for name in NAMES)
