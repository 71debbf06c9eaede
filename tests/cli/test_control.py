"""The control verbs over a department and a centre: what is told, what is changed, by whom, and what is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from node.ledger import steps
from node.model import codes
from node.model.parcel import Lane
from node.model.spool import EntryState, Rest
from node.model.trouble import Trouble
from node.service import control_view
from node.service.control import AT_ONCE, READINGS, REQUEST, WITHIN, Control
from node.service.control_steps import drive_stores, inbox, outbox
from node.service.control_view import view_of
from node.validate import split_line
from tests.cli.asked import answer, told
from tests.intake.api import Api, broken, ndjson, twin
from tests.stage.desk import CENTRE, Staged, finish
from tests.stage.pair import Pair, lane_of

NOBODY = "01a206c0-7316-73f6-aa3e-76256c39168a"


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def supplied(pair: Pair, *numbers: int, key: str = "k-1") -> str:
    """Submit records at the department; return the submission's id."""
    heard = Api(pair.dept).submitted(*map(twin, numbers), key=key)
    return str(heard.json["submission"])


def entry_state(staged: Staged, parcel: str) -> EntryState:
    with staged.stores.outbox.unit() as unit:
        entry = unit.entry(parcel)
        assert entry is not None
        return entry.state


def held(staged: Staged, lane: Lane) -> str | None:
    with staged.stores.outbox.unit() as unit:
        state = unit.lane(lane)
        assert state is not None
        return state.held


# --- what is told -----------------------------------------------------------------------------------------------


def test_status_tells_lanes_queues_and_peers_at_both_ends(pair: Pair) -> None:
    assert told(pair.dept, "status")["waiting"] == 0
    supplied(pair, 0, 1, 2)
    waiting = told(pair.dept, "status")
    assert waiting["waiting"] == 3 and waiting["sending"][0]["lane"] == "centre/population/live"
    pair.accept(pair.sealed())
    found = told(pair.dept, "status")
    assert (found["node"], found["waiting"], found["outbox"]["accepted"]) == ("dept-a", 0, 1)
    centre = told(pair.centre, "status")
    assert centre["inbox"]["stored"] == 1 and centre["receiving"][0]["lane"] == "dept-a/population/live"
    assert [peer["peer"] for peer in centre["peers"]] == ["dept-a"]


def test_queues_list_and_show_parcels_with_receipts_refusals_and_ledger(pair: Pair) -> None:
    supplied(pair, 0, 1)
    outgoing = pair.sealed()
    parcel = outgoing.entry.parcel
    pair.accept(outgoing)
    pair.opened()
    pair.accounted()
    (one,) = told(pair.dept, "queue.list")["parcels"]
    assert (one["parcel"], one["state"], one["records"]) == (parcel, "done", 2)
    assert told(pair.dept, "queue.list", state="parked")["parcels"] == []
    assert told(pair.dept, "queue.list", after=parcel)["parcels"] == []
    shown = told(pair.dept, "queue.show", id=parcel)
    assert [each["stage"] for each in shown["receipts"]] == ["accepted", "processed"]
    assert {each["from"] for each in shown["receipts"]} == {CENTRE}
    assert all(each["signature"] and each["registered"] and each["distrust"] is None for each in shown["receipts"])
    assert [each["step"] for each in shown["ledger"]] == [steps.ACCEPTED, steps.PROCESSED]
    here = told(pair.centre, "queue.show", queue="inbox", id=parcel)
    assert here["arrival"]["state"] == "done" and all(each["signature"] for each in here["receipts"])


def test_a_receipt_that_no_longer_verifies_is_told_as_such(pair: Pair) -> None:
    supplied(pair, 0)
    outgoing = pair.sealed()
    receipt = bytearray(pair.accept(outgoing))
    receipt[-1] ^= 1
    view = view_of(pair.dept.desk.means, pair.dept.desk.now)
    assert not control_view.receipt(bytes(receipt), view).get("signature")
    assert control_view.receipt(b"junk", view)["readable"] is False
    unknown = replace(view, registry=pair.centre.desk.means.registry)
    with pair.dept.stores.outbox.unit() as unit:
        whole = unit.receipts(outgoing.entry.parcel)[0][1]
    strange = control_view.receipt(whole, unknown)
    assert strange["signature"] and not strange["registered"]


