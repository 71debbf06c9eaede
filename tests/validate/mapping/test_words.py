"""Each word of a mapping, by what it makes of a text."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from node.model.record import Record, Refusal
from tests.validate.mapping.made import FILES, JOB, JOB_ROW, PERSON_ROW, found, judged, made


def remark(words: str, head: str = "", rest: str = "", **row: Any) -> Any:
    """Return what a row gives for Remark, a text; the rule if it cannot be mapped."""
    mapping = made({"Remark": words}, head=head, rest=rest)
    one = judged(mapping, {**PERSON_ROW, **row})
    if isinstance(one, Refusal):
        (problem,) = one.problems
        assert problem.field == "Remark"
        return problem.rule
    return mapping.twin(row).get("Remark")


@pytest.mark.parametrize(("words", "row", "wanted"), [
    ('"A"', {"A": "x"}, "x"), ('{ from = "A" }', {"A": " 　x　\t"}, "x"), ('"A"', {"A": "　"}, None), ('"A"', {}, None),
    ('"A"', {"A": None}, None), ('"A"', {"A": 12}, "12"), ('"A"', {"A": True}, "true"),
    ('"A"', {"A": Decimal("1.50")}, "1.50"),
    ('"A"', {"A": Decimal("1E+3")}, "1000"), ('"A"', {"A": []}, "mapping-text"),
    ('"A"', {"A": Decimal("NaN")}, "mapping-text"),
    ('"A"', {"A": Decimal("1E+999999")}, "mapping-text"), ('"A"', {"A": 10 ** 50}, "mapping-text"),
    ('{ value = "常量" }', {}, "常量"),
    ('{ join = ["A", "B"], by = "-" }', {"A": "1", "B": "2"}, "1-2"),
    ('{ join = ["A", "B"] }', {"A": "1", "B": " "}, "1"),
    ('{ join = ["A", "B"], by = "-" }', {}, None),
    ('{ first = ["A", "B"] }', {"A": "", "B": "2"}, "2"), ('{ first = ["A", "B"] }', {"A": "1", "B": "2"}, "1"),
    ('{ first = ["A", "B"] }', {}, None),
    ('{ from = "A", default = "无" }', {}, "无"), ('{ from = "A", default = "无" }', {"A": "x"}, "x"),
    ('{ from = "A", empty = ["NULL", "-"] }', {"A": " NULL "}, None),
    ('{ from = "A", empty = ["-"], default = "d" }', {"A": "-"}, "d"),
    ('{ from = "A", width = "half" }', {"A": "Ａｚ９，（１）"}, "Az9，（1）"),
    ('{ from = "A", width = "half-all" }', {"A": "Ａ　９，（１）　"}, "A 9,(1)"),
    ('{ from = "A", width = "half", empty = ["NULL"] }', {"A": "ＮＵＬＬ"}, None),
    ('{ from = "A", case = "upper" }', {"A": "ab我x"}, "AB我X"), ('{ from = "A", case = "lower" }', {"A": "AB"}, "ab"),
    ('{ from = "A", without = "- ()" }', {"A": "(0763) 12-34"}, "07631234"),
    ('{ from = "A", without = "-" }', {"A": "--"}, None),
    ('{ from = "A", split = "/", part = 2 }', {"A": "广东 / 清远/清城"}, "清远"),
    ('{ from = "A", split = "/", part = 1 }', {"A": "x"}, "x"),
    ('{ from = "A", split = "/", part = 2 }', {"A": "x"}, None),
    ('{ from = "A", split = "/", part = 2, default = "d" }', {"A": "x/"}, "d"),
    ('{ from = "A", characters = [7, 14] }', {"A": "44180019900101...."}, "19900101"),
    ('{ from = "A", characters = [7, 14] }', {"A": "44180019900"}, "mapping-split"),
    ('{ from = "A", codes = { "男" = "1", "女" = "2" } }', {"A": "女"}, "2"),
    ('{ from = "A", codes = { "男" = "1" } }', {"A": "女"}, "mapping-code"),
    ('{ from = "A", codes = { "男" = "1" }, otherwise = "9" }', {"A": "女"}, "9"),
    ('{ from = "A", codes = { "男" = "1" }, otherwise = "9" }', {}, None),
    ('{ from = "A", codes = { "男" = "1" }, keep = true }', {"A": "2"}, "2"),
    ('{ from = "A", codes = { true = "1", false = "0" } }', {"A": False}, "0"),
    ('{ from = "A", codes = { "1" = "I" } }', {"A": 1}, "I"),
    ('{ from = "A", given = "有" }', {"A": "x"}, "有"), ('{ from = "A", given = "有" }', {"A": " "}, None),
    ('{ from = "A", given = "有", default = "没有" }', {}, "没有"),
    ('{ from = "A", number = true, instead = { "面议" = "0" } }', {"A": "面议 "}, "0"),
    ('{ from = "A", number = true, instead = { "面议" = "0" } }', {"A": "7"}, "7"),
    ('{ from = "A", case = "lower", digest = true }', {"A": "abc"}, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c487"),
    ('{ from = "A", digest = false }', {"A": "abc"}, "abc"),
    ('{ from = "A", digest = true }', {"A": "\ud800"}, "mapping-text"),
])
def test_a_text_is_taken_and_changed_as_the_words_say(words: str, row: dict[str, Any], wanted: str | None) -> None:
    assert remark(words, **row) == wanted


def test_what_holds_for_all_fields_is_said_once_and_a_field_may_say_otherwise() -> None:
    head = 'empty = ["NULL", "无"]\nwidth = "half"\n'
    assert remark('"A"', head, A="ＮＵＬＬ") is None and remark('"A"', head, A="１") == "1"
    assert remark('{ from = "A", empty = ["x"], width = "keep" }', head, A="无１") == "无１"


def test_codes_stand_in_the_mapping_once_in_a_file_beside_it_or_in_the_fields_own_table() -> None:
    rest = '[codes.yn]\n"是" = "Y"\n"否" = "N"\n'
    assert remark('{ from = "A", codes = "yn" }', rest=rest, A="否") == "N"
    FILES["yn.tsv"] = "\ufeff是\tY\r\n\r\n否\tN\r\n".encode()
    assert remark('{ from = "A", file = "yn.tsv" }', A="是") == "Y"
    mapping = made({
        "SexCode": '{ from = "XB", names = "zh" }', "EthnicityCode": '{ from = "MZ", names = "zh", keep = true }',
    })
    twin = mapping.twin({"XB": "女", "MZ": "汉族"})
    assert (twin["SexCode"], twin["EthnicityCode"]) == ("2", "01")
    assert mapping.twin({"MZ": "02"})["EthnicityCode"] == "02"


@pytest.mark.parametrize(("words", "text", "wanted"), [
    ("number = true", "1234.50", "1234.50"), ("number = true", "+007", "7"), ("number = true", "-0.00", "0.00"),
    ("number = true", ".5", "0.5"),
    ("number = true", "5.", "5"), ("number = true", "-012.3", "-12.3"), ("number = true", "1,234", "mapping-number"),
    ('number = true, thousands = ","', "1,234,567.89", "1234567.89"),
    ('number = true, thousands = ","', "12,34", "mapping-number"),
    ('number = true, thousands = ","', "1234", "1234"), ('number = true, thousands = ","', "-1,234", "-1234"),
    ('number = true, factor = "10000"', "0.2", "2000"), ('number = true, factor = "0.0001"', "2000", "0.2"),
    ('number = true, factor = "0.0001"', "1", "0.0001"),
    ('number = true, factor = "10000", places = 2', "0.123456", "1234.56"),
    ('number = true, factor = "10000", places = 2', "0.1234567", "mapping-number"),
    ("number = true, places = 2", "7", "7.00"),
    ("number = true, places = 2", "7.10000", "7.10"), ("number = true, places = 0", "7.00", "7"),
    ("number = true, places = 0", "7.01", "mapping-number"),
    ("number = true", "1e5", "mapping-number"), ("number = true", "١", "mapping-number"),
    ("number = true", "+", "mapping-number"),
    ("number = true", ".", "mapping-number"), ("number = true", "", None), ("number = true", "9" * 40, "9" * 40),
    ("number = true", "9" * 41, "mapping-number"), ('number = true, factor = "10000"', "9" * 40, "9" * 40 + "0000"),
    ("number = true", "NaN", "mapping-number"), ("number = true", "--1", "mapping-number"),
])
def test_numbers_are_exact_or_refused(words: str, text: str, wanted: str | None) -> None:
    assert remark(f'{{ from = "A", {words} }}', A=text) == wanted


DATE, TIME = 'as = "YYYYMMDD"', 'as = "YYYY-MM-DDThh:mm:ssZ"'


@pytest.mark.parametrize(("forms", "target", "text", "wanted"), [
    ('"YYYY-MM-DD"', DATE, "2020-02-29", "20200229"), ('"YYYY-MM-DD"', DATE, "2019-02-29", None),
    ('"YYYY-MM-DD"', DATE, "2020-2-9", None),
    ('"YYYYMMDD"', 'as = "YYYY-MM-DD"', "20200229", "2020-02-29"), ('"YYYY/M/D"', DATE, "2020/2/9", "20200209"),
    ('"YYYY/M/D"', DATE, "2020/12/31", "20201231"),
    ('"YYYY年M月D日"', DATE, "2020年2月9日", "20200209"), ('"YYYY.MM.DD"', DATE, "2020-02-09", None),
    ('"YYYY-MM-DD"', DATE, "0000-01-01", None),
    ('["YYYY-MM-DD", "YYYYMMDD"]', DATE, "20200209", "20200209"),
    ('["YYYY-MM-DD", "YYYYMMDD"]', DATE, "2020-02-09", "20200209"),
    ('"GB/T 39046"', TIME, "20190101123456", "2019-01-01T12:34:56+08:00"),
    ('"GB/T 39046"', TIME, "20190101T123456", "2019-01-01T12:34:56+08:00"),
    ('"GB/T 39046"', TIME, "2019010112:34:56", "2019-01-01T12:34:56+08:00"),
    ('"GB/T 39046"', TIME, "20190101T246000", None),
    ('"YYYY-MM-DD hh:mm:ssf"', TIME, "2019-01-01 12:34:56.0", "2019-01-01T12:34:56+08:00"),
    ('"YYYY-MM-DD hh:mm:ssf"', TIME, "2019-01-01  12:34:56", "2019-01-01T12:34:56+08:00"),
    ('"YYYY-MM-DD h:mm"', TIME, "2019-01-01 9:05", "2019-01-01T09:05:00+08:00"),
    ('"YYYY-MM-DD"', TIME, "2019-01-01", "2019-01-01T00:00:00+08:00"),
    ('"YYYY-MM-DD", zone = "-03:30"', TIME, "2019-01-01", "2019-01-01T00:00:00-03:30"),
    ('"YYYY-MM-DDThh:mm:ssZ"', TIME, "2019-01-01T01:02:03Z", "2019-01-01T01:02:03Z"),
    ('"YYYY-MM-DDThh:mm:ssZ"', TIME, "2019-01-01T01:02:03+0900", "2019-01-01T01:02:03+09:00"),
    ('"YYYY-MM-DDThh:mm:ssZ"', DATE, "2019-12-31T16:00:00Z", "20200101"),
    ('"YYYY-MM-DDThh:mm:ssZ"', DATE, "2019-12-31T15:59:59Z", "20191231"),
    ('"YYYY-MM-DDThh:mm:ssZ"', DATE, "9999-12-31T23:59:59Z", None),
    ('"YYYY-MM-DD"', 'as = "YYYY年MM月DD日"', "2020-02-09", "2020年02月09日"),
    ('"YYYY-MM"', 'as = "YYYYMM"', "2020-02", "202002"), ('"serial"', DATE, "43831", "20200101"),
    ('"serial"', TIME, "43831.75", "2020-01-01T18:00:00+08:00"),
    ('"serial"', DATE, "99999999999", None), ('"seconds"', TIME, "1577836800", "2020-01-01T08:00:00+08:00"),
    ('"milliseconds"', TIME, "1577836800999", "2020-01-01T08:00:00+08:00"),
    ('"milliseconds"', TIME, "9" * 15, None), ('"seconds"', TIME, "x", None),
    ('"YYYY-MM-DD"', DATE, "2" * 100_000, None),
    ('"YYYY-MM-DD"', DATE, "２０２０-01-01", None),
])
def test_dates_come_in_a_declared_form_and_go_out_in_the_fields(
    forms: str, target: str, text: str, wanted: str | None
) -> None:
    assert remark(f'{{ from = "A", date = {forms}, {target} }}', A=text) == (wanted or "mapping-date")


def test_the_type_of_a_field_tells_the_form_of_its_date() -> None:
    mapping = made({
        "EventTime": '{ from = "T", date = "YYYYMMDDhhmmss" }', "BirthDate": '{ from = "B", date = "YYYY-MM-DD" }',
    })
    twin = mapping.twin({"T": "20190101123456", "B": "1990-01-01"})
    assert (twin["EventTime"], twin["BirthDate"]) == ("2019-01-01T12:34:56+08:00", "19900101")


JOB_WORDS = {
    "Tags": '{ from = "标签{n}", repeat = 3 }', "Amounts": '{ from = "金额", items = ";", number = true, thousands = "," }',
    "Steps": '{ repeat = 3, From = { from = "起{n}", date = "YYYY/M/D" }, To = "止{n}", Person.Sex = "性别{n}", '
             'Papers.Title = "材料{n}" }',
    "Score": '{ from = "分", number = true }', "Days": '{ from = "日", date = "YYYYMMDD", items = "、" }',
}


def test_groups_come_from_dotted_names_and_repeated_ones_from_numbered_columns() -> None:
    mapping = made(JOB_WORDS, JOB)
    row = {
        **JOB_ROW, "标签1": "a", "标签2": None, "标签3": "c", "金额": "1,000.5; 2", "分": "7.0", "日": "20200101、20200102",
        "起1": "2020/1/1", "止1": "2020-01-02", "起3": "2020/3/1", "性别3": "1", "材料3": "证",
    }
    assert {name: value for name, value in mapping.twin(row).items() if name in JOB_WORDS} == {
        "Tags": ["a", "c"], "Amounts": ["1000.5", "2"], "Score": "7", "Days": ["2020-01-01", "2020-01-02"],
        "Steps": [
            {"From": "2020-01-01", "To": "2020-01-02"},
            {"From": "2020-03-01", "Person": {"Sex": "1"}, "Papers": [{"Title": "证"}]},
        ],
    }
    one = judged(mapping, {**row, "金额": "1"})
    assert isinstance(one, Record), found(one)
    assert found(judged(mapping, {**row, "金额": "1,000"})) == [("Amounts[1]", "max-exclusive")]


def test_columns_are_taken_by_their_very_names() -> None:
    mapping = made({"Remark": '"Bz"'})
    assert mapping.twin({"bz": "1", "BZ": "2"}).get("Remark") is None and mapping.twin({"Bz": "3"})["Remark"] == "3"


def test_a_row_id_joined_from_columns_needs_all_of_them() -> None:
    mapping = made({"RecordId": '{ join = ["A", "B"], by = "-" }'})
    assert mapping.twin({"A": "1", "B": "2"})["RecordId"] == "1-2"
    assert "RecordId" not in mapping.twin({"A": "1"})


def test_an_operation_is_translated_and_a_delete_needs_no_more_than_its_key() -> None:
    mapping = made({"Operation": '{ from = "CZ", codes = { "增" = "I", "删" = "D" } }'})
    one = judged(mapping, {"XH": "r-1", "CZ": "删", "SFZH": PERSON_ROW["SFZH"]})
    assert isinstance(one, Record) and one.operation.value == "delete"
