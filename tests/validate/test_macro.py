"""Macro-economic indicators: a period, a value with its unit, and revisions that supersede without being lost (A4)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from node.model.record import Record, Version
from tests.contracts.things import HERE, LANE, T0, arriving, delivery
from tests.store.places import warehouse
from tests.validate.held import by_json, by_xml, found, spec

NAME = "macro-indicator/1.0"
GOOD = {
    "RecordId": "gdp-1", "Operation": "I", "EventTime": "2019-04-20T10:00:00+08:00", "IndicatorCode": "GDP.Q",
    "IndicatorName": "地区生产总值", "Period": "2019Q1", "RegionCode": "441800", "Value": "389.6",
    "Unit": "亿元", "Revision": "1",
}


def judged(**fields: Any) -> Any:
    """Return what both doors say of a good record with these fields; None takes one away."""
    twin = {field: text for field, text in {**GOOD, **fields}.items() if text is not None}
    twin = {field: twin[field] for field in spec(NAME).shape.record.members if field in twin}
    one = by_json(spec(NAME), twin)
    assert by_xml(spec(NAME), twin) == one
    return one


@pytest.mark.parametrize(("fields", "rules"), [
    ({}, []), ({"Period": "2019"}, []), ({"Period": "201903"}, []), ({"Period": "2024Q2"}, []),
    ({"Period": "2024Q3"}, [("Period", "period-begun")]), ({"Period": "2025"}, [("Period", "period-begun")]),
    ({"Period": "2019Q5"}, [("Period", "pattern")]), ({"Period": "201913"}, [("Period", "pattern")]),
    ({"Period": "2019年1季度"}, [("Period", "pattern")]), ({"Period": None}, [("Period", "required")]),
    ({"Value": "-1.5"}, []), ({"Value": "123456789012.123456"}, []),
    ({"Value": "0.0000001"}, [("Value", "fraction-digits")]),
    ({"Value": "1,000"}, [("Value", "number")]), ({"Unit": None}, [("Unit", "required")]),
    ({"RegionCode": "440524"}, []), ({"RegionCode": "449900"}, [("RegionCode", "region")]),
    ({"Revision": "2", "RevisionReason": "年报数据修订", "ValueStatusCode": "2"}, []),
    ({"Revision": "0"}, [("Revision", "min-inclusive")]), ({"Revision": "1.5"}, [("Revision", "number")]),
    ({"Revision": None}, [("Revision", "required")]), ({"ValueStatusCode": "4"}, [("ValueStatusCode", "table")]),
    ({"IndicatorCode": "gdp"}, [("IndicatorCode", "pattern")]),
    ({"EventTime": "2024-06-03T00:00:00+08:00"}, [("EventTime", "not-future")]),
])
def test_an_indicator_says_what_where_when_and_in_which_unit(fields: Any, rules: list[tuple[str, str]]) -> None:
    assert found(judged(**fields)) == rules


def test_a_later_revision_supersedes_and_the_old_is_kept(tmp_path: Path) -> None:
    """The first quarter of 2019 is reported, then revised under another row id; another quarter stands for itself."""
    first, revised = judged(), judged(RecordId="gdp-2", Operation="U", Value="391.2", Revision="2")
    other = judged(RecordId="gdp-3", Period="2019Q2")
    store = warehouse(tmp_path)
    try:
        with store.unit() as unit:
            for n, record in enumerate((first, other, revised), 1):
                assert isinstance(record, Record)
                came = arriving(0, n, "", record.row)._replace(key=record.key, line=record.body)
                unit.apply(delivery([came]), T0)
            now = unit.row(HERE, LANE.resource, ("GDP.Q", "441800", "2019Q1"))
            assert now is not None and now.version == Version(7, 3) and now.line == revised.body
            kept = [orjson.loads(line) for block in unit.history(LANE.resource, 0, 9) for line in block.lines]
        values = [(one["Period"], one["Revision"], one["Value"]) for one in kept]
        assert values == [("2019Q1", "1", "389.6"), ("2019Q2", "1", "389.6"), ("2019Q1", "2", "391.2")]
    finally:
        store.close()
