"""A text becomes a value of its column, or is refused; nothing of it is lost on the way, and nothing of it is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from adapters.landing import cells
from adapters.landing.cells import Unfit
from adapters.landing.paths import getter, matched, paths
from tests.adapters.tried import seeds

CHINA = timezone(timedelta(hours=8))
BIG = cells.whole(-(1 << 31), (1 << 31) - 1)


@pytest.mark.parametrize(("fit", "said", "value"), [
    (cells.Text(3, None), "张三㐂", "张三㐂"), (cells.Text(None, "gbk"), "张三", "张三"), (cells.Text(9, "bmp"), "㐂", "㐂"),
    (cells.Text(None, None), ["a", {"b": "张"}], '["a",{"b":"张"}]'),
    (BIG, "-7", -7), (BIG, "7.00", 7), (BIG, "2147483647", (1 << 31) - 1),
    (cells.exact(5, 2), "123.45", Decimal("123.45")), (cells.exact(5, 2), "123.4500", Decimal("123.4500")),
    (cells.exact(5, 2), "0.00", Decimal("0.00")), (cells.exact(2, 2), "0.99", Decimal("0.99")),
    (cells.exact(None, None), "1" * 50, Decimal("1" * 50)),
    (cells.floating(False), "0.1", 0.1), (cells.floating(False), "123456789.12345", 123456789.12345),
    (cells.floating(True), "0.5", 0.5), (cells.floating(False), "-0", 0.0),
    (cells.truth, "true", True), (cells.truth, "0", False), (cells.octets(2), "00fF", b"\0\xff"),
    (cells.day(CHINA), "20190228", date(2019, 2, 28)), (cells.day(CHINA), "2019-02-28", date(2019, 2, 28)),
    (cells.day(CHINA), "2019-02-28T00:00:00", date(2019, 2, 28)),
    (cells.day(CHINA), "2019-02-27T16:00:00Z", date(2019, 2, 28)),
    (cells.stamp(CHINA, 6, False), "2019-02-28T09:30:00+09:00", datetime(2019, 2, 28, 8, 30)),
    (cells.stamp(CHINA, 6, True), "20190228T093000", datetime(2019, 2, 28, 9, 30, tzinfo=CHINA)),
    (cells.stamp(CHINA, 6, False), "2019022809:30:00", datetime(2019, 2, 28, 9, 30)),
    (cells.stamp(CHINA, 3, False), "2019-02-28T09:30:00.1200", datetime(2019, 2, 28, 9, 30, 0, 120_000)),
    (cells.stamp(CHINA, 0, False), "20190228", datetime(2019, 2, 28)),
    (cells.clock(0, CHINA), "09:30:00", time(9, 30)), (cells.clock(6, CHINA), "093000.5", time(9, 30, 0, 500_000)),
    (cells.clock(0, CHINA), "09:30:00+08:00", time(9, 30)), (cells.as_json, {"a": "张"}, '{"a": "张"}'),
    (BIG, "-" + "0" * 5000 + "7", -7), (cells.as_number, "7", 7),
    (cells.as_number, "123456789012.345", "123456789012.345"),
])
def test_what_fits_becomes_a_value(fit: Callable[[Any], Any], said: Any, value: Any) -> None:
    assert fit(said) == value


@pytest.mark.parametrize(("fit", "said"), [
    (cells.Text(2, None), "张三㐂"), (cells.Text(9, "gbk"), "㐂"), (cells.Text(9, "bmp"), "𠮷"),
    (cells.Text(9, "ascii"), "张"), (cells.Text(9, None), "\udcff"), (cells.Text(9, None), "a\0b"),
    (BIG, "2147483648"), (BIG, "7.5"), (BIG, "七"), (BIG, "1e3"), (BIG, ""), (BIG, "٧"), (BIG, ["7"]),
    (cells.exact(5, 2), "1234.5"), (cells.exact(5, 2), "1.234"), (cells.exact(5, 0), "1.5"), (cells.exact(5, 2), "NaN"),
    (cells.floating(False), "0.1234567890123456789"),
    (cells.floating(True), "16777217"),
    (cells.floating(True), "1" * 50),
    (cells.floating(False), "9" * 400),
    (cells.truth, "yes"), (cells.octets(1), "00ff"), (cells.octets(9), "0g"),
    (cells.octets(9), "00 ff"), (cells.day(CHINA), "20190229"), (cells.day(CHINA), "2019-02-28T09:30:00"),
    (cells.day(CHINA), "201902"), (cells.day(CHINA), ["20190228"]), (cells.day(CHINA), "2019-0228"),
    (cells.day(CHINA), "二〇一九"),
    (cells.stamp(CHINA, 3, False), "2019-02-28T09:30:00.1234"),
    (cells.stamp(CHINA, 6, False), "2019-02-28T24:30:00"),
    (cells.stamp(CHINA, 6, False), "0001-01-01T00:00:00+14:00"), (cells.clock(0, CHINA), "25:00:00"),
    (cells.clock(0, CHINA), "09:30:00.5"), (cells.clock(0, CHINA), "09:30:00+09:00"), (cells.clock(0, CHINA), "9:30"),
    (cells.as_number, "1234567890.12345678"), (cells.as_number, "9" * 20),
])
def test_what_does_not_fit_is_refused_without_being_told(fit: Callable[[Any], Any], said: Any) -> None:
    with pytest.raises(Unfit) as met:
        fit(said)
    assert met.value.zh and met.value.en
    assert len(str(said)) < 3 or str(said) not in met.value.zh + met.value.en


@pytest.mark.parametrize("seed", seeds(5, 20))
def test_a_number_that_fits_is_kept_to_its_last_digit(seed: int) -> None:
    dice = Random(seed)
    for _ in range(200):
        said = f"{dice.choice(['', '-'])}{dice.randrange(10 ** dice.randrange(1, 20))}.{dice.randrange(10**6):06}"
        assert cells.exact(25, 6)(said) == Decimal(said)
        for fit, digits in ((cells.floating(False), 17), (cells.floating(True), 6), (cells.as_number, 15)):
            try:
                value = fit(said)
            except Unfit:
                assert len(said.strip("-0.").replace(".", "")) > digits - 3
                continue
            assert Decimal(said) in (Decimal(f"{float(value):.{min(digits, 15)}g}"), Decimal(repr(value).strip("'")))


def test_fields_are_found_by_path_and_columns_by_their_names() -> None:
    fields = {"Name": "张三", "Address": {"City": "京", "Road": {"No": "1"}}, "Members": [{"Name": "甲"}, {"Age": "7"}]}
    asked = ("Name", "Address.City", "Address.Road.No", "Address.None", "Name.No")
    assert [getter(path)(fields) for path in asked] == ["张三", "京", "1", None, None]
    assert getter("Members.Name")(fields) == ["甲", None] and getter("Address")(fields) == fields["Address"]
    known = list(dict.fromkeys(paths(fields)))
    assert known == ["Name", "Address.City", "Address.Road.No", "Members", "Members.Name", "Members.Age"]
    assert matched(["NAME", "address_city", "ADDRESS.ROAD.NO", "OTHER", "members"], known) == {
        "NAME": "Name", "address_city": "Address.City", "ADDRESS.ROAD.NO": "Address.Road.No", "members": "Members"}
