"""Who may call: a token of the token file, or where the port is bound elsewhere a certificate and nothing else."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Any

import pytest

from node.intake.local import Local
from node.validate.made.samples import to_json
from tests.intake.api import DELIVERIES, RECORDS, TOKENS, Api, twin
from tests.stage.joined import House

GOOD = TOKENS["erp"].decode()


@pytest.mark.parametrize("said", [
    None, "", "Bearer", "Bearer ", f"Bearer {GOOD}x", f"Bearer {GOOD[:-1]}", f"Basic {GOOD}", GOOD, f"Bearer{GOOD}",
    f"Bearer {GOOD}, Bearer {GOOD}", "Bearer \u00e9" + GOOD, "Bearer " + "e" * 5000, f"bearer\t{GOOD}",
])
def test_whoever_bears_no_token_of_ours_is_401(api: Api, said: str | None) -> None:
    for method, path in (("POST", RECORDS), ("GET", DELIVERIES), ("GET", "/v1/submissions/x")):
        heard = api.said(method, path, api.request(method, path, caller=None, Authorization=said))
        assert (heard.status, heard.code) == (401, "EXN-API-UNAUTHORIZED")
        assert heard.headers["www-authenticate"] == "Bearer"


def test_a_stranger_is_refused_before_its_body_is_sent(api: Api) -> None:
    head = api.request("POST", RECORDS, caller=None, Expect="100-continue")
    heard = api.house.say(head.replace(b"Content-Length: 0", b"Content-Length: 8000000"))
    assert [one.status for one in heard] == [401]


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(api: Api, scheme: str) -> None:
    request = api.request("GET", DELIVERIES, caller=None, Authorization=f"{scheme}  {GOOD}")
    assert api.said("GET", DELIVERIES, request).status == 200


def test_tokens_are_compared_in_constant_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def watch(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    assert api.get(DELIVERIES, caller="oa").status == 200
    assert compared[-1] == (TOKENS["oa"], TOKENS["oa"])  # no other way led to the answer


def test_an_empty_token_opens_nothing(api: Api) -> None:
    house = House(api.staged, Local(api.staged.desk, {"empty": b""}).add_to)
    assert house.answer(api.request("GET", DELIVERIES, caller=None, Authorization="Bearer ")).status == 401


def test_a_submission_is_told_to_whoever_submitted_it_and_to_nobody_else(api: Api) -> None:
    path = api.submitted(twin(0)).headers["location"]
    assert api.get(path, caller="erp").status == 200
    heard = api.get(path, caller="oa")
    assert (heard.status, heard.code) == (404, "EXN-API-NOT-FOUND")


def test_with_mutual_tls_the_certificate_is_the_caller_and_a_token_is_not(tmp_path: Path) -> None:
    api = Api.at(tmp_path, mutual=True)
    post = api.request(
        "POST", RECORDS, to_json(twin(0)), caller=None, Idempotency_Key="k", Content_Type="application/json"
    )
    assert api.house.answer(api.request("GET", DELIVERIES)).status == 401  # a good token on a channel without TLS
    heard = api.house.answer(post, caller="dept-b")
    assert heard.status == 202
    path = heard.headers["location"]
    assert api.house.answer(api.request("GET", path, caller=None), caller="dept-b").status == 200
    assert api.house.answer(api.request("GET", path, caller=None), caller="dept-c").status == 404
    again = api.house.answer(post, caller="dept-c")
    assert again.status == 202 and again.body != heard.body  # another caller, another scope
    api.close()
