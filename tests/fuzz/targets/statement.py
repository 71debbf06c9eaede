"""Statements: the canonical JSON of every kind."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from node.envelope import canonical, content_of
from node.envelope.cms.signed import read_signed
from node.envelope.kinds import KINDS, lead
from node.envelope.statement import decode
from node.model.trouble import Refused
from tests.fuzz.mutate import any_of, json_text, members, octets
from tests.fuzz.people import files, rows
from tests.fuzz.target import MARKER, Target


def seeds() -> Iterator[bytes]:
    """Yield the vectors of canonical JSON and the contents of the signed ones."""
    yield from files("json")
    for row in rows("statements"):
        try:
            yield read_signed(row["octets"]).content
        except Refused:
            continue
    yield from (one.replace(b'"ext":{', b'"ext":{"a":"%b",' % MARKER) for one in files("json") if b'"ext":{' in one)


def run(data: bytes) -> Hashable:
    """Decode; what is taken is written back as the same octets, and two readings agree."""
    for kind in KINDS:
        if data.startswith(lead(kind)):
            statement = decode(kind, data)
            assert statement == decode(kind, data)
            # An empty `ext` may stand there (PROTOCOL §3) and is not written; what was received never is.
            assert content_of(statement) == data.replace(b',"ext":{}', b"", 1)
            return kind, len(statement.ext), bool(statement.crit)
    assert canonical.write(canonical.read(data, 64 << 10)) == data
    return "JSON"


TARGET = Target("statement", "canonical JSON of every kind", seeds, run, any_of(members, members, json_text, octets),
                rounds=500)
