"""A row as a line: every kind of cell comes back as it was, what has no form is told by its column."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from random import Random
from typing import Any
from uuid import UUID

import pytest

from adapters import rows
from adapters.contract import Dirty
from adapters.rows import MOST, write_row

LOCAL = timezone(timedelta(hours=8, minutes=5, seconds=43))


class Sex(IntEnum):
    """A number with a name."""

    WOMAN = 2


@pytest.mark.parametrize(("cell", "written"), [
    (None, "null"), (True, "true"), (7, "7"), (Sex.WOMAN, "2"), (2**64, "18446744073709551616"),
    (-2**70, "-1180591620717411303424"), (1.5, "1.5"), (-0.0, "-0.0"),
    ("㐂𠮷\x00\x1f\"\\\n", '"㐂𠮷\\u0000\\u001f\\"\\\\\\n"'),
    (Decimal("1.20"), "1.20"), (Decimal("-0.00000000012345678901234567890"), "-0.00000000012345678901234567890"),
    (Decimal("1E+3"), "1000"), (Decimal("1E-8"), "0.00000001"), (Decimal("0E-8"), "0.00000000"),
    (date(1, 1, 1), '"0001-01-01"'), (time(9, 30), '"09:30:00"'),
    (time(9, 30, 0, 5, timezone.utc), '"09:30:00.000005+00:00"'),
    (datetime(2019, 2, 28, 9, 30), '"2019-02-28T09:30:00"'),
    (datetime(2019, 2, 28, 9, 30, 0, 500000), '"2019-02-28T09:30:00.500000"'),
    (datetime(1900, 1, 1, tzinfo=LOCAL), '"1900-01-01T00:00:00+08:05:43"'),
    (timedelta(hours=838, minutes=59, seconds=59), '"838:59:59"'),
    (-timedelta(hours=1, microseconds=5), '"-01:00:00.000005"'),
    (UUID(int=5), '"00000000-0000-0000-0000-000000000005"'), (b"\x00\xff", '"00ff"'), (memoryview(b"\x01"), '"01"'),
    ([1, "二", Decimal("1.10")], '"[1, \\"二\\", \\"1.10\\"]"'), ({"a": None}, '"{\\"a\\": null}"'),
])
def test_every_kind_of_cell_has_one_form(cell: Any, written: str) -> None:
    assert write_row({"列": cell}) == f'{{"列":{written}}}'.encode()
    beside = write_row({"大": 2**64, "列": cell})  # the way for rows that orjson refuses
    assert beside == f'{{"大":18446744073709551616,"列":{written}}}'.encode()


@pytest.mark.parametrize("cell", [
    float("nan"), float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), "\ud800", object(), {1, 2}, 1j,
    Decimal("1E+9999999"),
])
@pytest.mark.parametrize("beside", [1, 2**64])
def test_a_cell_without_a_form_is_told_by_its_column(cell: Any, beside: int) -> None:
    found = write_row({"a": beside, "坏": cell, "c": 1})
    assert isinstance(found, Dirty) and found.field == "坏" and found.zh and found.en


def test_a_nest_too_deep_is_told() -> None:
    nest: Any = []
    for _ in range(100_000):
        nest = [nest]
    found = write_row({"a": nest})
    assert isinstance(found, Dirty) and found.field == "a"


def test_a_row_that_is_too_long_is_told() -> None:
    for big in ("x" * MOST, b"x" * (MOST // 2)):
        assert isinstance(write_row({"a": big}), Dirty) and isinstance(write_row({"a": big, "b": 2**64}), Dirty)
    assert not isinstance(write_row({"a": "x" * (MOST - 9)}), Dirty)


def test_a_row_of_another_mapping_is_written_too() -> None:
    assert write_row(OrderedDict(a=1, b="二", c=1.5)) == '{"a":1,"b":"二","c":1.5}'.encode()


def test_any_mix_of_types_is_read_back(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "PLANS", 20)
    dice = Random(seed)
    kinds: list[Any] = [
        lambda: None, lambda: dice.randrange(-10**30, 10**30), lambda: dice.random() * 10**dice.randrange(-300, 300),
        lambda: "".join(chr(dice.choice([0, 10, 34, 92, 127, 0x4E00, 0x20BB7])) for _ in range(5)), lambda: True,
        lambda: Decimal(dice.randrange(10**20)).scaleb(-dice.randrange(30)),
    ]
    for _ in range(2000):
        row = {f"c{n}": dice.choice(kinds)() for n in range(6)}
        line = write_row(row)
        assert isinstance(line, bytes)
        back = json.loads(line, parse_float=Decimal)
        for name, cell in row.items():
            found = back[name]
            assert (float(found) if isinstance(cell, float) else found) == cell, name
