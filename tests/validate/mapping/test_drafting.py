"""Mappings drafted from old tables: they load, they are right, and what may be wrong is marked."""

from __future__ import annotations

import json
import re
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Draft, Record
from node.validate import sample
from node.validate.mapping import SourceMapping, load_mapping
from node.validate.mapping.drafting import Drafted, draft_mapping
from node.validate.mapping.drafting.dates import FORMS, forms
from node.validate.mapping.drafting.entries import EMPTY_PLACE
from node.validate.mapping.drafting.initials import initials
from node.validate.mapping.drafting.synonyms import SYNONYMS
from node.validate.shape import leaves
from tests.validate.held import NAMES, TODAY, held, sm3, spec
from tests.validate.mapping.legacy_tables import ALL, Old

PERSON = "population-basic/1.0"


def drafted(old: Old) -> Drafted:
    """Draft a mapping of a whole old table."""
    return draft_mapping(spec(old.specification), old.described(), old.lines(), TODAY, sm3)


def loaded(text: str, folder: Path) -> SourceMapping:
    """Read a draft as the node does."""
    (folder / "draft.toml").write_text(text, encoding="utf-8")
    return load_mapping(folder / "draft.toml", held(), sm3)


def of(columns: Mapping[str, str], rows: list[dict[str, Any]], key: str = "", name: str = PERSON) -> Drafted:
    """Draft a mapping of a small table; `columns` are names with their comments."""
    described = {"name": "T", "columns": [
        {"name": one, "kind": "VARCHAR(200)", "comment": said, "key": one == key} for one, said in columns.items()]}
    return draft_mapping(spec(name), described, [json.dumps(row).encode() for row in rows], TODAY, sm3)


def field(draft: Drafted, path: str) -> Any:
    """Return what a draft says of a field, None if nothing."""
    return tomllib.loads(draft.text)["fields"].get(path)


# --- old tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_an_old_table_is_matched_loads_and_nearly_all_its_rows_are_records(name: str, tmp_path: Path) -> None:
    old = ALL[name]()
    draft = drafted(old)
    found = {one.path: one for one in draft.entries if not one.off}
    right = [path for path, column in old.truth.items() if path in found and column in found[path].columns]
    assert len(right) >= 0.9 * len(old.truth), set(old.truth) - set(right)
    for path, entry in found.items():
        assert path in right or not entry.columns or entry.doubtful, f"{path} is silently wrong: {entry.columns}"
    mapping = loaded(draft.text, tmp_path)
    judged = [mapping.judge(Draft(number, "json", line), TODAY) for number, line in enumerate(old.lines())]
    good = sum(isinstance(one, Record) for one in judged)
    assert draft.faults == () and good == draft.good >= 0.95 * draft.rows


def _called(how: str, path: str, label: str) -> str:
    plain = re.sub("（.*?）", "", label)
    if how == "pinyin":
        return (initials(re.sub("(?<!信用)代码$", "", plain)) or (path,))[0]
    return path if how == "field" else plain


@pytest.mark.parametrize("how", ["field", "label", "pinyin"])
def test_columns_called_as_the_fields_of_every_specification_are_matched_and_none_is_silently_wrong(how: str) -> None:
    right = wanted = 0
    for name in NAMES:
        fields = {path: leaf for path, leaf in leaves(spec(name).shape.record) if "/" not in path and leaf.most == 1}
        called = {path: _called(how, path, leaf.label.zh) for path, leaf in fields.items()}
        once = {path: column for path, column in called.items() if list(called.values()).count(column) == 1}
        twins = [sample(spec(name), 3, number) for number in range(30)]
        rows = [{column: twin.get(path) for path, column in called.items()} for twin in twins]
        found = {one.path: one for one in of(dict.fromkeys(called.values(), ""), rows, name=name).entries}
        for path in (path for path in once if any(path in twin for twin in twins)):
            right += path in found and once[path] in found[path].columns
            wanted += 1
        assert all(one.doubtful or not one.columns or called[path] in one.columns for path, one in found.items()), name
    assert right >= 0.98 * wanted > 300


