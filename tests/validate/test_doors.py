"""One verdict at every door: XML, JSON, and the bytes of a twin in a parcel (DESIGN §7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Operation, Record, Refusal
from node.validate import (
    PLANTED,
    Media,
    Specification,
    fault,
    faults,
    plant,
    read_drafts,
    sample,
    to_json,
    to_xml,
    warnings,
)
from node.validate.made.faults import Fault
from tests.validate.held import NAMES, TODAY, by_json, by_xml, draft, found, spec


@pytest.mark.parametrize("name", NAMES)
def test_good_samples_give_the_same_record_at_every_door(name: str) -> None:
    of = spec(name)
    for index in range(60):
        twin = sample(of, 11, index, revision=index % 3, octets=(0, 1024)[index % 2])
        record = by_json(of, twin)
        assert isinstance(record, Record), found(record)
        assert record.body == to_json(twin) and orjson.loads(record.body) == twin
        assert by_xml(of, twin) == record == by_xml(of, twin, single=True)
        assert of.judge_body(0, record.body, TODAY) == record
        assert of.judge(draft(twin), TODAY) == record
        assert record.row == twin["RecordId"] and record.happened == twin["EventTime"]
        assert record.key == tuple(twin[field] for field in of.key_fields)


@pytest.mark.parametrize("name", NAMES)
def test_samples_differ_in_their_keys_and_an_update_keeps_row_and_key(name: str) -> None:
    of, keys = spec(name), set()
    for index in range(120):
        record = by_json(of, sample(of, 11, index))
        assert isinstance(record, Record), found(record)
        keys.add(record.key)
        for revision in (1, 2) if index < 40 else ():
            again = by_json(of, sample(of, 11, index, operation="U", revision=revision))
            assert isinstance(again, Record) and (again.row, again.key) == (record.row, record.key)
    assert len(keys) == 120


def _refused_for(of: Specification, twin: Any, planted: Fault) -> None:
    """Plant a fault that refuses: told alike at both doors, and in a parcel."""
    judged = by_json(of, twin)
    assert (planted.field, planted.rule) in found(judged), planted.name
    assert by_xml(of, twin) == judged, planted.name
    if planted.rule not in ("type", "number"):  # only these can leave the canonical form
        assert found(of.judge_body(0, to_json(twin), TODAY)) == found(judged), planted.name


def _warned_of(of: Specification, twin: Any, planted: Fault) -> None:
    """Plant a fault that warns: told alike at both doors, and the record refused for nothing but what refuses."""
    told = of.problems(draft(twin), TODAY)
    assert (planted.field, planted.rule, "warn") in [(one.field, one.rule, one.severity) for one in told], planted.name
    xml = read_drafts(to_xml(of, [twin]), Media("xml"), of)
    assert list(of.problems(xml[0], TODAY)) == list(told), planted.name
    assert isinstance(by_json(of, twin), Refusal) == any(one.severity == "refuse" for one in told), planted.name


def _each_fault(of: Specification, start: int, count: int) -> Iterator[tuple[Any, Fault]]:
    """Yield every fault of a specification, planted in `count` records of a few."""
    twins = [sample(of, 12, index) for index in range(start, start + max(5, count))]
    for number, planted in enumerate((*faults(of), *warnings(of))):
        for index in range(number, number + count):
            yield plant(of, twins[index % len(twins)], planted, index), planted


@pytest.mark.parametrize("name", NAMES)
def test_each_facet_and_each_rule_is_caught_alike_at_both_doors(name: str) -> None:
    of = spec(name)
    for twin, planted in _each_fault(of, 0, 1):
        (_refused_for if planted.severity == "refuse" else _warned_of)(of, twin, planted)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_each_facet_and_each_rule_is_caught_in_many_records(name: str) -> None:
    of = spec(name)
    for twin, planted in _each_fault(of, 100, 4):
        (_refused_for if planted.severity == "refuse" else _warned_of)(of, twin, planted)


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_and_every_facet_of_a_specification_can_be_planted(name: str) -> None:
    of = spec(name)
    planted = {(one.field.replace("[1]", ""), one.rule, one.severity) for one in (*faults(of), *warnings(of))}
    lacking = {(rule.path, rule.id, rule.severity) for rule in of.rules.all} - planted
    assert {rule for _, rule, _ in lacking} <= {"empty"}  # of a group that must hold something: what it lacks is told
    assert not [field for field, _, _ in lacking if not hasattr(_member(of, field), "members")]


def _member(of: Specification, field: str) -> Any:
    member: Any = of.shape.record
    for name in field.split("/"):
        member = member.members[name]
    return member


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_of_the_demonstration_breaks_one_rule_and_no_other(name: str) -> None:
    of = spec()
    planted = fault(of, name)
    for index in range(40):
        judged = by_json(of, plant(of, sample(of, 13, index), planted, index))
        assert found(judged) == [(planted.field, planted.rule)]


@pytest.mark.parametrize("name", NAMES)
def test_a_delete_needs_the_control_fields_and_the_key_only(name: str) -> None:
    of = spec(name)
    for index in range(20):
        twin = sample(of, 14, index, operation="D")
        assert set(twin) == of.shape.kept
        for judged in (by_json(of, twin), by_xml(of, twin)):
            assert isinstance(judged, Record) and judged.operation is Operation.DELETE
        for field in of.shape.kept - {"Operation"}:
            less = {name: text for name, text in twin.items() if name != field}
            assert found(by_json(of, less)) == [(field, "required")] == found(by_xml(of, less))


def test_what_a_delete_does_carry_must_be_right() -> None:
    of = spec()
    twin = {**sample(of, 15, 1, operation="D"), "EthnicityCode": "57", "Foo": "x", "PersonName": ""}
    assert found(by_json(of, twin)) == [("PersonName", "empty"), ("Foo", "unknown"), ("EthnicityCode", "table")]
    assert by_xml(of, twin) == by_json(of, twin)


def test_all_problems_are_told_at_once_and_none_holds_content() -> None:
    of = spec()
    twin = sample(of, 16, 1)
    for planted in PLANTED[:3] + PLANTED[5:7] + PLANTED[7:8]:
        twin = plant(of, twin, fault(of, planted), 3)
    judged = by_json(of, twin)
    assert isinstance(judged, Refusal) and judged.row == twin["RecordId"]
    assert {f"{field}:{rule}" for field, rule in found(judged)} == set(PLANTED[:3] + PLANTED[5:7] + PLANTED[7:8])
    said = " ".join(one.says.zh + one.says.en for one in judged.problems)
    assert not [text for text in twin.values() if len(text) > 3 and text in said]
    assert all(one.says.zh and one.says.en for one in judged.problems)


def test_a_rule_is_silent_about_a_field_whose_form_is_broken() -> None:
    of = spec()
    twin = {**sample(of, 17, 1), "IdNumber": "x"}
    assert found(by_json(of, twin)) == [("IdNumber", "pattern")]


def test_a_row_id_that_holds_the_identity_number_is_refused_and_not_repeated() -> None:
    of = spec()
    twin = sample(of, 18, 1)
    printed = {**twin, "IdNumber": "11010519491231002X", "BirthDate": "19491231", "SexCode": "2"}
    for one, row in ((twin, "P-" + twin["IdNumber"]), (printed, "p-11010519491231002x-1")):
        judged = by_json(of, {**one, "RecordId": row})
        assert isinstance(judged, Refusal) and judged.row is None
        assert found(judged) == [("RecordId", "row-not-personal")]
        assert by_xml(of, {**one, "RecordId": row}) == judged


def test_a_repeated_field_is_a_list_even_of_one() -> None:
    of = spec("legal-entity-basic/1.0")
    twin = next(
        twin for twin in (sample(of, 19, index) for index in range(500))
        if len(twin.get("SocialOrganisation", {}).get("ActivityArea", [])) == 1
    )
    assert isinstance(by_json(of, twin), Record) and by_xml(of, twin) == by_json(of, twin)
    twin["SocialOrganisation"]["ActivityArea"] = ["东部", "", "西部 ", "南部"]
    wrong = [("SocialOrganisation/ActivityArea[2]", "empty"), ("SocialOrganisation/ActivityArea[3]", "text")]
    assert found(by_json(of, twin)) == wrong == found(by_xml(of, twin))
    twin["SocialOrganisation"]["ActivityArea"] = "东部"
    assert found(by_json(of, twin)) == [("SocialOrganisation/ActivityArea", "type")]
    twin["SocialOrganisation"]["ActivityArea"] = []
    assert found(by_json(of, twin)) == [("SocialOrganisation/ActivityArea", "occurs")]


TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30),
    st.from_regex(r"[ \u3000]?[0-9A-ZXx.+\-]{0,20}[ \n]?", fullmatch=True),
    st.sampled_from(["", " ", "0", "-0", "1.10", "0.05", "00", "9" * 19, "1" + "0" * 70, "2019-02-29", "20190229",
                     "20190101T246000", "\ufeff", "\u200b", "\u2028", "\ufffe", "\x85", "𠮷", "a\tb"]),
)
_XML_CANNOT = frozenset(range(0x20)) - {9, 10} | {0xFFFE, 0xFFFF}


def _mutated(of: Specification, index: int, changes: dict[str, Any], lost: set[str]) -> dict[str, Any]:
    members = of.shape.record.members
    lists = {name: text if members[name].most == 1 else [text] for name, text in changes.items()}
    twin = {**sample(of, 20, index), **lists}  # XML of a repeated field is a list to both doors
    return {name: value for name, value in twin.items() if name not in lost}


@settings(max_examples=300, deadline=None)
@given(name=st.sampled_from(NAMES), index=st.integers(0, 200), data=st.data())
def test_any_change_of_any_field_gets_one_verdict_at_all_doors(name: str, index: int, data: st.DataObject) -> None:
    of = spec(name)
    fields = [field for field, member in of.shape.record.members.items() if not hasattr(member, "members")]
    changes = data.draw(st.dictionaries(st.sampled_from(fields), TEXTS, max_size=4))
    lost = data.draw(st.sets(st.sampled_from(fields), max_size=2))
    twin = _mutated(of, index, changes, lost)
    judged = by_json(of, twin)  # a disagreement between gate and explain raises here
    again = of.judge_body(0, to_json(twin), TODAY)
    assert again == judged
    if not any(ord(sign) in _XML_CANNOT for text in changes.values() for sign in text):
        assert by_xml(of, twin) == judged
    assert of.disagreements == 0