def test_a_submission_is_traced_from_waiting_to_its_receipts(pair: Pair) -> None:
    api = Api(pair.dept)
    heard = api.post(ndjson([twin(0), broken(1), twin(2)]), media="application/x-ndjson").json
    id = heard["submission"]
    before = told(pair.dept, "trace", id=id)
    assert before["submission"]["receivers"][CENTRE]["states"] == {"waiting": 2} and before["parcels"] == []
    assert len(before["submission"]["refused"]) == 1
    outgoing = pair.sealed()
    pair.accept(outgoing)
    pair.opened()
    pair.accounted()
    after = told(pair.dept, "trace", id=id)
    (parcel,) = after["parcels"]
    assert after["submission"]["final"] and parcel["parcel"] == outgoing.entry.parcel
    assert [each["step"] for each in parcel["outbox"]["ledger"]] == [steps.SUPPLIED, steps.ACCEPTED, steps.PROCESSED]
    there = told(pair.centre, "trace", id=parcel["parcel"])["parcels"][0]
    assert there["warehouse"]["outcomes"] == {"applied": 2}
    assert [each["step"] for each in there["warehouse"]["ledger"]] == [steps.DELIVERED]


def test_a_record_is_found_by_its_id_waiting_sealed_and_delivered(pair: Pair) -> None:
    for batch in range(3):
        supplied(pair, 3 * batch, 3 * batch + 1, 3 * batch + 2, key=f"k-{batch}")
        pair.clock.advance(1)
        if batch < 2:
            pair.accept(pair.sealed())
            pair.opened()
    with pair.dept.stores.outbox.unit() as unit:
        lines = [line for group in unit.draw(lane_of()) for line in group.lines]
        (first, *_) = unit.entries(None, "", 10)
        lines += [line for group in unit.groups(first.parcel) for line in group.lines]
    waiting, sealed = split_line(lines[1])[1], split_line(lines[5])[1]
    found = told(pair.dept, "trace", id=waiting.record)
    assert found["record"]["at"] == [
        {"store": "outbox", "parcel": None, "leaf": None, "lane": "dept-a/centre/population/live"}
    ]
    there = told(pair.dept, "trace", id=sealed.record)
    assert there["record"]["at"][0]["parcel"] == first.parcel and there["record"]["at"][0]["leaf"] == 2
    assert there["record"]["key"] == sealed.row and there["parcels"][0]["parcel"] == first.parcel
    delivered = told(pair.centre, "trace", id=sealed.record)["record"]["at"]
    assert delivered == [
        {"store": "warehouse", "parcel": first.parcel, "leaf": 2, "lane": "dept-a/population"}
    ]


def test_a_record_mentioned_in_another_is_not_taken_for_it_and_leaves_count_over_groups(pair: Pair) -> None:
    supplied(pair, 0, 1)
    pair.clock.advance(1)
    with pair.dept.stores.outbox.unit() as unit:
        (group,) = unit.draw(lane_of())
        mentioned = split_line(group.lines[1])[1].record
    mentioning = twin(2) | {"Remark": mentioned}
    Api(pair.dept).submitted(mentioning, twin(3), key="k-2")
    with pair.dept.stores.outbox.unit() as unit:
        lines = [line for group in unit.draw(lane_of()) for line in group.lines]
    outgoing = pair.sealed()
    assert outgoing.entry.count == 4
    pair.accept(outgoing)
    pair.opened()
    for leaf, line in enumerate(lines):
        head = split_line(line)[1]
        for staged in (pair.dept, pair.centre):
            found = told(staged, "trace", id=head.record)["record"]
            assert (found["key"], found["at"][0]["leaf"]) == (head.row, leaf)
    assert lines[2].count(mentioned.encode()) == 1
    Api(pair.dept).submitted(twin(4) | {"Remark": mentioned}, key="k-3")
    assert len(told(pair.dept, "trace", id=mentioned)["record"]["at"]) == 1
    pair.accept(pair.sealed())
    assert len(told(pair.dept, "trace", id=mentioned)["record"]["at"]) == 1


