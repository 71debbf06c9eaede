"""Idempotency-Key: one key, one body, one answer; whatever happened in between."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from node.model.registry import Resource
from node.validate import Limits
from node.validate.made.samples import to_json
from node.workers import Committer
from tests.intake.api import RECORDS, Api, broken, ndjson, twin
from tests.stage.desk import means_of
from tests.wire.talk import Heard

ND = "application/x-ndjson"


def request(api: Api, body: bytes, key: str = "k-1") -> bytes:
    return api.request("POST", RECORDS, body, Idempotency_Key=key, Content_Type="application/json")


def test_a_missing_key_is_400(api: Api) -> None:
    for key in (None, ""):
        heard = api.post(to_json(twin(0)), key)
        assert (heard.status, heard.code) == (400, "EXN-API-KEY-MISSING")


@pytest.mark.parametrize("key", ["a b", "k" * 129, "schlüssel", "a\tb"])
def test_a_malformed_key_is_400(api: Api, key: str) -> None:
    heard = api.post(to_json(twin(0)), key)
    assert (heard.status, heard.code) == (400, "EXN-API-REQUEST")


def test_a_key_given_twice_is_400(api: Api) -> None:
    head = request(api, to_json(twin(0))).replace(b"Idempotency-Key: k-1", b"Idempotency-Key: a\r\nIdempotency-Key: b")
    assert api.house.answer(head).code == "EXN-API-REQUEST"


def test_the_longest_key_is_taken(api: Api) -> None:
    assert api.post(to_json(twin(0)), "~" * 128).status == 202


@pytest.mark.parametrize("twins", [[twin(0)], [twin(0), broken(1)], [broken(0), broken(1)]])
def test_a_replay_gets_the_stored_answer_byte_for_byte(api: Api, twins: list[dict[str, Any]]) -> None:
    first = api.post(ndjson(twins), media=ND)
    waiting = api.waiting()
    api.staged.clock.advance(3600)
    again = api.post(ndjson(twins), media=ND)
    assert (again.status, again.body, again.headers) == (first.status, first.body, first.headers)
    assert api.waiting() == waiting


def test_another_body_under_the_same_key_is_422(api: Api) -> None:
    api.submitted(twin(0))
    for body in (to_json(twin(1)), to_json(twin(0)) + b"\n\n", b"{", b"<!DOCTYPE a>"):
        heard = api.post(body)
        assert (heard.status, heard.code) == (422, "EXN-API-KEY-REUSED")
    assert api.waiting() == 1


def test_the_scope_of_a_key_is_its_caller_and_its_resource(api: Api) -> None:
    first = api.submitted(twin(0))
    other = api.post(ndjson([twin(0)]), media=ND, caller="oa")
    assert other.status == 202 and other.json["submission"] != first.json["submission"]
    path = "/v1/resources/region-code/records"
    region = {"RecordId": "r-1", "Operation": "I", "EventTime": "2024-05-01T09:30:00+08:00", "RegionCode": "441802",
              "RegionName": "清城区", "FirstRevision": "198012", "LastRevision": "201904"}
    assert api.post(to_json(region), "k-1", path=path).status == 202
    assert api.waiting() == 2


def test_the_same_key_while_the_first_is_running_is_409(api: Api) -> None:
    client, pipe = api.house.connect()
    other, second = api.house.connect()
    pipe.client.write(request(api, to_json(twin(0))))
    second.client.write(request(api, to_json(twin(0))))
    pipe.pump(), second.pump()  # both have come in within one turn, before its commit
    api.house.turn(pipe, second)
    assert client.answers[0].status == 202
    assert (other.answers[0].status, other.answers[0].code) == (409, "EXN-API-KEY-RUNNING")
    assert api.post(to_json(twin(0))).body == client.answers[0].body
    assert api.waiting() == 1


def test_a_client_that_left_before_the_commit_may_come_again(api: Api) -> None:
    client, pipe = api.house.connect()
    pipe.client.write(request(api, to_json(twin(0))))
    pipe.pump()
    pipe.cut()
    api.house.turn()
    assert api.waiting() == 0  # it was withdrawn before its unit
    assert api.post(to_json(twin(0))).status == 202 and api.waiting() == 1


def test_a_crash_between_commit_and_answer_gives_the_stored_answer(tmp_path: Path) -> None:
    api = Api.at(tmp_path)
    client, pipe = api.house.connect()
    pipe.client.write(request(api, to_json(twin(0))))
    pipe.pump()
    pipe.server.paused = True
    api.staged.clock.advance(0)  # committed; the answer never reaches the client
    assert not client.answers
    after = api.crash()
    assert after.waiting() == 1
    heard = after.post(to_json(twin(0)))
    assert heard.status == 202 and after.waiting() == 1
    assert after.get(heard.headers["location"]).json["accepted"] == 1
    after.close()


def test_a_crash_before_the_commit_leaves_nothing_and_the_retry_is_taken(tmp_path: Path) -> None:
    api = Api.at(tmp_path)
    client, pipe = api.house.connect()
    pipe.client.write(request(api, to_json(twin(0))))
    pipe.pump()
    after = api.crash()
    assert after.waiting() == 0 and not client.answers
    assert after.post(to_json(twin(0))).status == 202
    after.close()


class Refusing:
    """A store whose commits fail until it is mended."""

    def __init__(self, store: Any) -> None:
        self.store, self.broken = store, True

    def unit(self, durable: bool = True) -> AbstractContextManager[Any]:
        @contextmanager
        def opened() -> Any:
            with self.store.unit(durable) as unit:
                yield unit
                if self.broken:
                    raise OSError("the disk is gone")
        return opened()


def test_a_failed_commit_is_a_numbered_fault_never_a_202_and_the_retry_counts(tmp_path: Path) -> None:
    api = Api.at(tmp_path)
    store = Refusing(api.staged.stores.outbox)
    api.staged.desk.outbox = Committer(store, api.staged.clock)
    heard = api.house.answer(request(api, to_json(twin(0))))
    assert (heard.status, heard.code) == (500, "EXN-FAULT") and len(api.house.faults) == 1
    assert b"disk is gone" not in heard.body
    store.broken = False
    assert api.house.answer(request(api, to_json(twin(0)))).status == 202
    api.close()


def replayed(api: Api, first: Heard) -> None:
    heard = api.post(ndjson([twin(0)]), media=ND)
    assert (heard.status, heard.body) == (first.status, first.body)
    assert api.post(ndjson([twin(1)]), media=ND).code == "EXN-API-KEY-REUSED"


def test_a_replay_is_answered_though_the_specification_is_gone(api: Api) -> None:
    first = api.submitted(twin(0))
    api.staged.desk.means = means_of("dept-a", ["centre"], [Resource("population", "other/2.0", ("centre",))])
    replayed(api, first)


def test_a_replay_is_answered_though_the_resource_is_gone(api: Api) -> None:
    first = api.submitted(twin(0))
    api.staged.desk.means = means_of("dept-a", ["centre"], [])
    replayed(api, first)


def test_a_replay_is_answered_though_a_limit_became_smaller(tmp_path: Path) -> None:
    api = Api.at(tmp_path)
    first = api.submitted(twin(0))
    smaller = Api(api.staged, Limits(record_octets=10))
    replayed(smaller, first)
    api.close()


def test_an_answer_is_kept_longer_than_thirty_days(tmp_path: Path) -> None:
    clock = Clock()
    api = Api.at(tmp_path, clock)
    first = api.submitted(twin(0))
    day = 86_400_000
    clock.advance(30 * 86_400 - 60)
    now = api.staged.desk.now()
    with api.staged.stores.outbox.unit() as unit:
        unit.purge(now - 2 * day, now - 30 * day, 100)
    assert api.post(ndjson([twin(0)]), media=ND).body == first.body
    api.close()
