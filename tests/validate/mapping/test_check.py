"""What is wrong with a mapping is told at its line, all at once, and such a mapping is not used."""

from __future__ import annotations

from time import process_time

import pytest

from node.model import codes
from node.model.trouble import Hold
from node.validate.mapping import OCTETS, BadMapping, read_mapping
from node.validate.mapping.wording import FAULTS, PROBLEMS
from tests.validate.held import sm3
from tests.validate.mapping.made import FILES, JOB, checked, document, faults, fetch, made, specifications


@pytest.mark.parametrize(("words", "key", "rule"), [
    ("{}", "", "source"), ('{ from = "A", value = "x" }', "", "source"),
    ('{ join = ["A"], first = ["B"] }', "", "source"),
    ("1", "", "source"), ("[]", "", "source"), ('{ fron = "A" }', ".fron", "word"), ("{ from = 1 }", ".from", "kind"),
    ("{ first = [] }", ".first", "kind"), ('{ from = "" }', ".from", "kind"), ('" A"', ".from", "column"),
    ('"A\\u0000"', ".from", "column"), ('{ first = ["A", ""] }', ".first", "column"), ('"A{n}"', ".from", "numbered"),
    (f'"{"a" * 129}"', ".from", "column"),
    ('{ from = "A", by = "-" }', ".by", "goes-with"), ('{ from = "A", split = "-" }', ".split", "goes-with"),
    ('{ from = "A", part = 1 }', ".part", "goes-with"), ('{ from = "A", factor = "10" }', ".factor", "goes-with"),
    ('{ from = "A", otherwise = "1" }', ".otherwise", "goes-with"), ('{ from = "A", as = "YYYY" }', ".as", "goes-with"),
    ('{ value = "x", case = "upper" }', ".case", "apart"), ('{ value = "x", default = "y" }', ".default", "apart"),
    ('{ from = "A", number = true, date = "YYYY-MM-DD", as = "YYYYMMDD" }', ".date", "apart"),
    ('{ from = "A", split = "/", part = 1, characters = [1, 2] }', ".characters", "apart"),
    ('{ from = "A", codes = { a = "1" }, otherwise = "1", keep = true }', ".keep", "apart"),
    ('{ from = "A", codes = { a = "1" }, file = "yn.tsv" }', ".file", "apart"),
    ('{ from = "A", characters = [0, 2] }', ".characters", "kind"),
    ('{ from = "A", characters = [3, 2] }', ".characters", "kind"),
    ('{ from = "A", characters = [1] }', ".characters", "kind"), ('{ from = "A", case = "title" }', ".case", "kind"),
    ('{ from = "A", width = "full" }', ".width", "kind"), ('{ from = "A", number = "yes" }', ".number", "kind"),
    ('{ from = "A", number = true, factor = "0" }', ".factor", "kind"),
    ('{ from = "A", number = true, factor = "-1" }', ".factor", "kind"),
    ('{ from = "A", number = true, factor = "1e9" }', ".factor", "kind"),
    ('{ from = "A", number = true, places = 11 }', ".places", "kind"),
    ('{ from = "A", number = true, places = true }', ".places", "kind"),
    ('{ from = "A", codes = { a = 1 } }', ".codes", "kind"), ('{ from = "A", codes = {} }', ".codes", "kind"),
    ('{ from = "A", codes = "none" }', ".codes", "codes"), ('{ from = "A", file = "none.tsv" }', ".file", "codes"),
    ('{ from = "A", names = "zh" }', ".names", "codes"), ('{ from = "A", repeat = 2 }', ".from", "numbered"),
    ('{ from = "A{n}", repeat = 2 }', ".repeat", "repeat"), ('{ from = "A", items = ";" }', ".items", "repeat"),
    ('{ from = "A", date = "YYYY-MM-DD" }', ".date", "date-target"),
    ('{ from = "A", date = "YYYY-MM-DD", as = "YYYY-M-D" }', ".as", "date-target"),
    ('{ from = "A", date = "YYYY-MM", as = "YYYYMMDD" }', ".as", "date-target"),
    ('{ from = "A", date = "YYYY-MM-DD", zone = "8", as = "YYYYMMDD" }', ".zone", "kind"),
    ('{ from = "A", instead = "x" }', ".instead", "kind"), ('{ from = "A", instead = { a = 1 } }', ".instead", "kind"),
    ('{ from = "A", instead = { a = " x" } }', ".instead.a", "value"),
    ('{ from = "A", given = " x" }', ".given", "value"),
    ('{ from = "A", given = "x", digest = true }', ".digest", "apart"),
    ('{ from = "A", codes = { a = " x" } }', ".codes.a", "value"), ('{ value = " x" }', ".value", "value"),
    (f'{{ value = "{"x" * 1001}" }}', ".value", "value"), ('{ from = "A", default = "x\\t" }', ".default", "value"),
])
def test_a_fault_of_a_field_is_told_at_its_line_and_key(words: str, key: str, rule: str) -> None:
    FILES["yn.tsv"] = "a\t1\n".encode()
    assert (4, f"fields.Remark{key}", rule) in faults({"Remark": words})


