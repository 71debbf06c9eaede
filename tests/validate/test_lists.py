"""Incentive and punishment lists: each kind of subject is known by its kind of code, and entries end in order (A5)."""

from __future__ import annotations

from typing import Any

import pytest

from node.model.record import Record
from node.validate.rules import checks
from tests.validate.held import by_json, found, spec
from tests.validate.test_credit import CITIZEN, ENTERPRISE, ORGAN, Rules, said_of

NAME = "credit-list/1.0"
GOOD = {
    "RecordId": "list-1", "Operation": "I", "EventTime": "2019-03-04T10:00:00+08:00", "ListTypeCode": "2",
    "ListName": "严重违法失信企业", "SubjectName": "清远某某有限公司", "SubjectKindCode": "2", "SubjectCodeType": "001",
    "SubjectCode": ENTERPRISE, "ListReason": "发布虚假广告，依法列入名单", "AuthorityName": "清远市市场监督管理局",
    "AuthorityCode": ORGAN, "EnterDate": "2019-03-04", "StatusCode": "1",
}
PERSON = {"SubjectName": "张三", "SubjectKindCode": "1", "SubjectCodeType": "111", "SubjectCode": CITIZEN}
SOCIETY = "52441800MA4W00011"
OTHER, NO_DAY = "31441800MA4W00011", "11010519490229" + "002"
OTHER, SOCIETY = OTHER + checks.uscc_check(OTHER), SOCIETY + checks.uscc_check(SOCIETY)


def said(**fields: Any) -> tuple[Rules, Rules]:
    """Return what refuses and what warns of a good entry with these fields."""
    return said_of(NAME, GOOD, fields)


@pytest.mark.parametrize("fields", [
    {}, PERSON, {**PERSON, "SubjectCodeType": "414", "SubjectCode": "E12345678"},
    {**PERSON, "SubjectCodeType": "114", "SubjectCode": "军字第0123456号"},
    {"SubjectKindCode": "4", "SubjectCode": ORGAN}, {"SubjectKindCode": "5", "SubjectCode": SOCIETY},
    {"SubjectKindCode": "6", "SubjectCodeType": "111", "SubjectCode": CITIZEN},
    {"SubjectKindCode": "9", "SubjectCode": OTHER},
    {"StatusCode": "2", "ExitDate": "2020-03-04", "ExitReason": "已履行义务"}, {"ExitDate": "2099-12-31"},
    {"BasisDocumentNumber": "清市监认〔2019〕7号", "ListTypeCode": "1"},
])
def test_a_good_entry_passes_without_a_word(fields: Any) -> None:
    assert said(**fields) == ([], [])


@pytest.mark.parametrize("kind", "23459")
def test_a_legal_person_is_known_by_its_unified_code(kind: str) -> None:
    refusing, _ = said(SubjectKindCode=kind, SubjectCodeType="111", SubjectCode=CITIZEN)
    assert refusing == [("SubjectCodeType", "organisation-by-code")]


@pytest.mark.parametrize(("fields", "refusing"), [
    ({**PERSON, "SubjectCodeType": "001", "SubjectCode": ENTERPRISE}, [("SubjectCodeType", "person-by-document")]),
    ({**PERSON, "SubjectCode": None}, [("SubjectCode", "required")]),
    ({**PERSON, "SubjectCode": CITIZEN[:17] + "Y"}, [("SubjectCode", "subject-citizen")]),
    ({**PERSON, "SubjectCode": NO_DAY + checks.citizen_check(NO_DAY)}, [("SubjectCode", "subject-citizen")]),
    ({**PERSON, "RecordId": "p" + CITIZEN}, [("RecordId", "row-not-personal")]),
    ({"RecordId": ENTERPRISE}, []),
    ({"SubjectCode": None}, [("SubjectCode", "required")]),
    ({"SubjectCode": ENTERPRISE[:17] + "U"}, [("SubjectCode", "subject-unified")]),
    ({"SubjectCode": "914403007084611379"}, [("SubjectCode", "subject-unified")]),
    ({"SubjectCodeType": "002"}, [("SubjectCodeType", "organisation-by-code"), ("SubjectCodeType", "table")]),
    ({"StatusCode": "2"}, [("ExitDate", "exit-date")]),
    ({"StatusCode": "2", "ExitDate": "2024-06-02"}, [("ExitDate", "exit-past")]),
    ({"ExitDate": "2019-03-03"}, [("EnterDate", "listed-before-exit")]),
    ({"StatusCode": "3"}, [("StatusCode", "table")]), ({"ListTypeCode": "4"}, [("ListTypeCode", "table")]),
    ({"SubjectKindCode": "7"}, [("SubjectKindCode", "table")]), ({"EnterDate": None}, [("EnterDate", "required")]),
])
def test_a_wrong_entry_is_refused_by_its_rule(fields: Any, refusing: Rules) -> None:
    found_here, _ = said(**fields)
    assert sorted(found_here) == sorted(refusing)


@pytest.mark.parametrize(("fields", "warned"), [
    *[({"SubjectKindCode": kind, "SubjectCode": OTHER}, [("SubjectCode", rule)]) for kind, rule in (
        ("2", "enterprise-code"), ("3", "institution-code"), ("4", "organ-code"), ("5", "social-code"),
    )],
    ({"EnterDate": "2019-03-05"}, [("EnterDate", "listed-before-event")]),
])
def test_what_hardly_fits_is_a_warning(fields: Any, warned: Rules) -> None:
    assert said(**fields) == ([], warned)


def test_being_listed_again_is_another_entry() -> None:
    of = spec(NAME)
    one, two = by_json(of, GOOD), by_json(of, {**GOOD, "EnterDate": "2019-01-04"})
    assert isinstance(one, Record) and isinstance(two, Record), (found(one), found(two))
    assert one.key == (ORGAN, "严重违法失信企业", "001", ENTERPRISE, "2019-03-04") and two.key != one.key
    member = of.shape.record.members["SubjectCode"]
    assert (getattr(member, "grade"), getattr(member, "mask")) == (4, "id")
