"""Specifications and tables as the node reads them from `xsd/`."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from random import Random

from node.model.trouble import Hold
from node.validate import Files, Media, check_profile, read_drafts, sample, to_json
from node.validate.specifications import compile_specification
from node.validate.tables import read_table
from tests.fuzz.mutate import any_of, octets, xml
from tests.fuzz.target import Target
from tests.validate.held import TODAY, sm3
from tests.validate.workshop import document
from xsd import FOLDER


@cache
def published() -> tuple[bytes, ...]:
    """Return every published file of specifications and types."""
    return tuple(path.read_bytes() for path in sorted(FOLDER.glob("*/*.xsd")))


class Held(Files):
    """The published files, and one more: the input."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(FOLDER)
        self.read[f"{name}.xsd"] = content


def seeds() -> Iterator[bytes]:
    """Yield the published specifications and one of every shape."""
    yield document()
    yield from published()


def _name(data: bytes) -> str:
    """Return the name under which the input might be good."""
    return next((name for name in ("population-basic/1.0", "legal-entity-basic/1.0", "region-code/1.0")
                 if f'interface="{name.partition("/")[0]}"'.encode() in data), "workshop/2.1")


def run(data: bytes) -> Hashable:
    """Check the profile and compile: one takes what the other does; what compiles judges its own sample."""
    name = _name(data)
    files = Held(name, data)
    try:
        specification = compile_specification(name, files, sm3)
    except Hold:
        faults = check_profile(name, data, files.fetch, files.table)
        assert faults, "it does not compile, and the profile finds no fault"
        raise
    assert not check_profile(name, data, files.fetch, files.table), "it compiles with a fault"
    try:
        made = to_json(sample(specification, 3, 1))
    except (ValueError, LookupError):  # the generator of samples is a tool of ours, and knows fewer shapes
        return "no sample"
    judged = specification.judge(read_drafts(made, Media("ndjson"), specification)[0], TODAY)
    return type(judged).__name__, len(specification.rules.all)


def tables() -> Iterator[bytes]:
    """Yield the published tables, the long ones cut."""
    for path in sorted(FOLDER.glob("tables/*/*.tsv")):
        yield b"\n".join(path.read_bytes().split(b"\n")[:40])
    yield b"code\tname\tlast_revision\n1\ta\t2020\n2\tb\t2021\n"


def run_table(data: bytes) -> Hashable:
    """Read; the current codes are some of all."""
    table = read_table("sex/1.0", data)
    assert table.current and table.current <= table.codes("union")
    assert table.codes("current") <= set(table.rows)
    return len(table.columns), len(table.rows).bit_length(), len(table.current) == len(table.rows)


def columns(data: bytes, chance: Random) -> bytes:
    """Return a table with its columns or rows moved."""
    rows = [line.split(b"\t") for line in data.split(b"\n")]
    at = chance.randrange(len(rows))
    act = chance.randrange(5)
    if act == 0:
        rows = [[row[-1], *row[:-1]] for row in rows]
    elif act == 1:
        rows = [row[:-1] or row for row in rows]
    elif act == 2:
        rows[0][chance.randrange(len(rows[0]))] = b"last_revision"
    elif act == 3:
        rows.insert(at, rows[at] * 2)
    else:
        rows = [row[:1] for row in rows]
    return b"\n".join(map(b"\t".join, rows))


TARGETS = (
    Target("specification", "XSD specifications", seeds, run, any_of(xml, xml, octets), most=200 << 10, rounds=25,
           hides=False),
    Target("table", "code tables", tables, run_table, any_of(columns, columns, octets), rounds=150),
)
