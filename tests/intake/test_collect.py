"""POST /v1/collect and /v1/hello: what waits for a peer is offered until it is receipted; lanes are brought in line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred

from node.envelope import Enclosure, Letter, read_manifest, read_probe, unframe, write, write_letter
from node.exchange import greet
from node.exchange.authority import ourselves, party
from node.intake.admission import admit_parcel
from node.intake.collector import Collector
from node.model.parcel import Collect
from node.model.registry import Grant, Resource
from node.model.spool import EntryState, Waiting
from node.spool.boots import ECHO
from node.validate.made.samples import to_json
from node.wire.media import LETTER, STATEMENT
from tests.crypto.papers import NOW
from tests.intake.api import Api, twin
from tests.stage.desk import CENTRE, SPECIFICATIONS, Staged, finish, means_of, peer_of, set_up
from tests.stage.forging import line_of, spec_id
from tests.stage.joined import Line
from tests.stage.pair import Pair, lane_of, media
from tests.wire.pipe import Pipe
from tests.wire.talk import Caller, Heard, post

DOWN = lane_of(sender=CENTRE, receiver="dept-a")
RESOURCES = [Resource("population", SPECIFICATIONS["population"], ("dept-a",))]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A pair whose centre supplies `population` to dept-a, which collects."""
    made = Pair(registered=("dept-a", "dept-b"), given={"resources": RESOURCES})
    yield made
    made.close()


def statement(who: Staged, epoch: int | None = None, boot: str | None = None) -> bytes:
    """Return a node's signed collect."""
    means = who.desk.means
    with who.stores.outbox.unit() as unit:
        epoch, boot = epoch or unit.epoch(), boot or unit.boot()
    said = Collect(means.identity.domain, ourselves(means), party(peer_of(CENTRE)), epoch, boot, who.desk.now())
    return write(said, means.identity.signing, means.identity.sign)


def collect(pair: Pair, who: Staged | None = None, caller: str = "dept-a", wait: int = 0, **life: object) -> Heard:
    said = statement(who or pair.dept, **life)  # type: ignore[arg-type]  # epoch and boot
    heard = pair.said(f"/v1/collect?wait={wait}", said, STATEMENT, caller)
    if heard.status == 409 and heard.code == "EXN-GREET":  # as the collector does
        hello(pair, probe(who or pair.dept, **life), caller)  # type: ignore[arg-type]
        heard = pair.said(f"/v1/collect?wait={wait}", said, STATEMENT, caller)
    return heard


def polling(pair: Pair, wait: int = 25) -> tuple[Caller, Pipe]:
    hello(pair)
    client, pipe = pair.house.connect("dept-a")
    pipe.client.write(post(f"/v1/collect?wait={wait}", statement(pair.dept), media(STATEMENT)))
    pair.house.turn(pipe)
    return client, pipe


def supplied(pair: Pair, *indexes: int) -> None:
    """Let the centre have records for dept-a."""
    Api(pair.centre).submitted(*map(twin, indexes), key="k" + "-".join(map(str, indexes)))


def admit(pair: Pair, heard: Heard) -> bytes:
    """Let the department admit what it collected; return its receipt."""
    framed = unframe(heard.body)
    return finish(admit_parcel(pair.dept.desk, framed.manifest, framed.payload, CENTRE), pair.clock)


def entries(pair: Pair) -> list[EntryState]:
    with pair.centre.stores.outbox.unit() as unit:
        return [entry.state for entry in unit.entries(None, "", 100)]


def give(pair: Pair, receipt: bytes) -> None:
    heard = pair.said("/v1/receipts?wait=0", write_letter(Letter([Enclosure(receipt)])), LETTER)
    assert heard.status == 200, heard.json


def test_nothing_waits_is_204(pair: Pair) -> None:
    assert collect(pair).status == 204


