"""Tables as old systems have them, with rows that can be valid records, and which column feeds which field."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node.validate import sample
from tests.validate.held import spec

ROWS = 120


@dataclass(frozen=True)
class Old:
    """A table: its columns with their types and comments, its rows, and the truth about it."""

    name: str
    specification: str
    columns: Mapping[str, tuple[str, str]]
    rows: Sequence[Mapping[str, Any]] = field(repr=False)
    truth: Mapping[str, str]
    key: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()

    def described(self) -> dict[str, Any]:
        """Return the table as an adapter describes it."""
        return {"name": self.name, "comment": "", "rows": None, "columns": [
            {"name": name, "kind": kind, "comment": comment, "key": name in self.key, "null": name not in self.key,
             "indexed": name in (*self.key, *self.indexed)} for name, (kind, comment) in self.columns.items()]}

    def lines(self) -> list[bytes]:
        """Return the rows as an adapter gives them."""
        return [json.dumps(row, ensure_ascii=False).encode() for row in self.rows]


def twins(name: str, seed: int, count: int = ROWS) -> list[dict[str, Any]]:
    """Return valid records of a specification."""
    return [sample(spec(name), seed, number) for number in range(count)]


def dashed(day: str) -> str:
    """Return a date of eight digits with dashes."""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def population() -> Old:
    """Return a population table in pinyin initials: padded texts, dates of eight digits, codes of its own."""
    sex = {"1": "男", "2": "女", "0": "未知", "9": "未知"}
    status = {"1": "在册", "2": "已迁出", "3": "死亡", "4": "已注销"}
    rows = [{
        "RKBH": number + 1, "XM": one["PersonName"].ljust(20), "SFZH": one["IdNumber"].lower(),
        "XB": sex[one["SexCode"]], "MZ": one["EthnicityCode"].lstrip("0"), "CSRQ": one["BirthDate"],
        "HJXZQH": one["DomicileRegionCode"],
        "HJDZ": f"示例市和平大道{number}号滨江小区16栋".ljust(60), "XJZDZ": f"示例市解放路{number}号".ljust(60),
        "HH": one.get("HouseholdNo", "1"), "HYZK": one.get("MaritalStatusCode", "10"),
        "WHCD": one.get("EducationCode", "10"), "YHZGX": one.get("RelationToHead", "01"),
        "LXDH": f"1876912{number:04}", "RYZT": status[one["PersonStatusCode"]],
        "SWRQ": one.get("DeathDate", ""), "YXQQ": None, "CZY": "系统管理员", "BZ": "NULL" if number % 3 else "",
        "GXSJ": f"2023-05-{number % 28 + 1:02} 09:{number % 60:02}:00.0",
    } for number, one in enumerate(twins("population-basic/1.0", 21))]
    texts = ("RKBH", "XM", "SFZH", "XB", "MZ", "CSRQ", "HJXZQH", "HJDZ", "XJZDZ", "HH", "HYZK", "WHCD", "YHZGX", "LXDH",
             "RYZT", "SWRQ", "YXQQ", "CZY", "BZ", "GXSJ")
    return Old(
        "T_RK_JBXX", "population-basic/1.0",
        {name: ("INTEGER" if name == "RKBH" else "CHAR(60)", "") for name in texts}, rows,
        {"RecordId": "RKBH", "EventTime": "GXSJ", "PersonName": "XM", "IdNumber": "SFZH", "SexCode": "XB",
         "EthnicityCode": "MZ", "BirthDate": "CSRQ", "DomicileRegionCode": "HJXZQH", "DomicileAddress": "HJDZ",
         "ResidenceAddress": "XJZDZ", "HouseholdNo": "HH", "MaritalStatusCode": "HYZK", "EducationCode": "WHCD",
         "RelationToHead": "YHZGX", "MobilePhone": "LXDH", "PersonStatusCode": "RYZT", "DeathDate": "SWRQ",
         "Remark": "BZ"},
        ("RKBH",), ("GXSJ",))


def legal() -> Old:
    """Return a table of legal entities whose columns have Chinese names."""
    papers = spec("legal-entity-basic/1.0").tables["id-type/1.0"].rows
    rows = [{
        "序号": number + 1, "统一社会信用代码": one["UnifiedCode"], "单位名称": one["OrgName"], "机构类型": one["OrgTypeCode"],
        "经营状态": "1", "法定代表人": "李四" if number % 2 else "王小明", "法人身份证号": one.get("LegalRepIdNumber", ""),
        "法人证件类型": papers[one["LegalRepIdType"]][0] if "LegalRepIdNumber" in one else "",
        "住所": f"示例市人民路{number}号", "所属区划": one["RegionCode"] + "000", "登记机关": "示例市市场监督管理局",
        "成立日期": "/".join(str(int(part)) for part in one["EstablishDate"].split("-")),
        "核准日期": one["EstablishDate"].replace("-", ""), "注册资本（元）": "1,000,000.00", "币种": "CNY",
        "经营范围": "食品销售", "行业代码": "F52", "营业期限自": one["EstablishDate"], "营业期限至": "长期", "联系人姓名": "赵六",
        "主管单位": one.get("SocialOrganisation", {}).get("CompetentOrg", ""),
        "修改时间": f"2024/1/{number % 28 + 1} 9:05:{number % 60:02}",
    } for number, one in enumerate(twins("legal-entity-basic/1.0", 22))]
    return Old(
        "法人基本信息", "legal-entity-basic/1.0",
        {name: ("INTEGER" if name == "序号" else "VARCHAR(200)", "") for name in rows[0]}, rows,
        {"RecordId": "序号", "EventTime": "修改时间", "UnifiedCode": "统一社会信用代码", "OrgName": "单位名称",
         "OrgTypeCode": "机构类型", "OrgStatusCode": "经营状态", "LegalRepName": "法定代表人",
         "LegalRepIdNumber": "法人身份证号", "LegalRepIdType": "法人证件类型", "RegisterAddress": "住所",
         "RegionCode": "所属区划", "RegAuthority": "登记机关",
         "EstablishDate": "成立日期", "ApprovalDate": "核准日期", "Capital": "注册资本（元）", "CurrencyCode": "币种",
         "BusinessScope": "经营范围", "IndustryCode": "行业代码", "ValidFrom": "营业期限自", "ValidTo": "营业期限至",
         "SocialOrganisation/CompetentOrg": "主管单位"},
        ("序号",))


def penalty() -> Old:
    """Return the penalties of the public credit set of 2018, which has no key."""
    kinds = {"1": "自然人", "6": "个体工商户"}
    tables = spec("admin-penalty/1.0").tables
    listed = next(table.rows for name, table in tables.items() if name.startswith("id-type/"))
    papers = {code: said[0] for code, said in listed.items()} | {"111": "身份证", "414": "护照"}
    names = {
        "SubjectName": "CF_XDR_MC", "SubjectKindCode": "CF_XDR_LB", "UnifiedCode": "CF_XDR_SHXYM",
        "BusinessRegNo": "CF_XDR_GSZC", "OrganisationCode": "CF_XDR_ZZJG", "LegalRepName": "CF_FRDB",
        "SubjectIdNumber": "CF_XDR_ZJHM", "DocumentNumber": "CF_WSH", "ViolationType": "CF_WFXW",
        "ViolationFact": "CF_SY", "PenaltyBasis": "CF_YJ", "PenaltyCategory": "CF_CFLB", "PenaltyContent": "CF_NR",
        "FineAmount": "CF_NR_FK", "DecisionDate": "CF_JDRQ", "ValidTo": "CF_YXQ", "PublicityEnd": "CF_GSJZQ",
        "AuthorityName": "CF_CFJG", "AuthorityCode": "CF_CFJGDM", "SourceOrgName": "CF_SJLY",
        "SourceOrgCode": "CF_SJLYDM", "Remark": "BZ",
    }
    rows = []
    for one in twins("admin-penalty/1.0", 23):
        row = {column: one.get(path, "") for path, column in names.items()}
        row["CF_XDR_LB"] = kinds.get(one["SubjectKindCode"], "法人及非法人组织")
        row["CF_XDR_ZJLX"] = papers[one["SubjectIdType"]] if "SubjectIdType" in one else ""
        row["CF_JDRQ"] = one["DecisionDate"].replace("-", "年", 1).replace("-", "月") + "日"
        row["CF_YXQ"] = one.get("ValidTo", "").replace("-", "/")
        row["SJC"] = f"{one['DecisionDate'].replace('-', '')}120000"
        rows.append(row)
    return Old(
        "CF_2018", "admin-penalty/1.0", {name: ("VARCHAR(2000)", "") for name in rows[0]}, rows,
        {**names, "SubjectIdType": "CF_XDR_ZJLX", "EventTime": "SJC"})


def residents() -> Old:
    """Return a population table with English names, or none to speak of, and comments in Chinese."""
    said = {
        "ID": ("uuid", "主键"), "NAME": ("varchar(60)", "姓名"), "ID_CARD": ("varchar(18)", "居民身份证号码"),
        "F07": ("char(1)", "性别：1男 2女"), "NATION": ("varchar(10)", "民族（汉字）"), "BIRTHDAY": ("date", "出生年月日"),
        "F11": ("varchar(12)", "户籍地行政区划（统计用12位）"), "HJD": ("varchar(200)", "户籍地详细地址"),
        "FATHER_NAME": ("varchar(60)", "父亲姓名"), "OLD_NAME": ("varchar(60)", "曾用名"), "TEL": ("varchar(20)", "手机号码"),
        "STATE": ("char(1)", "人员状态（1正常2迁出3死亡4注销）"), "DEATH": ("date", "死亡日期"),
        "CREATE_TIME": ("timestamp", "创建时间"), "UPDATE_TIME": ("timestamp", "最后修改时间"), "F99": ("text", "备注信息"),
    }
    names = spec().tables["ethnicity/1.0"].rows
    rows = [{
        "ID": f"0a0b0c0d-0000-4000-8000-{number:012}", "NAME": one["PersonName"], "ID_CARD": one["IdNumber"],
        "F07": one["SexCode"], "NATION": names[one["EthnicityCode"]][0].removesuffix("族"),
        "BIRTHDAY": dashed(one["BirthDate"]),
        "F11": one["DomicileRegionCode"][:6] + "001002", "HJD": f"示例市建设路{number}号院", "FATHER_NAME": "赵大山",
        "OLD_NAME": "", "TEL": f"1876912{number:04}", "STATE": one["PersonStatusCode"],
        "DEATH": dashed(one["DeathDate"]) if "DeathDate" in one else None, "CREATE_TIME": "2019-02-28T09:30:00",
        "UPDATE_TIME": f"2024-01-{number % 28 + 1:02}T09:30:00.123456", "F99": "外来人员",
    } for number, one in enumerate(twins("population-basic/1.0", 24))]
    return Old(
        "residents", "population-basic/1.0", said, rows,
        {"RecordId": "ID", "EventTime": "UPDATE_TIME", "PersonName": "NAME", "IdNumber": "ID_CARD", "SexCode": "F07",
         "EthnicityCode": "NATION", "BirthDate": "BIRTHDAY", "DomicileRegionCode": "F11", "DomicileAddress": "HJD",
         "MobilePhone": "TEL", "PersonStatusCode": "STATE", "DeathDate": "DEATH", "Remark": "F99"}, ("ID",))


ALL = {"population": population, "legal": legal, "penalty": penalty, "residents": residents}
