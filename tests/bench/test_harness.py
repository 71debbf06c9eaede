"""The harness runs and counts right; how fast anything is, no test says."""

from __future__ import annotations

import json
import socket
import threading
from datetime import date
from pathlib import Path

import pytest
from zstandard import ZstdCompressor

from node.model.record import Record
from node.validate import Media, read_drafts
from tests.bench import backlogs, figures
from tests.bench.figures import Figure
from tests.bench.lanes import Urgent
from tests.bench.load import many
from tests.bench.outage import Drained, drain, fill
from tests.bench.pair import Pair
from tests.bench.peer import exchange
from tests.bench.records import PER_MOULD, Records, specification
from tests.bench.report import STAGES, report
from tests.bench.rounds import Idle, Sizes
from tests.bench.whole import Measured, measure
from tests.bench.wire import Relay

TINY = Sizes(
    rounds=1, seconds=0.0, scale=0.01, idle=3, peer=0.1, commits=0.02, wire=100, pause=0.01, moulds=10, parcels=1,
    per_parcel=100, judged=100, file=1 << 19,
)


FEW = ("json", "xml", "single", "pyas2lib", "idle", "commits", "stages", "judging")


@pytest.mark.parametrize(("form", "kind"), [("json", "json"), ("xml", "xml")])
def test_every_record_of_the_load_is_valid_and_has_a_key_of_its_own(form: str, kind: str) -> None:
    spec, supply = specification(), Records(form, 5, 4)
    taken = supply.take(4 * PER_MOULD)
    judged = [
        spec.judge(draft, date(2030, 1, 1))
        for record in taken[::37] + taken[-8:] for draft in read_drafts(record, Media(kind), spec)
    ]
    assert all(isinstance(one, Record) for one in judged)
    assert len({one.key for one in judged if isinstance(one, Record)}) == len(set(taken[::37] + taken[-8:]))
    assert 900 <= supply.octets <= 1152
    assert not set(supply.take(4 * PER_MOULD)) & set(taken), "there is always another"


@pytest.mark.parametrize(("form", "kind"), [("json", "json"), ("xml", "xml")])
def test_a_parcel_of_the_load_compresses_as_registers_do_and_not_as_one_text_repeated(form: str, kind: str) -> None:
    spec, supply = specification(), Records(form, 7, 300)
    judged = [
        spec.judge(draft, date(2030, 1, 1))
        for record in supply.take(300) for draft in read_drafts(record, Media(kind), spec)
    ]
    body = b"\n".join(one.body for one in judged if isinstance(one, Record))
    assert 2.4 <= len(body) / len(ZstdCompressor(level=1).compress(body)) <= 4


def test_xml_records_are_posted_as_one_list() -> None:
    spec, supply = specification(), Records("xml", 5, 4)
    assert len(list(read_drafts(many(supply.take(7)), Media("xml"), spec))) == 7


def test_the_peer_takes_its_own_messages_and_receipts() -> None:
    exchange(b'{"record": 1}')()


def test_the_relay_counts_what_it_carries() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        def answer() -> None:
            link = server.accept()[0]
            with link:
                while said := link.recv(100):
                    link.sendall(said + said)

        threading.Thread(target=answer, daemon=True).start()
        relay = Relay(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", relay.port)) as link:
            link.sendall(b"abc")
            assert link.recv(6, socket.MSG_WAITALL) == b"abcabc"
        relay.close()
    assert (relay.there, relay.back) == (3, 6)


def test_a_figure_meets_its_goal_or_says_that_it_does_not(tmp_path: Path) -> None:
    told = [Figure("fast", 300.0, "×", "≥ 300"), Figure("late", 10.5, "ms", "≤ 10"), Figure("plain", 1.0, "B")]
    figures.write(told, tmp_path / "deep" / "bench.json")
    listed = json.loads((tmp_path / "deep" / "bench.json").read_text(encoding="utf-8"))
    assert [one["meets"] for one in listed] == [True, False, None]
    assert list(listed[0]) == ["name", "zh", "value", "unit", "goal", "meets", "detail"]
    assert "NOT MET" in figures.table(told) and "1/2 达到" in figures.table(told)
    busy = figures.of("rate", [2.0, 3.0], "/s", others=[0.01, 0.5])
    assert busy.detail["busy"] == [2] and "*1/2" in figures.table([busy])


def test_a_very_small_run_loses_nothing_and_gives_every_figure(tmp_path: Path) -> None:
    found = measure(tmp_path, TINY, lambda said: None, FEW)
    told = {figure.name: figure for figure in report(found)}
    assert told["records answered 202 that are not in the warehouse"].value == 0
    assert found.posted == found.delivered
    assert {name: bursts[0].records for name, bursts in found.bursts.items()} == {
        "json": 100, "xml": 20, "single": 2
    }
    assert found.bursts["single"][0].parcels == 2, "one record each"
    assert [len(one) for one in (found.idle.taken, found.idle.accepted, found.idle.final)] == [3, 3, 3]
    assert all(taken <= final for taken, final in zip(found.idle.taken, found.idle.final))
    assert all(set(found.stages[form][0]) == set(STAGES) for form in ("json", "xml"))
    units = ("×", "records/s", "µs/record", "B/record")
    assert all(one.value > 0 for one in told.values() if "steady" not in one.name and one.unit in units)
    assert sum(figure.goal is not None for figure in told.values()) >= 22
    assert found.judged is not None and set(found.judged.files) == {"json", "xml"}
    assert all(most > 1 << 20 for _, most, _ in found.judged.files.values()), "its memory was looked at"


def test_a_small_outage_is_drained_whole_and_rests_one_by_one(tmp_path: Path) -> None:
    pair = Pair(tmp_path / "shape")
    fill(pair, 7, 1)
    assert pair.read("outbox", "SELECT count FROM groups") == [(1,)] * 7
    fill(pair, 200, 100)
    assert sum(count for (count,) in pair.read("outbox", "SELECT count FROM groups WHERE count > 1")) == 200
    told = drain(tmp_path / "outage", 20, 1)
    assert told.records > 20, "more were posted before the kill"
    assert 0 < told.first <= told.accepted <= told.final
    assert 0 < told.disk["outbox, after purge"] < told.disk["outbox, before purge"] and told.disk["history"] > 0


def test_what_waited_is_told_beside_its_goals() -> None:
    disk = dict.fromkeys([*backlogs.KEPT, "history"], 100.0)
    drained = Drained(170_000, 1.5, 20.0, 25.0, 9000.0, [(1, 2), (3, 4)], disk)
    found = Measured({}, {}, Idle(), waiting=drained, outage=drained, lanes=Urgent(1000, [1.0, 9.0, 2.0], [8.0], 4.0))
    told = {figure.name: figure for figure in backlogs.report(found)}
    day = told["24 h outage, 1.7 million records one by one, drained"]
    assert (day.value, day.meets) == (250.0, True) and "scaled" in day.detail["note"]
    assert told["170,000 waiting, killed: restart to first delivery"].meets
    assert told["on disk per delivered record after purge, one by one"].value == 0.1953
    assert told["urgent record while 1,000 lanes wait: it leaves after, in parcels' times"].value == 0.5
    assert told["urgent record while 1,000 lanes wait: the longest, in parcels' times"].value == 2.25