def test_what_waits_is_sealed_and_offered(pair: Pair) -> None:
    supplied(pair, 0, 1)
    heard = collect(pair)
    assert heard.status == 200 and heard.headers["content-type"] == "application/vnd.exn.parcel"
    manifest = read_manifest(unframe(heard.body).manifest, pair.dept.desk.means.crypto).statement
    assert (manifest.count, manifest.receiver.node, manifest.place.seq) == (2, "dept-a", 1)


def test_the_same_bytes_are_offered_again_until_the_receipt_arrives(pair: Pair) -> None:
    supplied(pair, 0)
    first = collect(pair)
    supplied(pair, 1)
    assert collect(pair).status == 204  # it was just handed over: a receipt is on its way
    for _ in range(3):
        pair.clock.advance(11)
        assert collect(pair).body == first.body
    pair.crash_centre()
    assert collect(pair).body == first.body
    give(pair, admit(pair, first))
    second = collect(pair)
    assert second.status == 200 and second.body != first.body
    assert entries(pair) == [EntryState.ACCEPTED, EntryState.SENT]


def test_a_parcel_collected_twice_is_stored_once_and_receipted_alike(pair: Pair) -> None:
    supplied(pair, 0)
    first = collect(pair)
    pair.clock.advance(11)
    assert admit(pair, first) == admit(pair, collect(pair))


def test_a_poll_returns_on_the_first_record_put(pair: Pair) -> None:
    client, pipe = polling(pair)
    assert not client.answers
    pair.clock.advance(3)
    supplied(pair, 0)
    pair.house.turn(pipe)
    assert client.answers[0].status == 200


def test_a_poll_ends_without_news_after_its_time_and_is_woken_for_what_is_offered_again(pair: Pair) -> None:
    client, pipe = polling(pair, 25)
    pair.clock.pump([5] * 6)
    pair.house.turn(pipe)
    assert [one.status for one in client.answers] == [204]
    supplied(pair, 0)
    first = collect(pair)
    client, pipe = polling(pair, 25)
    pair.clock.pump([5] * 3)
    pair.house.turn(pipe)
    assert client.answers[0].body == first.body


def test_a_lost_poll_leaves_nothing_behind(pair: Pair) -> None:
    _, pipe = polling(pair)
    pipe.cut()
    pair.clock.advance(30)
    assert not pair.house.faults and not pair.clock.getDelayedCalls()


def test_the_channel_must_be_the_collectors(pair: Pair) -> None:
    supplied(pair, 0)
    assert collect(pair, caller="dept-b").code == "EXN-NOT-ALLOWED"
    assert collect(pair, caller="dept-x").code == "EXN-UNREGISTERED"
    assert entries(pair) == []


def test_a_peer_collects_its_own_lanes_only(pair: Pair) -> None:
    supplied(pair, 0)
    other = set_up("dept-b", [CENTRE], clock=pair.clock)
    assert collect(pair, other, "dept-b").status == 204
    other.close()


def test_an_older_epoch_is_superseded_and_a_newer_one_takes_over(pair: Pair) -> None:
    with pair.dept.stores.outbox.unit() as unit:
        epoch = unit.epoch()
    supplied(pair, 0)
    assert collect(pair, epoch=epoch + 10, boot="aa" * 16).status == 200
    heard = collect(pair, epoch=epoch)
    assert (heard.status, heard.code) == (409, "EXN-SUPERSEDED")


def test_a_boot_that_speaks_again_after_a_later_one_is_a_clone_and_both_stop(pair: Pair) -> None:
    supplied(pair, 0)
    assert collect(pair, boot="aa" * 16).status == 200
    pair.clock.advance(11)
    assert collect(pair, boot="bb" * 16).status == 200
    pair.clock.advance(ECHO / 1000 + 1)  # from now on an earlier boot's words are no echo of its last run
    for boot in ("aa" * 16, "bb" * 16, "aa" * 16):
        heard = collect(pair, boot=boot)
        assert (heard.status, heard.code) == (409, "EXN-CLONED")
    assert pair.centre.journal.names("error") == ["EXN-CLONED"]  # one alarm


