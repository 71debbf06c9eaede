"""POST /v1/resources/{resource}/records: what is taken, how it is refused, and by what status."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from node.model.record import Stream
from node.model.registry import Term
from node.spool.shortage import Shortage
from node.validate import Limits
from node.validate.made.samples import to_json
from tests.intake.api import RECORDS, Api, broken, ndjson, twin, xml
from tests.stage.desk import CENTRE, means_of, resources_of
from tests.wire.talk import Heard


def refused(heard: Heard) -> list[tuple[int, list[tuple[str, str]]]]:
    """Return the refusals as (index, [(field, rule)])."""
    return [
        (one["index"], sorted((problem["field"], problem["rule"]) for problem in one["problems"]))
        for one in heard.json["refused"]
    ]


def test_one_json_object_is_accepted_and_waits_on_disk(api: Api) -> None:
    heard = api.post(to_json(twin(0)))
    assert heard.status == 202 and heard.json["accepted"] == 1 and heard.json["refused"] == []
    assert heard.headers["location"] == f"/v1/submissions/{heard.json['submission']}"
    assert api.waiting() == 1


@pytest.mark.parametrize("single", [True, False])
def test_xml_comes_as_one_record_or_as_a_list(api: Api, single: bool) -> None:
    heard = api.post(xml([twin(0)] if single else [twin(0), twin(1)], single=single), media="application/xml")
    assert (heard.status, heard.json["accepted"]) == (202, 1 if single else 2)


def test_ndjson_takes_what_is_good_and_names_every_problem_of_the_rest(api: Api) -> None:
    heard = api.post(ndjson([twin(0), broken(1), twin(2)]), media="application/x-ndjson")
    assert heard.status == 202 and heard.json["accepted"] == 2
    assert refused(heard) == [(1, [("PersonName", "empty"), ("Unheard", "unknown")])]
    told = heard.json["refused"][0]
    assert told["key"] == twin(1)["RecordId"]
    assert all(problem["zh"] and problem["en"] for problem in told["problems"])
    assert api.waiting() == 2


def test_both_doors_refuse_one_record_alike(api: Api) -> None:
    first = api.post(ndjson([twin(0), broken(1)]), "a", "application/x-ndjson")
    second = api.post(xml([twin(0), broken(1)]), "b", "application/xml")
    assert refused(first) == refused(second)


def test_nothing_accepted_is_422_with_all_problems(api: Api) -> None:
    heard = api.post(ndjson([broken(0), broken(1)]), media="application/x-ndjson")
    assert (heard.status, heard.code, heard.json["accepted"]) == (422, "EXN-API-ALL-REFUSED", 0)
    assert [index for index, _ in refused(heard)] == [0, 1]
    assert heard.headers["content-type"] == "application/problem+json" and api.waiting() == 0


def test_a_refusal_never_repeats_a_value(api: Api) -> None:
    poisoned = twin(0) | {"PersonName": " 某某甲乙 ", "SexCode": "secret-value"}
    heard = api.post(to_json(poisoned))
    assert heard.status == 422 and "某某甲乙" not in heard.body.decode() and b"secret-value" not in heard.body
    assert twin(0)["IdNumber"].encode() not in heard.body


@pytest.mark.parametrize(("media", "body"), [
    ("application/json; charset=GB18030", lambda: to_json(twin(0)).decode().encode("gb18030")),
    ("application/x-ndjson; charset=gb18030", lambda: ndjson([twin(0)]).decode().encode("gb18030")),
    ("application/xml; charset=GB18030", lambda: xml([twin(0)]).decode().encode("gb18030")),
    ("application/xml", lambda: xml([twin(0)], charset="GB18030")),
    ("application/xml; charset=utf-8", lambda: xml([twin(0)], charset="UTF-8")),
    ("APPLICATION/JSON; Charset=\"UTF-8\"", lambda: to_json(twin(0))),
])
def test_utf8_and_declared_gb18030_are_read_alike(api: Api, media: str, body: Any) -> None:
    assert api.post(body(), media=media).status == 202
    with api.staged.stores.outbox.unit() as unit:
        (state,) = unit.lanes("centre")
        (group,) = unit.draw(state.lane)
    assert to_json(twin(0)) in group.lines[0]


@pytest.mark.parametrize(("media", "coding"), [
    ("text/plain", None), ("application/json; charset=latin-1", None), (None, None), ("application/xml/x", None),
    ("application/json", "gzip"), ("application/json, application/xml", None),
])
def test_another_media_type_charset_or_coding_is_415(api: Api, media: str | None, coding: str | None) -> None:
    heard = api.post(to_json(twin(0)), media=media, Content_Encoding=coding)
    assert (heard.status, heard.code) == (415, "EXN-API-MEDIA")


@pytest.mark.parametrize(("media", "body"), [
    ("application/json", b""), ("application/json", b"  \n"), ("application/json", b"{"),
    ("application/json", b'{"a":1}{"b":2}'), ("application/json", b"\xef\xbb\xbf{}"),
    ("application/json", b"\xff\xfe{}"),
    ("application/x-ndjson", b"\n\n"), ("application/xml", b"<a>"), ("application/xml", b"<a/>"),
    ("application/xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), ("application/xml", b""),
    ("application/xml", b"<PopulationBasicList xmlns='urn:exn:population-basic:1'/>"),
    ("application/json; charset=gb18030", b'{"a":"\xff"}'),
])
def test_a_body_that_cannot_be_read_is_400_with_its_line(api: Api, media: str, body: bytes) -> None:
    heard = api.post(body, media=media)
    assert (heard.status, heard.code) == (400, "EXN-DOCUMENT") and api.waiting() == 0


def test_a_line_that_cannot_be_read_is_refused_alone(api: Api) -> None:
    heard = api.post(to_json(twin(0)) + b"\n{broken\n\n[]\n" + to_json(twin(1)), media="application/x-ndjson")
    assert heard.status == 202 and heard.json["accepted"] == 2
    assert refused(heard) == [(1, [("", "malformed")]), (2, [("", "object")])]
    assert [one["key"] for one in heard.json["refused"]] == [None, None]


@pytest.mark.parametrize(("limits", "what"), [
    (Limits(octets=2000), "body"), (Limits(records=2), "records"), (Limits(record_octets=300), "record"),
])
@pytest.mark.parametrize("media", ["application/x-ndjson", "application/xml"])
def test_a_body_over_a_limit_is_413_and_says_which(tmp_path: Path, limits: Limits, what: str, media: str) -> None:
    api = Api.at(tmp_path, limits=limits)
    twins = [twin(index) for index in range(3)]
    heard = api.post(xml(twins) if "xml" in media else ndjson(twins), media=media)
    assert (heard.status, heard.code) == (413, "EXN-TOO-LARGE") and what in heard.json["en"]["detail"]
    assert api.waiting() == 0
    api.close()


def test_the_limits_are_those_of_the_order() -> None:
    assert (Limits().octets, Limits().records, Limits().record_octets) == (8 << 20, 10_000, 1 << 20)


def test_a_body_said_to_be_too_long_is_refused_before_it_is_sent(api: Api) -> None:
    head = api.request("POST", RECORDS, Idempotency_Key="k", Content_Type="application/json")
    heard = api.house.answer(head.replace(b"Content-Length: 0", b"Content-Length: %d" % ((8 << 20) + 1)))
    assert (heard.status, heard.code) == (413, "EXN-TOO-LARGE")


def test_a_body_in_chunks_is_as_good_as_one_whole(api: Api) -> None:
    body = to_json(twin(0))
    head = api.request("POST", RECORDS, Idempotency_Key="k", Content_Type="application/json")
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    heard = api.house.answer(head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + chunks)
    assert heard.status == 202


def test_exactly_ten_thousand_records_pass_and_one_more_does_not(api: Api) -> None:
    lines = [b"{}"] * 10_000
    heard = api.post(b"\n".join(lines), media="application/x-ndjson")
    assert heard.status == 422 and len(heard.json["refused"]) == 10_000
    assert api.post(b"\n".join([*lines, b"{}"]), "other", "application/x-ndjson").status == 413


@pytest.mark.parametrize(("path", "status", "code"), [
    ("/v1/resources/unknown/records", 404, "EXN-API-RESOURCE"),
    ("/v1/resources/%E4%BA%BA%0D%0Aa/records", 404, "EXN-API-RESOURCE"),
    ("/v1/resources/population/records?stream=resupply", 400, "EXN-API-REQUEST"),
    ("/v1/resources/population/records?stream=", 400, "EXN-API-REQUEST"),
    ("/v1/resources/population/records?stream=live&stream=live", 400, "EXN-API-REQUEST"),
    ("/v1/resources/population/records?a=%FF", 400, "EXN-API-REQUEST"),
])
def test_a_wrong_path_or_query_is_told(api: Api, path: str, status: int, code: str) -> None:
    heard = api.post(to_json(twin(0)), path=path)
    assert (heard.status, heard.code) == (status, code) and api.waiting() == 0


def test_a_resource_that_goes_nowhere_is_not_supplied_here(api: Api) -> None:
    desk = api.staged.desk
    desk.means = means_of("dept-a", ["centre"], [])
    assert api.post(to_json(twin(0))).code == "EXN-API-RESOURCE"


def test_a_specification_we_do_not_hold_is_told_as_ours(api: Api) -> None:
    resource = api.staged.desk.means.registry.resource("population")
    assert resource is not None
    gone = type(resource)(resource.code, "population-basic/9.9", resource.receivers)
    api.staged.desk.means = means_of("dept-a", ["centre"], [gone])
    heard = api.post(to_json(twin(0)))
    assert (heard.status, heard.code) == (409, "EXN-SPECIFICATION")


def test_backfill_waits_in_a_lane_of_its_own_with_versions_of_the_same_counter(api: Api) -> None:
    first = api.submitted(twin(0), twin(1), key="a")
    second = api.submitted(twin(2), key="b", path=f"{RECORDS}?stream=backfill")
    assert (api.waiting(), api.waiting(Stream.BACKFILL)) == (2, 1)
    fates = [api.get(heard.headers["location"]).json for heard in (first, second)]
    assert [fate["stream"] for fate in fates] == ["live", "backfill"]
    assert [[n for _, n in fate["versions"]] for fate in fates] == [[1, 2], [3, 3]]


def test_a_short_disk_is_507_before_the_body_and_reading_goes_on(api: Api) -> None:
    submission = api.submitted(twin(0)).headers["location"]
    api.staged.shortage = Shortage.INTAKE
    heard = api.post(to_json(twin(1)), "b")
    assert (heard.status, heard.code) == (507, "EXN-DISK")
    large = api.request("POST", RECORDS, Idempotency_Key="c", Content_Type="application/json")
    heard = api.house.answer(large.replace(b"Content-Length: 0", b"Content-Length: 8000000"))
    assert heard.status == 507
    assert api.get(submission).status == 200
    api.staged.shortage = Shortage.NONE
    assert api.post(to_json(twin(1)), "b").status == 202


def test_a_stopping_node_is_503(api: Api) -> None:
    api.staged.desk.stopping = True
    heard = api.post(to_json(twin(0)))
    assert (heard.status, heard.code, heard.headers["retry-after"]) == (503, "EXN-DRAINING", "5")


def test_a_committer_that_was_stopped_meanwhile_is_503_too(api: Api) -> None:
    api.staged.desk.outbox.stop()
    assert api.post(to_json(twin(0))).code == "EXN-DRAINING"


def test_the_posts_of_one_turn_share_one_commit(api: Api) -> None:
    requests = [
        api.request("POST", RECORDS, to_json(twin(n)), Idempotency_Key=f"k-{n}", Content_Type="application/json")
        for n in range(10)
    ]
    before = api.staged.tally.of("commit", store="outbox")
    heard = api.house.say(*requests)
    assert [one.status for one in heard] == [202] * 10
    assert api.staged.tally.of("commit", store="outbox") == before + 1


def test_what_is_accepted_and_refused_is_counted_once_and_replays_are_not(api: Api) -> None:
    body = ndjson([twin(0), broken(1), twin(2)])
    for _ in range(3):
        api.post(body, media="application/x-ndjson")
    assert api.staged.tally.of("records_accepted", resource="population") == 2
    assert api.staged.tally.of("records_rejected", resource="population") == 1


class Ticking(Clock):
    """A clock on which looking takes a millisecond, and whose turns are those of a reactor."""

    def seconds(self) -> float:
        self.rightNow += 0.001
        return float(self.rightNow)

    def turn(self) -> None:
        """Run what was due when the turn began, and nothing that became due in it."""
        now, calls = self.seconds(), self.calls
        self.calls = [call for call in calls if call.getTime() > now]
        for call in calls:
            if call.getTime() <= now and call.active():
                call.called = 1
                call.func(*call.args, **call.kw)


class Sender:
    """One client that sends one body."""

    def __init__(self, api: Api, key: str, count: int, start: int = 0) -> None:
        body = ndjson([twin(index) for index in range(start, start + count)])
        self.caller, self.pipe = api.house.connect()
        self.pipe.client.write(api.request(
            "POST", RECORDS, body, Idempotency_Key=key, Content_Type="application/x-ndjson"
        ))
        self.pipe.pump()


def test_a_large_body_is_judged_in_slices_between_which_others_are_answered(tmp_path: Path) -> None:
    clock = Ticking()
    api = Api.at(tmp_path, clock=clock)
    large, small = Sender(api, "a", 200), Sender(api, "b", 1, 1000)
    clock.turn()  # the small one is judged and its unit has its turn
    clock.turn()
    small.pipe.pump(), large.pipe.pump()
    assert small.caller.answers[0].status == 202 and not large.caller.answers
    for _ in range(200):
        clock.turn()
    large.pipe.pump()
    assert large.caller.answers[0].json["accepted"] == 200
    api.close()


def test_large_bodies_are_taken_one_after_the_other_and_a_lost_client_gives_way(tmp_path: Path) -> None:
    clock = Ticking()
    api = Api.at(tmp_path, clock=clock)
    lost, waiting, last = (Sender(api, key, 100) for key in "abc")
    lost.pipe.cut()
    waiting.pipe.cut()
    for _ in range(200):
        clock.turn()
    last.pipe.pump()
    assert last.caller.answers[0].status == 202
    assert api.waiting() == 100  # what a lost client sent was not committed: nobody was told
    api.close()


# --- two versions side by side ----------------------------------------------------------------------------------------


def overlapping(api: Api, *terms: Term) -> None:
    """Let the department take versions of `population` in their time."""
    here = api.staged.desk.means
    resources = [
        replace(one, versions=terms) if one.code == "population" else one for one in resources_of("dept-a")
    ]
    api.staged.desk.means = replace(here, registry=means_of("dept-a", [CENTRE], resources).registry)


def test_a_submission_may_name_its_version_while_that_is_taken(api: Api) -> None:
    now = api.staged.desk.now()
    overlapping(api, Term("population-basic/1.0", now - 1, now + 1000), Term("population-basic/1.9", now + 1000))
    path = f"{RECORDS}?spec=population-basic/1.0"
    assert api.post(to_json(twin(0)), path=path).status == 202
    assert api.post(to_json(twin(1)), "k-2").status == 202, "the resource's own, if none is named"
    early = api.post(to_json(twin(2)), "k-3", path=f"{RECORDS}?spec=population-basic/1.9")
    assert (early.status, early.code) == (422, "EXN-VERSION-EARLY")
    assert "population-basic/1.0" in early.json["detail"]
    other = api.post(to_json(twin(2)), "k-4", path=f"{RECORDS}?spec=region-code/1.0")
    assert (other.status, other.code) == (422, "EXN-VERSION-OTHER")
    for odd in ("population-basic", "../x", "population-basic/1.0.xsd"):
        assert api.post(to_json(twin(2)), "k-5", path=f"{RECORDS}?spec={odd}").code == "EXN-API-REQUEST"


def test_after_its_end_a_version_is_refused_and_the_right_one_named_and_stored_answers_stand(api: Api) -> None:
    now, path = api.staged.desk.now(), f"{RECORDS}?spec=population-basic/1.0"
    overlapping(api, Term("population-basic/1.0", until=now + 1000))
    first = api.post(to_json(twin(0)), path=path)
    overlapping(api, Term("population-basic/1.0", until=now), Term("population-basic/1.9", now))
    late = api.post(to_json(twin(1)), "k-2", path=path)
    assert (late.status, late.code) == (422, "EXN-VERSION-ENDED") and "population-basic/1.9" in late.json["detail"]
    again = api.post(to_json(twin(0)), path=path)
    assert (again.status, again.json) == (202, first.json)
    assert api.waiting() == 1
