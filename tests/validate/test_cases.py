"""The case sets: every rule of theirs, once kept and once broken, and the printed values of the standards."""

from __future__ import annotations

from typing import Any

import pytest

from node.validate import faults, sample
from tests.validate.cases import BODY, CITIZEN, GOOD, LEGAL, LICENCE, TASK, changed, spoken, told
from tests.validate.held import TODAY, draft, spec

Fields = dict[str, Any]
Told = list[tuple[str, str]]
APPLICATION, COMPLETION = "case-application/1.0", "case-completion/1.0"
LATER = "2999-01-01T00:00:00"
FIRM = {"ApplicantIdType": "001", "ApplicantIdNumber": LEGAL, "LegalRep": "某人"}

REFUSED: list[tuple[str, Fields, Told]] = [
    (APPLICATION, {"RecordId": "x" + CITIZEN}, [("RecordId", "row-not-personal")]),
    (APPLICATION, {"RecordId": "x-G12345678"}, [("RecordId", "row-not-contact")]),
    (APPLICATION, {"RecordId": "x-13800000000"}, [("RecordId", "row-not-phone")]),
    (APPLICATION, {"ProjectNo": "A-" + CITIZEN}, [("ProjectNo", "case-not-personal")]),
    (APPLICATION, {"ProjectNo": "A-G12345678"}, [("ProjectNo", "case-not-contact")]),
    (APPLICATION, {"ApplicantIdNumber": "110105194912310021"}, [("ApplicantIdNumber", "applicant-citizen")]),
    (APPLICATION, {"ApplicantIdNumber": "110105194913310021"}, [("ApplicantIdNumber", "applicant-citizen")]),
    (APPLICATION, {"ApplicantIdNumber": "1101051949123100"}, [("ApplicantIdNumber", "applicant-citizen")]),
    (APPLICATION, {**FIRM, "ApplicantIdNumber": "111000000000133390"},
     [("ApplicantIdNumber", "applicant-organisation")]),
    (APPLICATION, {**FIRM, "ApplicantIdNumber": "11100000000013338A"},
     [("ApplicantIdNumber", "applicant-organisation")]),
    (APPLICATION, {"ContactIdType": None}, [("ContactIdNumber", "contact-document")]),
    (APPLICATION, {"ContactIdNumber": None}, [("ContactIdNumber", "contact-document")]),
    (APPLICATION, {"ContactIdType": "111"}, [("ContactIdNumber", "contact-citizen")]),
    (APPLICATION, {"ContactIdType": "001"}, [("ContactIdNumber", "contact-organisation")]),
    (APPLICATION, {"ApplicantIdType": "115"}, [("ApplicantIdType", "table")]),
    (APPLICATION, {"ContactIdType": "115"}, [("ContactIdType", "table")]),
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
]
WARNED: list[tuple[str, Fields, Told]] = [
    (APPLICATION, {**FIRM, "LegalRep": None}, [("LegalRep", "legal-representative")]),
    (APPLICATION, {"TaskCode": "11370800MB28559185" + TASK[18:]}, [("TaskCode", "task-body")]),
    (APPLICATION, {"TaskCode": BODY + "9" + TASK[19:]}, [("TaskCode", "task-level")]),
    (APPLICATION, {"CatalogCode": "370117002012"}, [("CatalogCode", "task-catalog")]),
    (APPLICATION, {"EventTime": "20190228120001"}, [("EventTime", "event-apply")]),
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
    (APPLICATION, {"ApplicantIdNumber": "440524188001010014"}),  # STANDARDS §4.1: its region is history, and may be
    (APPLICATION, {"ApplicantIdType": "414", "ApplicantIdNumber": "H(1)-2", "RegionCode": "441802001"}),
    (APPLICATION, {"ContactIdType": None, "ContactIdNumber": None}),
    (APPLICATION, {"TaskCode": TASK[:30], "CatalogCode": "370117002012"}),  # of another length it has another structure
    (APPLICATION, {"EventTime": "20190301000000", "Operation": "U"}),
    (APPLICATION, {"ApplyTime": "2019-02-28T04:00:00Z"}),
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


@pytest.mark.parametrize("name", GOOD)
def test_every_rule_of_its_own_is_broken_here(name: str) -> None:
    broken = {one for where, _, wanted in (*REFUSED, *WARNED) if where == name for one in wanted}
    assert spoken(name) - broken == set()


@pytest.mark.parametrize("name", GOOD)
def test_samples_keep_what_only_warns_too(name: str) -> None:
    of = spec(name)
    for index in range(300):
        assert of.problems(draft(sample(of, 21, index, revision=index % 3)), TODAY) == [], index


@pytest.mark.parametrize("name", GOOD)
def test_the_sets_of_one_case_have_its_number(name: str) -> None:
    of = spec(name)
    assert of.shape.correlation == "ProjectNo" == of.key_fields[0]
    assert sample(of, 3, 7)["ProjectNo"] == sample(spec(APPLICATION), 3, 7)["ProjectNo"]
    assert len({sample(of, 3, index)["ProjectNo"] for index in range(300)}) == 300
    assert {fault.rule for fault in faults(of)} >= {"required", "calendar"}