@pytest.mark.parametrize("name", ALL)
def test_no_cell_of_a_person_stands_in_a_draft(name: str) -> None:
    old = ALL[name]()
    text = drafted(old).text
    graded = {path for path, leaf in leaves(spec(old.specification).shape.record) if leaf.grade >= 3}
    # Of 民族 the whole code table may stand in it, whatever the cells are.
    columns = {column for path, column in old.truth.items() if path in graded and path != "EthnicityCode"}
    cells = {str(row[column]).strip() for row in old.rows for column in columns if row.get(column)}
    assert len(cells) > 50 and not [cell for cell in cells if len(cell) > 2 and cell in text]


@pytest.mark.parametrize("name", ALL)
def test_every_field_of_a_draft_says_why_and_what_is_doubtful_is_marked_in_both_languages(name: str) -> None:
    draft = drafted(ALL[name]())
    lines = draft.text.splitlines()
    for entry in draft.entries:
        at = next(number for number, line in enumerate(lines) if re.match(
            rf"(# )?{re.escape('.'.join(entry.path.split('/')))} = ", line))
        zh, en = lines[at - 2], lines[at - 1]
        assert entry.why.zh in zh and entry.why.en in en
        assert zh.startswith(("# 核对：", "# 缺：")) == en.startswith(("# CHECK: ", "# MISSING: ")) == (
            entry.doubtful or entry.off)
        assert not entry.given or f"{entry.valid} of {entry.given}" in en


def test_codes_of_a_source_are_guessed_with_a_reason_and_what_nobody_can_guess_is_left_open() -> None:
    people = ALL["population"]()
    rows = [{**row, "RYZT": ("在册", "死亡", "待核")[number % 3], "XB": ("男性", "女性")[number % 2],
             "HYZK": ("已婚", "单身汉")[number % 2]} for number, row in enumerate(people.rows)]
    draft = draft_mapping(spec(), people.described(), [json.dumps(row).encode() for row in rows], TODAY, sm3)
    said = tomllib.loads(draft.text)
    assert said["codes"]["PersonStatusCode"] == {"在册": "1", "死亡": "3"}
    assert '\n# "待核" = ""' in draft.text and "猜测：按名称“正常”，40个" in draft.text
    assert said["codes"]["SexCode"]["男性"] == "1" and said["codes"]["SexCode"]["女性"] == "2"
    assert "单身汉" not in draft.text and "60 cells are no codes of this field" in draft.text  # grade 3


def test_cells_that_are_rare_or_long_are_counted_and_not_shown() -> None:
    rows = [{"ID": number, "人员状态": f"某人{number}"} for number in range(30)] + [
        {"ID": 100 + number, "人员状态": "在册"} for number in range(30)]
    draft = of({"ID": "", "人员状态": ""}, rows, "ID")
    assert "某人" not in draft.text and "30 cells are no codes" in draft.text


def test_cells_are_shown_of_a_column_only_whose_name_speaks_for_itself() -> None:
    rows = [{"ID": number, "人员状态登记": "赵铁柱", "人员状态": "已迁出"} for number in range(40)]
    assert "已迁出" in of({"ID": "", "人员状态": ""}, rows, "ID").text
    draft = of({"ID": "", "人员状态登记": ""}, rows, "ID")
    assert field(draft, "PersonStatusCode") == "人员状态登记" and "40 cells are no codes" in draft.text
    assert "赵铁柱" not in draft.text


def test_a_number_of_something_is_the_row_id_where_there_is_no_key() -> None:
    draft = of({"RKBH": "", "PCH": ""}, [{"RKBH": f"A{number}", "PCH": f"B{number}"} for number in range(40)])
    assert field(draft, "RecordId") == "RKBH" and "# 核对：来源记录号" in draft.text