def test_a_held_lane_waits_and_does_not_keep_others_waiting(pair: Pair) -> None:
    resources = [*RESOURCES, Resource("region-code", SPECIFICATIONS["region-code"], ("dept-a",))]
    pair.centre.desk.means = means_of(CENTRE, ["dept-a"], resources)
    supplied(pair, 0)
    api = Api(pair.centre)
    region = {"RecordId": "r-1", "Operation": "I", "EventTime": "2024-05-01T09:30:00+08:00", "RegionCode": "441802",
              "RegionName": "清城区", "FirstRevision": "198012", "LastRevision": "201904"}
    assert api.post(to_json(region), "r", path="/v1/resources/region-code/records").status == 202
    with pair.centre.stores.outbox.unit() as unit:
        unit.hold(DOWN, "EXN-HELD")
    heard = collect(pair)
    manifest = read_manifest(unframe(heard.body).manifest, pair.dept.desk.means.crypto).statement
    assert manifest.resource == "region-code"


def test_a_stopping_node_ends_its_polls_at_once(pair: Pair) -> None:
    client, pipe = polling(pair)
    pair.centre.desk.stopping = True
    pair.centre.desk.bell.ring("outbox:dept-a")
    pair.house.turn(pipe)
    assert [one.status for one in client.answers] == [204]


# --- the collector --------------------------------------------------------------------------------------------------


def run(pair: Pair, line: Line, collector: Collector) -> None:
    """Let the collector run once without time passing."""
    done: list[object] = []
    Deferred.fromCoroutine(collector.run()).addBoth(done.append)
    line.carry()
    assert done == [None], done


def test_the_collector_takes_what_waits_and_gives_its_receipt(pair: Pair) -> None:
    supplied(pair, 0)
    hello(pair)
    line = Line(pair.house, "dept-a", CENTRE)
    line.link.set_up(True)
    run(pair, line, Collector(pair.dept.desk, line.link))
    assert entries(pair) == [EntryState.ACCEPTED]
    with pair.dept.stores.inbox.unit() as unit:
        assert len(unit.arrivals(None, "", 10)) == 1 and not unit.ungiven(CENTRE, 10)


def test_a_parcel_whose_receipt_was_lost_is_collected_again_and_receipted(pair: Pair) -> None:
    supplied(pair, 0)
    admit(pair, collect(pair))  # and the receipt is lost
    pair.clock.advance(11)
    line = Line(pair.house, "dept-a", CENTRE)
    line.link.set_up(True)
    run(pair, line, Collector(pair.dept.desk, line.link))
    assert entries(pair) == [EntryState.ACCEPTED]


def test_what_the_peer_tells_beside_a_collected_parcel_is_heard(pair: Pair) -> None:
    Api(pair.dept).submitted(twin(0))
    ours = pair.sealed()
    pair.accept(ours)
    pair.opened()  # its final receipt waits at the centre, to be handed with the next letter, once
    supplied(pair, 1)
    first = collect(pair)
    admit(pair, first)
    pair.clock.advance(31)  # and the centre will ask for what became of its own
    line = Line(pair.house, "dept-a", CENTRE)
    line.link.set_up(True)
    run(pair, line, Collector(pair.dept.desk, line.link))
    with pair.dept.stores.outbox.unit() as unit:
        entry = unit.entry(ours.entry.parcel)
        assert entry is not None and entry.state is EntryState.DONE
    assert entries(pair) == [EntryState.ACCEPTED]