def test_no_answer_holds_the_content_of_a_record(pair: Pair) -> None:
    id = supplied(pair, 0, 1)
    outgoing = pair.sealed()
    pair.accept(outgoing)
    pair.opened()
    said = json.dumps([
        answer(one, verb, **given) for one in (pair.dept, pair.centre) for verb, given in (
            ("status", {}), ("trace", {"id": id}), ("trace", {"id": outgoing.entry.parcel}), ("queue.list", {}),
            ("queue.show", {"id": outgoing.entry.parcel}),
            ("queue.show", {"queue": "inbox", "id": outgoing.entry.parcel}),
        )
    ], ensure_ascii=False)
    texts = {value for number in (0, 1) for value in twin(number).values() if isinstance(value, str) and len(value) > 3}
    texts -= {twin(number)["RecordId"] for number in (0, 1)}
    assert len(texts) > 5 and not [text for text in texts if text in said]


def test_the_same_readings_serve_closed_and_open_nodes(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    try:
        supplied(pair, 0)
        pair.accept(pair.sealed())
        view = view_of(pair.dept.desk.means, pair.dept.desk.now)
        for verb in ("status", "queue.list"):
            direct = drive_stores(READINGS[verb](view, {}), pair.dept.stores)  # type: ignore[arg-type]  # same shape
            assert direct == told(pair.dept, verb)
    finally:
        pair.close()


def test_a_trouble_of_a_step_is_raised_where_it_was_asked_for(pair: Pair) -> None:
    def asking() -> Any:
        try:
            yield from outbox(lambda unit: unit.sealed(NOBODY))
        except Trouble as met:
            name = met.code.name
        heads = yield from inbox(lambda unit: unit.heads(CENTRE))
        return name, list(heads)

    stores: Any = pair.dept.stores
    assert drive_stores(asking(), stores) == (codes.NOT_FOUND.name, [])


# --- what is changed --------------------------------------------------------------------------------------------


def test_a_person_holds_a_lane_and_releases_it(pair: Pair) -> None:
    supplied(pair, 0)
    told(pair.dept, "queue.hold", lane="centre/population", who="li")
    assert held(pair.dept, lane_of()) == codes.HELD.name
    assert told(pair.dept, "status")["sending"][0]["held"]["code"] == codes.HELD.name
    with pair.dept.stores.outbox.unit() as unit:
        assert unit.ready(CENTRE) == []
    assert told(pair.dept, "queue.retry", peer=CENTRE, who="li")["released"] == 0
    assert held(pair.dept, lane_of()) == codes.HELD.name, "retry leaves alone what a person stopped"
    assert told(pair.dept, "queue.release", lane="centre/population/live", who="li")["was"] == codes.HELD.name
    assert held(pair.dept, lane_of()) is None
    events = [(event, said["who"], said["uid"]) for _, event, said in pair.dept.journal.events if "control" in event]
    assert events == [
        ("control.hold", "li", 1000), ("control.retry", "li", 1000), ("control.release", "li", 1000),
    ]


def test_a_receiving_lane_is_held_and_released_too(pair: Pair) -> None:
    supplied(pair, 0)
    pair.accept(pair.sealed())
    told(pair.centre, "queue.hold", queue="inbox", lane="dept-a/population", who="wang")
    with pair.centre.stores.inbox.unit() as unit:
        assert unit.take(pair.centre.desk.now(), 1000) is None
    told(pair.centre, "queue.release", queue="inbox", lane="dept-a/population", who="wang")
    pair.opened()
    assert told(pair.centre, "queue.list", queue="inbox")["parcels"][0]["state"] == "done"


def test_retry_ends_a_rest_and_the_holds_that_mend_themselves_and_wakes_the_greeter(pair: Pair) -> None:
    supplied(pair, 0)
    parcel = pair.sealed().entry.parcel
    for given in ({"peer": CENTRE}, {"id": parcel}):
        with pair.dept.stores.outbox.unit() as unit:
            unit.set_rest(CENTRE, Rest(pair.dept.desk.now() + 100_000, 7))
            unit.hold(lane_of(), codes.GRANT.name)
        rung = pair.dept.desk.bell.count(f"greet:{CENTRE}")
        assert told(pair.dept, "queue.retry", who="li", **given) == {"peer": CENTRE, "released": 1}
        with pair.dept.stores.outbox.unit() as unit:
            assert unit.rest(CENTRE) == Rest()
        assert held(pair.dept, lane_of()) is None and pair.dept.desk.bell.count(f"greet:{CENTRE}") == rung + 1


def test_a_held_arrival_is_tried_again(pair: Pair) -> None:
    supplied(pair, 0)
    outgoing = pair.sealed()
    pair.accept(outgoing)
    with pair.centre.stores.inbox.unit() as unit:
        taken = unit.take(pair.centre.desk.now(), 1000)
        assert taken is not None
        unit.hold(taken[0], codes.UNKNOWN_SPECIFICATION.name, pair.centre.desk.now())
    for given in ({"id": outgoing.entry.parcel}, {"peer": "dept-a"}):
        assert told(pair.centre, "queue.retry", queue="inbox", who="li", **given)["peer"] == "dept-a"
    pair.opened()
    assert told(pair.centre, "queue.list", queue="inbox")["parcels"][0]["state"] == "done"
    again = answer(pair.centre, "queue.retry", queue="inbox", id=outgoing.entry.parcel, who="li")
    assert again["code"] == codes.STATE.name


def test_giving_up_an_unaccepted_parcel_puts_a_signed_void_in_its_place(pair: Pair) -> None:
    supplied(pair, 0)
    outgoing = pair.sealed()
    parcel = outgoing.entry.parcel
    assert told(pair.dept, "queue.purge", id=parcel, who="li")["what"] == "voided"
    assert entry_state(pair.dept, parcel) is EntryState.VOIDED
    with pair.dept.stores.outbox.unit() as unit:
        assert steps.by(steps.VOIDED, "li") in [each.step for each in unit.traced(parcel)]
    void = pair.sealed()
    assert (void.entry.kind, void.entry.seq) == ("void", outgoing.entry.seq)
    pair.accept(void)
    supplied(pair, 1, key="k-2")
    pair.accept(pair.sealed())
    pair.opened(2)
    came = told(pair.centre, "queue.list", queue="inbox")["parcels"]  # by id, and both were born in one millisecond
    assert [one["kind"] for one in sorted(came, key=lambda one: one["seq"])] == ["void", "records"]
    assert answer(pair.dept, "queue.purge", id=parcel, who="li")["code"] == codes.STATE.name


def test_a_parcel_another_worker_sends_is_not_given_up_now(pair: Pair) -> None:
    supplied(pair, 0)
    parcel = pair.sealed().entry.parcel
    with pair.dept.stores.outbox.unit() as unit:
        assert unit.claim(lane_of(), pair.dept.desk.now(), 60_000) is not None
    assert answer(pair.dept, "queue.purge", id=parcel, who="li")["code"] == codes.LANE_BUSY.name
    assert entry_state(pair.dept, parcel) is EntryState.SENT


def test_a_parked_parcel_is_thrown_away_by_name_and_an_accepted_one_is_not(pair: Pair) -> None:
    supplied(pair, 0)
    outgoing = pair.sealed()
    parcel = outgoing.entry.parcel
    pair.accept(outgoing)
    refused = answer(pair.dept, "queue.purge", id=parcel, who="li")
    assert (refused["code"], refused["details"]["state"]) == (codes.STATE.name, "accepted")
    with pair.dept.stores.outbox.unit() as unit:
        unit.park(parcel, codes.OPEN.name, pair.dept.desk.now())
    assert answer(pair.dept, "queue.retry", id=parcel, who="li")["code"] == codes.STATE.name
    assert told(pair.dept, "queue.purge", id=parcel, who="zhao")["what"] == "discarded"
    with pair.dept.stores.outbox.unit() as unit:
        assert steps.by(steps.DISCARDED, "zhao") in [each.step for each in unit.traced(parcel)]
    assert answer(pair.centre, "queue.purge", queue="inbox", id=parcel, who="li")["code"] == codes.STATE.name


def test_the_records_of_a_parked_parcel_go_again_in_a_new_one(pair: Pair) -> None:
    supplied(pair, 0)
    outgoing = pair.sealed()
    parcel = outgoing.entry.parcel
    pair.accept(outgoing)
    assert answer(pair.dept, "queue.resend", id=parcel, who="li")["code"] == codes.STATE.name
    with pair.dept.stores.outbox.unit() as unit:
        unit.park(parcel, codes.UNSUPPORTED.name, pair.dept.desk.now())
    assert told(pair.dept, "queue.resend", id=parcel, who="li")["records"] == 1
    assert entry_state(pair.dept, parcel) is EntryState.DONE
    again = pair.sealed()
    assert (again.entry.seq, again.entry.count) == (outgoing.entry.seq + 1, 1)
    pair.accept(again)
    pair.opened(2)


# --- what is refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "code"), [
    ({"verb": "unheard"}, codes.BAD_REQUEST),
    ({}, codes.BAD_REQUEST),
    ({"verb": 7}, codes.BAD_REQUEST),
    ({"verb": "trace"}, codes.BAD_REQUEST),
    ({"verb": "trace", "id": "1"}, codes.BAD_REQUEST),
    ({"verb": "trace", "id": NOBODY}, codes.NOT_FOUND),
    ({"verb": "queue.show", "id": NOBODY}, codes.NOT_FOUND),
    ({"verb": "queue.show", "queue": "inbox", "id": NOBODY}, codes.NOT_FOUND),
    ({"verb": "queue.list", "queue": "warehouse"}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "limit": 0}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "limit": 10**9}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "limit": "9"}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "state": "held"}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "queue": "inbox", "state": "sent"}, codes.BAD_REQUEST),
    ({"verb": "queue.list", "after": "x"}, codes.BAD_REQUEST),
    ({"verb": "queue.purge", "id": NOBODY}, codes.BAD_REQUEST),
    ({"verb": "queue.purge", "id": NOBODY, "who": ""}, codes.BAD_REQUEST),
    ({"verb": "queue.purge", "id": NOBODY, "who": "a\nb"}, codes.BAD_REQUEST),
    ({"verb": "queue.purge", "id": NOBODY, "who": "x" * 65}, codes.BAD_REQUEST),
    ({"verb": "queue.purge", "id": NOBODY, "who": "li"}, codes.NOT_FOUND),
    ({"verb": "queue.purge", "queue": "inbox", "id": NOBODY, "who": "li"}, codes.NOT_FOUND),
    ({"verb": "queue.resend", "id": NOBODY}, codes.BAD_REQUEST),
    ({"verb": "queue.resend", "id": NOBODY, "who": "li"}, codes.NOT_FOUND),
    ({"verb": "queue.retry", "who": "li"}, codes.BAD_REQUEST),
    ({"verb": "queue.retry", "who": "li", "id": NOBODY, "peer": CENTRE}, codes.BAD_REQUEST),
    ({"verb": "queue.retry", "who": "li", "peer": "nobody"}, codes.NOT_FOUND),
    ({"verb": "queue.retry", "queue": "inbox", "who": "li", "id": NOBODY}, codes.NOT_FOUND),
    ({"verb": "queue.hold", "who": "li", "lane": "centre"}, codes.BAD_REQUEST),
    ({"verb": "queue.hold", "who": "li", "lane": "centre/population/sideways"}, codes.BAD_REQUEST),
    ({"verb": "queue.hold", "who": "li", "lane": "centre/nothing"}, codes.NOT_FOUND),
    ({"verb": "queue.hold", "queue": "inbox", "who": "li", "lane": "centre/nothing"}, codes.NOT_FOUND),
])
def test_a_wrong_request_is_refused_by_its_code_and_changes_nothing(given: dict[str, Any], code: Any) -> None:
    pair = Pair()
    supplied(pair, 0)
    control = Control(pair.dept.desk, Path("unused"))
    found = finish(control.answer(json.dumps(given).encode(), None), pair.clock)
    assert (found["ok"], found["code"]) == (False, code.name)
    assert pair.dept.journal.names() == [] and held(pair.dept, lane_of()) is None