@pytest.mark.parametrize("form", [
    "DD-MM", "YY-MM-DD", "YYYYMD", "YYYY-MM-MM", "YYYY-MM-DD hh:ss", "YYYY-MM-DD x", "YYYY-MM hh", "", "YYYY-MM-DDf",
    "YYYY-MM-DD" + "-" * 64, '", "', 'YYYY-MM-DD", "YYYY-DD-MM', 'YYYY-MM-DD", "YYYY-MM-DD', 'serial", "YYYY-MM-DD',
])
def test_a_form_of_a_date_is_read_in_one_way_or_not_at_all(form: str) -> None:
    told = faults({"BirthDate": f'{{ from = "A", date = ["{form}"] }}'})
    assert told == [(4, "fields.BirthDate.date", "date-form")]


@pytest.mark.parametrize(("fields", "key", "rule"), [
    ({"Nobody": '"A"'}, "fields.Nobody", "field"), ({"sexCode": '"A"'}, "fields.sexCode", "field"),
    ({"SexCode": '{ from = "A", codes = { "女" = "7" } }'}, "fields.SexCode.codes.女", "value"),
    ({"SexCode": '{ value = "女" }'}, "fields.SexCode.value", "value"),
    ({"SexCode": '{ from = "A", names = "zh", otherwise = "8" }'}, "fields.SexCode.otherwise", "value"),
    ({"SexCode": '{ from = "A", names = "fr" }'}, "fields.SexCode.names", "codes"),
    ({"DomicileRegionCode": '{ from = "A", names = "name" }'}, "fields.DomicileRegionCode.names", "same-name"),
    ({"Operation": '{ value = "X" }'}, "fields.Operation.value", "value"),
    ({"IdNumber": '{ value = "110105194912310021" }'}, "fields.IdNumber.value", "value"),
    ({"RecordId": '"SFZH"'}, "fields.RecordId", "personal"),
    ({"RecordId": '{ join = ["A", "XM"] }'}, "fields.RecordId", "personal"),
    ({"RecordId": '{ value = "1" }'}, "fields.RecordId", "constant-row"),
])
def test_what_the_specification_does_not_take_is_told(fields: dict[str, str], key: str, rule: str) -> None:
    assert (4, key, rule) in faults(fields)


@pytest.mark.parametrize(("fields", "key", "rule"), [
    ({"Steps": '"A"'}, "fields.Steps", "group"), ({"Steps": '{ To = "A" }'}, "fields.Steps.From", "required"),
    ({"Steps": '{ repeat = 6, From = "A{n}" }'}, "fields.Steps.repeat", "repeat"),
    ({"Steps": '{ repeat = 2, From = "A" }'}, "fields.Steps.From.from", "numbered"),
    ({"Steps": '{ repeat = "2", From = "A" }'}, "fields.Steps.repeat", "repeat"),
    ({"Steps": '{ repeat = 2, From = "A{n}", Papers = { repeat = 2, Title = "B{n}" } }'}, "fields.Steps.Papers.repeat",
     "nested"),
    ({"Steps": '{ repeat = 2, From = { from = "A{n}", repeat = 2 } }'}, "fields.Steps.From.repeat", "nested"),
    ({"Steps": '{ From = "A", Person.Sex = { value = "3" } }'}, "fields.Steps.Person.Sex.value", "value"),
    ({"Tags": '{ from = "A{n}", repeat = 6 }'}, "fields.Tags.repeat", "repeat"),
    ({"Tags": '{ from = "A", items = ";", default = "x" }'}, "fields.Tags.default", "apart"),
    ({"Score": '{ value = "1000" }'}, "fields.Score.value", "value"),
    ({"Amounts": '{ value = "0" }'}, "fields.Amounts.value", "value"),
    ({"repeat": "2"}, "fields.repeat", "field"),
])
def test_faults_of_groups_and_of_what_repeats_are_told(fields: dict[str, str], key: str, rule: str) -> None:
    assert (4, key, rule) in faults(fields, JOB)


@pytest.mark.parametrize(("head", "key", "rule"), [
    ("strict = 1", "mapping.strict", "kind"), ("zone = \"Z\"", "mapping.zone", "kind"), ("x = 1", "mapping.x", "word"),
    ('charset = "gbk"', "mapping.charset", "kind"), ('separator = "ab"', "mapping.separator", "kind"),
    ('drop = ["XM"]', "mapping.drop", "dropped"), ('drop = [" A"]', "mapping.drop", "column"),
    ('empty = "NULL"', "mapping.empty", "kind"),
])
def test_faults_of_the_head_are_told(head: str, key: str, rule: str) -> None:
    assert faults({}, head=head + "\n") == [(3, key, rule)]


