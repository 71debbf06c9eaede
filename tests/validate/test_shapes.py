"""Depth, repetition and numbers, in a specification made for the purpose; and a fault of our own is loud."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model import codes
from node.model.record import Record, Refusal
from node.model.trouble import Hold
from node.validate import faults, plant, sample, to_json
from tests.validate.held import TODAY, by_bytes, by_json, by_xml, draft, found, spec
from tests.validate.workshop import workshop

TWIN: dict[str, Any] = {
    "RecordId": "r1", "Operation": "U", "EventTime": "2019-02-28T00:00:00", "CaseNo": "AB12", "Name": "名称",
    "Tags": ["a", "b"], "Amounts": ["1", "999.99"], "Score": "-10", "Days": ["2020-02-29"],
    "Steps": [
        {"From": "2019-01-01", "To": "2019-01-02", "Papers": [{"Title": "x"}, {"Title": "y"}]},
        {"From": "2019-01-01", "Person": {"Sex": "1"}},
    ],
}


def test_a_record_of_every_shape_passes_every_door() -> None:
    of = workshop()
    record = by_json(of, TWIN)
    assert isinstance(record, Record), found(record)
    assert (record.key, record.correlation) == (("AB12", "名称"), "AB12")
    assert by_xml(of, TWIN) == record == of.judge_body(0, record.body, TODAY)


@pytest.mark.parametrize(("path", "value", "problems"), [
    (("Amounts", 1), "1000", ["Amounts[2]:max-exclusive"]), (("Amounts", 0), "0", ["Amounts[1]:min-exclusive"]),
    (("Amounts", 0), "0.125", ["Amounts[1]:fraction-digits"]), (("Amounts", 0), "x", ["Amounts[1]:number"]),
    (("Amounts", 0), "", ["Amounts[1]:empty"]), (("Score",), "-11", ["Score:min-inclusive"]),
    (("Score",), "1000", ["Score:max-inclusive", "Score:total-digits"]), (("Score",), "1.0", ["Score:number"]),
    (("Tags", 1), "B", ["Tags[2]:pattern"]), (("Tags", 0), "abcdef", ["Tags[1]:max-length"]),
    (("Tags",), ["a"] * 6, ["Tags:occurs"]), (("Days", 0), "2019-02-29", ["Days[1]:calendar"]),
    (("Name",), "名", ["Name:min-length"]), (("Steps", 0, "From"), "2019-01-03", ["Steps[1]/From:order"]),
    (("Steps", 1, "Person", "Sex"), "3", ["Steps[2]/Person/Sex:table"]),
    (("Steps", 1, "Person"), {}, ["Steps[2]/Person/Sex:required"]),
    (("Steps", 0, "Papers", 1, "Title"), " y", ["Steps[1]/Papers[2]/Title:text"]),
    (("Steps", 0, "Papers", 1, "Title"), "y" * 10, ["Steps[1]/Papers[2]/Title:max-length"]),
    (("Steps", 1), {}, ["Steps[2]/From:required"]), (("Steps", 1, "Foo"), "x", ["Steps[2]/Foo:unknown"]),
    (("Steps", 0, "From"), "x", ["Steps[1]/From:pattern"]),
])
def test_a_problem_deep_inside_is_named_by_its_place(path: tuple[Any, ...], value: Any, problems: list[str]) -> None:
    of = workshop()
    twin = _changed(TWIN, path, value)
    judged = by_json(of, twin)
    assert [f"{field}:{rule}" for field, rule in found(judged)] == problems
    assert by_xml(of, twin) == judged


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, list):
        return [_changed(one, path[1:], new) if place == path[0] else one for place, one in enumerate(value)]
    return {**value, path[0]: _changed(value.get(path[0], {}), path[1:], new)}


def test_the_rules_of_a_repeated_group_look_at_one_of_it_at_a_time() -> None:
    of = workshop()
    person = {"Sex": "1", "Number": sample(spec(), 1, 3)["IdNumber"]}
    right = "1" if int(person["Number"][16]) % 2 else "2"
    sexes = (right, "12".replace(right, ""), right)
    steps = [{"From": "2019-01-01", "Person": {**person, "Sex": sex}} for sex in sexes]
    assert found(by_json(of, {**TWIN, "Steps": steps})) == [("Steps[2]/Person/Sex", "parity")]


def test_a_specification_may_say_a_rule_in_its_own_words() -> None:
    judged = by_json(workshop(), _changed(TWIN, ("Steps", 0, "From"), "2019-01-03"))
    assert isinstance(judged, Refusal)
    assert (judged.problems[0].says.zh, judged.problems[0].says.en) == ("先{后}", "first {last}")


@pytest.mark.parametrize("number", ["1", "999.99", "-10"])
def test_json_numbers_are_taken_inside_lists_too(number: str) -> None:
    twin = to_json({**TWIN, "Amounts": ["1", "@"], "Score": "@@"}).replace(b'"@"', b"7.50").replace(b'"@@"', b"7")
    record = by_bytes(workshop(), twin)
    assert isinstance(record, Record) and b'"Amounts":["1","7.50"]' in record.body and b'"Score":"7"' in record.body


def test_samples_and_faults_are_made_from_any_specification() -> None:
    of = workshop()
    for index in range(200):
        twin = sample(of, 5, index)
        record = by_json(of, twin)
        assert isinstance(record, Record), (found(record), index)
        assert by_xml(of, twin) == record
    for index, planted in enumerate(faults(of)):
        broken = plant(of, sample(of, 6, index), planted, index)
        assert (planted.field, planted.rule) in found(by_json(of, broken))
        assert by_xml(of, broken) == by_json(of, broken)


LEAVES = st.sampled_from(["", "x", "1", "2019-01-01", "1000", "汉", " ", "-0", "0.10", "99999999"])
TREES = st.recursive(
    LEAVES, lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4),
        st.dictionaries(st.sampled_from(["From", "To", "Person", "Sex", "Papers", "Title", "Foo"]), inner, max_size=4),
    ), max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from([*TWIN, "Foo"]), TREES, max_size=5), st.sampled_from("IUD"))
def test_no_tree_makes_gate_and_explain_disagree(changes: dict[str, Any], operation: str) -> None:
    of = workshop()
    twin = {**TWIN, "Operation": operation, **changes}
    judged = by_json(of, twin)
    assert of.judge_body(0, to_json(twin), TODAY) == judged
    by_xml(of, twin)
    assert of.disagreements == 0


def test_a_rule_about_a_missing_field_is_silent_when_the_field_is_there_but_broken() -> None:
    of = spec()
    twin = {**sample(of, 1, 1), "PersonStatusCode": "3", "DeathDate": "yesterday"}
    assert found(by_json(of, twin)) == [("DeathDate", "pattern")] == found(by_xml(of, twin))


def test_the_second_door_takes_canonical_bytes_only() -> None:
    of = spec()
    body = to_json(sample(of, 1, 1))
    for change in (body.replace(b'":"', b'": "', 1), body[:-1] + b',"SexCode":"1"}', b" " + body, body + b"\n",
                   body.replace(b"r", b"\\u0072", 1), b"{" + body[1:].replace(b'"DataVersion"', b'"zDataVersion"')):
        assert change != body
        judged = of.judge_body(4, change, TODAY)
        assert isinstance(judged, Refusal) and judged.index == 4
        assert [one.rule for one in judged.problems] == ["canonical"]
    for broken in (b"", b"{", b"\xff", body[:-1]):
        assert [one.rule for one in getattr(of.judge_body(0, broken, TODAY), "problems")] == ["malformed"]
    assert [one.rule for one in getattr(of.judge_body(0, b"[]", TODAY), "problems")] == ["object"]


def test_a_gate_that_disagrees_with_explain_is_loud_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Never:
        def is_valid(self, twin: object) -> bool:
            return False

    of = workshop()
    monkeypatch.setattr(of, "_json", Never())
    monkeypatch.setattr(of, "disagreements", 0)
    with pytest.raises(Hold) as caught:
        of.judge(draft(TWIN), TODAY)
    assert caught.value.code is codes.DISAGREE and of.disagreements == 1
    assert caught.value.details == {"spec": "workshop/2.1", "index": 0}
