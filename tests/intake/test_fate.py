"""GET /v1/submissions/{id}: the fate of a submission at each stage, to the final verdicts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from node.envelope import seal as seal_parcel
from node.exchange import seal
from node.model.registry import Resource
from node.validate.specification import Specification
from tests.intake.api import Api, broken, ndjson, twin
from tests.stage.desk import CENTRE, SPECIFICATIONS, means_of, peer_of, set_up
from tests.stage.forging import signed_again
from tests.stage.pair import Pair


@pytest.fixture(params=["memory", "sqlite"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    made = Pair(None if request.param == "memory" else tmp_path)
    yield made
    made.close()


def states(api: Api, path: str) -> tuple[dict[str, int], bool]:
    """Return how many records stand in which state at the centre, and whether that is final."""
    told = api.get(path).json
    return told["receivers"][CENTRE]["states"], told["final"]


def test_it_goes_from_waiting_to_processed(pair: Pair) -> None:
    api = Api(pair.dept)
    heard = api.post(ndjson([twin(0), broken(1), twin(2)]), media="application/x-ndjson")
    path = heard.headers["location"]
    told = api.get(path).json
    assert (told["accepted"], told["refused"], told["stream"]) == (2, heard.json["refused"], "live")
    assert states(api, path) == ({"waiting": 2}, False)
    outgoing = pair.sealed()
    assert states(api, path) == ({"sent": 2}, False)
    assert api.get(path).json["receivers"][CENTRE]["parcels"] == [outgoing.entry.parcel]
    pair.accept(outgoing)
    assert states(api, path) == ({"accepted": 2}, False)
    pair.opened()
    pair.accounted()
    assert states(api, path) == ({"processed": 2}, True)
    assert api.get(path).json["receivers"][CENTRE]["refused"] == []


def test_what_the_receiver_refuses_is_told_by_our_own_row_ids(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pair.dept)
    path = api.submitted(twin(0), twin(1), twin(2)).headers["location"]
    other = api.submitted(twin(3), key="k-2").headers["location"]
    pair.accept(pair.sealed())
    real = Specification.judge_body

    def strict(self: Specification, index: int, body: bytes, today: Any) -> Any:
        # The centre's specification is the same; the second record's bytes are made to break it at its gate.
        return real(self, index, body.replace(b'"Operation":"I"', b'"Operation":"Q"') if index == 1 else body, today)

    monkeypatch.setattr(Specification, "judge_body", strict)
    pair.opened()
    pair.accounted()
    told = api.get(path).json["receivers"][CENTRE]
    assert told["states"] == {"processed": 3}
    assert {one["key"] for one in told["refused"]} == {twin(1)["RecordId"]}
    assert {one["field"] for one in told["refused"]} == {"Operation"}
    assert api.get(other).json["receivers"][CENTRE]["refused"] == []


def test_several_submissions_in_one_parcel_are_told_apart(pair: Pair) -> None:
    api = Api(pair.dept)
    paths = [api.submitted(twin(n), twin(n + 1), key=f"k-{n}").headers["location"] for n in (0, 2, 4)]
    pair.accept(pair.sealed())
    late = api.submitted(twin(9), key="late").headers["location"]
    assert [states(api, path) for path in paths] == [({"accepted": 2}, False)] * 3
    assert states(api, late) == ({"waiting": 1}, False)
    versions = [api.get(path).json["versions"] for path in (*paths, late)]
    assert [[n for _, n in pair] for pair in versions] == [[1, 2], [3, 4], [5, 6], [7, 7]]


def test_a_submission_of_which_nothing_was_accepted_is_final_at_once(pair: Pair) -> None:
    api = Api(pair.dept)
    heard = api.post(ndjson([broken(0)]), media="application/x-ndjson")
    told = api.get(heard.headers["location"]).json
    assert (told["accepted"], told["versions"], told["receivers"], told["final"]) == (0, [], {}, True)
    assert told["refused"] == heard.json["refused"]


def test_a_parcel_given_up_by_a_person_is_voided(pair: Pair) -> None:
    api = Api(pair.dept)
    path = api.submitted(twin(0)).headers["location"]
    outgoing = pair.sealed()
    desk = pair.dept.desk
    with pair.dept.stores.outbox.unit() as unit:
        assert seal.give_up(unit, outgoing.entry, desk.means, desk.now(), 1000)
    assert states(api, path) == ({"voided": 1}, True)


def test_a_parcel_refused_whole_is_refused_and_final(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(pair.dept)
    path = api.submitted(twin(0)).headers["location"]
    means = pair.dept.desk.means
    # A faulty program: the envelope is not bound to the manifest, which shows only when it is opened.
    monkeypatch.setattr(seal, "seal", lambda *given: signed_again(means, seal_parcel(*given), bind="11" * 32))
    outgoing = pair.sealed()
    pair.accept(outgoing)
    pair.opened()
    pair.accounted()
    assert states(api, path) == ({"refused": 1}, True)
    with pair.dept.stores.outbox.unit() as unit:
        entry = unit.entry(outgoing.entry.parcel)
    assert entry is not None and entry.code == "EXN-OPEN"


def test_it_survives_a_crash_at_every_stage(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    api = Api(pair.dept)
    path = api.submitted(twin(0)).headers["location"]
    for step in ("waiting", "sent", "accepted", "processed"):
        assert states(api, path) == ({step: 1}, step == "processed")
        pair.crash_dept()
        pair.crash_centre()
        api = Api(pair.dept)
        assert states(api, path)[0] == {step: 1}
        if step == "waiting":
            outgoing = pair.sealed()
        elif step == "sent":
            assert pair.sealed().manifest == outgoing.manifest
            pair.accept(outgoing)
        elif step == "accepted":
            pair.opened()
            pair.accounted()
    pair.close()


def test_each_receiver_has_its_own_fate(tmp_path: Path) -> None:
    resource = Resource("population", SPECIFICATIONS["population"], (CENTRE, "province"))
    staged = set_up("dept-a", [CENTRE, "province"], resources=[resource])
    api = Api(staged)
    path = api.submitted(twin(0)).headers["location"]
    told = api.get(path).json
    assert sorted(told["receivers"]) == [CENTRE, "province"] and not told["final"]
    api.close()


def test_what_is_unknown_or_no_id_is_404(pair: Pair) -> None:
    api = Api(pair.dept)
    known = "0199d1a2-7c3e-7b6a-8f00-5d2c9a1e4b30"
    for id in (known, known.upper(), known + "%0A", "x", "%00", "%F0%9F%98%80"):
        heard = api.get(f"/v1/submissions/{id}")
        assert (heard.status, heard.code) == (404, "EXN-API-NOT-FOUND")


def test_a_suspended_receiver_lets_it_wait(pair: Pair) -> None:
    api = Api(pair.dept)
    path = api.submitted(twin(0)).headers["location"]
    pair.dept.desk.means = means_of("dept-a", [replace(peer_of(CENTRE), suspended=True)])
    assert states(api, path) == ({"waiting": 1}, False)
