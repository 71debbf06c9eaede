"""The case sets: every rule of theirs, once kept and once broken, and the printed values of the standards."""

from __future__ import annotations

import re
from typing import Any

import pytest

from node.validate import faults, sample
from tests.validate.cases import BODY, CITIZEN, GOOD, LEGAL, LICENCE, TASK, changed, made, spoken, told
from tests.validate.held import TODAY, draft, spec

Fields = dict[str, Any]
Told = list[tuple[str, str]]
APPLICATION, ACCEPTANCE, STEP = "case-application/1.0", "case-acceptance/1.0", "case-step/1.0"
SPECIAL, MATERIAL, COMPLETION = "case-special-procedure/1.0", "case-material/1.0", "case-completion/1.0"
LATER = "2999-01-01T00:00:00"
SUPPLY = {"SupplyTime": "20190302120000", "SupplyReason": "申请表未签名"}
FIRM = {"ApplicantIdType": "001", "ApplicantIdNumber": LEGAL, "LegalRep": "某人"}

REFUSED: list[tuple[str, Fields, Told]] = [
    (APPLICATION, {"RecordId": "x" + CITIZEN}, [("RecordId", "row-not-personal")]),
    (APPLICATION, {"RecordId": "x-G12345678"}, [("RecordId", "row-not-contact")]),
    (APPLICATION, {"RecordId": "x-13800000000"}, [("RecordId", "row-not-phone")]),
    (APPLICATION, {"ProjectNo": "A-" + CITIZEN}, [("ProjectNo", "case-not-personal")]),
    (APPLICATION, {"ProjectNo": "A-G12345678"}, [("ProjectNo", "case-not-contact")]),
    (APPLICATION, {"ApplicantIdNumber": "110105194912310021"}, [("ApplicantIdNumber", "applicant-citizen")]),
    (APPLICATION, {"ApplicantIdNumber": "110105194913310021"}, [("ApplicantIdNumber", "applicant-citizen")]),
    *[(APPLICATION, {"ApplicantIdNumber": number}, [("ApplicantIdNumber", "applicant-citizen")])
      for number in ("1101051949123100", "441800190901010014", made("11010519490229002"), made("11010520991231002"))],
    (APPLICATION, {"ApplicantIdNumber": "11010519491231002x"}, [("ApplicantIdNumber", "pattern")]),
    (APPLICATION, {"ContactIdType": "112", "ContactIdNumber": made("11010520991231002")},
     [("ContactIdNumber", "contact-citizen")]),
    (APPLICATION, {**FIRM, "ApplicantIdNumber": "111000000000133390"},
     [("ApplicantIdNumber", "applicant-organisation")]),
    (APPLICATION, {**FIRM, "ApplicantIdNumber": "11100000000013338A"},
     [("ApplicantIdNumber", "applicant-organisation")]),
    (APPLICATION, {"ContactIdType": None}, [("ContactIdNumber", "contact-document")]),
    (APPLICATION, {"ContactIdNumber": None}, [("ContactIdNumber", "contact-document")]),
    (APPLICATION, {"ContactIdType": "111", "ContactIdNumber": "110105194912310021"},
     [("ContactIdNumber", "contact-citizen")]),
    (APPLICATION, {"ContactIdType": "001"}, [("ContactIdNumber", "contact-organisation")]),
    (APPLICATION, {"ProjectTypeCode": "3"}, [("ProjectTypeCode", "table")]),
    (APPLICATION, {"ApplySourceCode": "5"}, [("ApplySourceCode", "table")]),
    (APPLICATION, {"EventTime": LATER, "Operation": "U"}, [("EventTime", "not-future")]),
    (APPLICATION, {"ApplyTime": LATER, "Operation": "U"}, [("ApplyTime", "not-future")]),
    (APPLICATION, {"RegionCode": "449900"}, [("RegionCode", "region")]),  # STANDARDS §4.3
    (APPLICATION, {"RegionCode": "44180"}, [("RegionCode", "pattern")]),
    (APPLICATION, {"ProjectNo": "a-1"}, [("ProjectNo", "pattern")]),
    (COMPLETION, {"ResultTypeCode": "0", "LicenceNumber": "甲1"}, [("LicenceName", "licence-name")]),
    (COMPLETION, {"ResultTypeCode": "0", "LicenceName": "营业执照"}, [("LicenceNumber", "licence-number")]),
    (COMPLETION, {"FeeAmount": None}, [("FeeAmount", "fee")]),
    (COMPLETION, {"FeeAmount": "12.505"}, [("FeeAmount", "fraction-digits")]),
    (COMPLETION, {"EventTime": LATER, "Operation": "U"}, [("EventTime", "not-future")]),
    (COMPLETION, {"ResultTime": LATER, "Operation": "U"}, [("ResultTime", "not-future")]),
    (COMPLETION, {"LicenceId": LICENCE[:-1] + "E"}, [("LicenceId", "licence-check")]),
    (COMPLETION, {"Satisfaction": "6"}, [("Satisfaction", "pattern")]),
    *[(name, {"EventTime": LATER, "Operation": "U"}, [("EventTime", "not-future")])
      for name in (ACCEPTANCE, STEP, MATERIAL)],
    (ACCEPTANCE, {"AcceptTime": LATER, "PromiseTime": None, "Operation": "U"}, [("AcceptTime", "not-future")]),
    (ACCEPTANCE, {"AcceptResult": "0"}, [("AcceptResult", "table")]),
    (ACCEPTANCE, {"ProjectTypeCode": "0"}, [("ProjectTypeCode", "table")]),
    (ACCEPTANCE, {"AcceptResult": "2"}, [("RejectReason", "reject-reason")]),
    (ACCEPTANCE, {"AcceptOrgCode": "11100000000013338A"}, [("AcceptOrgCode", "uscc-check")]),  # STANDARDS §4.2
    (ACCEPTANCE, {"AcceptOrgCode": "111000000000133390"}, [("AcceptOrgCode", "uscc-inner")]),
    (ACCEPTANCE, {"PreAccept": {"PreAcceptTime": LATER}}, [("PreAccept/PreAcceptTime", "not-future")]),
    (ACCEPTANCE, {"Supply": {**SUPPLY, "SupplyTime": LATER}}, [("Supply/SupplyTime", "not-future")]),
    (ACCEPTANCE, {"SupplyAccept": {"SupplyAcceptTime": LATER}}, [("SupplyAccept/SupplyAcceptTime", "not-future")]),
    (ACCEPTANCE, {"Receive": {"ReceiveTime": LATER}}, [("Receive/ReceiveTime", "not-future")]),
    (ACCEPTANCE, {"Supply": {}}, [("Supply/SupplyTime", "required"), ("Supply/SupplyReason", "required")]),
    (STEP, {"StepStatusCode": "3"}, [("StepStatusCode", "table")]),
    (STEP, {"StepStartTime": "20190302100001"}, [("StepStartTime", "step-times")]),
    (STEP, {"StepStartTime": LATER, "StepEndTime": LATER, "Operation": "U"},
     [("StepStartTime", "not-future"), ("StepEndTime", "not-future")]),
    (STEP, {"StepNo": "12345"}, [("StepNo", "pattern")]),
    (SPECIAL, {"SpecialTypeCode": "A"}, [("SpecialTypeCode", "pattern")]),
    (SPECIAL, {"SpecialTypeCode": "3"}, [("SpecialTypeCode", "table")]),
    (SPECIAL, {"EventTime": LATER, "EndTime": None}, [("EventTime", "not-future")]),
    (SPECIAL, {"EventTime": LATER, "EndTime": LATER}, [("EventTime", "not-future"), ("EndTime", "not-future")]),
    (SPECIAL, {"EventTime": LATER, "StartTime": LATER, "EndTime": None},
     [("EventTime", "not-future"), ("StartTime", "not-future")]),
    (SPECIAL, {"LimitDays": None}, [("LimitDays", "limit-unit")]),
    (SPECIAL, {"LimitUnit": None}, [("LimitDays", "limit-unit")]),
    (MATERIAL, {"ReceiveTime": LATER, "Operation": "U"}, [("ReceiveTime", "not-future")]),
    (MATERIAL, {"Attachment": [{"AttachName": "a"}] * 101}, [("Attachment", "occurs")]),
    (MATERIAL, {"Attachment": [{"AttachName": "a"}, {"FileSize": "1"}]}, [("Attachment[2]/AttachName", "required")]),
    (MATERIAL, {"IsReceived": "2"}, [("IsReceived", "enumeration")]),
]
WARNED: list[tuple[str, Fields, Told]] = [
    (APPLICATION, {"ApplicantIdNumber": made("00010519491231002")}, [("ApplicantIdNumber", "applicant-region")]),
    (APPLICATION, {"ContactIdType": "111", "ContactIdNumber": made("00010519491231002")},
     [("ContactIdNumber", "contact-region")]),
    (APPLICATION, {"ApplicantIdType": "115"}, [("ApplicantIdType", "table")]),
    (APPLICATION, {"ContactIdType": "115"}, [("ContactIdType", "table")]),
    (APPLICATION, {**FIRM, "LegalRep": None}, [("LegalRep", "legal-representative")]),
    (APPLICATION, {"TaskCode": "11370800MB28559185" + TASK[18:]}, [("TaskCode", "task-body")]),
    (APPLICATION, {"TaskCode": BODY + "9" + TASK[19:]}, [("TaskCode", "task-level")]),
    (APPLICATION, {"CatalogCode": "370117002012"}, [("CatalogCode", "task-catalog")]),
    (APPLICATION, {"EventTime": "20190228120001"}, [("EventTime", "event-apply")]),
    (ACCEPTANCE, {"TaskCode": "11370800MB28559185" + TASK[18:]}, [("TaskCode", "task-body")]),
    (ACCEPTANCE, {"TaskCode": BODY + "0" + TASK[19:]}, [("TaskCode", "task-level")]),
    (ACCEPTANCE, {"CatalogCode": "370117002012"}, [("CatalogCode", "task-catalog")]),
    (ACCEPTANCE, {"EventTime": "20190301090001"}, [("EventTime", "event-accept")]),
    (ACCEPTANCE, {"RejectReason": "不属于本机关职权范围"}, [("RejectReason", "no-reject-reason")]),
    (ACCEPTANCE, {"AcceptResult": "3"}, [("Supply", "supply-notice")]),
    (ACCEPTANCE, {"PromiseTime": "20190301000000"}, [("AcceptTime", "promise-after-acceptance")]),
    (STEP, {"StepCode": "4"}, [("StepCode", "table")]),
    (STEP, {"EventTime": "20190302090000"}, [("EventTime", "event-stepend")]),
    (SPECIAL, {"SpecialTypeCode": "1"}, [("SpecialTypeName", "extension-name")]),
    (SPECIAL, {"LimitUnit": "A"}, [("LimitUnit", "table")]),
    (SPECIAL, {"Result": None}, [("Result", "special-result")]),
    (SPECIAL, {"EventTime": "20190305000000"}, [("EventTime", "event-end")]),
    (SPECIAL, {"EventTime": "20190304235959", "EndTime": None}, [("StartTime", "start-before-event")]),
    (MATERIAL, {"EventTime": "20190228120001"}, [("EventTime", "event-receive")]),
    (MATERIAL, {"MaterialSource": "5"}, [("MaterialSource", "table")]),
    (MATERIAL, {"MaterialSource": "1"}, [("LicenceId", "licence-given")]),
    (MATERIAL, {"Attachment": [{"AttachName": "a"}, {"AttachName": "b", "FileRef": "x"}]},
     [("Attachment[2]/FileRef", "file-digest")]),
    (COMPLETION, {"EventTime": "20190228120001"}, [("EventTime", "event-result")]),
    (COMPLETION, {"ResultTypeCode": "7"}, [("ResultTypeCode", "table")]),
    (COMPLETION, {"ResultTypeCode": "2"}, [("VoidReason", "void-reason")]),
    (COMPLETION, {"IsFee": "0"}, [("FeeAmount", "no-fee")]),
    (COMPLETION, {"LicenceId": "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"},
     [("LicenceId", "licence-issuer")]),  # STANDARDS §4.6
]
TAKEN: list[tuple[str, Fields]] = [
    *[(name, {}) for name in GOOD],
    (APPLICATION, FIRM), (APPLICATION, {**FIRM, "RecordId": "x" + LEGAL, "ProjectNo": "A-" + LEGAL}),
    *[(APPLICATION, {"ApplicantIdNumber": number}) for number in (  # STANDARDS §4.1; the first one's region is history
        "440524188001010014", *map(made, ("44180019900101001", "63010020000229002", "37150219701130999")))],
    (APPLICATION, {"ApplicantIdType": "414", "ApplicantIdNumber": "H(1)-2", "RegionCode": "441802001"}),
    (APPLICATION, {"ContactIdType": None, "ContactIdNumber": None}),
    (APPLICATION, {"TaskCode": TASK[:30], "CatalogCode": "370117002012"}),  # of another length it has another structure
    (APPLICATION, {"EventTime": "20190301000000", "Operation": "U"}),
    (APPLICATION, {"ApplyTime": "2019-02-28T04:00:00Z"}),
    (ACCEPTANCE, {"AcceptResult": "2", "RejectReason": "不属于本机关职权范围", "PromiseTime": None}),
    (ACCEPTANCE, {"AcceptResult": "3", "Supply": SUPPLY}),
    (ACCEPTANCE, {"SupplyAccept": {"SupplyAcceptTime": "20190305120000"}}),
    (ACCEPTANCE, {"PreAccept": {"PreAcceptTime": "20190301080000"}, "Receive": {"ReceiveTime": "20190401100000"}}),
    (STEP, {"StepEndTime": "20190302090000", "EventTime": "20190302090000", "StepStatusCode": "1"}),
    (SPECIAL, {"EventTime": "20190305000000", "EndTime": None, "Result": None, "LimitDays": None, "LimitUnit": None}),
    (SPECIAL, {"SpecialTypeCode": "1", "SpecialTypeName": "延长审批"}),
    (MATERIAL, {"MaterialSource": "1", "LicenceId": LICENCE, "Attachment": None}),
    (MATERIAL, {"Attachment": [{"AttachName": "a"}] * 100}),
    (COMPLETION, {"ResultTypeCode": "0", "LicenceName": "营业执照", "LicenceNumber": "甲1", "LicenceId": LICENCE}),
    (COMPLETION, {"ResultTypeCode": "2", "VoidReason": "重复申请"}), (COMPLETION, {"IsFee": "0", "FeeAmount": None}),
]


