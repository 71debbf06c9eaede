"""The public credit data set: who must be named how, by the kind of subject, and what a decision must say (A5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from node.model.record import Record
from node.validate import Specification, sample
from node.validate.rules import checks
from tests.validate.held import TODAY, by_json, by_xml, draft, found, spec

ENTERPRISE, COOPERATIVE, INSTITUTION = "91440300708461136T", "93441800MA4W00011", "12330105002500287"
ORGAN, CODE = "11370800MB28559184", "11100000000013338W"


def _unified(front: str) -> str:
    return front + checks.uscc_check(front)


def _citizen(front: str) -> str:
    return front + checks.citizen_check(front)


CITIZEN = _citizen("44180019900101001")
CONTROL = {"RecordId": "xk-1", "Operation": "I", "EventTime": "2019-03-04T10:00:00+08:00", "SourceOrgCode": ORGAN}
SUBJECT = {
    "SubjectName": "清远某某有限公司", "SubjectKindCode": "2", "UnifiedCode": ENTERPRISE, "LegalRepName": "张三",
}
PERSON: dict[str, Any] = {
    "SubjectName": "张三", "SubjectKindCode": "1", "UnifiedCode": None, "LegalRepName": None,
    "SubjectIdType": "111", "SubjectIdNumber": CITIZEN,
}
PERMIT = {
    **CONTROL, **SUBJECT, "DocumentName": "准予食品经营许可决定书", "DocumentNumber": "清市监许〔2019〕7号",
    "PermitCategory": "普通", "PermitContent": "食品销售经营", "DecisionDate": "2019-03-01", "ValidFrom": "2019-03-01",
    "ValidTo": "2099-12-31", "AuthorityName": "清远市市场监督管理局", "AuthorityCode": ORGAN, "StatusCode": "1",
    "SourceOrgName": "清远市市场监督管理局",
}
PENALTY = {
    **CONTROL, **SUBJECT, "DocumentNumber": "清环罚〔2019〕7号", "ViolationType": "超标排放污染物",
    "ViolationFact": "经查，当事人超标排放污染物", "PenaltyBasis": "《中华人民共和国水污染防治法》第八十三条第二项",
    "PenaltyCategory": "罚款", "PenaltyContent": "罚款二千元", "FineAmount": "0.2", "DecisionDate": "2019-03-01",
    "AuthorityName": "清远市生态环境局", "AuthorityCode": ORGAN, "SourceOrgName": "清远市生态环境局",
}
GOOD: Mapping[str, Mapping[str, str]] = {"admin-permit/1.0": PERMIT, "admin-penalty/1.0": PENALTY}
Rules = list[tuple[str, str]]


def said_of(name: str, good: Mapping[str, str], fields: Mapping[str, Any]) -> tuple[Rules, Rules]:
    """Return what refuses, at both doors, a good record with these fields, and what warns; None takes a field away."""
    of: Specification = spec(name)
    twin = {field: text for field, text in {**good, **fields}.items() if text is not None}
    twin = {field: twin[field] for field in of.shape.record.members if field in twin}
    judged = by_json(of, twin)
    assert by_xml(of, twin) == judged
    problems = of.problems(draft(twin), TODAY)
    warned = [(one.field, one.rule) for one in problems if one.severity == "warn"]
    return [one for one in found(judged) if one not in warned], warned


def said(name: str, **fields: Any) -> tuple[Rules, Rules]:
    """Return what refuses and what warns of the good record of a specification with these fields."""
    return said_of(name, GOOD[name], fields)


def refused(name: str, **fields: Any) -> Rules:
    """Return what refuses, when nothing warns."""
    refusing, warned = said(name, **fields)
    assert warned == []
    return refusing


@pytest.mark.parametrize("name", GOOD)
def test_a_good_record_passes_without_a_word(name: str) -> None:
    assert said(name) == ([], []) == said(name, **PERSON)


@pytest.mark.parametrize("name", GOOD)
def test_a_natural_person_is_named_by_an_identity_document(name: str) -> None:
    person = {**PERSON, "RecordId": "xk-1"}
    assert refused(name, **{**person, "SubjectIdType": None, "SubjectIdNumber": None}) == [
        ("SubjectIdType", "person-document"), ("SubjectIdNumber", "person-number"),
    ]
    assert refused(name, **{**person, "SubjectIdNumber": None}) == [
        ("SubjectIdNumber", "person-number"), ("SubjectIdNumber", "subject-document"),
    ]
    assert refused(name, **{**person, "SubjectIdNumber": CITIZEN[:17] + "Y"}) == [("SubjectIdNumber", "subject-number")]
    assert refused(name, **{**person, "SubjectIdType": "414", "SubjectIdNumber": "E12345678"}) == []
    assert refused(name, **{**person, "SubjectIdType": "999"}) == [("SubjectIdType", "table")]
    assert refused(name, **{**person, "RecordId": "p-" + CITIZEN}) == [("RecordId", "row-not-personal")]
    assert said(name, **{**person, "UnifiedCode": ENTERPRISE}) == ([], [("UnifiedCode", "person-without-code")])


@pytest.mark.parametrize("kind", "23459")
@pytest.mark.parametrize("name", GOOD)
def test_a_legal_person_is_named_by_its_unified_code(name: str, kind: str) -> None:
    assert refused(name, SubjectKindCode=kind, UnifiedCode=None) == [("UnifiedCode", "organisation-code")]
    assert said(name, SubjectKindCode=kind, UnifiedCode=None, LegalRepName=None) == (
        [("UnifiedCode", "organisation-code")], [("LegalRepName", "representative")],
    )


@pytest.mark.parametrize("name", GOOD)
def test_an_individual_business_may_still_have_its_old_number_only(name: str) -> None:
    business = {"SubjectKindCode": "6", "UnifiedCode": _unified("92441800MA4W00011"), "LegalRepName": None}
    assert refused(name, **business) == []
    assert refused(name, **{**business, "UnifiedCode": None, "BusinessRegNo": "440301103097413"}) == []
    assert refused(name, **{**business, "UnifiedCode": None}) == [("UnifiedCode", "business-number")]


@pytest.mark.parametrize(("kind", "good", "rule"), [
    ("2", _unified(COOPERATIVE), "enterprise-code"), ("3", _unified(INSTITUTION), "institution-code"),
    ("4", ORGAN, "organ-code"), ("5", _unified("52441800MA4W00011"), "social-code"),
    ("6", _unified("92441800MA4W00011"), "business-code"),
])
@pytest.mark.parametrize("name", GOOD)
def test_a_unified_code_of_another_kind_of_subject_is_a_warning(name: str, kind: str, good: str, rule: str) -> None:
    assert said(name, SubjectKindCode=kind, UnifiedCode=good) == ([], [])
    other = _unified("31441800MA4W00011")
    assert said(name, SubjectKindCode=kind, UnifiedCode=other) == ([], [("UnifiedCode", rule)])
    assert said(name, SubjectKindCode="9", UnifiedCode=other) == ([], [])


@pytest.mark.parametrize(("code", "rule"), [
    ("11100000000013338A", "uscc-check"), ("111000000000133390", "uscc-inner"), ("01100000000013338X", "uscc-category"),
    ("11100000000013338", "pattern"), ("11100000000013338I", "pattern"), (CODE, None),
])
@pytest.mark.parametrize("field", ["UnifiedCode", "AuthorityCode", "SourceOrgCode"])
@pytest.mark.parametrize("name", GOOD)
def test_a_unified_code_is_checked_wherever_it_stands(name: str, field: str, code: str, rule: str | None) -> None:
    """STANDARDS §4.2."""
    assert refused(name, SubjectKindCode="9", **{field: code}) == ([(field, rule)] if rule else [])


@pytest.mark.parametrize("name", GOOD)
def test_a_representative_is_named_with_the_kind_of_document(name: str) -> None:
    representative = {"LegalRepIdType": "111", "LegalRepIdNumber": CITIZEN}
    assert refused(name, **representative) == []
    assert refused(name, LegalRepIdNumber=CITIZEN) == [("LegalRepIdNumber", "representative-document")]
    assert refused(name, LegalRepIdType="111", LegalRepIdNumber="E1234567") == [
        ("LegalRepIdNumber", "representative-number"),
    ]
    assert refused(name, **representative, RecordId="x" + CITIZEN) == [("RecordId", "row-not-representative")]


@pytest.mark.parametrize(("field", "text", "rule"), [
    ("BusinessRegNo", "440301103097413", None), ("BusinessRegNo", "440301103097414", "register-number"),
    ("BusinessRegNo", "4403011030974", None), ("BusinessRegNo", "企独粤总字第000001号副本", None),
    ("OrganisationCode", "000013338", None), ("OrganisationCode", "MB2855918", None),
    ("OrganisationCode", "000013339", "organisation-check"), ("OrganisationCode", "00001333-8", "pattern"),
    ("TaxRegNo", "4403007084611361", "pattern"), ("InstitutionNo", "1441800000012", "pattern"),
])
@pytest.mark.parametrize("name", GOOD)
def test_the_older_numbers_of_a_subject_are_checked_too(name: str, field: str, text: str, rule: str | None) -> None:
    """STANDARDS §4.2."""
    assert refused(name, **{field: text}) == ([(field, rule)] if rule else [])


@pytest.mark.parametrize("name", GOOD)
def test_what_the_data_set_asks_for_without_certainty_is_a_warning(name: str) -> None:
    for field in ("SourceOrgCode", "SourceOrgName"):
        assert said(name, **{field: None}) == ([], [(field, f"wanted-{field}")])
    assert said(name, DecisionDate="2019-03-05") == ([], [("DecisionDate", "decided-before-event")])
    assert said(name, SyncTime="20190312000000") == ([], [])
    assert said(name, SyncTime="20190313000000") == ([], [("SyncTime", "published-late")])
    assert refused(name, DecisionDate="2019-02-29") == [("DecisionDate", "calendar")]
    assert refused(name, DecisionDate="2019/2/1") == [("DecisionDate", "pattern")]


@pytest.mark.parametrize("name", GOOD)
def test_a_decision_of_tomorrow_is_refused(name: str) -> None:
    refusing, warned = said(name, DecisionDate="2024-06-02")
    assert refusing == [("DecisionDate", "not-future")]
    assert warned == [("DecisionDate", "decided-before-event")]


@pytest.mark.parametrize(("fields", "refusing", "warned"), [
    ({"ValidFrom": "2019-03-02", "ValidTo": "2019-03-01"}, [("ValidFrom", "validity")], []),
    ({"ValidFrom": "2019-02-01", "ValidTo": "2019-02-28"}, [], [("DecisionDate", "decided-before-end")]),
    ({"PermitCategory": "其他-备案"}, [], []), ({"PermitCategory": "备案"}, [], [("PermitCategory", "permit-category")]),
    ({"StatusCode": "2"}, [], []), ({"StatusCode": "0"}, [("StatusCode", "table")], []),
    ({"SubjectKindCode": "7"}, [("SubjectKindCode", "table")], []),
    ({**PERSON, "ProjectNo": "441800-2019-000007"}, [], []),
    ({**PERSON, "ProjectNo": "A-" + CITIZEN}, [("ProjectNo", "case-not-personal")], []),
    ({"LegalRepIdType": "111", "LegalRepIdNumber": CITIZEN, "ProjectNo": "A-" + CITIZEN},
     [("ProjectNo", "case-not-representative")], []),
    ({"DocumentName": None, "ValidFrom": None, "ValidTo": None}, [], [
        ("DocumentName", "wanted-DocumentName"), ("ValidFrom", "wanted-ValidFrom"), ("ValidTo", "wanted-ValidTo"),
    ]),
    ({"OrganisationCode": "708461136", "TaxRegNo": "440300708461136", "InstitutionNo": "144180000001"}, [], []),
    ({"RegionCode": "440524"}, [], []), ({"RegionCode": "449900"}, [("RegionCode", "region")], []),
    ({"DocumentNumber": "长" * 65}, [("DocumentNumber", "max-length")], []),
    ({"PermitContent": "长" * 4000}, [], []), ({"PermitContent": "长" * 4001}, [("PermitContent", "max-length")], []),
])
def test_a_permit_says_what_it_must(fields: Any, refusing: Rules, warned: Rules) -> None:
    assert said("admin-permit/1.0", **fields) == (refusing, warned)


def test_a_permit_belongs_to_its_case_and_is_kept_per_authority_document_and_subject() -> None:
    of = spec("admin-permit/1.0")
    judged = by_json(of, {**PERMIT, "ProjectNo": "441800-2019-000007"})
    assert isinstance(judged, Record) and judged.correlation == "441800-2019-000007"
    assert judged.key == (ORGAN, PERMIT["DocumentNumber"], PERMIT["SubjectName"])


@pytest.mark.parametrize(("fields", "refusing", "warned"), [
    ({"FineAmount": None}, [("FineAmount", "fine")], [("FineAmount", "fine-in-content")]),
    ({"FineAmount": None, "PenaltyContent": "见决定书"}, [("FineAmount", "fine")], []),
    ({"FineAmount": None, "PenaltyCategory": "警告"}, [], [("FineAmount", "fine-in-content")]),
    ({"FineAmount": None, "PenaltyCategory": "警告", "PenaltyContent": "警告"}, [], []),
    ({"FineAmount": "0.000001"}, [], []), ({"FineAmount": "0.0000001"}, [("FineAmount", "fraction-digits")], []),
    ({"FineAmount": "0"}, [("FineAmount", "min-exclusive")], []),
    ({"FineAmount": "2000元"}, [("FineAmount", "number")], []),
    ({"FineAmount": "123456789012.123456"}, [], []),
    ({"FineAmount": "1234567890123.123456"}, [("FineAmount", "total-digits")], []),
    ({"PenaltyCategory": "罚款、没收违法所得"}, [], [("ConfiscatedAmount", "confiscation")]),
    ({"PenaltyCategory": "罚款、没收违法所得", "ConfiscatedAmount": "1.5"}, [], []),
    ({"PenaltyCategory": "吊销许可证"}, [], [("RevokedCertificate", "revocation")]),
    ({"PenaltyCategory": "暂扣执照", "RevokedCertificate": "营业执照，编号1"}, [], []),
    ({"PenaltyCategory": "批评"}, [], [("PenaltyCategory", "penalty-category")]),
    ({"PenaltyCategory": "其他-批评"}, [], []),
    ({"ValidTo": "2020-03-01", "PublicityEnd": "2020-03-01"}, [], []),
    ({"ValidTo": "2019-02-28"}, [("DecisionDate", "penalty-validity")], []),
    ({"PublicityEnd": "2019-02-28"}, [("DecisionDate", "publicity")], []),
    ({"ViolationFact": "长" * 5001}, [("ViolationFact", "max-length")], []),
    ({"PenaltyBasis": None}, [("PenaltyBasis", "required")], []),
])
def test_a_penalty_says_what_it_must(fields: Any, refusing: Rules, warned: Rules) -> None:
    assert said("admin-penalty/1.0", **fields) == (refusing, warned)


@pytest.mark.parametrize("name", [*GOOD, "credit-list/1.0"])
def test_samples_of_natural_persons_bear_names_of_persons(name: str) -> None:
    twins = [sample(spec(name), 3, index) for index in range(200)]
    persons = [twin["SubjectName"] for twin in twins if twin["SubjectKindCode"] == "1"]
    others = [twin["SubjectName"] for twin in twins if twin["SubjectKindCode"] != "1"]
    assert len(persons) > 10 and max(map(len, persons)) <= 3 < min(map(len, others))


@pytest.mark.parametrize("name", GOOD)
def test_what_a_person_is_known_by_is_masked(name: str) -> None:
    members = spec(name).shape.record.members
    graded = {
        field: (getattr(members[field], "grade"), getattr(members[field], "mask"))
        for field in ("SubjectName", "LegalRepName", "SubjectIdNumber", "LegalRepIdNumber")
    }
    assert graded == {
        "SubjectName": (3, "name"), "LegalRepName": (3, "name"),
        "SubjectIdNumber": (4, "id"), "LegalRepIdNumber": (4, "id"),
    }