# --- the parts ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "letters"), [
    ("姓名", "XM"), ("身份证号码", "SFZHM"), ("性别", "XB"), ("出生日期", "CSRQ"), ("民族", "MZ"), ("户籍地址", "HJDZ"),
    ("统一社会信用代码", "TYSHXYDM"), ("法定代表人", "FDDBR"), ("更新时间", "GXSJ"), ("行政区划", "XZQH"), ("行业", "HY"),
    ("有效期至", "YXQZ"), ("照片SM3", "ZPSM3"), ("长期", "CQ"),
])
def test_the_initials_of_pinyin(word: str, letters: str) -> None:
    assert letters in initials(word)


def test_a_text_with_an_unknown_character_has_no_initials() -> None:
    assert initials("囗龘") == initials("") == initials("姓 名") == ()


def test_every_label_of_every_specification_has_initials_and_every_synonym_names_a_label() -> None:
    labels = {leaf.label.zh for name in NAMES for _, leaf in leaves(spec(name).shape.record)}
    plain = {re.sub("（.*?）|、", "", label) for label in labels}
    assert all(initials(label) for label in plain)
    assert all(any(word in label for label in labels) for word in SYNONYMS)


_CELLS = {
    "YYYYMMDD": "20190208", "YYYY-MM-DD": "2019-02-08", "YYYY-MM-DD hh:mm:ssf": "2019-02-08 09:30:00.0",
    "YYYY-MM-DDThh:mm:ssf": "2019-02-08T09:30:00.123456", "YYYY-MM-DDThh:mm:ssfZ": "2019-02-08T09:30:00Z",
    "YYYY-MM-DD hh:mm:ssfZ": "2019-02-08 09:30:00+08:00", "YYYYMMDDhhmmss": "20190208093000",
    "YYYYMMDDThhmmss": "20190208T093000", "YYYYMMDDhh:mm:ss": "2019020809:30:00",
    "YYYYMMDD hh:mm:ss": "20190208 09:30:00", "YYYY/M/D": "2019/2/8", "YYYY/M/D h:mm:ss": "2019/2/8 9:30:00",
    "YYYY/M/D h:mm": "2019/2/8 9:30", "YYYY-M-D": "2019-2-8", "YYYY-M-D h:mm:ss": "2019-2-8 9:30:00",
    "YYYY-M-D h:mm": "2019-2-8 9:30", "YYYY年M月D日": "2019年2月8日", "YYYY年M月D日 h:mm:ss": "2019年2月8日 9:30:00",
    "YYYY.M.D": "2019.2.8", "YYYYMMDDhhmm": "201902080930", "milliseconds": "1549618200000", "seconds": "1549618200",
    "serial": "43504.5",
}


@pytest.mark.parametrize(("form", "cell"), _CELLS.items())
def test_the_form_of_a_date_is_found(form: str, cell: str) -> None:
    assert form in FORMS and list(forms(_time(), {cell: 9, "长期": 3})) == [form]


def test_several_forms_are_named_and_those_of_the_standard_together() -> None:
    assert list(forms(_time(), {"2019/2/8": 5, "20190208": 9, "2019年2月8日": 1})) == ["YYYYMMDD", "YYYY/M/D", "YYYY年M月D日"]
    assert list(forms(_time(), {"20190208093000": 5, "20190208T093000": 9})) == ["GB/T 39046"]
    assert list(forms(_time(), {"下个月": 5})) == [] == list(forms(_time(), {"201902": 5}))


def _time() -> Any:
    return dict(leaves(spec().shape.record))["EventTime"]


# --- row id, time, what is missing --------------------------------------------------------------------------------


def test_a_key_that_is_a_persons_number_is_no_row_id(tmp_path: Path) -> None:
    people = ALL["population"]()
    rows = [{"SFZH": row["SFZH"], "XM": row["XM"]} for row in people.rows]
    draft = of({"SFZH": "", "XM": ""}, rows, "SFZH")
    assert field(draft, "RecordId") == f"{EMPTY_PLACE} RecordId" and "SFZH用于敏感等级3级" in draft.text
    mapping = loaded(draft.text, tmp_path)
    judged = mapping.judge(Draft(0, "row", rows[0]), TODAY)
    assert not isinstance(judged, Record) and draft.good == 0
    assert {"RecordId", "SexCode", "EventTime"} <= {one.field for one in judged.problems if one.rule == "required"}