@pytest.mark.parametrize(("name", "fields", "wanted"), REFUSED)
def test_a_record_is_refused_for_just_that(name: str, fields: Fields, wanted: Told) -> None:
    assert told(name, changed(name, fields)) == (wanted, [])


@pytest.mark.parametrize(("name", "fields", "wanted"), WARNED)
def test_what_no_standard_confirms_only_warns(name: str, fields: Fields, wanted: Told) -> None:
    assert told(name, changed(name, fields)) == ([], wanted)


@pytest.mark.parametrize(("name", "fields"), TAKEN)
def test_a_record_that_keeps_every_rule_is_taken_without_a_word(name: str, fields: Fields) -> None:
    assert told(name, changed(name, fields)) == ([], [])


def test_a_procedure_that_ends_before_it_starts_is_refused_and_what_follows_from_it_told() -> None:
    twin = changed(SPECIAL, {"EndTime": "20190304000000", "EventTime": "20190304000000"})
    assert told(SPECIAL, twin) == ([("StartTime", "special-times")], [("StartTime", "start-before-event")])


@pytest.mark.parametrize("name", GOOD)
def test_every_rule_of_its_own_is_broken_here(name: str) -> None:
    broken = {("StartTime", "special-times")}
    broken |= {one for where, _, wanted in (*REFUSED, *WARNED) if where == name for one in wanted}
    broken = {(re.sub(r"\[[0-9]+\]", "", field), rule) for field, rule in broken}
    assert spoken(name) - broken == set()


@pytest.mark.parametrize("name", GOOD)
def test_samples_keep_what_only_warns_too(name: str) -> None:
    of = spec(name)
    for index in range(100):
        assert of.problems(draft(sample(of, 21, index, revision=index % 3)), TODAY) == [], index


@pytest.mark.parametrize("name", GOOD)
def test_the_sets_of_one_case_have_its_number(name: str) -> None:
    of = spec(name)
    assert of.shape.correlation == "ProjectNo" == of.key_fields[0]
    assert sample(of, 3, 7)["ProjectNo"] == sample(spec(APPLICATION), 3, 7)["ProjectNo"]
    assert len({sample(of, 3, index)["ProjectNo"] for index in range(100)}) == 100
    assert {fault.rule for fault in faults(of)} >= {"required", "calendar"}
