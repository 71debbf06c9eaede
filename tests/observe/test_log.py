"""Lines are flat JSON with ids, and nothing that could be content gets into one."""

from __future__ import annotations

import ast
import json
import os
import random
import socket
import stat
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.logger import LogEvent, Logger

from node.model import codes
from node.model.trouble import Hold
from node.observe import Journal, JsonLog, LogFile, Metrics, catch_strays, standard_error
from node.observe.events import EVENTS
from node.observe.outlets import fields
from node.ports import Log
from tests.house.plan import modules
from tests.house.scan import in_bytes, is_identity
from tests.house.test_scan import _made

NOW = 1_700_000_000_123


class Kept:
    """An outlet that keeps what it gets."""

    def __init__(self) -> None:
        self.octets: list[bytes] = []

    def __call__(self, line: Any, octets: bytes) -> bool:
        self.octets.append(octets)
        return True

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(octets) for octets in self.octets]


def _log(**settings: Any) -> tuple[JsonLog, Kept]:
    kept = Kept()
    return JsonLog("alpha", lambda: NOW, [kept], **settings), kept


def test_a_line_has_time_level_event_sentence_node_and_ids() -> None:
    log, kept = _log()
    port: Log = log
    port("warning", "EXN-PEER-DOWN", peer="centre", attempt=3)
    assert kept.lines == [{
        "ts": "2023-11-14T22:13:20.123Z", "level": "warning", "event": "EXN-PEER-DOWN", "msg": "对端centre暂时无法到达",
        "node": "alpha", "peer": "centre", "attempt": 3,
    }]
    assert kept.octets[0].endswith(b"}\n") and kept.octets[0].count(b"\n") == 1


def test_the_sentence_is_in_the_language_of_the_node() -> None:
    log, kept = _log(language="en")
    log("info", "node.listening", address="[::1]:8700")
    log("error", codes.QUOTA.name)
    log("info", "anything.else")
    said = [line["msg"] for line in kept.lines]
    assert said == ["Listening on [::1]:8700", "Peer … is over its quota", "anything.else"]


def test_what_is_below_the_level_is_not_written() -> None:
    log, kept = _log(level="warn")
    for level in ("debug", "info", "warn", "warning", "error", "unheard-of"):
        log(level, "node.started")
    assert [line["level"] for line in kept.lines] == ["warning", "warning", "error", "error"]


def test_an_identity_number_is_masked_wherever_it_is_put(seed: int) -> None:
    chance, (log, kept) = random.Random(seed), _log()
    number = _made(chance).decode()
    assert is_identity(number.encode())
    log("info", f"event {number}", peer=number, text=f"IdNumber={number},", count=int(number[:17]))
    log("error", codes.BAD_REQUEST.name, reason=f"<{number.lower()}>")
    try:
        raise KeyError(number)
    except KeyError as error:
        log("error", "EXN-FAULT", bug=error)
    assert not any(list(in_bytes(octets)) or number[:17].encode() in octets for octets in kept.octets)


def test_signs_that_turn_or_hide_what_stands_beside_them_are_shown_by_number() -> None:
    """JSON leaves U+202E as it is, and a page that shows the line obeys it."""
    log, kept = _log()
    log("info", "x\u2028y", peer="a\u202egnp.exe\u200b", where="b\x9b31m\x7f", text="c\r\nd")
    line = kept.lines[0]
    assert (line["event"], line["peer"]) == ("x<U+2028>y", "a<U+202E>gnp.exe<U+200B>")
    assert (line["where"], line["text"]) == ("b<U+009B>31m<U+007F>", "c<U+000D><U+000A>d")


def test_rich_values_are_told_by_their_type_only() -> None:
    log, kept = _log()
    log("info", "x", body=b"secret", record={"Name": "secret"}, rows=["secret"], thing=object(), nothing=None, yes=True)
    line = kept.lines[0]
    assert (line["body"], line["record"], line["rows"], line["thing"]) == ("<bytes>", "<dict>", "<list>", "<object>")
    assert line["nothing"] is None and line["yes"] is True and b"secret" not in kept.octets[0]


