"""The commands against three real nodes: sent, followed, held, proved, asked with and without the node running."""

from __future__ import annotations

import json
import socket
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from node.cli import exits
from node.cli.open_stores import reading
from node.cli.output import Output
from node.cli.situation import Situation
from node.envelope import frame
from node.validate import faults, plant, sample, to_json, to_xml
from tests.cli.shell import Answer, Shell
from tests.processes.exchange import CENTRE, RESOURCES, SOURCE, SUBSCRIBER, Exchange, until

FAULTY = {17: "enumeration", 40: "required"}
GOOD, ALL = 98, 100
NOBODY = "01a206c0-7316-73f6-aa3e-76256c39168a"
SEEN: list[str] = []
"""Everything any command printed, for the last test."""

Node = Callable[..., Answer]


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = Exchange(tmp_path_factory.mktemp("site"))
    try:
        made.start(CENTRE, SOURCE, SUBSCRIBER)
        yield made
    finally:
        assert not any(made.close().values())


@pytest.fixture
def node(exchange: Exchange, shell: Shell) -> Node:
    """Return what calls a command at a node: `node(CENTRE, "status")`."""
    del shell.environ["EXCHANGE_NODE_PASSPHRASE_FILE"]

    def run(name: str, *arguments: object, lang: str = "en") -> Answer:
        answer = shell("--lang", lang, "-c", exchange.seat(name).config, *arguments)
        SEEN.extend((answer.out, answer.err))
        return answer

    return run


