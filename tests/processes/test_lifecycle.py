"""One node as a process: how it starts, shows itself, is refused a second life, drains and ends."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.cli.demo.crew import run_command
from node.cli.demo.site import Seat
from tests.processes.exchange import CENTRE, PLAN, SOURCE, SUBSCRIBER, Exchange, running, until


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """A department whose centre is not there."""
    with running(tmp_path_factory.mktemp("alone"), SOURCE) as exchange:
        yield exchange


def _inodes(pid: int) -> set[str]:
    folder, found = Path(f"/proc/{pid}/fd"), set()
    for link in folder.iterdir():
        try:
            found.add(os.readlink(link))
        except OSError:
            continue
    return {target[8:-1] for target in found if target.startswith("socket:[")}


def _listening(pid: int) -> set[tuple[str, int]]:
    """Return (address in hex, port) of every TCP socket a process listens on."""
    mine, found = _inodes(pid), set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in mine:
                address, _, port = fields[1].partition(":")
                found.add((address, int(port, 16)))
    return found


def _spawn(seat: Seat, **environ: str) -> subprocess.Popen[bytes]:
    """Start a node with its standard error in a pipe."""
    return subprocess.Popen(
        run_command(seat), stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, env={**os.environ, **environ}
    )


# --- what a running node shows -----------------------------------------------------------------------------------


def test_a_department_listens_on_the_loopback_api_and_administration_only(tmp_path: Path) -> None:
    with running(tmp_path) as exchange:
        pid = exchange.crew.spawn(SOURCE)
        exchange.crew.wait(SOURCE)
        seat = exchange.seat(SOURCE)
        assert _listening(pid) == {("0100007F", seat.api), ("0100007F", seat.admin)}


def test_the_token_is_for_the_owner_alone_and_nothing_answers_without_it(alone: Exchange) -> None:
    seat = alone.seat(SOURCE)
    found = seat.token.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600 and found.st_uid == os.geteuid()
    assert len(seat.token.read_text().strip()) >= 40
    status, body = alone.ask(SOURCE, "/v1/resources/population/deliveries", admin=False)
    assert (status, json.loads(body)["code"]) == (401, "EXN-API-UNAUTHORIZED")
    token = {"Authorization": f"Bearer {seat.token.read_text().strip()}"}
    assert alone.ask(SOURCE, "/v1/resources/population/deliveries", False, token)[0] == 200


def test_everything_in_the_state_folder_is_for_the_owner_alone(alone: Exchange) -> None:
    state = alone.seat(SOURCE).state
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert [path.name for path in state.iterdir() if path.stat().st_mode & 0o077] == []


def test_an_absent_peer_is_ready(alone: Exchange) -> None:
    until("the centre is found missing", lambda: "EXN-PEER-DOWN" in alone.events(SOURCE))
    assert alone.ask(SOURCE, "/readyz") == (200, b"ok\n")
    assert alone.ask(SOURCE, "/livez") == (200, b"ok\n")


def test_metrics_name_peers_queues_and_certificates(alone: Exchange) -> None:
    alone.submit(alone.people(3))
    status, body = alone.ask(SOURCE, "/metrics")
    text = body.decode("utf-8")
    assert status == 200
    assert 'exnode_peer_up{peer="centre"} 0.0' in text
    assert 'exnode_records_accepted_total{resource="population"}' in text
    assert re.search(r'exnode_queue_records\{queue="outbox"\} [1-9]', text)
    for use in ("sign", "encrypt"):
        assert f'exnode_certificate_not_after_timestamp_seconds{{owner="{SOURCE}",usage="{use}"}}' in text
    assert "exnode_metrics_dropped_total 0.0" in text


def test_log_lines_are_json_with_ids_and_without_content(alone: Exchange) -> None:
    body = alone.people(2)
    alone.submit(body)
    text = (alone.seat(SOURCE).folder / "log.jsonl").read_text(encoding="utf-8")
    for line in map(json.loads, text.splitlines()):
        assert {"ts", "level", "event", "msg", "node"} <= set(line) and line["node"] == SOURCE
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
    for twin in map(json.loads, body.octets.splitlines()):
        assert not [value for value in twin.values() if isinstance(value, str) and len(value) > 5 and value in text]


def test_ready_turns_red_when_the_state_folder_cannot_sync_and_recovers(alone: Exchange) -> None:
    assert alone.red(SOURCE) == set()
    probe = alone.seat(SOURCE).state / ".probe"
    until("a probe was written", probe.exists)
    probe.unlink()
    probe.mkdir()  # as a file it cannot be written, whoever we are
    until("red", lambda: alone.red(SOURCE) == {"sync"})
    assert alone.ask(SOURCE, "/livez")[0] == 200
    probe.rmdir()
    until("green again", lambda: not alone.red(SOURCE))
    assert {"health.red", "health.green"} <= set(alone.events(SOURCE))


def test_a_short_disk_closes_the_intake_until_the_threshold_is_mended(alone: Exchange) -> None:
    alone.set(SOURCE, "60-disk", '[disk]\nintake = "8000TiB"\nforeign = "48MiB"\nreserve = "32MiB"\n')
    before = alone.events(SOURCE).count("config.reloaded")
    _hang_up(alone, before)
    until("red", lambda: alone.red(SOURCE) == {"disk"})
    status, code = _post(alone, alone.people().octets, "short-disk")
    assert (status, code) == (507, "EXN-DISK")
    alone.set(SOURCE, "60-disk", "")
    _hang_up(alone, before + 1)
    until("green again", lambda: not alone.red(SOURCE))
    assert _post(alone, alone.people().octets, "short-disk")[0] == 202


def _hang_up(exchange: Exchange, before: int) -> None:
    exchange.crew.signal(SOURCE, signal.SIGHUP)
    until("reloaded", lambda: exchange.events(SOURCE).count("config.reloaded") > before)


def _post(exchange: Exchange, octets: bytes, key: str) -> tuple[int, str | None]:
    seat = exchange.seat(SOURCE)
    line = http.client.HTTPConnection(seat.host, seat.api, timeout=20)
    headers = {
        "Authorization": f"Bearer {seat.token.read_text().strip()}", "Content-Type": "application/x-ndjson",
        "Idempotency-Key": key,
    }
    try:
        line.request("POST", "/v1/resources/population/records", octets, headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read()).get("code")
    finally:
        line.close()


# --- a second life -----------------------------------------------------------------------------------------------


def test_a_second_instance_on_the_same_state_is_refused_with_a_clear_sentence(alone: Exchange) -> None:
    second = _spawn(alone.seat(SOURCE))
    _, told = second.communicate(timeout=60)
    assert second.returncode in (69, 75)
    line = json.loads(told.splitlines()[-1])
    assert (line["level"], line["event"]) == ("error", "EXN-STORE-TAKEN")
    assert "另一个节点进程" in line["msg"] and "node.state" in line["cure"]
    assert alone.ask(SOURCE, "/readyz")[0] == 200, "the first one goes on"


def test_a_port_that_is_taken_is_told_by_its_address(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    seat = exchange.seat(SOURCE)
    with socket.socket() as taken:
        taken.bind((seat.host, seat.admin))
        taken.listen()
        tried = _spawn(seat)
        _, told = tried.communicate(timeout=60)
    assert tried.returncode == 69
    lines = [json.loads(line) for line in told.splitlines()]
    assert [line["address"] for line in lines if line["event"] == "EXN-LISTEN"] == [f"127.0.0.1:{seat.admin}"]


def test_a_key_file_that_others_may_read_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    (exchange.seat(SOURCE).folder / "keys" / "sign.key").chmod(0o644)
    tried = _spawn(exchange.seat(SOURCE))
    _, told = tried.communicate(timeout=60)
    line = json.loads(told.splitlines()[-1])
    assert (tried.returncode, line["event"], line["name"]) == (78, "EXN-KEY-FILE", "sign.key")


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_stop_answers_what_was_begun_and_loses_nothing_it_said_yes_to(tmp_path: Path) -> None:
    """A POST whose body is still coming when SIGTERM arrives is answered 202, and its records are there afterwards."""
    with running(tmp_path, SOURCE) as exchange:
        seat, octets = exchange.seat(SOURCE), exchange.people(5).octets
        head = (
            f"POST /v1/resources/population/records HTTP/1.1\r\nHost: x\r\nContent-Length: {len(octets)}\r\n"
            f"Authorization: Bearer {seat.token.read_text().strip()}\r\nContent-Type: application/x-ndjson\r\n"
            "Idempotency-Key: draining\r\nExpect: 100-continue\r\n\r\n"
        ).encode("ascii")
        with socket.create_connection((seat.host, seat.api), timeout=20) as line:
            line.sendall(head)
            assert line.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n", "the node has begun the request"
            line.sendall(octets[:100])
            exchange.crew.signal(SOURCE, signal.SIGTERM)
            until("the node drains", lambda: "node.draining" in exchange.events(SOURCE))
            until("nobody new is let in", lambda: not _open(seat))
            line.sendall(octets[100:])
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        assert answer.startswith(b"HTTP/1.1 202 ") and b"\r\nConnection: close\r\n" in answer
        assert exchange.crew.ended(SOURCE, 20) == 0
        submission = json.loads(answer.partition(b"\r\n\r\n")[2])["submission"]
        (ledgers,) = exchange.ledgers(SOURCE)
        with ledgers.stores.outbox.unit() as unit:
            assert unit.submission(submission) is not None
            assert sum(state.waiting for state in unit.lanes()) == 5
        assert exchange.events(SOURCE)[-1] == "node.stopped"


def _open(seat: Seat) -> bool:
    try:
        socket.create_connection((seat.host, seat.api), timeout=5).close()
    except OSError:
        return False
    return True


def test_a_stop_does_not_wait_for_long_polls(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE, haste=_PATIENT) as exchange:
        until("the poll stands", lambda: 'peer_up{peer="centre"} 1.0' in exchange.ask(SOURCE, "/metrics")[1].decode())
        exchange.crew.signal(CENTRE, signal.SIGTERM)
        assert exchange.crew.ended(CENTRE, 8.0) == 0


_PATIENT = '[timers]\npoll = "25s"\nhello = "60s"\nrest_first = "100ms"\nrest_most = "500ms"\n'


def test_systemd_is_told_ready_alive_and_stopping(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path / "site")
    place = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(place)
        ear.settimeout(30)
        node = _spawn(exchange.seat(SOURCE), NOTIFY_SOCKET=place, WATCHDOG_USEC="600000")
        said: list[str] = []
        drained = threading.Thread(target=lambda: node.stderr.read())  # type: ignore[union-attr]  # it is a pipe
        drained.start()
        try:
            while sum(word == "WATCHDOG=1" for word in said) < 3 or "READY=1" not in said:
                said += ear.recv(4096).decode("utf-8").split("\n")
            assert [word for word in said if word.startswith("STATUS=")]
            node.send_signal(signal.SIGTERM)
            while "STOPPING=1" not in said:
                said += ear.recv(4096).decode("utf-8").split("\n")
        finally:
            node.terminate()
            assert node.wait(30) == 0
            drained.join()
            assert node.stderr is not None
            node.stderr.close()


def test_a_dead_disk_starves_the_watchdog(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path / "site")
    place = str(tmp_path / "notify")
    probe = exchange.seat(SOURCE).state / ".probe"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(place)
        ear.settimeout(30)
        node = _spawn(exchange.seat(SOURCE), NOTIFY_SOCKET=place, WATCHDOG_USEC="400000")
        try:
            while b"WATCHDOG=1" not in ear.recv(4096):
                pass
            probe.unlink()
            probe.mkdir()
            ear.settimeout(1.5)
            with pytest.raises(TimeoutError):
                while True:  # what was fed before the disk died may still come
                    ear.recv(4096)
        finally:
            node.terminate()
            _, told = node.communicate(timeout=30)
    assert b"EXN-DISK-SYNC" in told


# --- IPv6 --------------------------------------------------------------------------------------------------------


def test_an_exchange_over_ipv6_alone_delivers(tmp_path: Path) -> None:
    plan = type(PLAN)(PLAN.centre, PLAN.departments, PLAN.resources, PLAN.suppliers, PLAN.subscribers, host="::1")
    with running(tmp_path, CENTRE, SOURCE, SUBSCRIBER, plan=plan) as exchange:
        assert "[::1]:" in exchange.seat(SOURCE).config.read_text()
        exchange.submit(exchange.people(20))
        exchange.settled()
        assert exchange.delivered(SUBSCRIBER) == 20


def test_an_empty_host_listens_on_both_families(tmp_path: Path) -> None:
    with running(tmp_path) as exchange:
        seat = exchange.seat(CENTRE)
        exchange.edit(CENTRE, f'"127.0.0.1:{seat.gateway}"', f'":{seat.gateway}"')
        exchange.start(CENTRE)
        for host in ("127.0.0.1", "::1"):
            socket.create_connection((host, seat.gateway), timeout=5).close()


def test_the_command_runs_as_an_installed_user_would_type_it() -> None:
    told: Any = subprocess.run([sys.executable, "-m", "node", "--lang", "en", "--help"], capture_output=True, text=True)
    assert told.returncode == 0 and "run" in told.stdout and "demo" in told.stdout