def test_an_exception_is_told_by_types_and_places_never_by_its_message() -> None:
    log, kept = _log()
    try:
        try:
            raise ValueError("secret-of-a-record")
        except ValueError as cause:
            raise RuntimeError("secret too") from cause
    except RuntimeError as error:
        log("error", "EXN-FAULT", at="pump", bug=error)
    line = kept.lines[0]
    assert line["error"] == "RuntimeError < ValueError" and "observe/test_log.py:" in line["where"]
    assert b"secret" not in kept.octets[0]


def test_fields_cannot_overwrite_what_the_line_says_itself() -> None:
    log, kept = _log()
    log("info", "x", **{"ts": "1970", "node": "other", "Bad Name": 1})
    assert kept.lines[0]["node"] == "alpha" and kept.lines[0]["ts"].startswith("2023")
    assert kept.lines[0]["field_ts"] == "1970" and kept.lines[0]["field_bad_name"] == 1


@given(st.dictionaries(st.text(max_size=20), st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.lists(st.text())), max_size=5))
def test_whatever_is_logged_one_line_of_json_comes_out(fields: dict[str, Any]) -> None:
    log, kept = _log()
    log("error", "EXN-FAULT", **{f"{name}_": value for name, value in fields.items()})
    assert len(kept.octets) == 1 and kept.octets[0].count(b"\n") == 1 and len(kept.octets[0]) < 8000
    assert isinstance(kept.lines[0], dict)


def test_warnings_and_errors_are_counted_by_event() -> None:
    metrics = Metrics()
    log, _ = _log(counter=metrics)
    for level in ("info", "warning", "error", "error"):
        log(level, "EXN-FORK")
    assert b'exnode_log_events_total{event="EXN-FORK",level="error"} 2.0' in metrics.page()
    assert b'level="info"' not in metrics.page()


def test_failures_nobody_took_and_library_words_come_into_the_log(failures: list[LogEvent]) -> None:
    import logging

    log, kept = _log()
    release = catch_strays(log)
    try:
        lost: Deferred[None] = Deferred()
        lost.errback(ValueError("secret"))
        del lost
        Logger("twisted.web").warn("a peer said {words}", words="secret")
        logging.getLogger("sqlalchemy.pool").error("secret %s", "secret")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            catching = catch_strays(log)
            warnings.warn("secret", ResourceWarning, stacklevel=1)
            catching()
    finally:
        release()
        failures.clear()
    events = [(line["event"], line["at"]) for line in kept.lines]
    assert any(line["event"] == "EXN-FAULT" and line.get("error") == "ValueError" for line in kept.lines)
    assert ("twisted.log", "twisted.web") in events
    assert any(event == "python.log" and at.startswith("sqlalchemy.pool:") for event, at in events)
    assert any(event == "python.warning" and "test_log.py" in at for event, at in events)
    assert not any(b"secret" in octets for octets in kept.octets)


def test_a_file_turns_over_by_size_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "node.log"
    outlet = LogFile(path, largest=100, keep=2)
    for number in range(20):
        outlet({}, b"%02d" % number + b"x" * 37 + b"\n")
    outlet.close()
    assert sorted(file.name for file in path.parent.iterdir()) == ["node.log", "node.log.1", "node.log.2"]
    assert path.read_bytes()[:2] == b"18" and path.with_name("node.log.1").read_bytes()[:2] == b"16"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_continued(tmp_path: Path) -> None:
    for text in (b"one\n", b"two\n"):
        outlet = LogFile(tmp_path / "node.log")
        outlet({}, text)
        outlet.close()
    assert (tmp_path / "node.log").read_bytes() == b"one\ntwo\n"


def test_a_file_that_cannot_be_opened_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(Hold) as raised:
        LogFile(tmp_path)
    assert raised.value.code is codes.LOG_FILE


