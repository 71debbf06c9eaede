"""Small texts of a request: languages, media types, queries, cursors, limits, addresses."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from node.intake.deliveries import read_cursor, read_limit
from node.model.trouble import Refused
from node.validate import Media
from node.wire.head import lines
from node.wire.message import Link, Request
from node.wire.problem import language
from tests.fuzz.mutate import octets
from tests.fuzz.target import Target

TEXTS = (
    b"en-GB;q=0.9, zh;q=0.8", b"application/xml; charset=gb18030", b'application/json;charset="utf-8"',
    b"a=1&b=%E4%B8%AD",
    b"cursor=12.3&limit=100", b"12.3", b"100", b"0.0", b"en;q=1.", b"*;q=0.001", b"wait=25", b"%ff=%fe&&&;a", b"+",
    b"=",
    b"127.0.0.1:8700", b"[::1]:8443", b":8443",
)


def seeds() -> Iterator[bytes]:
    """Yield texts of every sort."""
    yield from TEXTS


def run(data: bytes) -> Hashable:
    """Give the text to every small reader; the only refusal is a documented one."""
    text = data.decode("latin-1")
    assert language(data) in ("zh", "en")
    readers: tuple[Callable[[], object], ...] = (
        lambda: Media.parse(text), lambda: read_cursor(text), lambda: read_limit(text),
        lambda: Request("GET", "/", data, {}, Link()).query,
    )
    told: list[str] = []
    for reader in readers:
        try:
            told.append(type(reader()).__name__)
        except Refused as refusal:
            told.append(refusal.code.name)
    try:
        lines([(b"X-Name", data)])
    except ValueError:
        assert b"\r" in data or b"\n" in data or b"\0" in data
    return tuple(told)


TARGET = Target("header", "small texts of requests", seeds, run, octets, rounds=500)