@pytest.mark.parametrize(("content", "line", "rule"), [
    (b"", None, "missing"), (b"[mapping]\n", 1, "missing"), (b"x = 1", 1, "word"),
    (b'[mapping]\nspecification = "none/1.0"', 2, "specification"),
    (b'[mapping]\nspecification = "population-basic/1.0"', None, "missing"),
    (b"[mapping]\nspecification = 1", 2, "kind"), ("[mapping]\n姓名 = 1".encode(), 2, "syntax"),
    (b"[mapping]\na = 1\na = 2", None, "syntax"), (b"[mapping]\n\xff", 2, "encoding"),
    (b"a = " + b"[" * 5000, None, "deep"),
    (b"a = " + b"9" * 5000, None, "deep"), (b"#" * (OCTETS + 1), None, "size"), (b"fields = 1", None, "missing"),
    (b"codes = 1\nfields = 1\n[mapping]\nspecification = 'population-basic/1.0'", 2, "missing"),
    (b"codes = 1\n[mapping]\nspecification = 'population-basic/1.0'\n[fields]", 1, "kind"),
    (b'[mapping]\nspecification = "population-basic/1.0"\n[codes.x]\na = 1\n[fields]', 3, "kind"),
])
def test_a_file_that_is_no_mapping_is_told_with_its_line_where_there_is_one(
    content: bytes, line: int | None, rule: str
) -> None:
    told = [(one.line, one.rule) for one in checked(content)]
    assert (line, rule) in told or line is None and rule in [rule for _, rule in told]


def test_two_sources_of_one_field_are_one_key_too_many() -> None:
    (fault,) = checked(document({}) + b'Remark = "A"\nRemark = "B"\n')
    assert fault.rule == "syntax"


def test_a_mandatory_field_without_a_source_is_told() -> None:
    content = document({}).replace(b'PersonName = "XM"\n', b"")
    assert [(one.key, one.rule) for one in checked(content)] == [("fields.PersonName", "required")]


def test_all_faults_are_told_at_once_in_the_order_of_their_lines_and_in_both_languages() -> None:
    content = document({"Remark": '{ from = "A", case = "x" }', "SexCode": '{ value = "7" }', "Nobody": '"B"'})
    with pytest.raises(Hold) as caught:
        read_mapping("旧系统", content, specifications(), fetch, sm3)
    assert isinstance(caught.value, BadMapping) and caught.value.code is codes.MAPPING_FORM
    told = caught.value.faults
    assert [(one.line, one.rule) for one in told] == [(4, "kind"), (5, "value"), (6, "field")]
    assert all(one.says.zh and one.says.en and "{" not in one.says.zh + one.says.en for one in told)
    assert "3处错误" in caught.value.sentence.zh and "旧系统:4  fields.Remark.case" in caught.value.text("zh")


@pytest.mark.parametrize("content", [b"", b"a\n", b"a\t\n", b"a\t1\na\t2\n", b"a\t1\tx\n", b"\xff\t1\n"])
def test_a_bad_table_of_codes_is_told(content: bytes) -> None:
    FILES["bad.tsv"] = content
    assert faults({"Remark": '{ from = "A", file = "bad.tsv" }'}) == [(4, "fields.Remark.file", "code-file")]


def test_more_columns_fields_or_codes_than_bounds_are_told() -> None:
    many = ", ".join(f'"c{n}"' for n in range(600))
    assert (3, "fields", "columns") in faults({"Remark": f"{{ first = [{many}] }}", "SourceSystem": '"y"',
                                               "HouseholdNo": f"{{ first = [{many.replace('c', 'd')}] }}"})
    FILES["many.tsv"] = "".join(f"c{n}\tx\n" for n in range(10_001)).encode()
    assert faults({"Remark": '{ from = "A", file = "many.tsv" }'}) == [(4, "fields.Remark.file", "many-codes")]


def test_a_file_made_to_cost_time_costs_little() -> None:
    head = b'[mapping]\nspecification = "population-basic/1.0"\n[fields]\n'
    dotted, quoted = head + b".".join([b"a"] * 100_000) + b" = 1", head + b'"' + b'a"."' * 100_000 + b'b" = 1'
    table = b"".join(b'f%d = { from = "A", codes = "x" }\n' % n for n in range(1000)) + b"[codes.x]\n"
    begun = process_time()
    for content, rule in ((dotted, "deep"), (quoted, "deep"), (head + table + b'c = "1"\n', "field"),
                          (head + b"".join(b"f%d = 1\n" % n for n in range(90_000)), "field")):
        told = checked(content)
        assert rule in {one.rule for one in told} and len(told) <= 1000
    many = "".join(f'c{n} = "x"\n' for n in range(9_999))
    fields = {name: '{ from = "A", codes = "x" }' for name in (
        "Remark", "SourceSystem", "HouseholdNo", "DomicileAddress", "ResidenceAddress", "PersonName", "BatchNo")}
    told = checked(document(fields, rest="[codes.x]\n" + many))
    assert "many-codes" in {one.rule for one in told}
    assert process_time() - begun < 60


def test_every_sentence_has_two_languages_and_says_its_marks_only() -> None:
    for says in (*FAULTS.values(), *PROBLEMS.values()):
        for text in (says.zh, says.en):
            assert text.format(label="L", bound="B") and text.count("{label}") <= 1
    assert made({}).id == specifications().get("population-basic/1.0").id  # type: ignore[union-attr]  # it is held
