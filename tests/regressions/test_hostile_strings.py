"""15: what a peer or caller calls itself or its things is never more than a text (PEERS §11.15).

django-pyas2 put partner-supplied header text into a command run by `os.system`; X-Road XRDDEV-3054 wrote it into logs
unescaped.  Shell, path, CRLF, format, bidi and control characters stand here in every header, name and id that is
supplied from outside, at the local door, at the gateway and in signed statements.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from node.envelope import frame, read_manifest
from node.envelope.cms.signed import sign_data
from node.model.record import Stream
from node.wire.media import PARCEL
from tests.processes.exchange import CENTRE, SOURCE
from tests.regressions.hand import Hand, posted
from tests.regressions.standing import Standing

MARK = "exnhostile"
STRINGS = {
    "shell": f"$(touch {MARK}-sh);`touch {MARK}-bt`|touch {MARK}-pipe&",
    "path": f"../../../../tmp/{MARK}-path",
    "absolute": f"/tmp/{MARK}-absolute",
    "line end": f"{MARK}\r\nX-Injected: 1\r\n\r\nHTTP/1.1 200 OK",
    "format": f"{MARK}%s%n%x{{0.__class__}}{{msg}}",
    "bidi": f"{MARK}\u202e\u2066gnp.exe\u2069\u200b",
    "control": f"{MARK}\x1b[2J\x1b]0;x\x07\x08\x9b31m",
    "nul": f"{MARK}\x00tail",
    "long": f"{MARK}" + "A" * 3000,
    "sql": f"{MARK}' OR '1'='1'; DROP TABLE parcels; --",
    "markup": f"<script>{MARK}</script>\"'&lt;",
}
UGLY = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
HEADERS = ("Host", "User-Agent", "Accept-Language", "Content-Type", "Traceparent", "X-Forwarded-For", "Authorization",
           "Idempotency-Key", "Content-Encoding", "Expect", "Connection", "Transfer-Encoding")


def said(port: int, octets: bytes) -> bytes:
    """Return what a server answers to octets."""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        line.sendall(octets)
        line.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := line.recv(1 << 16):
                answer += piece
        except ConnectionError:
            pass
        return answer


def raw(text: str) -> bytes:
    """Return a text as a header may carry it: what ends a line cannot be in one, all else can."""
    return text.encode("utf-8")


def requests(token: str) -> Iterator[bytes]:
    """Yield requests to the local door with each string in each header, in the path and in the query."""
    for text in STRINGS.values():
        for header in HEADERS:
            given = {"Host": b"x", "Authorization": f"Bearer {token}".encode(), "Content-Type": b"application/json",
                     "Idempotency-Key": b"k", header: raw(text)}
            lines = b"".join(name.encode() + b": " + value + b"\r\n" for name, value in given.items())
            yield b"POST /v1/resources/population/records HTTP/1.1\r\n" + lines + b"Content-Length: 2\r\n\r\n{}"
        place, head = quote(text, safe="").encode(), f"Host: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        for path in (b"/v1/resources/%b/deliveries", b"/v1/submissions/%b", b"/%b", b"/openapi.json?%b=1",
                     b"/v1/resources/population/deliveries?cursor=%b"):
            yield b"GET " + path % place + b" HTTP/1.1\r\n" + head


def clean(standing: Standing, before: set[Path]) -> None:
    """Assert that no line of a log has an unescaped sign, and no file is named after a string."""
    for node in (CENTRE, SOURCE):
        text = (standing.seat(node).folder / "log.jsonl").read_bytes().decode("utf-8")
        assert not UGLY.search(text), "a sign stands in a log as it came"
        for line in text.splitlines():
            assert "X-Injected" not in json.loads(line), "a field was forged"
        assert "EXN-FAULT" not in standing.events(node)
    made = {path for path in files(standing) - before if MARK in path.name}
    assert not made, made


def files(standing: Standing) -> set[Path]:
    """Return every file where one could have been made."""
    return {*standing.site.folder.rglob("*"), *Path.cwd().glob("*"), *Path("/tmp").glob(f"*{MARK}*"),
            *Path.cwd().parent.glob(f"*{MARK}*")}


def test_strings_in_every_header_and_path_of_the_local_door_are_only_texts(standing: Standing) -> None:
    seat, before = standing.seat(SOURCE), files(standing)
    token = seat.token.read_text().strip()
    for request in requests(token):
        answer = said(seat.api, request)
        heads = [part.partition(b"\r\n\r\n")[0] for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert all(b"x-injected" not in head.lower() for head in heads), request[:80]
        assert all(not head.startswith(b"5") or head.startswith(b"501") for head in heads), (request[:200], answer[:80])
        assert not UGLY.search(answer.replace(b"\r\n", b"\n").decode("utf-8", "replace")), request[:80]
    clean(standing, before)


@pytest.mark.parametrize("name", STRINGS)
def test_strings_in_the_ids_of_a_record_are_refused_or_only_texts(standing: Standing, name: str) -> None:
    """A row id is told back in refusals and traces, to people and machines: what is not of its form is no row id."""
    before, text = files(standing), STRINGS[name]
    twin = json.loads(standing.people(1).octets) | {"RecordId": text, "BatchNo": text, "SourceSystem": text}
    for form in (json.dumps(twin), json.dumps(twin, ensure_ascii=False)):
        heard = posted(standing, form.encode("utf-8"), "application/json", f"ids-{name.replace(' ', '-')}-{len(form)}")
        assert heard.status in (202, 400, 422), heard.status
        assert not UGLY.search(heard.body.decode("utf-8")), "what is told back is escaped"
    standing.accounted()
    clean(standing, before)


def test_strings_in_what_a_peer_signs_are_refused(standing: Standing) -> None:
    before, arrived = files(standing), standing.arrived()
    with Hand(standing, SOURCE) as hand:
        good = hand.sealed([hand.line(hand.twin(1))], stream=Stream.RESUPPLY, resource="legal")
        content = content_of(hand, good.manifest)
        for text in STRINGS.values():
            for member in ("domain", "resource", "parcel", "kind", "stream"):
                manifest = signed(hand, content | {member: text})
                heard = hand.post("/v1/parcels", frame(manifest, good.payload), PARCEL)
                assert 400 <= heard.status < 500, (member, heard.status)
                assert not UGLY.search(heard.body.decode("utf-8"))
            for header in ("X-Node", "User-Agent", "Accept-Language"):
                plain = re.sub(r"[\r\n\x00]", "", text).encode("utf-8").decode("latin-1")
                heard = hand.post("/v1/parcels", b"", PARCEL, **{header: plain})
                assert 400 <= heard.status < 500
                hand.close()
    assert standing.arrived() == arrived
    clean(standing, before)


def content_of(hand: Hand, manifest: bytes) -> dict[str, object]:
    """Return what a manifest signs."""
    found: dict[str, object] = json.loads(read_manifest(manifest, hand.means.crypto).content)
    return found


def signed(hand: Hand, content: dict[str, object]) -> bytes:
    """Return any content in a SignedData of the hand's, whether or not it is a statement."""
    octets = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
    return sign_data(octets, hand.means.identity.signing, hand.means.identity.sign)
