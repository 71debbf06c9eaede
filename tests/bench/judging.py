"""Judging alone: records a second on one core, parsing, twin and all rules, beside two validators anybody could take.

The yardsticks get the same rules: the compiled function of ours runs over what they parsed, and xmlschema is spared the
making of the twin, which ours does for it.  Rates are by cpu time, so that neighbours do not disturb them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import xmlschema
from jsonschema import Draft202012Validator
from lxml import etree

import xsd
from node.crypto.openssl import OpenSslCrypto
from node.model.record import Record
from node.validate import Media, Specification, Specifications, read_drafts
from node.validate.twin import fast_twin, names_by_tag
from tests.bench.figures import Figure, of, significant
from tests.bench.load import many
from tests.bench.records import SPECIFICATION, Records, specification

TODAY, DAYS = date(2024, 6, 1), ("20240601", "20240602")
FORMS = {"json": ("JSON, 100 a body", "JSON，每批100条"), "xml": ("XML, one a body", "XML，每批1条"),
         "xml100": ("XML, 100 a body", "XML，每批100条")}
GOALS = {"json": "≥ 60000", "xml": "≥ 16000", "xml100": "≥ 16000"}
PEERS = {"jsonschema": ("json", "≥ 15"), "xmlschema": ("xml100", "≥ 12")}
MIB = 1 << 20


@dataclass(slots=True)
class Judged:
    """Records a second by form and by yardstick, one entry a round; seconds to compile; most octets a file took."""

    rates: dict[str, list[float]] = field(default_factory=dict)
    compiled: list[float] = field(default_factory=list)
    specifications: int = 0
    files: dict[str, tuple[int, int, float]] = field(default_factory=dict)


class Judging:
    """Judges the same records in every way, round by round."""

    def __init__(self, found: Judged, records: int) -> None:
        self.found, self.spec = found, specification()
        self._bodies = {
            "json": [b"\n".join(part) for part in _parts(Records("json", 3, 300).take(records), 100)],
            "xml": Records("xml", 3, 300).take(records),
            "xml100": [many(part) for part in _parts(Records("xml", 4, 300).take(records), 100)],
        }
        self._peers: dict[str, Callable[[bytes], int]] = {
            "jsonschema": _by_jsonschema(self.spec), "xmlschema": _by_xmlschema(self.spec),
        }

    def round(self) -> None:
        """Judge all records in every way once, and compile all specifications."""
        for form, bodies in self._bodies.items():
            self._time(form, bodies, partial(self._judge, Media("ndjson" if form == "json" else "xml")))
        for peer, judge in self._peers.items():
            self._time(peer, self._bodies[PEERS[peer][0]][:2], judge)
        began = time.process_time()
        held = Specifications.load(xsd.FOLDER, OpenSslCrypto().sm3)
        self.found.compiled.append(time.process_time() - began)
        self.found.specifications = len(held.names())

    def _time(self, name: str, bodies: Sequence[bytes], judge: Callable[[bytes], int]) -> None:
        began = time.process_time()
        records = sum(map(judge, bodies))
        self.found.rates.setdefault(name, []).append(records / (time.process_time() - began))

    def _judge(self, media: Media, body: bytes) -> int:
        judged = list(self.spec.judge_all(read_drafts(body, media, self.spec), TODAY))
        assert all(isinstance(one, Record) for one in judged), "the load is valid"
        return len(judged)


def _parts(records: Sequence[bytes], size: int) -> Iterator[Sequence[bytes]]:
    return (records[at:at + size] for at in range(0, len(records), size))


def _by_jsonschema(spec: Specification) -> Callable[[bytes], int]:
    validator = Draft202012Validator(spec.json_schema())

    def judge(body: bytes) -> int:
        twins = [json.loads(line) for line in body.splitlines()]
        assert all(validator.is_valid(twin) and not spec.rules.broken(twin, *DAYS) for twin in twins)
        return len(twins)

    return judge


def _by_xmlschema(spec: Specification) -> Callable[[bytes], int]:
    source = (xsd.FOLDER / f"{SPECIFICATION}.xsd").read_text(encoding="utf-8").partition("?>")[2]
    schema: Any = xmlschema.XMLSchema(source, base_url=str(xsd.FOLDER))  # included names are those of the folder
    names = names_by_tag(spec.shape)

    def judge(body: bytes) -> int:
        root = etree.fromstring(body)
        assert schema.is_valid(root)
        for element in root:
            assert not spec.rules.broken(fast_twin(element, spec.shape.record, names), *DAYS)
        return len(root)

    return judge


def files(folder: Path, octets: int) -> dict[str, tuple[int, int, float]]:
    """Return (octets, most memory, seconds) of `exchange-node validate` over one large file of each form."""
    found = {}
    folder.mkdir(parents=True, exist_ok=True)
    for form in ("json", "xml"):
        path = folder / f"large.{'ndjson' if form == 'json' else 'xml'}"
        size = _write(path, form, octets)
        began = time.monotonic()
        program = [sys.executable, "-m", "node", "validate", "--spec", SPECIFICATION, "--json", str(path)]
        with (folder / "answer").open("wb") as out:
            process = subprocess.Popen(program, stdout=out, stderr=subprocess.DEVNULL)
            most = _most(process)
        answer = json.loads((folder / "answer").read_bytes())
        assert process.returncode == 0 and answer["refused"] == 0, answer
        found[form] = size, most, time.monotonic() - began
        path.unlink()
    return found


def _most(process: subprocess.Popen[bytes]) -> int:
    """Return the most memory a process held before it ended; the kernel keeps count, so a look now and then will do."""
    most = 0
    while process.poll() is None:
        with suppress(OSError, IndexError):  # it ends while we look
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            most = int(status.partition("VmHWM:")[2].split()[0]) << 10
        time.sleep(0.1)
    return most


def _write(path: Path, form: str, octets: int) -> int:
    """Write a file of records until it is so large; the same block again and again, which a validator cannot know."""
    block = Records(form, 7, 100).take(1000)
    with path.open("wb") as file:
        if form == "json":
            whole = b"\n".join(block) + b"\n"
        else:
            document = many(block)
            start, end = document.index(b">", document.index(b"List ")) + 1, document.rindex(b"</")
            file.write(document[:start])
            whole = document[start:end]
        while file.tell() < octets:
            file.write(whole)
        if form == "xml":
            file.write(document[end:])
    return path.stat().st_size


def report(found: Judged | None) -> Iterator[Figure]:
    """Yield the figures of judging."""
    if found is None:
        return
    for form, (en, zh) in FORMS.items():
        yield of(f"judging, {en}", found.rates[form], "records/s of one core", GOALS[form], f"校验，{zh}，单核")
    for peer, (form, goal) in PEERS.items():
        ratios = [ours / theirs for ours, theirs in zip(found.rates[form], found.rates[peer], strict=True)]
        yield of(f"judging, {FORMS[form][0]}, over {peer} with the same rules", ratios, "×", goal,
                 f"校验，{FORMS[form][1]}，对{peer}（同一规则）")
        yield of(
            f"{peer} with the same rules", found.rates[peer], "records/s of one core", zh=f"{peer}（同一规则），单核"
        )
    yield of("compiling all specifications", found.compiled, "s", "≤ 1", "编译全部接口规范",
             specifications=found.specifications)
    for form, (octets, most, seconds) in found.files.items():
        name = f"memory of validate, a file of {octets / MIB:,.0f} MiB, {form}"
        yield Figure(
            name, significant(most / MIB), "MiB", "≤ 64",
            {"octets": octets, "seconds": significant(seconds)}, f"校验大文件的内存，{form}",
        )
