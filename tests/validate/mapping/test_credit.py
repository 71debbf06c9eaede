"""The 2016 table of permits, as departments still export it, end to end through the mapping that is shipped."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import orjson
import pytest

from node.model.record import Record, Refusal
from node.validate import Media, sample
from node.validate.mapping import SourceMapping, check_mapping, read_mapping
from tests.validate.held import TODAY, held, sm3, spec
from tests.validate.mapping.made import fetch, found
from xsd import FOLDER

SHIPPED = sorted((FOLDER / "mappings").glob("*.toml"))
HEADER = (
    "XK_WSH,XK_XMMC,XK_SPLB,XK_NR,XK_XDR,XK_XDR_SHXYM,XK_XDR_ZDM,XK_XDR_GSDJ,XK_XDR_SWDJ,XK_XDR_SFZ,XK_FR,XK_JDRQ,"
    "XK_JZQ,XK_XZJG,XK_ZT,DFBM,SJC,BZ,XH"
)
ENTERPRISE: dict[str, Any] = {
    "XK_WSH": "示市监许〔2016〕12号", "XK_XMMC": "食品经营许可", "XK_SPLB": "普通", "XK_NR": "准予从事食品销售",
    "XK_XDR": "示例市食品有限公司", "XK_XDR_SHXYM": "９１440300708461136t", "XK_XDR_ZDM": "", "XK_XDR_GSDJ": "NULL",
    "XK_XDR_SWDJ": "/", "XK_XDR_SFZ": "无", "XK_FR": "李四", "XK_JDRQ": "2016/3/5", "XK_JZQ": "2021年3月4日",
    "XK_XZJG": "示例市市场监督管理局", "XK_ZT": "0", "DFBM": "441802000", "SJC": "2016-03-06 09:30:00.0", "BZ": "　", "XH": "1",
}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_mapping_that_is_shipped_has_no_fault(path: Path) -> None:
    assert check_mapping(path.name, path.read_bytes(), held(), fetch, sm3) == ()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_name_of_a_code_table_is_never_translated_to_another_code(path: Path) -> None:
    read = tomllib.loads(path.read_text(encoding="utf-8"))
    of, met = spec(read["mapping"]["specification"]), 0
    for name, words in read["fields"].items():
        codes = words.get("codes") if isinstance(words, dict) else None
        codes = read["codes"][codes] if isinstance(codes, str) else codes
        leaf: Any = of.shape.record.members.get(name)
        uses = [use for use in getattr(leaf, "rules", ()) if use.kind == "table"]
        if codes and uses:
            names = {row[0]: code for code, row in of.tables[uses[0].params["table"]].rows.items()}
            wrong = {text: code for text, code in codes.items() if names.get(text, code) != code}
            met += sum(1 for text in codes if text in names)
            assert not wrong, (name, wrong)
    assert met or path.stem.startswith("credit")  # whose tables write codes, not names


def mapping() -> SourceMapping:
    """Return the shipped mapping."""
    path = FOLDER / "mappings" / "credit-2016-permit.toml"
    return read_mapping(path.name, path.read_bytes(), held(), fetch, sm3)


def judged(*rows: dict[str, Any]) -> list[Record | Refusal]:
    """Judge a table of rows as it is exported, in GB18030."""
    lines = [HEADER, *(",".join(str(row[name]) for name in HEADER.split(",")) for row in rows)]
    one = mapping()
    return list(one.judge_all(one.read_drafts("\r\n".join(lines).encode("gb18030"), Media("csv")), TODAY))


def test_a_row_of_an_enterprise_becomes_a_permit() -> None:
    (record,) = judged(ENTERPRISE)
    assert isinstance(record, Record), found(record)
    twin = orjson.loads(record.body)
    assert twin == {
        "RecordId": sm3("示例市市场监督管理局|示市监许〔2016〕12号".encode()).hex()[:40], "Operation": "I",
        "EventTime": "2016-03-06T09:30:00+08:00", "SubjectName": "示例市食品有限公司", "SubjectKindCode": "2",
        "UnifiedCode": "91440300708461136T", "LegalRepName": "李四", "DocumentNumber": "示市监许〔2016〕12号",
        "ItemName": "食品经营许可", "PermitCategory": "普通", "PermitContent": "准予从事食品销售", "DecisionDate": "2016-03-05",
        "ValidTo": "2021-03-04", "AuthorityName": "示例市市场监督管理局", "AuthorityCode": "11330105002500287C",
        "StatusCode": "1", "RegionCode": "441802",
    }


def test_a_row_of_a_person_and_one_without_end_become_permits() -> None:
    person = sample(spec(), 1, 1)
    row = {
        **ENTERPRISE, "XK_XDR": person["PersonName"], "XK_XDR_SHXYM": "", "XK_XDR_SFZ": person["IdNumber"].lower(),
        "XK_FR": "", "XK_JZQ": "长期", "XK_ZT": "撤销", "SJC": "20160306093000",
    }
    (record,) = judged(row)
    assert isinstance(record, Record), found(record)
    twin = orjson.loads(record.body)
    assert (twin["SubjectKindCode"], twin["SubjectIdType"], twin["SubjectIdNumber"]) == ("1", "111", person["IdNumber"])
    assert (twin["ValidTo"], twin["StatusCode"]) == ("2099-12-31", "2") and "UnifiedCode" not in twin


def test_what_is_wrong_with_a_row_is_told_by_its_columns() -> None:
    row = {
        **ENTERPRISE, "XK_XDR": "", "XK_JDRQ": "2016-02-30", "XK_ZT": "3", "XK_XZJG": "别处的局", "XK_XDR_SHXYM": "911",
    }
    good, bad = judged(ENTERPRISE, row)
    assert isinstance(good, Record) and isinstance(bad, Refusal)
    refused = [problem for problem in bad.problems if problem.severity == "refuse"]
    assert [(problem.field, problem.rule) for problem in refused] == [
        ("SubjectName", "required"), ("UnifiedCode", "pattern"), ("DecisionDate", "mapping-date"),
        ("AuthorityCode", "mapping-code"), ("StatusCode", "mapping-code"),
    ]
    for problem, column in zip(refused, ("XK_XDR", "XK_XDR_SHXYM", "XK_JDRQ", "XK_XZJG", "XK_ZT")):
        assert problem.says.zh.endswith(f"（来源列：{column}）")
    assert "别处" not in str(bad)


def test_the_mapping_in_the_readme_lacks_nothing_but_the_fields_it_leaves_out() -> None:
    text = (FOLDER / "README.md").read_text(encoding="utf-8").partition("```toml\n")[2].partition("```")[0]
    told = check_mapping("README", text.encode(), held(), fetch, sm3)
    wanted = {"EthnicityCode", "IdTypeCode", "BirthDate", "DomicileRegionCode", "PersonStatusCode"}
    assert {(one.key, one.rule) for one in told} == {(f"fields.{name}", "required") for name in wanted}


SUBJECT = {
    "XDR_MC": "示例市食品有限公司", "XDR_LB": "法人及非法人组织", "XDR_SHXYM": "9144 0300 7084 6113 6T",
    **dict.fromkeys(("XDR_GSZC", "XDR_ZZJG", "XDR_SWDJ", "XDR_SYDW", "XDR_SHZZ", "FR_ZJLX", "FR_ZJHM"), ""),
    "FRDB": "李四", "XDR_ZJLX": "", "XDR_ZJHM": "",
}
OF_2018: dict[str, dict[str, Any]] = {
    "permit": {
        **{f"XK_{name}": text for name, text in SUBJECT.items()},
        "XK_XKWS": "准予许可决定书", "XK_WSH": "示市监许〔2018〕12号", "XK_XKLB": "普通", "XK_XKZS": "食品经营许可证", "XK_XKBH": "JY1",
        "XK_NR": "准予从事食品销售", "XK_JDRQ": "2018/9/3", "XK_YXQZ": "20180903", "XK_YXQZI": "长期",
        "XK_XKJG": "示例市市场监督管理局",
        "XK_XKJGDM": "11330105002500287c", "XK_ZT": "1", "XK_LYDW": "示例市市场监督管理局", "XK_LYDWDM": "11330105002500287C",
        "BZ": "无",
    },
    "penalty": {
        **{f"CF_{name}": text for name, text in SUBJECT.items()},
        "CF_WSH": "示市监罚〔2018〕3号", "CF_WFXW": "销售过期食品", "CF_SY": "经查明有过期食品三件", "CF_YJ": "食品安全法第一百二十四条",
        "CF_CFLB": "罚款、没收违法所得",
        "CF_NR": "罚款5万元", "CF_NR_FK": "5.000000", "CF_NR_WFFF": "0.2", "CF_NR_ZKDX": "/",
        "CF_JDRQ": "2018年9月3日", "CF_YXQ": "", "CF_GSJZQ": "2021-09-03", "CF_CFJG": "示例市市场监督管理局",
        "CF_CFJGDM": "11330105002500287C", "CF_SJLY": "示例市市场监督管理局", "CF_SJLYDM": "11330105002500287C", "BZ": "",
    },
}
ORGANISATION = {
    "Operation": "I", "EventTime": "2018-09-03T00:00:00+08:00", "SubjectName": "示例市食品有限公司", "SubjectKindCode": "9",
    "UnifiedCode": "91440300708461136T", "LegalRepName": "李四", "DecisionDate": "2018-09-03",
    "AuthorityName": "示例市市场监督管理局", "AuthorityCode": "11330105002500287C", "SourceOrgName": "示例市市场监督管理局",
    "SourceOrgCode": "11330105002500287C",
}
BECOMES = {
    "permit": {
        **ORGANISATION, "RecordId": sm3("11330105002500287C|示市监许〔2018〕12号".encode()).hex()[:40],
        "DocumentName": "准予许可决定书", "DocumentNumber": "示市监许〔2018〕12号", "PermitCategory": "普通",
        "CertificateName": "食品经营许可证", "CertificateNumber": "JY1",
        "PermitContent": "准予从事食品销售", "ValidFrom": "2018-09-03",
        "ValidTo": "2099-12-31", "StatusCode": "1",
    },
    "penalty": {
        **ORGANISATION, "RecordId": sm3("11330105002500287C|示市监罚〔2018〕3号".encode()).hex()[:40],
        "DocumentNumber": "示市监罚〔2018〕3号", "ViolationType": "销售过期食品", "ViolationFact": "经查明有过期食品三件",
        "PenaltyBasis": "食品安全法第一百二十四条", "PenaltyCategory": "罚款、没收违法所得", "PenaltyContent": "罚款5万元",
        "FineAmount": "5.000000",
        "ConfiscatedAmount": "0.2", "PublicityEnd": "2021-09-03",
    },
}


def judged_2018(table: str, row: dict[str, Any]) -> Record | Refusal:
    """Judge one row of a table of 2018 as it is exported, in GB18030."""
    path = FOLDER / "mappings" / f"credit-2018-{table}.toml"
    one = read_mapping(path.name, path.read_bytes(), held(), fetch, sm3)
    content = "\r\n".join([",".join(row), ",".join(row.values())]).encode("gb18030")
    (judged,) = one.judge_all(one.read_drafts(content, Media("csv")), TODAY)
    return judged


@pytest.mark.parametrize("table", OF_2018)
def test_a_row_of_2018_becomes_a_record(table: str) -> None:
    record = judged_2018(table, OF_2018[table])
    assert isinstance(record, Record), found(record)
    assert orjson.loads(record.body) == BECOMES[table]


@pytest.mark.parametrize("table", OF_2018)
def test_a_person_of_2018_keeps_the_document_and_loses_what_stands_for_nothing(table: str) -> None:
    person, mark = sample(spec(), 1, 1), {"permit": "XK", "penalty": "CF"}[table]
    row = {**OF_2018[table], **{f"{mark}_{name}": text for name, text in {
        "XDR_MC": person["PersonName"], "XDR_LB": "自然人", "XDR_SHXYM": "", "FRDB": "", "XDR_ZJLX": "身份证",
        "XDR_ZJHM": person["IdNumber"].lower(),
    }.items()}}
    row.update({"CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": "0.00", "CF_NR_WFFF": "0"} if table == "penalty" else {})
    record = judged_2018(table, row)
    assert isinstance(record, Record), found(record)
    twin = orjson.loads(record.body)
    assert (twin["SubjectKindCode"], twin["SubjectIdType"], twin["SubjectIdNumber"]) == ("1", "111", person["IdNumber"])
    assert "FineAmount" not in twin and "UnifiedCode" not in twin and person["IdNumber"] not in twin["RecordId"]