def test_octets_that_are_no_request_are_refused(seed: int) -> None:
    pair, dice = Pair(), random.Random(seed)
    control = Control(pair.dept.desk, Path("unused"))
    for octets in (b"", b"[]", b"null", b'"x"', b"{", b"\xff", b"[" * 10_000, dice.randbytes(64)):
        found = finish(control.answer(octets, None), pair.clock)
        assert found["code"] == codes.BAD_REQUEST.name


def test_a_bug_is_told_by_a_number_and_logged_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair()

    def broken_verb(*_: object) -> Any:
        raise RuntimeError("张三")

    monkeypatch.setitem(READINGS, "status", broken_verb)
    found = answer(pair.dept, "status")
    (event,) = pair.dept.journal.events
    assert found["code"] == codes.FAULT.name and event[2]["fault"] == found["details"]["fault"]
    assert "张三" not in json.dumps(found, ensure_ascii=False)


# --- the conversation -------------------------------------------------------------------------------------------


class Line:
    """One connection to a control, over a transport in memory."""

    def __init__(self, staged: Staged, control: Control) -> None:
        self.clock: Clock = staged.clock
        protocol = control.factory.buildProtocol(None)
        self.refused = protocol is None
        self.transport = StringTransport()
        if protocol is not None:
            self.protocol = protocol
            protocol.makeConnection(self.transport)

    def say(self, octets: bytes) -> dict[str, Any] | None:
        """Send octets; return the answer if there is one."""
        self.protocol.dataReceived(octets)
        for _ in range(20):
            self.clock.advance(0)
        said = self.heard
        return json.loads(said) if said else None

    @property
    def heard(self) -> bytes:
        """All that was answered."""
        return self.transport.io.getvalue()