def test_a_key_that_only_looks_personal_or_is_not_ascii_is_digested_and_marked() -> None:
    for cell in ("18769124577", "张三档案"):
        draft = of({"档案": "", "姓名": ""}, [{"档案": cell, "姓名": "张三"}], "档案")
        assert field(draft, "RecordId") == {"from": "档案", "digest": True}
        assert "# 核对：来源记录号" in draft.text and cell not in draft.text


def test_a_key_of_several_columns_is_joined() -> None:
    described = {"name": "T", "columns": [{"name": name, "kind": "INT", "key": True} for name in ("QH", "XH")]}
    draft = draft_mapping(spec(), described, [b'{"QH": 441802, "XH": 7}'], TODAY, sm3)
    assert field(draft, "RecordId") == {"join": ["QH", "XH"], "by": "-"}


def test_a_birth_date_without_a_column_is_taken_from_the_number() -> None:
    people = ALL["population"]()
    draft = of({"SFZH": ""}, [{"SFZH": row["SFZH"]} for row in people.rows])
    assert field(draft, "BirthDate") == {"from": "SFZH", "width": "half", "case": "upper", "characters": [7, 14]}


def test_a_number_with_a_check_digit_is_known_by_its_cells_alone_and_marked() -> None:
    people, firms = ALL["population"](), ALL["legal"]()
    draft = of({"C1": "", "C2": ""}, [{"C1": row["SFZH"], "C2": "x"} for row in people.rows])
    assert field(draft, "IdNumber")["from"] == "C1" and "# 核对：公民身份号码" in draft.text
    firm = of({"C1": ""}, [{"C1": row["统一社会信用代码"]} for row in firms.rows], name="legal-entity-basic/1.0")
    assert field(firm, "UnifiedCode")["from"] == "C1"


def test_cells_refute_a_name() -> None:
    rows = [{"MZ": f"街道{number}号楼的补充说明文字"} for number in range(60)]
    draft = of({"MZ": ""}, rows)
    assert field(draft, "EthnicityCode") == f"{EMPTY_PLACE} EthnicityCode" and "#   MZ" in draft.text


def test_an_operation_is_read_where_a_column_tells_it() -> None:
    rows = [{"操作类型": ("新增", "修改", "删除")[number % 3]} for number in range(30)]
    draft = of({"操作类型": ""}, rows)
    assert tomllib.loads(draft.text)["codes"]["Operation"] == {"修改": "U", "删除": "D", "新增": "I"}
    assert field(of({"操作类型": ""}, [{"操作类型": "甲"}]), "Operation") == {"value": "U"}


def test_an_empty_table_and_one_without_columns_are_drafted_from_what_there_is(tmp_path: Path) -> None:
    people = ALL["population"]()
    draft = draft_mapping(spec(), people.described(), [], TODAY, sm3)
    assert draft.faults == () and field(draft, "IdNumber")["from"] == "SFZH"
    marked = [one for one in draft.entries if one.columns and one.path != "RecordId"]
    assert all(one.doubtful for one in marked)
    nothing = draft_mapping(spec(), {"name": "T", "columns": []}, [], TODAY, sm3)
    assert nothing.faults == () and "MISSING: name of the person" in nothing.text
    loaded(nothing.text, tmp_path)


def test_the_read_of_the_table_is_told_with_cursor_and_key() -> None:
    text = drafted(ALL["population"]()).text
    assert '#   what = { table = "T_RK_JBXX", cursor = "GXSJ", key = ["RKBH"] }' in text
    assert "make an index" not in text and "an index" in drafted(ALL["legal"]()).text


