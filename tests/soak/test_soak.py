"""The soak's own promises: it finds what is broken, goes on where it stopped, and its report is signed and honest."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo.audit import Ledgers
from tests.processes.exchange import CENTRE, SOURCE, SUBSCRIBER, Exchange, running
from tests.soak import audit
from tests.soak.pieces import Kept, Options, Piece, Result
from tests.soak.report import PARTS, verdict, write
from tests.soak.sign import sign, verify

HELD = Result("kills", "1", {"moments": {"centre": {"working": 3}}, "seed": "0-1"}, [], 1.0, "2026-01-01T00:00:00+0000")


def result(**changes: Any) -> Result:
    return Result(**{**{name: getattr(HELD, name) for name in Result.__slots__}, **changes})


# --- the report ---------------------------------------------------------------------------------------------------


def test_a_signature_holds_for_the_report_and_for_no_other(tmp_path: Path) -> None:
    report = tmp_path / "crash-report.md"
    report.write_text(write([HELD], Options(), {"python": "3"}), encoding="utf-8")
    signature, trusted = sign(report)
    assert verify(report, signature, trusted)
    report.write_bytes(report.read_bytes().replace(b"HELD", b"held"))
    assert not verify(report, signature, trusted)


def test_the_verdict_says_what_broke_and_what_did_not_run() -> None:
    held, said = verdict([HELD])
    assert held and said.endswith("not run: outage, worlds, cuts")
    broken = write([HELD, result(part="cuts", broken=["centre, before sync 7"])], Options(), {})
    assert "BROKEN" in broken.splitlines()[2] and "centre, before sync 7" in broken
    assert verdict([]) == (False, verdict([])[1]), "a soak that ran nothing has held nothing"


def test_every_part_writes_even_of_figures_that_never_came() -> None:
    text = write([result(part=part, figures={}, broken=["it fell"]) for part in PARTS], Options(), {})
    assert text.count("it fell") == len(PARTS)


# --- going on -----------------------------------------------------------------------------------------------------


def test_it_goes_on_where_it_stopped_for_the_same_sizes_only(tmp_path: Path) -> None:
    ran: list[str] = []

    def pieces(fails: bool = False) -> Iterator[Piece]:
        for name in ("1", "2"):
            def run(folder: Path, name: str = name) -> tuple[Mapping[str, Any], list[str]]:
                ran.append(name)
                assert not (fails and name == "2"), "it fell"
                return {}, []

            yield Piece("kills", name, run)

    def soak(options: Options, going_on: bool, fails: bool = False) -> list[Result]:
        kept = Kept(tmp_path / "results.json", options, going_on)
        return list(kept.run(pieces(fails), tmp_path, lambda said: None))

    assert [bool(one.broken) for one in soak(Options(), True, True)] == [False, True]
    assert [(one.kept, one.broken) for one in soak(Options(), True)] == [(True, []), (False, [])]
    assert ran == ["1", "2", "2"], "what held is kept, what broke is run again"
    soak(Options(kills=1), True)
    soak(Options(kills=1), False)
    assert ran == ["1", "2", "2", "1", "2", "1", "2"]


# --- the audit finds what is broken ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Exchange, dict[str, int]]]:
    """An exchange that came to rest, and what its client was told."""
    with running(tmp_path_factory.mktemp("soak"), CENTRE, SOURCE, SUBSCRIBER) as exchange:
        told = {}
        for count in (3, 4):
            told[exchange.submit(exchange.people(count))] = count
            exchange.settled()
        yield exchange, told


def ask(exchange: Exchange, node: str) -> Ledgers:
    return exchange.ledgers(node)[0]


def test_the_audit_passes_what_is_exact(rest: tuple[Exchange, dict[str, int]]) -> None:
    exchange, told = rest
    assert audit.accounted(ask(exchange, SOURCE), told) == []
    assert audit.in_order(ask(exchange, CENTRE), "population") == (7, [])
    assert audit.in_order(ask(exchange, SUBSCRIBER), "population") == (7, [])
    for node in (SOURCE, CENTRE, SUBSCRIBER):
        count, broken = audit.chains(ask(exchange, node), (SOURCE, CENTRE, SUBSCRIBER), ("population",))
        assert count >= 2 and broken == []
        assert list(audit.places_in_order(ask(exchange, node))) == []
        assert audit.sound(exchange.seat(node).state) == []


def test_the_audit_finds_what_is_missing(rest: tuple[Exchange, dict[str, int]]) -> None:
    exchange, told = rest
    source = ask(exchange, SOURCE)
    first = next(iter(told))
    assert audit.accounted(source, {**told, first: 5}), "another count"
    other = first[:-1] + ("0" if first[-1] != "0" else "1")
    assert audit.accounted(source, {**told, other: 3}), "an unknown submission"


def test_the_audit_finds_a_gap_a_double_and_a_broken_chain(
    rest: tuple[Exchange, dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, _ = rest
    centre = ask(exchange, CENTRE)
    blocks = list(centre.blocks("population"))
    assert len(blocks) == 2
    for bent in (blocks[1:], [*blocks, blocks[-1]], blocks[::-1]):
        monkeypatch.setattr(centre, "blocks", lambda resource, bent=bent: iter(bent))
        assert audit.in_order(centre, "population")[1]
    monkeypatch.setattr(audit, "sm3", lambda octets: bytes(32))
    assert audit.chains(centre, (SOURCE, CENTRE), ("population",))[1]


def test_the_audit_finds_a_damaged_file(tmp_path: Path, rest: tuple[Exchange, dict[str, int]]) -> None:
    exchange, _ = rest
    (tmp_path / "state").mkdir()
    for name in ("outbox.db", "outbox.db-wal"):
        found = exchange.seat(SOURCE).state / name
        if found.exists():
            (tmp_path / "state" / name).write_bytes(found.read_bytes())
    path = tmp_path / "state" / "outbox.db"
    plain = sqlite3.connect(path)
    plain.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    plain.close()
    assert audit.sound(path.parent) == []
    octets = bytearray(path.read_bytes())
    for page in range(4096, len(octets), 4096):
        octets[page : page + 64] = b"\xff" * 64
    path.write_bytes(octets)
    assert audit.sound(path.parent)