def test_a_file_taken_away_is_begun_again(tmp_path: Path) -> None:
    outlet = LogFile(tmp_path / "node.log", largest=10)
    outlet({}, b"123456789\n")
    (tmp_path / "node.log").unlink()
    outlet({}, b"abc\n")
    outlet.close()
    assert (tmp_path / "node.log").read_bytes() == b"abc\n"


def test_an_outlet_that_is_gone_stops_nobody_and_is_counted(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    journal, metrics = Journal(str(tmp_path / "nobody")), Metrics()
    JsonLog("alpha", lambda: NOW, [standard_error(writer), journal], counter=metrics)("info", "node.started")
    os.close(writer)
    journal.close()
    assert b"exnode_log_dropped_total 2.0" in metrics.page()


@pytest.mark.parametrize("ours", [True, False], ids=["opened-again", "asked-before"])
def test_a_pipe_that_is_full_loses_lines_and_shows_the_next_one_whole(ours: bool, monkeypatch: Any) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    if not ours:  # as where another account made the pipe
        monkeypatch.setattr(os, "open", _forbidden)
    write = standard_error(writer)
    taken = sum(write({}, b"%05d" % number + b"x" * 5000 + b"\n") for number in range(100))
    assert 0 < taken < 20
    first = os.read(reader, 1 << 20)
    assert write({}, b"awake\n")
    assert os.get_blocking(writer), "what we share with others is left as it was"
    assert (first + os.read(reader, 1 << 20)).endswith(b"\nawake\n")
    write.close()
    os.close(reader)
    os.close(writer)


def test_a_socket_that_is_full_loses_lines_and_makes_nobody_wait() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    write = standard_error(ours.fileno())
    taken = [write({}, b"x" * 5000 + b"\n") for _ in range(1000)]
    assert taken[0] and not taken[-1] and ours.gettimeout() is None
    write.close()
    ours.close()
    theirs.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a Linux device that is always full")
def test_a_line_that_a_full_disk_did_not_take_is_told() -> None:
    outlet = LogFile(Path("/dev/full"))
    assert not outlet({}, b"x\n")
    outlet.close()


def _forbidden(*_: object) -> int:
    raise PermissionError


def test_the_journal_gets_fields_by_name(tmp_path: Path) -> None:
    address = str(tmp_path / "journal")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        outlet = Journal(address)
        JsonLog("alpha", lambda: NOW, [outlet])("error", "EXN-FORK", peer="beta")
        outlet.close()
        told = dict(part.split(b"=", 1) for part in listener.recv(65536).splitlines())
    assert told[b"PRIORITY"] == b"3" and told[b"EXN_PEER"] == b"beta" and told[b"EXN_NODE"] == b"alpha"
    assert told[b"EXN_EVENT"] == b"EXN-FORK" and told[b"MESSAGE"].startswith(b"EXN-FORK ")


def test_a_value_with_a_newline_forges_no_field() -> None:
    line = {"event": "x", "msg": "a\nPRIORITY=0", "level": "info"}
    assert fields(line).startswith(b"MESSAGE\n" + (len("x a\nPRIORITY=0")).to_bytes(8, "little") + b"x a\nPRIORITY=0\n")


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_its_two_sentences(event: str) -> None:
    assert EVENTS[event].zh and EVENTS[event].en and EVENTS[event].zh != EVENTS[event].en


def test_every_event_the_program_logs_has_a_sentence() -> None:
    unknown = []
    for module in modules():
        for spot in ast.walk(module.tree):
            if isinstance(spot, ast.Call) and ast.unparse(spot.func).rpartition(".")[2].strip("_") == "log":
                named = spot.args[1] if len(spot.args) > 1 else None
                if isinstance(named, ast.Constant) and named.value not in EVENTS and named.value not in codes.TABLE:
                    unknown.append(module.at(spot, str(named.value)))
    assert not unknown, f"add the event to node/observe/events.py: {unknown}"
