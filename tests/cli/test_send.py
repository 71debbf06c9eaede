"""Cutting files into bodies, and the local API called through lost connections, full disks and odd answers."""

from __future__ import annotations

import csv
import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cli import exits
from node.cli.grammar import Told
from node.cli.kinds import lines
from node.cli.local_client import PAUSES, LocalClient, Posted
from node.cli.send import Body, Sent, bodies, shape_of
from node.config import load
from node.model import codes
from node.model.trouble import Trouble, trouble
from node.validate import Media, read_drafts, sample, to_json, to_xml
from tests.crypto.papers import CRYPTO
from tests.validate.held import spec

BLANKS = st.sampled_from([b"", b" ", b"\t", b"\r"])
LINES = st.lists(st.one_of(st.binary(min_size=1, max_size=30).map(lambda text: text.replace(b"\n", b"x")), BLANKS))


def limits(body: int = 64, records: int = 4, record: int = 30) -> Any:
    """Return limits of a node that takes little at once."""
    return SimpleNamespace(body=body, records=records, record=record)


def cut(path: Path, kind: str = "ndjson", **given: int) -> list[Body]:
    return list(bodies(path, kind, limits(**given), lambda octets: None))


@given(LINES)
def test_bodies_hold_every_record_once_in_order_within_the_limits(tmp_path_factory: Any, told: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("cut") / "records.ndjson"
    path.write_bytes(b"\n".join(told))
    made = cut(path)
    wanted = [(number, line.strip(b" \t\r")) for number, line in enumerate(told, 1) if line.strip(b" \t\r")]
    found = [
        (place, line) for body in made for place, line in zip(body.places, body.octets.split(b"\n")[:-1], strict=True)
    ]
    assert found == wanted
    assert all(len(body.octets) <= 64 and 1 <= len(body.places) <= 4 for body in made)


def test_the_same_file_is_cut_the_same_way_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"".join(b'{"n":%d}\n' % number for number in range(50)))
    first, again = cut(path), cut(path)
    assert [body.octets for body in first] == [body.octets for body in again] and len(first) == 13


def test_a_record_too_long_is_named_by_its_line_and_what_went_before_stands(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(b"x" * 30 + b"\n\n" + b"y" * 31 + b"\n")
    with pytest.raises(Trouble) as met:
        cut(path)
    assert met.value.code is codes.TOO_LARGE and "line 3" in met.value.sentence.en
    with pytest.raises(Trouble):
        cut(path, "xml", body=20)


def test_a_line_without_end_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"a\n" + b"x" * (5 << 20) + b"\nb")
    read: list[int] = []
    with path.open("rb") as stream:
        found = list(lines(stream, 100, read.append))
    assert found == [(1, b"a"), (2, None), (3, b"b")] and max(read) <= 1 << 16 and sum(read) == path.stat().st_size


CELLS = st.text(st.characters(codec="gb18030", exclude_characters="\0\r"), max_size=8)


@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=12), separator=st.sampled_from(",;|\t"),
       charset=st.sampled_from(["utf-8", "gb18030"]), named=st.booleans(), end=st.sampled_from(["\n", "\r\n"]))
def test_a_table_is_cut_between_rows_and_each_piece_has_the_header(
    tmp_path_factory: Any, rows: list[list[str]], separator: str, charset: str, named: bool, end: str
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator=end).writerows([["a", "b", "c"], *rows])
    path = tmp_path_factory.mktemp("cut") / "rows.csv"
    path.write_bytes(text.getvalue().encode(charset))
    known = charset if named or separator == "|" else None  # an octet of a GB18030 character can be that sign
    made = list(bodies(path, "csv", limits(body=150, record=200), lambda octets: None, known))
    found: list[list[str]] = []
    for body in made:
        head, *inside = csv.reader(io.StringIO(body.octets.decode(charset), newline=""), delimiter=separator)
        assert head == ["a", "b", "c"] and len(body.places) == len(inside) <= 4
        found += inside
    assert found == [row for row in rows if any(row)]


