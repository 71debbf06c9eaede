"""A row its source has no more becomes a delete, as far as the source still tells its key."""

from __future__ import annotations

import json

import pytest

from node.model.record import Draft, Operation, Record, Refusal
from node.validate import sample
from node.validate.mapping import GONE, judge_gone
from tests.validate import held
from tests.validate.held import TODAY
from tests.validate.mapping.made import PERSON_ROW, made

AT = "2024-01-02T03:04:05+08:00"


def test_what_is_known_of_a_gone_row_is_its_delete() -> None:
    row = {"XH": PERSON_ROW["XH"], "SFZH": PERSON_ROW["SFZH"], GONE: AT}
    judged = made({"EventTime": '{ from = "GXSJ" }'}).judge(Draft(0, "json", json.dumps(row).encode()), TODAY)
    assert isinstance(judged, Record)
    assert (judged.operation, judged.row, judged.happened) == (Operation.DELETE, "r-1", AT)
    assert judged.key == (PERSON_ROW["SFZH"],) and b"PersonName" not in judged.body


def test_a_gone_row_with_all_its_columns_is_the_same_delete() -> None:
    judged = made({}).judge(Draft(0, "json", json.dumps({**PERSON_ROW, GONE: AT}).encode()), TODAY)
    assert isinstance(judged, Record) and judged.operation is Operation.DELETE
    assert json.loads(judged.body).keys() == {"RecordId", "Operation", "EventTime", "IdNumber"}


def test_without_its_business_key_it_is_refused_by_name() -> None:
    judged = made({}).judge(Draft(0, "json", json.dumps({"XH": "r-1", GONE: AT}).encode()), TODAY)
    assert isinstance(judged, Refusal) and [one.field for one in judged.problems] == ["IdNumber"]


@pytest.mark.parametrize("name", held.held().names())
def test_a_gone_row_is_a_delete_under_every_specification(name: str) -> None:
    spec = held.spec(name)
    twin = {key: value for key, value in sample(spec, 3, 1).items() if key != spec.shape.time}
    judged = judge_gone(spec, 0, twin, AT, TODAY)
    assert isinstance(judged, Record) and judged.operation is Operation.DELETE, judged