def test_a_collector_that_lost_its_tail_says_hello_at_once_and_does_not_spin(pair: Pair) -> None:
    supplied(pair, 0)
    give(pair, admit(pair, collect(pair)))
    supplied(pair, 1)
    line = Line(pair.house, "dept-a", CENTRE)
    line.link.set_up(True)
    pair.dept = set_up("dept-a", [CENTRE], clock=pair.clock)  # with an empty inbox, and a newer boot
    collector = Collector(pair.dept.desk, line.link)
    seen = pair.dept.desk.bell.count(f"greet:{CENTRE}")
    done: list[object] = []
    Deferred.fromCoroutine(collector.run()).addBoth(done.append)
    line.carry()
    assert pair.dept.desk.bell.count(f"greet:{CENTRE}") == seen + 1 and not done
    assert pair.dept.journal.names() == ["EXN-BEHIND"]
    assert hello(pair).status == 200
    pair.clock.advance(20)
    assert done == [None]
    framed = unframe(collect(pair).body)
    assert read_manifest(framed.manifest, pair.dept.desk.means.crypto).statement.place.seq == 1


# --- hello ----------------------------------------------------------------------------------------------------------


def probe(who: Staged, time: int | None = None, epoch: int | None = None, boot: str | None = None) -> bytes:
    """Return a node's signed probe with its lanes as they stand."""
    with who.stores.outbox.unit() as unit:
        life, ours = greet.sending(unit, CENTRE)
    with who.stores.inbox.unit() as unit:
        theirs = greet.receiving(unit, CENTRE)
    life = replace(life, epoch=epoch or life.epoch, boot=boot or life.boot)
    return greet.probe(peer_of(CENTRE), life, [*ours, *theirs], who.desk.means, time or who.desk.now())


def hello(pair: Pair, said: bytes | None = None, caller: str = "dept-a") -> Heard:
    return pair.said("/v1/hello", said or probe(pair.dept), STATEMENT, caller)


def test_a_hello_is_answered_with_where_we_stand(pair: Pair) -> None:
    Api(pair.dept).submitted(twin(0))
    outgoing = pair.sealed()
    pair.accept(outgoing)
    supplied(pair, 1)
    heard = hello(pair)
    assert heard.status == 200 and heard.headers["content-type"] == "application/vnd.exn.statement"
    said = read_probe(heard.body, pair.dept.desk.means.crypto).statement
    heads = {(head.sender, head.receiver): (head.epoch, head.seq) for head in said.lanes}
    assert heads == {(CENTRE, "dept-a"): (0, 0), ("dept-a", CENTRE): (outgoing.entry.epoch, 1)}
    with pair.centre.stores.outbox.unit() as unit:
        assert (said.epoch, said.boot) == (unit.epoch(), unit.boot())