def test_a_wide_table_of_long_texts_takes_no_more_than_seconds() -> None:
    names = sorted({word for just, loose in SYNONYMS.values() for word in (*just, *loose)})[:500]
    rows = [{name: f"{number} {name} " + "字" * 2000 for name in names} for number in range(20)]
    begun = time.process_time()
    assert of(dict.fromkeys(names, ""), rows).faults == ()
    assert time.process_time() - begun < 20  # 2 s, and 45 s before cells that are hopeless were left alone


# --- hostile names ------------------------------------------------------------------------------------------------

HOSTILE = (
    'a"b', "a'b", "a\nb = 1", 'x"\n[fields]\nOperation = "D"', "\\", "\\u0041", "]]", "#", "=", "{n}", "电话{n}",
    " 姓名", "姓名 ", "\u202e姓名", "a\x00b", "a\x7f", "\ud800", "x" * 65536, "", "\u2066", "{0}", "{label}",
    "姓名}", "%s", "a.b", "[codes.x]", '"""',
)


def test_hostile_names_are_quoted_or_left_out_and_said_to_be(tmp_path: Path) -> None:
    columns = [{"name": name, "kind": name[:50], "comment": name, "key": False} for name in HOSTILE]
    rows = [json.dumps({name: name[:30] for name in HOSTILE}).encode("utf-8", "surrogatepass") for _ in range(3)]
    for table in ("T", *HOSTILE):
        for commented in (columns, [{**one, "comment": f"姓名（{one['name']}）", "key": True} for one in columns]):
            draft = draft_mapping(spec(), {"name": table, "columns": commented}, rows, TODAY, sm3)
            assert draft.faults == () and len(draft.text) < 100_000
            draft.text.encode()
            assert tomllib.loads(draft.text)["fields"]["Operation"] == {"value": "U"}
            assert all(sign.isprintable() or sign == "\n" for sign in draft.text)
    loaded(draft.text, tmp_path)
    assert "列名不能写进映射的列" in draft.text


_KNOWN = sorted({word for just, loose in SYNONYMS.values() for word in (*just, *loose)})
_NAMES = st.one_of(st.text(max_size=12), st.sampled_from(_KNOWN), st.sampled_from(
    ["XM", "SFZH", "XB", "CSRQ", "MZ", "GXSJ", "XZQH", "BZ", "ID", "{n}", EMPTY_PLACE, f"{EMPTY_PLACE} RecordId"]))
_CELL = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.dates().map(str), st.datetimes().map(str),
    st.sampled_from(["男", "1", "01", "长期", "NULL", "20190208", "91440300708461136T"]))


@settings(max_examples=60, deadline=None)
@given(names=st.lists(_NAMES, max_size=8, unique=True), data=st.data(), key=st.integers(0, 8),
       name=st.sampled_from(NAMES))
def test_whatever_the_columns_are_the_draft_loads_or_says_why(names: list[str], data: Any, key: int, name: str) -> None:
    rows = data.draw(st.lists(st.fixed_dictionaries({one: _CELL for one in names}), max_size=6))
    described = {"name": "T", "columns": [
        {"name": one, "kind": data.draw(st.sampled_from(["INTEGER", "DATE", "VARCHAR(8)", ""])),
         "comment": data.draw(_NAMES), "key": at == key} for at, one in enumerate(names)]}
    lines = [json.dumps(row).encode() for row in rows]
    draft = draft_mapping(spec(name), described, lines, TODAY, sm3)
    assert not draft.faults, [one.text("en") for one in draft.faults]
    assert draft.text == draft_mapping(spec(name), described, lines, TODAY, sm3).text


@pytest.mark.parametrize("described", [
    {}, {"columns": None}, {"columns": [7, {"kind": "x"}, {"name": None}]}, {"name": 5}])
def test_a_description_that_is_none_is_taken_as_far_as_it_goes(described: dict[str, Any]) -> None:
    draft = draft_mapping(spec(), described, [b"no json", b"[1]", b'{"XM": "a"}', b"{}"], TODAY, sm3)
    assert draft.faults == () and draft.rows == 2
