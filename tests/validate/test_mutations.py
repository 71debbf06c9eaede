"""One change anywhere in a good record, inside groups too: one verdict at every door, and no content is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Refusal
from node.validate import sample, to_json
from tests.validate.held import NAMES, TODAY, by_json, by_xml, spec

Place = tuple[str | int, ...]
NEW = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=12),
    st.from_regex(r"[0-9A-ZXx.+\-]{0,20}", fullmatch=True),
    st.sampled_from(["0", "1", "9", "00", "2019-02-29", "20190229", "20190101T246000", "29991231",
                     "2999-12-31T00:00:00", "11010519491231002X", "110105194912310021", "111000000000133390",
                     "449900", "罚款", "x" * 300]),
)


def places(twin: Any, here: Place = ()) -> Iterator[Place]:
    """Yield the place of every text of a twin."""
    inner = twin.items() if isinstance(twin, dict) else enumerate(twin) if isinstance(twin, list) else ()
    if isinstance(twin, str):
        yield here
    for step, one in inner:
        yield from places(one, (*here, step))


def put(twin: Any, place: Place, text: str | None) -> None:
    """Put a text at a place of a twin; None takes away what is there."""
    for step in place[:-1]:
        twin = twin[step]
    if text is None:
        del twin[place[-1]]
    else:
        twin[place[-1]] = text


@settings(max_examples=600, deadline=None)
@given(name=st.sampled_from(NAMES), index=st.integers(0, 300), data=st.data())
def test_a_change_at_any_depth_gets_one_verdict_at_all_doors(name: str, index: int, data: st.DataObject) -> None:
    of = spec(name)
    twin = sample(of, 23, index)
    place = data.draw(st.sampled_from(list(places(twin))))
    text = data.draw(st.one_of(NEW, st.none() if isinstance(place[-1], str) else st.nothing()))
    put(twin, place, text)
    judged = by_json(of, twin)  # a disagreement between gate and explain raises here
    assert by_xml(of, twin) == judged == of.judge_body(0, to_json(twin), TODAY)
    if isinstance(judged, Refusal) and text and len(text) > 12:
        assert not [one for one in judged.problems if text in one.says.zh + one.says.en]


@pytest.mark.parametrize("name", NAMES)
def test_places_are_found_inside_groups(name: str) -> None:
    of = spec(name)
    groups = {field for field, member in of.shape.record.members.items() if hasattr(member, "members")}
    met = {place[0] for index in range(60) for place in places(sample(of, 23, index)) if len(place) > 1}
    assert met >= groups