@pytest.mark.parametrize("skew", [-300_001, 300_001, 86_400_000])
def test_a_clock_beyond_the_limit_is_held(pair: Pair, skew: int) -> None:
    heard = hello(pair, probe(pair.dept, pair.dept.desk.now() + skew))
    assert (heard.status, heard.code) == (403, "EXN-CLOCK")
    assert hello(pair, probe(pair.dept, pair.dept.desk.now() + skew // abs(skew) * 300_000)).status == 200


def test_an_older_epoch_and_a_clone_are_told_so(pair: Pair) -> None:
    assert hello(pair, probe(pair.dept, epoch=2_000_000_000, boot="aa" * 16)).status == 200
    assert hello(pair, probe(pair.dept, epoch=1_999_999_999)).code == "EXN-SUPERSEDED"
    assert hello(pair, probe(pair.dept, epoch=2_000_000_000, boot="bb" * 16)).status == 200
    pair.clock.advance(ECHO / 1000 + 1)
    assert hello(pair, probe(pair.dept, epoch=2_000_000_000, boot="aa" * 16)).code == "EXN-CLONED"
    assert pair.centre.journal.names("error") == ["EXN-CLONED"]


def test_the_channel_must_be_the_greeters(pair: Pair) -> None:
    assert hello(pair, caller="dept-b").code == "EXN-NOT-ALLOWED"


def test_a_tail_the_receiver_lost_is_sent_again_after_its_hello(tmp_path: Path) -> None:
    pair = Pair(tmp_path, given={"resources": RESOURCES})
    supplied(pair, 0)
    first = collect(pair)
    give(pair, admit(pair, first))
    pair.dept.close()
    shutil.copytree(tmp_path / "dept-a", tmp_path / "backup")
    pair.dept = pair.dept.again()
    supplied(pair, 1)
    second = collect(pair)
    give(pair, admit(pair, second))
    assert entries(pair) == [EntryState.ACCEPTED] * 2
    pair.dept.close()  # the department loses its disk and comes back from the backup, in a new epoch
    shutil.rmtree(tmp_path / "dept-a")
    shutil.copytree(tmp_path / "backup", tmp_path / "dept-a")
    pair.dept = pair.dept.again()
    pair.clock.advance(20)
    assert hello(pair).status == 200
    again = collect(pair)
    assert again.body == second.body
    assert admit(pair, again)
    pair.close()


def test_a_lane_held_for_its_grant_rings_once_and_goes_on_when_the_grant_is_there(pair: Pair) -> None:
    grant = Grant("population", "dept-a", "statistics", NOW + 86_400_000)
    with pair.centre.stores.outbox.unit() as unit:
        unit.wait(DOWN, Waiting(spec_id(), [line_of(twin(0), NOW, CENTRE)], NOW, grant=grant.name))
    for _ in range(3):
        assert collect(pair).status == 204
        with pair.centre.stores.outbox.unit() as unit:
            state = unit.lane(DOWN)
            assert state is not None and state.held == "EXN-GRANT"
        assert hello(pair).status == 200  # a hello lets it try again
    assert pair.centre.journal.names("error") == ["EXN-GRANT"]
    pair.centre.desk.means = means_of(CENTRE, ["dept-a"], RESOURCES, [grant])
    assert collect(pair).status == 200
    pair.clock.advance(86_401)
    pair.centre.desk.means = means_of(CENTRE, ["dept-a"], RESOURCES, [grant])
    assert collect(pair).status == 204  # it ended; the sealed bytes are offered no more


def test_a_lane_a_person_holds_stays_held(pair: Pair) -> None:
    supplied(pair, 0)
    with pair.centre.stores.outbox.unit() as unit:
        unit.hold(DOWN, "EXN-HELD")
    assert hello(pair).status == 200 and collect(pair).status == 204


def test_a_copy_of_ours_that_is_behind_holds_its_lane_with_an_alarm(tmp_path: Path) -> None:
    pair = Pair(tmp_path, given={"resources": RESOURCES})
    supplied(pair, 0)
    give(pair, admit(pair, collect(pair)))
    pair.centre.close()
    shutil.copytree(tmp_path / CENTRE, tmp_path / "old")
    pair.centre = pair.centre.again()
    pair.open_house()
    supplied(pair, 1)
    give(pair, admit(pair, collect(pair)))
    pair.centre.close()  # somebody starts the old copy of the centre, without `restore`
    shutil.rmtree(tmp_path / CENTRE)
    shutil.copytree(tmp_path / "old", tmp_path / CENTRE)
    pair.centre = pair.centre.again()
    pair.open_house()
    assert hello(pair).status == 200
    with pair.centre.stores.outbox.unit() as unit:
        state = unit.lane(DOWN)
        assert state is not None and state.held == "EXN-SUPERSEDED"
    assert "EXN-SUPERSEDED" in pair.centre.journal.names("error")
    pair.close()


def test_nothing_is_offered_before_a_hello_to_this_run(pair: Pair) -> None:
    """A node that came back from an old copy must not seal at a taken place before it was told where it stands."""
    supplied(pair, 0)
    asked = pair.said("/v1/collect?wait=0", statement(pair.dept), STATEMENT, "dept-a")
    assert (asked.status, asked.code) == (409, "EXN-GREET")
    assert hello(pair).status == 200
    assert pair.said("/v1/collect?wait=0", statement(pair.dept), STATEMENT, "dept-a").status == 200
