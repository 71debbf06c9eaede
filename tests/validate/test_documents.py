"""Documents: the metadata of a policy, a law, a list of powers or a plan, and that nothing secret passes (A16, E9)."""

from __future__ import annotations

from typing import Any

import pytest

from node.model.record import Refusal
from tests.validate.held import by_json, sm3, spec
from tests.validate.test_credit import ORGAN, Rules, said_of

NAME = "document/1.0"
GOOD = {
    "RecordId": "doc-1", "Operation": "I", "EventTime": "2019-03-04T10:00:00+08:00", "DocumentId": "QY-2019-0007",
    "Title": "关于政务信息资源共享的实施办法", "DocumentKindCode": "05", "DocumentNumber": "清府〔2019〕7号",
    "IssuerName": "清远市人民政府", "IssueDate": "2019-03-01", "EffectiveDate": "2019-04-01", "FileName": "办法.pdf",
    "MediaType": "application/pdf", "FileSize": "104857", "FileDigest": sm3(b"the file").hex(),
}


@pytest.mark.parametrize(("fields", "refusing", "warned"), [
    ({}, [], []), ({"IssuerCode": ORGAN, "RegionCode": "441800", "SecrecyCode": "0", "StatusCode": "1"}, [], []),
    ({"EffectiveDate": None}, [], []),
    *[({"DocumentKindCode": kind, "EffectiveDate": None}, [("EffectiveDate", "law-in-force")], [])
      for kind in ("01", "02", "03", "04")],
    ({"DocumentKindCode": "12", "EffectiveDate": None, "DocumentNumber": None}, [], []),
    ({"DocumentKindCode": "99"}, [("DocumentKindCode", "table")], []),
    *[({"SecrecyCode": code}, [("SecrecyCode", "not-secret")], []) for code in "123"],
    ({"ExpiryDate": "2019-03-31"}, [("EffectiveDate", "validity")], []),
    ({"ExpiryDate": "2024-04-01", "StatusCode": "3"}, [], []),
    ({"StatusCode": "3"}, [], [("ExpiryDate", "expiry")]), ({"StatusCode": "4"}, [("StatusCode", "table")], []),
    ({"EffectiveDate": "2019-02-28"}, [], [("IssueDate", "issued-before-force")]),
    ({"IssueDate": "2024-06-02", "EffectiveDate": "2024-07-01"}, [("IssueDate", "not-future")], []),
    ({"FileDigest": sm3(b"the file").hex().upper()}, [("FileDigest", "pattern")], []),
    ({"FileDigest": None}, [("FileDigest", "required")], []), ({"FileSize": "0"}, [("FileSize", "min-inclusive")], []),
    ({"FileSize": "2 GB"}, [("FileSize", "number")], []), ({"FileSize": "9999999999999"}, [], []),
    ({"FileSize": "10000000000000"}, [("FileSize", "total-digits")], []),
    ({"MediaType": "PDF"}, [("MediaType", "pattern")], []),
    ({"MediaType": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}, [], []),
    ({"DocumentId": "文件7"}, [("DocumentId", "pattern")], []), ({"DocumentId": "abc"}, [("DocumentId", "pattern")], []),
    ({"IssuerCode": "111000000000133390"}, [("IssuerCode", "uscc-inner")], []),
    ({"RegionCode": "449900"}, [("RegionCode", "region")], []),
])
def test_a_document_is_described_so_that_it_can_be_found_and_checked(
    fields: Any, refusing: Rules, warned: Rules
) -> None:
    assert said_of(NAME, GOOD, fields) == (refusing, warned)


def test_a_secret_document_is_refused_with_what_to_do() -> None:
    judged = by_json(spec(NAME), {**GOOD, "SecrecyCode": "1"})
    assert isinstance(judged, Refusal)
    assert judged.problems[0].says.zh == "涉密文件不得经本平台交换，请立即停止发送并按保密规定处理"
