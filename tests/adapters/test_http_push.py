"""Records brought to a service: each its fate, one bad one hinders none, what is unknown comes again."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest
from lxml import etree

from adapters.contract import Batch, Fate, Incoming, Misconfigured, Result, Unavailable
from adapters.http_push import HttpPush
from adapters.kit import AdapterContract
from adapters.schema import fit
from tests.adapters.http_service import Asked, Authority, Told, Web, settings, web

RESULTS = {"path": "results", "leaf": "leaf", "fate": "status", "applied": ["ok"], "older": ["stale"],
           "refused": ["bad"], "later": ["busy"], "reason": "code", "field": "field"}
WHAT = {"path": "/legal", "results": RESULTS}


@dataclass
class Department:
    """A service that keeps to what is asked of it: by version, by token, and the same answer to the same key."""

    held: dict[tuple[str, str], tuple[tuple[int, int], str | None]] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Told:
        key = asked.headers["Idempotency-Key"]
        with self._lock:
            if key not in self.answers:
                self.answers[key] = json.dumps(self.landed(json.loads(asked.body))).encode()
            return Told(self.answers[key])

    def landed(self, said: dict[str, Any]) -> dict[str, Any]:
        """Land what came; return what the answer says."""
        late = said["token"] < self.tokens.get(said["lane"], 0)
        self.tokens[said["lane"]] = max(said["token"], self.tokens.get(said["lane"], 0))
        return {"results": [{"leaf": one["leaf"], **({"status": "stale"} if late else self.one(one))}
                            for one in said["records"]]}

    def one(self, record: dict[str, Any]) -> dict[str, Any]:
        """Land one record; return its fate."""
        if record["fields"].get("xm") == "坏":
            return {"status": "bad", "code": "E42", "field": "xm", "msg": "张三"}
        at = record["origin"], record["key"][0]
        version = tuple(record["version"])
        if at in self.held and self.held[at][0] > version:
            return {"status": "stale"}
        self.held[at] = version, None if record["delete"] else record["fields"]["xm"]
        return {"status": "ok"}


class TestHttpPush(AdapterContract):
    """The contract, with a service that decides by version, token and key as it is told to."""

    name = "http_push"
    write = WHAT
    key, text = "id", "xm"
    bad = ({"url": "nonsense"}, {"url": "http://127.0.0.1/"})
    missing = {"url": "http://127.0.0.1:1", "plain": True}

    def start(self, folder: Path) -> None:
        self.department = Department()
        self.web = Web(self.department)
        self.settings = settings(self.web.port)

    def stop(self) -> None:
        self.web.stop()

    def landed(self) -> Mapping[str, str]:
        return {key: text for (_, key), (_, text) in self.department.held.items() if text is not None}

    def unfit(self, number: int) -> Mapping[str, Any]:
        return {"id": str(number), "xm": "坏"}


del AdapterContract  # it is held against what inherits from it, not by itself


def record(leaf: int, name: str = "甲", delete: bool = False, **fields: Any) -> Incoming:
    """Return a record as it arrives."""
    return Incoming(leaf, "A", (1, leaf + 1), delete, f"row-{leaf}", (f"k{leaf}",), {"xm": name, **fields})


def bring(served: Web, batch: Sequence[Incoming], **what: Any) -> list[Result]:
    """Bring a batch; nothing that is said of it quotes a record, an answer or a secret."""
    asked = {"path": "/legal", **what}
    fit(HttpPush.writes, asked, "what", "what")
    adapter = HttpPush(settings(served.port, secret="s3cret", auth={"kind": "bearer"}, silence=0.5))
    try:
        results = list(adapter.apply(Batch(asked, "legal", "A/legal/live", "p/1", 7, tuple(batch))))
    except (Misconfigured, Unavailable) as why:
        assert not any(one in why.zh + why.en for one in ("张三", "甲", "s3cret"))
        raise
    finally:
        adapter.close()
    assert sorted(one.leaf for one in results) == [one.leaf for one in batch]
    assert not any("张三" in one.zh + one.en + one.field for one in results)
    return sorted(results, key=lambda one: one.leaf)


def fates(results: Sequence[Result]) -> list[str]:
    """Return the fates in order."""
    return [one.fate.value for one in results]


def test_what_is_sent_says_all_that_a_service_needs() -> None:
    with web(lambda asked: Told("")) as served:
        bring(served, [record(0), record(1, delete=True)])
        (asked,) = served.asked
        assert json.loads(asked.body) == {
            "resource": "legal", "lane": "A/legal/live", "parcel": "p/1", "token": 7, "records": [
                {"leaf": 0, "origin": "A", "version": [1, 1], "delete": False, "row": "row-0", "key": ["k0"],
                 "fields": {"xm": "甲"}},
                {"leaf": 1, "origin": "A", "version": [1, 2], "delete": True, "row": "row-1", "key": ["k1"],
                 "fields": {"xm": "甲"}}]}
        assert asked.headers["Idempotency-Key"] == "p%2F1" and asked.headers["Authorization"] == "Bearer s3cret"
        bring(served, [record(0), record(1)], format="ndjson")
        lines = [json.loads(line) for line in served.asked[1].body.splitlines()]
        assert [one["leaf"] for one in lines] == [0, 1]
        assert lines[0]["token"] == 7 and lines[0]["lane"] == "A/legal/live"


def test_each_record_has_the_fate_that_the_answer_says() -> None:
    told = {"results": [{"leaf": 0, "status": "ok"}, {"leaf": "1", "status": "stale"},
                        {"leaf": 2, "status": "bad", "code": "E7", "field": "xm"},
                        {"leaf": 3, "status": "bad", "code": "110101199003078888", "field": "张三"}]}
    with web(lambda asked: Told(told)) as served:
        results = bring(served, [record(n) for n in range(4)], results=RESULTS)
    assert fates(results) == ["applied", "older", "refused", "refused"]
    assert "E7" in results[2].zh and results[2].field == "xm" and "?" in results[3].en and not results[3].field


@pytest.mark.parametrize("told", [
    {"results": []}, {"results": [{"leaf": 0, "status": "ok"}]}, {"results": [{"leaf": 0, "status": "张三"}] * 2},
    {"results": [{"leaf": 0, "status": "ok"}, {"leaf": 1, "status": "new"}]}, {}, [], {"results": "张三"},
    {"results": [{"leaf": 0, "status": "ok"}, {"status": "ok"}]},
    {"results": [{"leaf": 0, "status": "ok"}, {"leaf": 1, "status": "ok"}, {"leaf": 1, "status": "bad"}]},
])
def test_nothing_is_guessed_of_a_record_of_which_nothing_is_said(told: Any) -> None:
    with web(lambda asked: Told(told)) as served, pytest.raises(Misconfigured):
        bring(served, [record(0), record(1)], results=RESULTS)


@pytest.mark.parametrize("body", ["<html>系统维护 张三", "", "{", '{"results":['])
def test_a_good_status_with_something_else_is_no_success_where_results_are_agreed(body: str) -> None:
    with web(lambda asked: Told(body)) as served, pytest.raises(Unavailable):
        bring(served, [record(0)], results=RESULTS)


@pytest.mark.parametrize(("status", "outcome"), [
    (200, "applied"), (201, "applied"), (204, "applied"), (400, "refused"), (409, "older"), (413, "refused"),
    (422, "refused"), (418, "refused"), (401, Misconfigured), (403, Misconfigured), (404, Misconfigured),
    (405, Misconfigured), (415, Misconfigured), (302, Misconfigured), (408, Unavailable), (425, Unavailable),
    (429, Unavailable), (500, Unavailable), (502, Unavailable), (503, Unavailable),
])
@pytest.mark.parametrize("single", [True, False])
def test_a_status_of_one_record(status: int, outcome: Any, single: bool) -> None:
    told = Told({"code": "E9", "msg": "张三"} if status != 204 else b"", status, {"Retry-After": "30"})
    with web(lambda asked: told) as served:
        if isinstance(outcome, str):
            (result,) = bring(served, [record(0)], single=single, reason="code", statuses={"409": "older"})
            assert result.fate.value == outcome and ("E9" in result.zh) == (outcome == "refused")
        else:
            with pytest.raises(outcome):
                bring(served, [record(0)], single=single)


@pytest.mark.parametrize("body", ['{"code":"张三"}', "<html>", "", '{"code":"110101199003078888"}', '{"code":{"a":1}}'])
def test_a_reason_that_is_no_code_is_told_by_the_status(body: str) -> None:
    with web(lambda asked: Told(body, 422)) as served:
        (result,) = bring(served, [record(0)], reason="code")
    assert result.fate is Fate.REFUSED and "422" in result.zh and "1101" not in result.zh


def test_one_bad_record_keeps_no_other_from_landing(seed: int) -> None:
    dice = Random(seed)
    bad, seen = set(dice.sample(range(100), 3)), set[int]()

    def answer(asked: Asked) -> Told:
        leaves = {one["leaf"] for one in json.loads(asked.body)["records"]}
        if leaves & bad:
            return Told("", 422)
        seen.update(leaves)
        return Told("")

    with web(answer) as served:
        results = bring(served, [record(n) for n in range(100)])
        assert {one.leaf for one in results if one.fate is Fate.REFUSED} == bad and seen == set(range(100)) - bad
        first = [(asked.headers["Idempotency-Key"], asked.body) for asked in served.asked]
        assert len(first) < 60 and len({key for key, _ in first}) == len(first)
        again = bring(served, [record(n) for n in range(100)])
        assert again == results and [
            (asked.headers["Idempotency-Key"], asked.body) for asked in served.asked[len(first):]] == first


def test_a_large_batch_goes_in_parts_of_so_many_records_and_octets() -> None:
    with web(lambda asked: Told("")) as served:
        bring(served, [record(n) for n in range(10)], records=4)
        assert [asked.headers["Idempotency-Key"] for asked in served.asked] == ["p%2F1.0-3", "p%2F1.4-7", "p%2F1.8-9"]
        served.asked.clear()
        bring(served, [record(n, "x" * 1000) for n in range(10)], octets=3500)
        assert [len(json.loads(asked.body)["records"]) for asked in served.asked] == [3, 3, 3, 1]
        served.asked.clear()
        bring(served, [record(n) for n in range(3)], single=True)
        assert [asked.headers["Idempotency-Key"] for asked in served.asked] == ["p%2F1.0-0", "p%2F1.1-1", "p%2F1.2-2"]


def test_a_code_in_the_answer_decides() -> None:
    what: dict[str, Any] = {
        "success": {"field": "code", "values": ["0"], "mend": ["A1"]}, "refuse": ["R1"], "reason": "why"}
    cases: Sequence[tuple[Any, Any]] = (
        ("0", "applied"), (0, "applied"), ("R1", "refused"), ("A1", Misconfigured), ("X", Unavailable))
    for code, outcome in cases:
        with web(lambda asked: Told({"code": code, "why": "W7", "msg": "张三"})) as served:
            if isinstance(outcome, str):
                results = bring(served, [record(0), record(1)], **what)
                assert fates(results) == [outcome] * 2
                assert all(outcome != "refused" or "W7" in one.en for one in results)
            else:
                with pytest.raises(outcome):
                    bring(served, [record(0), record(1)], **what)


SOAP: dict[str, Any] = {
    "soap": "1.1", "action": "urn:put",
    "envelope": '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><put lane="{lane}" '
                'token="{token}">{records}</put></s:Body></s:Envelope>',
    "record": "<row n='{leaf}' v='{epoch}.{n}' d='{delete}'><xm>{fields.xm}</xm><dz>{fields.zhi.sheng}</dz></row>",
}


def reply(inner: str) -> str:
    """Return an envelope of SOAP."""
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inner}</s:Body></s:Envelope>'


def test_records_go_by_soap_and_their_fates_come_back() -> None:
    results = {**RESULTS, "path": "Body/done/one", "leaf": "@n", "fate": "@r", "reason": "why"}
    told = reply('<done><one n="0" r="ok"/><one n="1" r="bad"><why>E1</why></one></done>')
    with web(lambda asked: Told(told)) as served:
        found = bring(served, [record(0, '<张>&"', zhi={"sheng": "京"}), record(1)], **SOAP, results=results)
        assert fates(found) == ["applied", "refused"] and "E1" in found[1].zh
        body = etree.fromstring(served.asked[0].body)
        assert [one.text for one in body.iter("xm")] == ['<张>&"', "甲"] and body.findtext(".//dz") == "京"
        assert [dict(one.attrib) for one in body.iter("row")][0] == {"n": "0", "v": "1.1", "d": "false"}
        assert served.asked[0].headers["SOAPAction"] == '"urn:put"'
        # One alone is an element, and no list of them.
        served.answers = lambda asked: Told(reply('<done><one n="0" r="ok"/></done>'))
        assert fates(bring(served, [record(0)], **SOAP, results=results)) == ["applied"]


@pytest.mark.parametrize(("status", "inner", "outcome"), [
    (200, "<done/>", "applied"), (500, "<s:Fault><faultcode>s:Data</faultcode></s:Fault>", "refused"),
    (500, "<s:Fault><faultcode>s:Server</faultcode></s:Fault>", Unavailable),
    (200, "<s:Fault><faultcode>s:Client</faultcode></s:Fault>", Misconfigured), (500, "", Unavailable),
    (404, "", Misconfigured), (503, "", Unavailable), (422, "", "refused"),
])
def test_a_fault_of_soap_is_a_fate(status: int, inner: str, outcome: Any) -> None:
    with web(lambda asked: Told(reply(inner), status)) as served:
        if isinstance(outcome, str):
            assert fates(bring(served, [record(0), record(1)], **SOAP, refuse=["Data"])) == [outcome] * 2
        else:
            with pytest.raises(outcome):
                bring(served, [record(0), record(1)], **SOAP, refuse=["Data"])


def test_a_record_that_xml_cannot_hold_is_refused_and_the_others_go() -> None:
    with web(lambda asked: Told("")) as served:
        results = bring(served, [record(0), record(1, "a\x01b"), record(2, list=["一", {"a": "<"}])], format="xml")
        assert fates(results) == ["applied", "refused", "applied"]
        body = etree.fromstring(served.asked[0].body)
        assert [one.get("leaf") for one in body] == ["0", "2"] and body[1].findtext(".//field[@name='a']") == "<"
        assert served.asked[0].headers["Idempotency-Key"] == "p%2F1.0-2"


def test_records_are_brought_to_no_other_host() -> None:
    with web(lambda asked: Told("")) as other:
        for status in (301, 302, 307, 308):
            told = Told("", status, {"Location": f"http://127.0.0.1:{other.port}/legal"})
            with web(lambda asked: told) as served, pytest.raises(Misconfigured):
                bring(served, [record(0)])
        assert other.asked == []


def test_a_redirect_within_the_origin_brings_them_once() -> None:
    with web(lambda asked: Told("", 308, {"Location": "/v2"}) if asked.path == "/legal" else Told("")) as served:
        bring(served, [record(0)])
        assert [asked.path for asked in served.asked] == ["/legal", "/v2"]
        assert json.loads(served.asked[1].body)["records"]


def test_a_break_or_a_silence_brings_the_same_again() -> None:
    def breaks(asked: Asked) -> Told:
        if len(served.asked) < 3:
            raise ConnectionError
        return Told("")

    with web(breaks) as served:
        for _ in range(2):
            with pytest.raises(Unavailable):
                bring(served, [record(0), record(1)])
        assert fates(bring(served, [record(0), record(1)])) == ["applied"] * 2
        assert len({(asked.headers["Idempotency-Key"], asked.body) for asked in served.asked}) == 1
    wait = threading.Event()
    with web(lambda asked: Told("" if wait.wait(5) else "")) as served:
        with pytest.raises(Unavailable, match="in time"):
            bring(served, [record(0)])
        wait.set()


def test_it_is_checked_and_surveyed_without_a_record(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with web(lambda asked: Told("ok"), authority.context(days=20)) as served:
        adapter = HttpPush({"url": f"https://127.0.0.1:{served.port}", "ca": str(authority.file)})
        assert [one.level for one in adapter.check()] == ["good", "warning", "warning"] and not served.asked
        assert [one.level for one in adapter.survey(WHAT, True)] == ["good"]
        found = adapter.survey({"path": "/x", "soap": "1.1"}, True)
        assert [one.level for one in found] == ["good", "fault", "warning"]
        adapter.close()
        with_probe = HttpPush({
            "url": f"https://127.0.0.1:{served.port}", "ca": str(authority.file), "probe": "/health"})
        assert [one.level for one in with_probe.check()] == ["good", "warning", "good", "good"]
        with_probe.close()
        assert [(asked.method, asked.path) for asked in served.asked] == [("GET", "/health")]