def twins(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the records of this module, two of them at fault."""
    spec = exchange.specifications.get(RESOURCES["population"])
    assert spec is not None
    made = [sample(spec, 11, number) for number in range(ALL)]
    for number, rule in FAULTY.items():
        planted = next(one for one in faults(spec) if one.rule == rule)
        made[number] = plant(spec, made[number], planted, number)
    return made


@pytest.fixture(scope="module")
def records(exchange: Exchange) -> Path:
    """Return an NDJSON file with blank lines between."""
    path = exchange.site.folder / "records.ndjson"
    path.write_bytes(b"\n\r\n".join(map(to_json, twins(exchange))))
    return path


@pytest.fixture
def parcel(node: Node, records: Path) -> str:
    """Return the parcel by which the file reached the centre, processed."""
    (one, *_) = node(SOURCE, "send", "population", records, "--key", "module", "--json").json["submissions"]

    def final() -> Any:
        told = node(SOURCE, "trace", one["submission"], "--json").json
        return told if told["submission"]["final"] else None

    return str(until("the final word", final)["parcels"][0]["parcel"])


def test_everything_is_in_order(node: Node) -> None:
    for name in (CENTRE, SOURCE, SUBSCRIBER):
        answer = node(name, "check", "--json")
        assert answer.status == 0 and answer.json["good"], answer


def test_a_file_is_sent_once_however_often_and_its_faults_are_told_by_line(node: Node, records: Path) -> None:
    first = node(SOURCE, "send", "population", records, "--key", "once", "--json")
    again = node(SOURCE, "send", "population", records, "--key", "once", "--json")
    assert first.status == again.status == exits.DATA and first.json == again.json
    assert (first.json["accepted"], first.json["refused"]) == (GOOD, len(FAULTY))
    assert sorted({one["line"] for one in first.json["problems"]}) == [2 * number + 1 for number in FAULTY]
    assert {one["index"] for one in first.json["problems"]} == set(FAULTY)
    chinese = node(SOURCE, "send", "population", records, lang="zh")
    assert f"接受{GOOD}条，退回{len(FAULTY)}条" in chinese.out
    assert f"{records}:35  " in chinese.out and chinese.status == exits.DATA


def test_json_and_xml_are_sent_too_and_a_wrong_call_is_told(
    node: Node, exchange: Exchange, tmp_path: Path, records: Path
) -> None:
    spec = exchange.specifications.get(RESOURCES["population"])
    assert spec is not None
    one, two = sample(spec, 12, 0), sample(spec, 12, 1)
    (tmp_path / "one.json").write_bytes(to_json(one))
    (tmp_path / "two.dat").write_bytes(to_xml(spec, [two]))
    assert node(SOURCE, "send", "population", tmp_path / "one.json", "--stream", "backfill").status == 0
    assert node(SOURCE, "send", "population", tmp_path / "two.dat", "--format", "xml").status == 0
    assert node(SOURCE, "send", "population", tmp_path / "two.dat").status == exits.USAGE
    assert node(SOURCE, "send", "population", tmp_path / "none.json").status == exits.USAGE
    (tmp_path / "rows.csv").write_text("a,b\n1,2\n")
    assert node(SOURCE, "send", "population", tmp_path / "rows.csv").status == exits.USAGE
    assert node(SOURCE, "send", "population", tmp_path / "rows.csv", "--mapping", "旧系统").status == exits.DATA
    assert node(SOURCE, "send", "population", records, "--key", "with space").status == exits.USAGE
    assert node(SOURCE, "send", "nothing", records).status == exits.DATA
    answer = node(SOURCE, "send", "../x", records)
    assert answer.status == exits.DATA and "--key" in answer.err
    (tmp_path / "broken.json").write_bytes(b"{")
    assert node(SOURCE, "send", "population", tmp_path / "broken.json", lang="zh").err.count("EXN-DOCUMENT") == 1


def test_another_token_is_not_let_in(node: Node, exchange: Exchange, records: Path) -> None:
    token = exchange.seat(SOURCE).token
    right = token.read_bytes()
    try:
        token.write_bytes(b"x" * 43 + b"\n")
        assert node(SOURCE, "send", "population", records).status == exits.PERMISSION
    finally:
        token.write_bytes(right)


def test_status_queue_and_trace_follow_a_parcel_through_all_three_nodes(node: Node, parcel: str) -> None:
    shown = node(SOURCE, "queue", "show", parcel)
    assert shown.status == 0 and "accepted   centre" in shown.out and "processed  centre" in shown.out
    assert "done" in node(SOURCE, "queue", "list", "--state", "done").out
    assert parcel in node(CENTRE, "queue", "--inbox", "list").out
    assert parcel in node(CENTRE, "queue", "list", "--inbox", "--json").out
    for lang, words in (("en", "Sending lanes"), ("zh", "发送通道")):
        assert words in node(SOURCE, "status", lang=lang).out
    # More than one submission may share a parcel.
    count = node(SOURCE, "queue", "show", parcel, "--json").json["entry"]["records"]
    traced = node(CENTRE, "trace", parcel, lang="zh").out
    assert count >= GOOD and f"applied {count}" in traced and "交付" in traced and "收妥" in traced
    assert node(SOURCE, "trace", NOBODY).status == exits.DATA


def test_a_record_is_proved_at_every_node_and_checked_with_the_root_alone(
    node: Node, exchange: Exchange, parcel: str, tmp_path: Path, shell: Shell
) -> None:
    found = node(SOURCE, "parcel", "prove", "--parcel", parcel, "--index", "5", "--out", tmp_path / "source")
    assert found.status == 0 and (tmp_path / "source").stat().st_mode & 0o777 == 0o600
    assert node(CENTRE, "parcel", "prove", "--parcel", parcel, "--index", "5", "--out", tmp_path / "centre").status == 0
    root = exchange.site.root
    told = [
        node(SOURCE, "parcel", "verify", tmp_path / name, "--ca", root, "--json").json for name in ("source", "centre")
    ]
    assert all(one["good"] and one["sender"] == SOURCE and one["index"] == 5 for one in told)
    assert {one["name"] for one in told[0]["shown"]} == {"signature", "record", "accepted", "processed", "chain"}
    assert {one["name"] for one in told[0]["not_shown"]} == {"time"}
    record = told[0]["record"]

    def there() -> Any:
        answer = node(SUBSCRIBER, "trace", record, "--json")
        return answer.json if answer.status == 0 else None

    spot = until("the subscriber", there)["record"]["at"][0]
    at_subscriber = node(
        SUBSCRIBER, "parcel", "prove", "--parcel", spot["parcel"], "--index", spot["leaf"], "--out", tmp_path / "far"
    )
    assert at_subscriber.status == 0
    far = node(SUBSCRIBER, "parcel", "verify", tmp_path / "far", "--ca", root, "--json").json
    assert far["good"] and far["record"] == record and far["sender"] == CENTRE
    strict = node(SOURCE, "parcel", "verify", tmp_path / "source", "--ca", root, "--strict", lang="zh")
    assert strict.status == exits.DATA and "未证明" in strict.out


def test_a_proof_is_refused_when_touched_or_under_another_ca(
    node: Node, exchange: Exchange, parcel: str, tmp_path: Path, shell: Shell
) -> None:
    node(SOURCE, "parcel", "prove", "--parcel", parcel, "--index", "0", "--out", tmp_path / "proof")
    said = json.loads((tmp_path / "proof").read_bytes())
    root = exchange.site.root
    for name in ("salt", "path"):
        hurt = json.loads(json.dumps(said))
        if name == "salt":
            hurt["salt"] = "0" * 64
        else:
            hurt["path"][0] = "0" * 64
        (tmp_path / f"no-{name}").write_text(json.dumps(hurt, separators=(",", ":"), sort_keys=True))
        answer = node(SOURCE, "parcel", "verify", tmp_path / f"no-{name}", "--ca", root, "--json")
        assert answer.status == exits.DATA and answer.json["error"]["code"] == "EXN-PROOF"
    other = shell.secret("other-passphrase", b"nine other words")
    shell("ca", "init", tmp_path / "ca", "--passphrase-file", other)
    answer = node(SOURCE, "parcel", "verify", tmp_path / "proof", "--ca", tmp_path / "ca" / "root.crt")
    assert answer.status == exits.DATA and "EXN-CERT-CHAIN" in answer.err
    proving = ("parcel", "prove", "--out", tmp_path / "x")
    assert node(SOURCE, *proving, "--parcel", parcel, "--index", "900").status == exits.DATA
    assert node(SOURCE, *proving, "--index", "0").status == exits.USAGE
    assert node(SOURCE, *proving, "--parcel", NOBODY, "--index", "0").status == exits.DATA


def test_a_parcel_as_a_file_is_told_without_a_key_and_opened_by_its_receiver_alone(
    node: Node, exchange: Exchange, parcel: str, tmp_path: Path
) -> None:
    with open(tmp_path / "null", "w") as nowhere:
        here = Situation(Output("en", nowhere, nowhere), {}, exchange.seat(SOURCE).config)
        with reading(here) as (_, stores), stores.outbox.unit() as unit:
            sealed = unit.sealed(parcel)
            lines = [line for group in unit.groups(parcel) for line in group.lines]
    path = tmp_path / "parcel"
    path.write_bytes(frame(sealed.manifest, sealed.payload))
    told = node(SOURCE, "parcel", "inspect", path, "--json").json
    assert told["file"] == "parcel" and told["octets"] and told["signature"]["good"] and len(told["recipients"]) == 1
    (tmp_path / "manifest").write_bytes(sealed.manifest)
    assert node(SOURCE, "parcel", "inspect", tmp_path / "manifest", "--json").json["file"] == "statement"
    assert node(CENTRE, "parcel", "open", path, "--out", tmp_path / "opened.ndjson").status == 0
    assert (tmp_path / "opened.ndjson").read_bytes().splitlines() == lines
    assert stat.S_IMODE((tmp_path / "opened.ndjson").stat().st_mode) == 0o600
    proved = node(CENTRE, "parcel", "prove", path, "--index", "1", "--out", tmp_path / "proof")
    assert proved.status == 0
    assert node(CENTRE, "parcel", "verify", tmp_path / "proof", "--ca", exchange.site.root).status == 0
    for other in (SOURCE, SUBSCRIBER):
        assert node(other, "parcel", "open", path, "--out", tmp_path / "not").status == exits.CONFIG
    hurt = bytearray(path.read_bytes())
    hurt[-1] ^= 1
    path.write_bytes(hurt)
    assert node(CENTRE, "parcel", "open", path, "--out", tmp_path / "not").status == exits.DATA
    assert node(CENTRE, "parcel", "inspect", path, "--json").json["octets"] is False
    assert not (tmp_path / "not").exists()


def test_a_lane_is_held_and_released_from_the_command_line(node: Node, records: Path) -> None:
    held = node(SOURCE, "queue", "hold", "centre/population", "--who", "li", lang="zh")
    assert held.status == 0 and "已暂停 centre/population/live" in held.out
    node(SOURCE, "send", "population", records)
    (lane,) = [one for one in node(SOURCE, "status", "--json").json["sending"] if one["lane"].endswith("/live")]
    assert lane["waiting"] == GOOD and lane["held"]["code"] == "EXN-HELD"
    assert node(SOURCE, "queue", "release", "centre/population").status == 0
    until("the lane", lambda: node(SOURCE, "status", "--json").json["waiting"] == 0)
    assert node(SOURCE, "queue", "retry", "--peer", CENTRE, lang="zh").status == 0
    assert node(SOURCE, "queue", "retry").status == exits.USAGE
    assert node(SOURCE, "queue", "purge", NOBODY, "--who", "li").status == exits.DATA


def test_the_socket_is_for_this_account_alone(exchange: Exchange) -> None:
    found = (exchange.seat(SOURCE).state / "control.sock").stat()
    assert stat.S_ISSOCK(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o600


def test_a_socket_that_answers_nonsense_is_told_and_nothing_hangs(
    node: Node, exchange: Exchange, tmp_path: Path
) -> None:
    config = tmp_path / "node.toml"
    seat = exchange.seat(SOURCE)
    text = seat.config.read_text(encoding="utf-8").replace(str(seat.state), str(tmp_path))
    config.write_text(text.replace('"keys/', f'"{seat.folder}/keys/'), encoding="utf-8")
    for reply in (b"", b"junk\n", b'{"ok":true}\n', b'{"ok":false,"code":"EXN-NEW"}\n', b'{"ok":true,"answer":{}}'):
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(tmp_path / "control.sock"))
            listening.listen()

            other = Thread(target=_answer, args=(listening, reply))
            other.start()
            told = node(SOURCE, "-c", config, "status")
            other.join(10)
        (tmp_path / "control.sock").unlink()
        assert told.status == exits.TRY_AGAIN, (reply, told)


def _answer(listening: socket.socket, reply: bytes) -> None:
    line, _ = listening.accept()
    with line:
        line.recv(1 << 16)
        line.sendall(reply)


def test_without_the_node_what_changes_nothing_still_works(
    node: Node, exchange: Exchange, parcel: str, records: Path
) -> None:
    running = node(SOURCE, "trace", parcel, "--json").json
    assert exchange.crew.stop()[SOURCE] == 0
    stopped = node(SOURCE, "trace", parcel, "--json")
    assert stopped.status == 0 and stopped.json["parcels"] == running["parcels"]
    assert node(SOURCE, "status", "--json").json["node"] == SOURCE
    assert node(SOURCE, "queue", "list").status == 0
    for arguments in (
        ("queue", "hold", "centre/population"), ("queue", "retry", "--peer", CENTRE), ("send", "population", records),
    ):
        assert node(SOURCE, *arguments).status == exits.UNAVAILABLE


def test_nothing_any_command_printed_holds_the_content_of_a_record(exchange: Exchange) -> None:
    printed = "".join(SEEN)
    names = {twin["PersonName"] for twin in twins(exchange) if len(twin.get("PersonName", "")) > 1}
    numbers = {text for twin in twins(exchange) for text in twin.values() if isinstance(text, str) and len(text) == 18}
    assert len(printed) > 10_000 and len(names) > 50 and len(numbers) > 50
    assert not [text for text in names | numbers if text in printed]
