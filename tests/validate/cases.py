"""One good record of each case set, of a licence and of a service item, and how a test says what is wrong with another.

The unified codes are public bodies' (STANDARDS §4), the citizen number is the standard's own example, the rest made up.
"""

from __future__ import annotations

from typing import Any

from node.model.record import Record
from node.validate import Media, document, read_drafts, to_json, to_xml
from node.validate.rules import checks
from node.validate.rules.wording import FACETS
from tests.validate.held import TODAY, by_json, by_xml, spec

CITIZEN, LEGAL, BODY = "11010519491231002X", "91440300708461136T", "11370800MB28559184"
TASK = BODY + "3" + "370117002011"
LICENCE = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
ITEM = {"CatalogCode": "370117002011", "TaskCode": TASK, "TaskName": "取水许可"}
CASE: dict[str, Any] = {"RecordId": "r-1", "Operation": "I", "ProjectNo": "441802-2019-000001"}

GOOD: dict[str, dict[str, Any]] = {
    "case-application/1.0": {
        **CASE, "EventTime": "20190228120000", **ITEM, "TaskVersion": "3", "ProjectTypeCode": "2",
        "ApplicantName": "某人", "ApplicantTypeCode": "1", "ApplicantIdType": "111", "ApplicantIdNumber": CITIZEN,
        "ContactName": "某某", "ContactIdType": "414", "ContactIdNumber": "G12345678", "ContactMobile": "13800000000",
        "ApplySourceCode": "2", "ApplyTime": "2019-02-28T12:00:00", "RegionCode": "441802",
    },
    "case-acceptance/1.0": {
        **CASE, "EventTime": "20190301090000", **ITEM, "AcceptOrgName": "某市水利局", "AcceptOrgCode": BODY,
        "AcceptTime": "2019-03-01T09:00:00", "AcceptResult": "1", "PromiseTime": "20190401000000",
        "ProjectTypeCode": "2", "RegionCode": "370800",
    },
    "case-step/1.0": {
        **CASE, "EventTime": "20190302100000", "StepNo": "1", "StepCode": "1", "StepName": "承办", "Action": "通过",
        "Handler": "某人", "Opinion": "同意", "StepStartTime": "20190302090000", "StepEndTime": "20190302100000",
        "HandleOrgName": "某市水利局", "HandleOrgCode": BODY, "StepStatusCode": "2",
    },
    "case-special-procedure/1.0": {
        **CASE, "EventTime": "20190312000000", "SpecialNo": "1", "SpecialTypeCode": "2", "SpecialTypeName": "专家鉴定",
        "StartTime": "20190305000000", "Reason": "依法需要", "LimitDays": "10", "LimitUnit": "1",
        "EndTime": "20190312000000", "Result": "通过",
    },
    "case-material/1.0": {
        **CASE, "EventTime": "20190228120000", "MaterialName": "申请表", "IsReceived": "1", "ReceiveMode": "窗口",
        "Quantity": "2", "ReceiveTime": "20190228T120000", "MaterialSource": "3",
        "Attachment": [{"AttachName": "申请表.pdf", "FileRef": "files/1", "FileDigest": "0" * 64, "FileSize": "5",
                        "MimeType": "application/pdf"}],
    },
    "case-completion/1.0": {
        **CASE, "EventTime": "20190328120000", "ResultTime": "2019032812:00:00", "ResultTypeCode": "6",
        "RegionCode": "441802001", "IsDelivery": "0", "IsFee": "1", "FeeAmount": "12.50", "Satisfaction": "5",
    },
}
MORE: dict[str, dict[str, Any]] = {
    "e-licence/1.0": {
        **CASE, "EventTime": "20230401120000", "LicenceName": "营业执照", "LicenceTypeName": "营业执照",
        "LicenceTypeCode": "11100000000013338W011", "LicenceNumber": "甲证字第1号", "LicenceId": LICENCE,
        "IssuerName": "某省某厅", "IssuerCode": "11430000006122244L", "IssueDate": "2023-04-01", "HolderName": "某人",
        "HolderCode": CITIZEN, "HolderCodeType": "公民身份号码", "HolderCodeTypeCode": "111", "ValidFrom": "2023-04-01",
        "ValidTo": "2099-12-31", "AreaCode": "430000", "SignTime": "20230401120000", "StatusCode": "01",
        "FileRef": "files/1", "FileDigest": "0" * 64, "ExtendInfo": [{"EntryName": "KZ_JYFW", "EntryValue": "取水"}],
    },
    "service-item/1.0": {
        "RecordId": "r-1", "Operation": "I", "EventTime": "20190101000000", **ITEM, "TaskTypeCode": "01",
        "LevelCode": "3", "OrgCode": BODY, "OrgNatureCode": "1", "LegalLimit": "20", "LegalLimitUnit": "1",
        "PromiseLimit": "5", "PromiseLimitUnit": "1", "IsFee": "0", "ServiceObjectCode": ["1", "2"],
        "TaskVersion": "1", "StateCode": "1",
        "Material": [{"MaterialName": "申请表", "Copies": "1", "IsRequired": "1"}, {"MaterialName": "章程"}],
    },
}
"""A licence's metadata and a service item."""


def made(seventeen: str) -> str:
    """Return the citizen number of 17 digits: one that stands in a file might be somebody's."""
    return seventeen + checks.citizen_check(seventeen)


def changed(name: str, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the good record with these fields; None takes one away."""
    twin = {**(GOOD.get(name) or MORE[name]), **changes}
    return {field: twin[field] for field in spec(name).shape.record.members if twin.get(field) is not None}


def told(name: str, twin: dict[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return what refuses the record and what only warns, each as (field, rule); both doors tell the same."""
    of = spec(name)
    by_tree = document.read_drafts(to_xml(of, [twin]), Media("xml"), of.shape)[0]
    tells = [of.problems(one, TODAY) for one in (read_drafts(to_json(twin), Media("ndjson"), of)[0], by_tree)]
    assert tells[0] == tells[1] and by_json(of, twin) == by_xml(of, twin)
    refusing = [(one.field, one.rule) for one in tells[0] if one.severity == "refuse"]
    assert isinstance(by_json(of, twin), Record) == (not refusing)
    return refusing, [(one.field, one.rule) for one in tells[0] if one.severity == "warn"]


def spoken(name: str) -> set[tuple[str, str]]:
    """Return (field, id) of every rule that the specification itself declares, without facets and shared types."""
    facets = {*FACETS, "digits"}
    return {(one.path, one.id) for one in spec(name).rules.all if one.id not in facets | SHARED}


SHARED = frozenset({
    "calendar", "uscc-check", "uscc-inner", "uscc-category", "region", "licence-check",
    "licence-type", "licence-issuer",
})
"""Rules that come with a shared type (test_standards, test_kinds)."""
