"""10: whatever fails below a node, `/readyz` says so within five seconds, and is green again by itself (PEERS §11.10).

X-Road 7.6 answered 200 with the signing PIN not entered (XRDDEV-2889), told a cached flag for a database that was gone
(PR #1096), and stayed red after it came back (#1807).
"""

from __future__ import annotations

import http.client
import json
import os
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.processes.exchange import CENTRE, SOURCE, until
from tests.regressions.clocked import DAY, jump
from tests.regressions.standing import Standing

RED = 5.0
YEARS = 3 * 365 * DAY


def turns_red(standing: Standing, node: str) -> set[str]:
    """Return the checks that are red at a node that was just made ill; it must not take more than five seconds.

    A machine that is slow to answer at all is given what it takes for that.
    """
    began = time.monotonic()
    standing.ask(node, "/livez")
    slow = time.monotonic() - began
    found: set[str] = until("red", lambda: standing.red(node), RED + 10 * slow)
    return found


def turns_green(standing: Standing, node: str) -> None:
    """Wait until a node that was mended is ready."""
    until("green again by itself", lambda: not standing.red(node))


def post(standing: Standing, key: str) -> tuple[int, str]:
    """Return status and code of a submission of one record."""
    seat, body = standing.seat(SOURCE), standing.people()
    line = http.client.HTTPConnection(seat.host, seat.api, timeout=20)
    headers = {
        "Authorization": f"Bearer {seat.token.read_text().strip()}", "Content-Type": body.media,
        "Idempotency-Key": key,
    }
    try:
        line.request("POST", f"/v1/resources/{body.resource}/records", body.octets, headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read()).get("code", "")
    finally:
        line.close()


@contextmanager
def full(standing: Standing, node: str) -> Iterator[str]:
    """Fill the disk below a node: truly where it has one of its own, else by forbidding its files to grow."""
    state = standing.seat(node).state
    if standing.mounted:
        filler = state / "filler"
        try:
            with filler.open("wb") as file, pytest.raises(OSError):
                while True:
                    file.write(bytes(1 << 20))
                    file.flush()
            yield "a full file system"
        finally:
            filler.unlink()
        return
    pid, former = standing.crew.pid(node), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, former[1]))
    try:
        yield "RLIMIT_FSIZE, because nothing can be mounted here"
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, former)


def test_a_full_disk_is_no_200_and_room_again_is_no_lasting_red(standing: Standing) -> None:
    before = len(standing.history())
    with full(standing, SOURCE) as how:
        print(f"by {how}")
        assert turns_red(standing, SOURCE) & {"disk", "sync"}
        assert post(standing, "full")[0] in (503, 507)
        assert standing.ask(SOURCE, "/livez")[0] == 200
    turns_green(standing, SOURCE)
    assert post(standing, "full")[0] == 202
    standing.accounted()
    assert len(standing.history()) == before + 1


@pytest.mark.parametrize("name", ["outbox", "inbox", "warehouse"])
def test_a_database_taken_away_is_no_200_and_nothing_is_taken_that_would_be_lost(
    standing: Standing, name: str,
) -> None:
    """A file that was removed is still written by whoever has it open; what it holds is gone at the next start."""
    state, before = standing.seat(SOURCE).state, len(standing.history())
    aside = state / "aside"
    aside.mkdir()
    taken = [path for path in state.glob(f"{name}.db*") if path.suffix != ".lock"]
    for path in taken:
        path.rename(aside / path.name)
    try:
        assert name in turns_red(standing, SOURCE)
        if name == "outbox":
            assert post(standing, "gone") == (503, "EXN-STORE-GONE")
    finally:
        for path in taken:
            os.replace(aside / path.name, path)
        aside.rmdir()
    turns_green(standing, SOURCE)
    assert post(standing, f"back-{name}")[0] == 202
    standing.accounted()
    assert len(standing.history()) == before + 1


def test_a_database_that_is_locked_is_no_200(standing: Standing) -> None:
    lock = sqlite3.connect(standing.seat(SOURCE).state / "outbox.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        assert "outbox" in turns_red(standing, SOURCE)
        assert post(standing, "locked") == (503, "EXN-STORE-BUSY")
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    turns_green(standing, SOURCE)
    assert post(standing, "locked")[0] == 202


def test_a_state_folder_that_is_gone_is_no_200(standing: Standing) -> None:
    state = standing.seat(CENTRE).state
    away, faults = state.with_name("away"), standing.events(CENTRE).count("EXN-FAULT")
    state.rename(away)
    try:
        assert turns_red(standing, CENTRE) >= {"disk", "sync", "outbox", "inbox", "warehouse"}
    finally:
        away.rename(state)
    turns_green(standing, CENTRE)
    assert standing.events(CENTRE).count("EXN-FAULT") == faults, "a folder that is gone is no bug of ours"


@pytest.mark.parametrize("by", [YEARS, -YEARS], ids=["ahead", "back"])
def test_a_clock_that_jumps_is_no_200(standing: Standing, by: int) -> None:
    jump(standing.crew.clock(SOURCE), by)
    try:
        assert "certificates" in turns_red(standing, SOURCE)
    finally:
        jump(standing.crew.clock(SOURCE), 0)
    turns_green(standing, SOURCE)
    standing.submit(standing.people())
    standing.accounted()


def test_a_key_that_cannot_be_opened_is_no_200(standing: Standing) -> None:
    """The PIN not entered: the node says why and does not serve, so that nothing can answer 200."""
    seat = standing.seat(SOURCE)
    passphrase = seat.folder / "keys" / "passphrase"
    whole = passphrase.read_bytes()
    standing.crew.signal(SOURCE, 15)
    standing.crew.ended(SOURCE, 40)
    passphrase.write_bytes(b"not the passphrase\n")
    try:
        standing.crew.spawn(SOURCE)
        assert standing.crew.ended(SOURCE, 60) == 78
        assert standing.log(SOURCE)[-1]["event"] == "EXN-KEY-FILE"
    finally:
        passphrase.write_bytes(whole)
    standing.start(SOURCE)
    turns_green(standing, SOURCE)
