"""Rows as they come: JSON, NDJSON, CSV, in two charsets; what is wrong with one row is told of that row."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import orjson
import pytest

from node.model import codes
from node.model.record import Draft, Record, Refusal
from node.model.trouble import Refused
from node.validate import Limits, Media, read_drafts, sample
from node.validate.mapping import SourceMapping
from tests.validate.held import TODAY, spec
from tests.validate.mapping.made import JOB, JOB_ROW, PERSON_ROW, found, judged, made

CSV = "XH,XM,SFZH,XB,CSRQ\r\n" + ",".join(PERSON_ROW.values()) + "\r\n"


def outcomes(mapping: SourceMapping, drafts: Iterable[Draft]) -> list[list[tuple[str, str]]]:
    """Return (field, rule) of the problems of each row; nothing for a record."""
    return [found(one) for one in mapping.judge_all(drafts, TODAY)]


def ndjson(*rows: dict[str, Any]) -> bytes:
    """Return an NDJSON body."""
    return b"\n".join(map(orjson.dumps, rows)) + b"\n"


@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_rows_come_as_one_object_as_lines_and_as_csv_in_both_charsets(charset: str) -> None:
    mapping = made({})
    name = {**PERSON_ROW, "XM": "㐂𠮷"}
    lines = ndjson(name, PERSON_ROW).decode().encode(charset)
    one = orjson.dumps(name).decode().encode(charset)
    table = (CSV + CSV.splitlines()[1].replace("张三", "㐂𠮷") + "\r\n").encode(charset)
    for kind, body, count in (("ndjson", lines, 2), ("json", one, 1), ("csv", table, 2)):
        drafts = list(mapping.read_drafts(body, Media(kind, charset)))
        assert [draft.index for draft in drafts] == list(range(count))
        records = list(mapping.judge_all(drafts, TODAY))
        assert all(isinstance(record, Record) for record in records)
        assert any("㐂𠮷".encode() in record.body for record in records if isinstance(record, Record))
    usual = made({}, head=f'charset = "{charset}"\n')
    assert outcomes(usual, usual.read_drafts(table, Media("csv"))) == [[], []]


def test_a_spreadsheets_csv_has_its_mark_quotes_and_empty_ends() -> None:
    mapping = made({"Remark": '"BZ"'})
    row = CSV.splitlines()[1]
    body = f'\ufeff"XH",XM,"SFZH",XB,CSRQ,BZ,,\n\n{row},"a ""b"",c",,\n,,,,,,,\n'
    (one,) = mapping.judge_all(mapping.read_drafts(body.encode(), Media("csv")), TODAY)
    assert isinstance(one, Record) and orjson.loads(one.body)["Remark"] == 'a "b",c'
    tabs = made({}, head='separator = "\\t"\n')
    assert outcomes(tabs, tabs.read_drafts(CSV.replace(",", "\t").encode(), Media("csv"))) == [[]]


def test_octets_that_cannot_be_decoded_spoil_their_cell_or_their_line_alone() -> None:
    mapping = made({})
    for charset, bad in (("utf-8", b"\xff"), ("gb18030", b"\x81"), ("gb18030", b"\xff")):
        table = (CSV + CSV.splitlines()[1] + "\r\n").encode(charset).replace("张三".encode(charset), bad, 1)
        drafts = mapping.read_drafts(table, Media("csv", charset))
        assert outcomes(mapping, drafts) == [[("PersonName", "mapping-charset")], []]
        lines = ndjson(PERSON_ROW, PERSON_ROW).decode().encode(charset).replace("张三".encode(charset), bad, 1)
        drafts = mapping.read_drafts(lines, Media("ndjson", charset))
        assert outcomes(mapping, drafts) == [[("", "mapping-charset")], []]


@pytest.mark.parametrize(("line", "rule"), [
    (b"[]", "mapping-json"), (b"1", "mapping-json"), (b"{", "mapping-json"), (b'{"XM":"a","XM":"b"}', "mapping-json"),
    (b'{"XM":NaN}', "mapping-json"), (b'{"XM":"\\ud800"}', "mapping-json"),
    (b'{"a":1e99999999999999999999}', "mapping-json"),
    (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", "mapping-json"), (b'{"a":' + b"9" * 5000 + b"}", "mapping-json"),
    (b"{" + b",".join(b'"c%d":1' % n for n in range(1001)) + b"}", "mapping-json"), (b"\xff\xfe", "mapping-charset"),
])
def test_a_line_that_is_no_row_is_refused_alone(line: bytes, rule: str) -> None:
    mapping = made({})
    body = ndjson(PERSON_ROW) + b"\n" + (line if line[:1] != b"\xff" else b"{" + line) + b"\n" + ndjson(PERSON_ROW)
    assert outcomes(mapping, mapping.read_drafts(body, Media("ndjson"))) == [[], [("", rule)], []]


def test_a_json_number_keeps_its_digits() -> None:
    mapping = made({"Remark": '"N"'})
    number = sample(spec(), 1, next(n for n in range(99) if sample(spec(), 1, n)["IdNumber"].isdigit()))
    row = {**PERSON_ROW, "SFZH": number["IdNumber"], "XB": number["SexCode"], "CSRQ": number["BirthDate"]}
    body = orjson.dumps(row)[:-1] + b',"N":12345678901234567890.10}'
    body = body.replace(b'"%b"' % number["IdNumber"].encode(), number["IdNumber"].encode())
    (one,) = mapping.judge_all(mapping.read_drafts(body, Media("json")), TODAY)
    assert isinstance(one, Record) and orjson.loads(one.body)["Remark"] == "12345678901234567890.10"
    assert orjson.loads(one.body)["IdNumber"] == number["IdNumber"]


@pytest.mark.parametrize(("body", "code"), [
    (b"", codes.MALFORMED), (b"\n\n", codes.MALFORMED), (CSV.splitlines()[0].encode(), codes.MALFORMED),
    (b"\xff\xfe" + CSV.encode("utf-16-le"), codes.MALFORMED), (CSV.encode() + b"\0", codes.MALFORMED),
    (CSV.replace("XM", "XH").encode(), codes.MALFORMED), (b'XH,"XM', codes.MALFORMED), (b'XH,"XM"x\n', codes.MALFORMED),
    (b"a,b\n1,2\n", codes.MALFORMED), (CSV.replace(",", ";").encode(), codes.MALFORMED),
    (b",".join(b"c%d" % n for n in range(1001)) + b"\nx\n", codes.MALFORMED),
    (b"XH," + b"x" * 129 + b"\n1,2\n", codes.MALFORMED),
    (b"XH,\xd0\xd5\n1,2\n", codes.MALFORMED), (CSV.encode() + b'"' + b"x" * 140_000 + b'"\n', codes.MALFORMED),
])
def test_a_table_that_is_none_is_refused_whole(body: bytes, code: object) -> None:
    with pytest.raises(Refused) as caught:
        made({}).read_drafts(body, Media("csv"))
    assert caught.value.code is code


@pytest.mark.parametrize(("limits", "what"), [
    (Limits(octets=40), "body"), (Limits(records=1), "records"), (Limits(record_octets=30), "record"),
])
def test_the_limits_are_those_of_every_door(limits: Limits, what: str) -> None:
    mapping = made({})
    for kind, body in (("csv", CSV.encode() + CSV.encode()), ("ndjson", ndjson(PERSON_ROW, PERSON_ROW))):
        with pytest.raises(Refused) as caught:
            mapping.read_drafts(body, Media(kind), limits)
        assert caught.value.code is codes.TOO_LARGE and caught.value.details["what"] == what


def test_a_row_of_another_length_is_told_and_the_next_one_is_read() -> None:
    mapping = made({})
    row = CSV.splitlines()[1]
    body = f"{CSV}{row},x\r\n{row[:-9]}\r\n{row}\r\n"
    assert outcomes(mapping, mapping.read_drafts(body.encode(), Media("csv"))) == [
        [], [("", "mapping-row")], [("", "mapping-row")], [],
    ]


def test_xml_has_no_columns_and_csv_needs_a_mapping() -> None:
    by_mapping, by_itself = made({}).read_drafts, read_drafts
    for call in (lambda: by_mapping(b"<a/>", Media("xml")), lambda: by_itself(CSV.encode(), Media("csv"), spec())):
        with pytest.raises(Refused) as caught:
            call()
        assert caught.value.code is codes.MEDIA
    assert Media.parse("text/csv; charset=GB18030") == Media("csv", "gb18030")


def test_a_file_of_any_size_is_read_row_by_row() -> None:
    mapping = made({})
    row = (CSV.splitlines()[1] + "\n").encode()

    class Endless(io.RawIOBase):
        """A table without an end, of which a reader may keep no more than it asks for."""

        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            part = CSV.encode() if not self.given else row
            self.given += 1
            buffer[:len(part)] = part
            return len(part)

    stream = Endless()
    rows = mapping.read_csv(io.BufferedReader(stream, 1024), None)
    assert [(line, draft.index) for line, draft in (next(rows) for _ in range(5))] == [(n + 2, n) for n in range(5)]
    assert stream.given < 200
    with pytest.raises(Refused) as caught:
        list(mapping.read_csv(buffered(CSV.encode() + b"x" * 5000), None, Limits(record_octets=900)))
    assert caught.value.code is codes.TOO_LARGE
    folded = CSV + CSV.splitlines()[1].replace("张三", '"张\n三"') + "\n" + CSV.splitlines()[1]
    marked = buffered(b"\xef\xbb\xbf" + folded.encode())
    assert [line for line, _ in mapping.read_csv(marked, None)] == [2, 3, 5]


def buffered(content: bytes) -> io.BufferedReader:
    """Return a stream of bytes as a file gives it."""
    return io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]  # bytes read raw


# --- problems ---------------------------------------------------------------------------------------------------


def test_all_problems_of_a_row_come_at_once_in_the_order_of_the_fields_with_their_columns() -> None:
    mapping = made({
        "EventTime": '{ from = "GXSJ", date = "YYYYMMDD" }', "SexCode": '{ from = "XB", codes = { "男" = "1" } }',
        "BirthDate": '{ from = "CSRQ", date = "YYYY-MM-DD" }', "Remark": '{ join = ["甲", "乙"] }',
    })
    hidden = {"XB": "secret-1", "CSRQ": "secret-2", "甲": "\x01secret-3"}
    one = judged(mapping, {**PERSON_ROW, **hidden, "XM": "", "GXSJ": []})
    assert found(one) == [
        ("EventTime", "mapping-text"), ("Remark", "text"), ("PersonName", "required"), ("SexCode", "mapping-code"),
        ("BirthDate", "mapping-date"),
    ]
    assert isinstance(one, Refusal)
    said = {problem.field: problem.says for problem in one.problems}
    assert said["Remark"].zh.endswith("（来源列：甲、乙）") and said["BirthDate"].en.endswith("(source column: CSRQ)")
    assert "出生日期" in said["BirthDate"].zh and "YYYY-MM-DD" in said["BirthDate"].zh
    assert "secret" not in str(one) and PERSON_ROW["SFZH"] not in str(one)


def test_a_rule_that_reads_a_field_which_could_not_be_mapped_is_silent() -> None:
    mapping = made({
        "PersonStatusCode": '{ from = "ZT", codes = { "死亡" = "3" } }', "DeathDate": '"SWRQ"',
        "BirthDate": '{ from = "CSRQ", date = "YYYY-MM-DD" }',
    })
    assert found(judged(mapping, {**PERSON_ROW, "CSRQ": "x", "ZT": "?", "SWRQ": "20200101"})) == [
        ("BirthDate", "mapping-date"), ("PersonStatusCode", "mapping-code"),
    ]
    born = f"{PERSON_ROW['CSRQ'][:4]}-{PERSON_ROW['CSRQ'][4:6]}-{PERSON_ROW['CSRQ'][6:]}"
    assert found(judged(mapping, {**PERSON_ROW, "CSRQ": born, "ZT": "死亡"})) == [("DeathDate", "death-date")]


def test_a_problem_of_what_repeats_names_the_column_of_its_number() -> None:
    mapping = made({
        "Tags": '{ from = "标签{n}", repeat = 3, codes = { a = "a" } }',
        "Steps": '{ repeat = 3, From = { from = "起{n}", date = "YYYYMMDD" }, To = "止{n}" }',
    }, JOB)
    row = {**JOB_ROW, "标签1": "a", "起2": "20200101", "止2": "2020-01-01"}
    for more, told in (
        ({"标签3": "x", "止3": "2020-01-01"}, [("Tags[2]", "mapping-code", "标签3"), ("Steps[2]/From", "required", "起3")]),
        ({"起1": "20200102", "止1": "2020-01-01"}, [("Steps[1]/From", "order", "起1")]),
        ({"止2": "2019-01-01"}, [("Steps[1]/From", "order", "起2")]),
    ):
        one = judged(mapping, {**row, **more})
        assert isinstance(one, Refusal)
        columns = [problem.says.zh.rpartition("来源列：")[2][:-1] for problem in one.problems]
        assert [(*place, column) for place, column in zip(found(one), columns)] == told


def test_a_part_that_cannot_be_mapped_keeps_its_place() -> None:
    mapping = made({
        "Days": '{ from = "日", items = ";", date = "YYYY/M/D" }', "Tags": '{ from = "T", items = ";" }',
    }, JOB)
    one = judged(mapping, {**JOB_ROW, "日": "2020/1/1; ;x;2020/1/3", "T": []})
    assert found(one) == [("Tags[1]", "mapping-text"), ("Days[2]", "mapping-date")]


def test_columns_that_nobody_named_are_passed_over_or_refused() -> None:
    assert found(judged(made({}), {**PERSON_ROW, "x": "1"})) == []
    strict = made({}, head='strict = true\ndrop = ["y"]\n')
    assert found(judged(strict, {**PERSON_ROW, "y": "1"})) == []
    one = judged(strict, {**PERSON_ROW, "y": "1", "x": "1", PERSON_ROW["SFZH"]: "", "XM": ""})
    assert found(one) == [("", "mapping-column"), ("", "mapping-column"), ("PersonName", "required")]
    assert PERSON_ROW["SFZH"][:6] not in str(one)


def test_warnings_of_a_good_row_name_their_columns_too() -> None:
    mapping = made({})
    old = {**PERSON_ROW, "SFZH": "440524" + "18800101" + "0014", "XB": "1", "CSRQ": "18800101"}
    draft = Draft(0, "row", old)
    assert isinstance(mapping.judge(draft, TODAY), Record)
    assert [(one.rule, one.severity) for one in mapping.problems(draft, TODAY)] == [("citizen-old", "warn")]
    assert "（来源列：SFZH）" in mapping.problems(draft, TODAY)[0].says.zh
    assert mapping.problems(Draft(0, "row", {}), TODAY)


@pytest.mark.parametrize("cell", [
    "x" * 100_001, "\ud800", "\udfff张", "\x00", "\u2028", "9" * 100_000, "," * 100_000, " " * 100_000,
    "１" * 100_000, object(),
    b"x", {"a": {}}, 1e400, 10**4000,
])
def test_no_cell_makes_more_than_a_refusal(cell: Any) -> None:
    mapping = made({
        "EventTime": '{ from = "A", date = ["YYYY-MM-DD", "GB/T 39046"] }', "SexCode": '{ from = "A", names = "zh" }',
        "Remark": '{ join = ["A", "B"], width = "half-all", split = ",", part = 1000 }',
        "SourceSystem": '{ from = "A", without = "9" }',
        "DataVersion": '{ from = "A", number = true, thousands = ",", factor = "10000" }',
        "DomicileAddress": '{ from = "A", characters = [1, 4000], case = "upper" }',
    })
    one = judged(mapping, {**PERSON_ROW, "A": cell, "B": cell})
    assert found(one) and len(str(one)) < 20_000