@pytest.fixture
def dept() -> Staged:
    return Pair().dept


def test_one_request_one_answer_then_the_end(dept: Staged) -> None:
    line = Line(dept, Control(dept.desk, Path("unused")))
    assert line.say(b'{"verb":') is None
    found = line.say(b'"status"}\n{"verb":"status"}\n')
    assert found is not None and found["ok"] and line.heard.count(b"\n") == 1
    assert line.transport.disconnecting
    line.protocol.dataReceived(b'{"verb":"status"}\n')
    assert line.heard.count(b"\n") == 1


def test_a_request_without_end_is_refused_at_its_bound(dept: Staged) -> None:
    line = Line(dept, Control(dept.desk, Path("unused")))
    assert line.say(b"x" * REQUEST) is None
    found = line.say(b"x")
    assert found is not None and found["code"] == codes.BAD_REQUEST.name


def test_a_silent_connection_is_dropped_in_time_and_connections_are_bounded(dept: Staged) -> None:
    control = Control(dept.desk, Path("unused"))
    lines = [Line(dept, control) for _ in range(AT_ONCE)]
    assert not any(line.refused for line in lines) and Line(dept, control).refused
    dept.clock.advance(WITHIN)
    assert all(line.transport.disconnected for line in lines)
    for line in lines:
        line.protocol.connectionLost()
    assert not Line(dept, control).refused


def test_an_answer_to_someone_who_left_is_dropped(dept: Staged) -> None:
    line = Line(dept, Control(dept.desk, Path("unused")))
    line.protocol.dataReceived(b'{"verb":"status"}\n')
    line.protocol.connectionLost()
    for _ in range(20):
        dept.clock.advance(0)
    assert line.heard == b""
