"""A real node's first start and first records, seen by `strace`: the power fails at each of its syncs.

The disk is rebuilt from the system calls of `exchange-node run`, so it holds whatever the node did, on whatever way:
folders it made, its token, its stores.  Each record is believed from the moment its 202 was sent.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from node.cli.demo.crew import run_command
from node.config import load
from node.service.build import now
from node.service.papers import read_papers
from node.service.stores import open_stores
from tests.powercut.platter import Fate
from tests.powercut.syscalls import OPTIONS, Call, Disk, reachable, read
from tests.processes.exchange import SOURCE, Exchange, until

POSTS = 4
Left = tuple[str, dict[str, bytes]]
"""Where the power failed, and the files that were left."""


class Recorded:
    """One run: its calls, its seat, and what its client was told."""

    def __init__(self, exchange: Exchange, calls: list[Call], told: dict[str, int], token: bytes) -> None:
        self.exchange, self.calls, self.told, self.token = exchange, calls, told, token
        self.seat = exchange.seat(SOURCE)
        self.root = str(self.seat.folder)
        settings = load(self.seat.config)
        self.papers = read_papers(settings, lambda said: None)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, server: Callable[[str, str], str]) -> Iterator[Recorded]:
    """A department that starts for the first time, takes a few records and is stopped."""
    strace = server("strace", "strace")
    folder = tmp_path_factory.mktemp("traced")
    exchange = Exchange(folder / "site")
    (folder / "calls").mkdir()
    seat = exchange.seat(SOURCE)
    command = [strace, *OPTIONS, "-o", str(folder / "calls" / "t"), *run_command(seat)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log, stdin=subprocess.DEVNULL)
    try:
        until("it answers", lambda: process.poll() is not None or _answers(exchange), 240)
        told = {exchange.submit(exchange.people(count)): count for count in range(1, POSTS + 1)}
        token = seat.token.read_bytes()
    finally:
        process.send_signal(signal.SIGTERM)  # with -D the node is our child, not strace
        status = process.wait(240)
        exchange.close()
    assert status == 0, (folder / "log").read_text()
    yield Recorded(exchange, read(folder / "calls"), told, token)


def _answers(exchange: Exchange) -> bool:
    try:
        return exchange.ask(SOURCE, "/livez")[0] == 200
    except OSError:
        return False


def acknowledged(call: Call, told: dict[str, int]) -> list[str]:
    """Return the submissions that a call tells the client of."""
    if call.name not in ("sendto", "write") or b"HTTP/1.1 202" not in call.octets:
        return []
    return [id for id in told if id.encode("ascii") in call.octets]


def cuts(run: Recorded, seed: int) -> Iterator[tuple[Left, list[str]]]:
    """Yield what each sync, what may be left before and after it, and who had been told what by then."""
    disk, told, made = Disk(run.root), list[str](), set[str]()
    for number, call in enumerate(run.calls):
        told += acknowledged(call, run.told)
        made |= {call.paths[0]} if call.name == "mkdir" else set()
        if disk.is_sync(call):
            yield _left(disk, run, made, f"before call {number}, {call.paths[0]}", Fate.SECTORS, seed), [*told]
        disk.feed(call)
        if disk.is_sync(call):
            yield _left(disk, run, made, f"after call {number}, {call.paths[0]}", Fate.NONE, seed), [*told]


def _left(disk: Disk, run: Recorded, made: set[str], where: str, fate: Fate, seed: int) -> Left:
    word = f"{where}, unsynced: {fate.value}, seed={seed}"
    return word, dict(reachable(disk.platter.after(fate, Random(word)), run.root, made))


def test_what_was_told_is_there_after_a_cut_at_every_sync_of_a_real_process(
    run: Recorded, tmp_path: Path, seed: int
) -> None:
    seen = 0
    for number, ((word, files), told) in enumerate(cuts(run, seed)):
        folder = tmp_path / str(number)
        (folder / "state").mkdir(parents=True)
        for name, octets in files.items():
            if name.startswith("state/") and name.endswith((".db", ".db-wal", ".db-journal", ".token")):
                (folder / name).write_bytes(octets)
        try:
            _there(run, folder / "state", told)
        except BaseException as error:
            error.add_note(word)
            raise
        seen += 1
    assert seen >= 2 * (3 + POSTS), "its three stores were made, and each POST was synced"


def _there(run: Recorded, state: Path, told: list[str]) -> None:
    stores = open_stores(state, run.papers.keyring.storage(), run.papers.crypto, now, os.urandom)
    try:
        with stores.outbox.unit() as unit:
            for id in told:
                known = unit.submission(id)
                assert known is not None, f"{id} was answered 202 and is gone"
                assert sum(span.count for span in unit.spans(known[0])) == run.told[id]
    finally:
        stores.close()
    for name in ("outbox", "inbox", "warehouse"):
        plain = sqlite3.connect(state / f"{name}.db")
        assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        plain.close()
    if told:
        assert (state / "api.token").read_bytes() == run.token, "its caller's token still opens the door"


def test_every_202_was_seen_on_the_wire_and_the_model_is_what_lies_there(run: Recorded) -> None:
    told = [id for call in run.calls for id in acknowledged(call, run.told)]
    assert sorted(told) == sorted(run.told)
    disk = Disk(run.root)
    for call in run.calls:
        disk.feed(call)
    made = {call.paths[0] for call in run.calls if call.name == "mkdir"}
    for name, octets in reachable(disk.platter.after(Fate.ALL, Random(0)), run.root, made):
        assert (Path(run.root) / name).read_bytes() == octets, name