def test_each_row_of_a_table_keeps_the_line_it_begins_on(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('\ufeffa,b\n1,"two\nlines"\n\n,\n"5"" long",x\n6,y')
    (one,) = bodies(path, "csv", limits(body=500, record=100), lambda octets: None)
    assert list(one.places) == [2, 6, 7] and one.octets.decode() == '\ufeffa,b\n1,"two\nlines"\n"5"" long",x\n6,y'


def test_what_is_no_table_is_told_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('a,b\n1,2\n3,"4"x\n')
    with pytest.raises(Trouble) as met:
        cut(path, "csv")
    assert met.value.code is codes.MALFORMED and "3" in met.value.sentence.zh
    path.write_text('a,b\n1,"' + "x\n" * 5000)
    with pytest.raises(Trouble) as met:
        cut(path, "csv")
    assert met.value.code is codes.TOO_LARGE


def test_a_document_too_large_for_one_body_is_cut_between_its_records(tmp_path: Path) -> None:
    of, path = spec("region-code/1.0"), tmp_path / "large.xml"
    twins = [sample(of, 2, number) for number in range(30)]
    path.write_bytes(to_xml(of, twins))
    read: list[int] = []
    made = list(bodies(path, "xml", limits(body=3000, records=5, record=2000), read.append, None, lambda: of.shape))
    assert sum(read) == path.stat().st_size and all(len(body.octets) <= 3000 for body in made)
    found = [read_drafts(body.octets, Media("xml"), of) for body in made]
    assert [body.first for body in made] == [sum(map(len, found[:at])) for at in range(len(made))]
    records = [of.judge(draft, date(2024, 6, 1)) for drafts in found for draft in drafts]
    assert [getattr(one, "body", None) for one in records] == [to_json(twin) for twin in twins]
    answer = Posted("s", 4, [{"index": 1, "key": "k", "problems": [{"rule": "x"}]}])
    assert Sent().add(path, "k", made[3], answer)[0]["index"] == made[3].first + 1 > 4
    for few, more in ((30, [path.read_bytes()]), (29, None)):  # one that fits goes as it is, and the count tells too
        wide = limits(body=1 << 20, records=few, record=2000)
        whole = list(bodies(path, "xml", wide, read.append, None, lambda: of.shape))
        assert more is None and len(whole) == 2 or [body.octets for body in whole] == more
    with pytest.raises(Trouble) as met:
        cut(path, "xml", body=3000)  # of a resource that is not known here
    assert met.value.code is codes.TOO_LARGE


def test_the_shape_of_a_resource_is_that_of_its_specification() -> None:
    root = Path(__file__).parents[2]
    settings = load(root / "config" / "department.toml", {"CREDENTIALS_DIRECTORY": "/run"})
    here: Any = SimpleNamespace(settings=settings, crypto=CRYPTO)
    (first, *_) = settings.resource
    found = shape_of(here, first.code)
    assert found is not None and f"{found.interface}/{found.version}" == first.specification
    assert shape_of(here, "nothing") is None


# --- the client -------------------------------------------------------------------------------------------------


class Desk(HTTPServer):
    """A server that gives the answers it was told to, and keeps what it heard."""

    def __init__(self, answers: list[tuple[int, Any] | None]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers, self.heard = list(answers), list[tuple[str, dict[str, str], bytes]]()


class Answering(BaseHTTPRequestHandler):
    """Answers with the next of the server's answers; None cuts the connection."""

    protocol_version = "HTTP/1.1"
    server: Desk

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        answer = self.server.answers.pop(0)
        if answer is None:
            self.close_connection = True
            return
        status, said = answer
        octets = said if isinstance(said, bytes) else json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(*answers: tuple[int, Any] | None) -> Iterator[Desk]:
    desk = Desk(list(answers))
    thread = threading.Thread(target=desk.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield desk
    finally:
        desk.shutdown()
        thread.join()
        desk.server_close()


TAKEN = (202, {"submission": "s-1", "accepted": 2, "refused": []})


def client(tmp_path: Path, port: int, paused: list[float]) -> LocalClient:
    token = tmp_path / "token"
    token.write_bytes(b"secret-token\n")
    token.chmod(0o600)
    listen = SimpleNamespace(host="127.0.0.1", port=port)
    settings: Any = SimpleNamespace(api=SimpleNamespace(tls=None, listen=listen), token=token)
    return LocalClient(settings, paused.append)


def post(made: LocalClient, **given: Any) -> Any:
    said = {"resource": "r", "body": b"x", "kind": "ndjson", "charset": None, "key": "k", "asks": {}, **given}
    try:
        return made.post(**said)
    finally:
        made.close()


def trouble_of(code: Any) -> dict[str, Any]:
    return trouble(code).members("zh")


def test_a_call_says_who_it_is_what_it_brings_and_under_which_key(tmp_path: Path) -> None:
    with serving(TAKEN, TAKEN) as desk:
        assert post(client(tmp_path, desk.server_port, [])).accepted == 2
        asks = {"stream": "backfill", "mapping": "旧系统"}
        post(client(tmp_path, desk.server_port, []), asks=asks, charset="gb18030", kind="csv")
        path, headers, body = desk.heard[0]
    assert (path, body) == ("/v1/resources/r/records", b"x")
    assert headers["Authorization"] == "Bearer secret-token" and headers["Idempotency-Key"] == "k"
    assert headers["Content-Type"] == "application/x-ndjson"
    assert desk.heard[1][0].endswith("?stream=backfill&mapping=%E6%97%A7%E7%B3%BB%E7%BB%9F")
    assert desk.heard[1][1]["Content-Type"] == "text/csv; charset=gb18030"


def test_a_call_that_was_cut_off_or_put_off_is_made_again_under_the_same_key(tmp_path: Path) -> None:
    paused: list[float] = []
    with serving(None, (507, {**trouble_of(codes.DRAINING)}), None, TAKEN) as desk:
        assert post(client(tmp_path, desk.server_port, paused)).submission == "s-1"
        assert [headers["Idempotency-Key"] for _, headers, _ in desk.heard] == ["k"] * 4
    assert paused == list(PAUSES)


def test_a_call_that_is_put_off_for_good_ends_with_its_trouble(tmp_path: Path) -> None:
    with serving(*[(503, trouble_of(codes.DRAINING))] * 4) as desk:
        with pytest.raises(Trouble) as met:
            post(client(tmp_path, desk.server_port, []))
    assert met.value.code is codes.DRAINING and exits.of(met.value) == exits.TRY_AGAIN


def test_a_refusal_is_told_in_the_words_of_the_node_and_not_repeated(tmp_path: Path) -> None:
    said = trouble_of(codes.KEY_REUSED)
    said["en"]["detail"] = "The node's own words"
    with serving((422, said)) as desk:
        with pytest.raises(Trouble) as met:
            post(client(tmp_path, desk.server_port, []))
    assert met.value.sentence.en == "The node's own words" and met.value.sentence.zh == codes.KEY_REUSED.says.zh
    assert exits.of(met.value) == exits.DATA


@pytest.mark.parametrize("said", [
    b"", b"junk", b"[]", b"{}", b'{"code":"EXN-UNHEARD"}', b'{"submission":"x"}', b"[" * 50_000, b'{"code":["x"]}',
    b'{"submission":"x","accepted":"many","refused":[]}',
])
@pytest.mark.parametrize("status", [200, 500])
def test_an_odd_answer_is_a_fault_and_never_a_success(said: bytes, status: int, tmp_path: Path) -> None:
    with serving(*[(status, said)] * 4) as desk:
        with pytest.raises(Trouble) as met:
            post(client(tmp_path, desk.server_port, []))
    assert exits.of(met.value) == exits.INTERNAL


def test_a_known_code_without_its_words_is_told_in_ours(tmp_path: Path) -> None:
    with serving((401, {"code": "EXN-API-UNAUTHORIZED", "zh": 7})) as desk:
        with pytest.raises(Trouble) as met:
            post(client(tmp_path, desk.server_port, []))
    assert met.value.sentence == codes.UNAUTHORIZED.says and exits.of(met.value) == exits.PERMISSION


def test_where_nobody_listens_the_status_is_69(tmp_path: Path) -> None:
    with serving() as desk:
        port = desk.server_port
    paused: list[float] = []
    with pytest.raises(Told) as met:
        post(client(tmp_path, port, paused))
    assert met.value.status == exits.UNAVAILABLE and len(paused) == len(PAUSES)


def test_a_port_that_asks_for_certificates_is_said_so(tmp_path: Path) -> None:
    settings: Any = SimpleNamespace(api=SimpleNamespace(tls=object()))
    with pytest.raises(Told) as met:
        LocalClient(settings)
    assert met.value.status == exits.UNAVAILABLE
