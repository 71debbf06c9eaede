"""Licences' metadata and service items: every rule broken once and kept, and the values the standards print."""

from __future__ import annotations

import re
from typing import Any

import pytest

from node.validate import sample
from tests.validate.cases import BODY, CITIZEN, LEGAL, LICENCE, MORE, TASK, changed, made, spoken, told
from tests.validate.held import TODAY, draft, spec

Fields = dict[str, Any]
Told = list[tuple[str, str]]
E, ITEM = "e-licence/1.0", "service-item/1.0"
FIRM = {"HolderCodeTypeCode": "001", "HolderCode": LEGAL}
REGION_ISSUED = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"
SAMPLE_OF_A_DOCUMENT = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"

REFUSED: list[tuple[str, Fields, Told]] = [
    (E, {"RecordId": "x" + CITIZEN}, [("RecordId", "row-not-personal")]),
    (E, {"ProjectNo": "A-" + CITIZEN}, [("ProjectNo", "case-not-personal")]),
    (E, {"IssueDate": "2998-01-01", "ValidTo": None}, [("IssueDate", "not-future")]),
    (E, {"EventTime": "2999-01-01T00:00:00"}, [("EventTime", "not-future")]),
    (E, {"SignTime": "2999-01-01T00:00:00"}, [("SignTime", "not-future")]),
    (E, {"IssueDate": "20230401"}, [("IssueDate", "pattern")]),
    (E, {"IssueDate": "2023-02-29"}, [("IssueDate", "calendar")]),
    (E, {"ValidFrom": "2023-04-03", "ValidTo": "2023-04-02"}, [("ValidFrom", "licence-validity")]),
    (E, {"LicenceId": LICENCE.replace("403.001", "404.001")}, [("LicenceId", "licence-check")]),  # STANDARDS §4.6
    (E, {"LicenceId": LICENCE.replace(".001.", ".1.")}, [("LicenceId", "pattern")]),
    (E, {"PreviousLicenceId": LICENCE[:-1] + "V"}, [("PreviousLicenceId", "licence-check")]),
    (E, {"ExtendInfo": [{"EntryName": "a"}]}, [("ExtendInfo[1]/EntryValue", "required")]),
    (E, {"StatusCode": "1"}, [("StatusCode", "pattern")]),
    (ITEM, {"EventTime": "2999-01-01T00:00:00"}, [("EventTime", "not-future")]),
    (ITEM, {"LevelCode": "9", "TaskCode": TASK[:30]}, [("LevelCode", "table")]),  # STANDARDS §4.5
    (ITEM, {"OrgNatureCode": "4"}, [("OrgNatureCode", "table")]),
    (ITEM, {"ServiceObjectCode": ["1", "7"]}, [("ServiceObjectCode[2]", "table")]),
    (ITEM, {"LegalLimit": None}, [("LegalLimit", "legal-limit-unit")]),
    (ITEM, {"PromiseLimitUnit": None}, [("PromiseLimit", "promise-limit-unit")]),
    (ITEM, {"Material": [{"MaterialName": "a"}] * 1001}, [("Material", "occurs")]),
    (ITEM, {"Material": [{"MaterialName": "a"}, {"MaterialName": "b", "Copies": "100"}]},
     [("Material[2]/Copies", "total-digits")]),
]
WARNED: list[tuple[str, Fields, Told]] = [
    (E, {"LicenceTypeCode": "11100000000013338W012"}, [("LicenceTypeCode", "type-of-identifier")]),
    (E, {"IssuerCode": LEGAL}, [("IssuerCode", "issuer-of-identifier")]),
    (E, {"IssuerCode": "111000000000133390"},
     [("IssuerCode", "issuer-of-identifier"), ("IssuerCode", "issuer-organisation")]),
    (E, {"LicenceId": REGION_ISSUED, "LicenceTypeCode": "11100000MB03271699022"},
     [("IssuerCode", "issuer-of-identifier"), ("LicenceId", "licence-issuer")]),
    (E, {"HolderCode": "110105194912310021"}, [("HolderCode", "holder-citizen")]),
    (E, {"HolderCode": made("00010519491231002")}, [("HolderCode", "holder-region")]),
    (E, {"HolderCode": made("11010520991231002")}, [("HolderCode", "holder-citizen")]),
    (E, {**FIRM, "HolderCode": "11100000000013338A"}, [("HolderCode", "holder-organisation")]),
    (E, {"HolderCodeTypeCode": "115"}, [("HolderCodeTypeCode", "table")]),
    (E, {"HolderCodeTypeCode": "414", "HolderCode": "20230000403"}, [("LicenceId", "licence-not-personal")]),
    (E, {"ValidFrom": None, "ValidTo": "2023-03-31"}, [("IssueDate", "issued-before-end")]),
    (E, {"StatusCode": "08"}, [("StatusCode", "table")]),
    (E, {"StatusCode": "04"}, [("StatusReason", "status-reason")]),
    (E, {"FileDigest": None}, [("FileRef", "file-digest")]),
    (ITEM, {"TaskTypeCode": "11"}, [("TaskTypeCode", "table")]),
    (ITEM, {"StateCode": "0"}, [("StateCode", "table")]),
    (ITEM, {"LegalLimitUnit": "X"}, [("LegalLimitUnit", "table")]),
    (ITEM, {"PromiseLimitUnit": "X"}, [("PromiseLimitUnit", "table")]),
    (ITEM, {"OrgCode": LEGAL}, [("OrgCode", "task-organisation")]),
    (ITEM, {"LevelCode": "4"}, [("LevelCode", "level-of-task")]),
    (ITEM, {"CatalogCode": "370117002012"}, [("CatalogCode", "task-catalog")]),
    (ITEM, {"TaskCode": BODY + "9" + TASK[19:]}, [("TaskCode", "task-level"), ("LevelCode", "level-of-task")]),
    (ITEM, {"TaskCode": "11370800MB28559185" + TASK[18:]},
     [("TaskCode", "task-body"), ("OrgCode", "task-organisation")]),
]
TAKEN: list[tuple[str, Fields]] = [
    (E, {}), (ITEM, {}), (E, FIRM), (E, {**FIRM, "RecordId": "x" + LEGAL, "ProjectNo": LEGAL}),
    (E, {"LicenceId": "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
         "LicenceTypeCode": "11100000000013338W009", "IssuerCode": "11330105002500287C"}),  # STANDARDS §4.6
    (E, {"HolderCodeTypeCode": "414", "HolderCode": "G12345678，G12345679"}), (E, {"AreaCode": "441802001001"}),
    (E, {"StatusCode": "04", "StatusReason": "持证人申请注销", "ValidFrom": None, "ValidTo": None}),
    (E, {"FileRef": None, "FileDigest": None, "ExtendInfo": None, "ProjectNo": None}),
    (ITEM, {"TaskCode": TASK[:30], "CatalogCode": "370117002012", "OrgCode": LEGAL, "LevelCode": "4"}),
    (ITEM, {"Material": [{"MaterialName": "a"}] * 1000}),
    (ITEM, {"LegalLimit": None, "LegalLimitUnit": None, "PromiseLimit": None, "PromiseLimitUnit": None}),
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


def test_an_identifier_printed_as_an_example_in_a_document_is_wrong() -> None:
    refused, _ = told(E, changed(E, {"LicenceId": SAMPLE_OF_A_DOCUMENT}))
    assert refused == [("LicenceId", "licence-check")]


@pytest.mark.parametrize("name", MORE)
def test_every_rule_of_its_own_is_broken_here(name: str) -> None:
    broken = {one for where, _, wanted in (*REFUSED, *WARNED) if where == name for one in wanted}
    assert spoken(name) - {(re.sub(r"\[[0-9]+\]", "", field), rule) for field, rule in broken} == set()


@pytest.mark.parametrize("name", MORE)
def test_samples_keep_what_only_warns_too(name: str) -> None:
    of = spec(name)
    for index in range(100):
        assert of.problems(draft(sample(of, 22, index, revision=index % 3)), TODAY) == [], index
