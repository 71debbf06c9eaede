"""The process of one adapter: `python -m adapters.child NAME DESCRIPTOR`.

It reads its settings from that descriptor to the end, then frames from standard input, and answers in frames on what
was standard output.  An adapter that prints, prints to standard error.

Rule 1: nothing of the settings stands on the command line, in the environment or in a log.
Rule 2: it ends with its parent: the kernel is asked to, and standard input ends.
Rule 3: one act at a time; an act ends with ANSWER or FAILED.
Rule 4: what escapes from an adapter is told by the name of its class; its text may hold a row or a secret.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from importlib.metadata import entry_points
from typing import Any, BinaryIO, NamedTuple

import orjson

from adapters.contract import (
    Adapter,
    Batch,
    Bookmark,
    Dirty,
    Fate,
    Finding,
    Incoming,
    Misconfigured,
    Mode,
    Order,
    Result,
    Row,
    Unavailable,
)
from adapters.rows import write_row
from adapters.schema import fit
from node.model.frames import BLOCK, GROUP, NODE, STATE, FrameKind, FrameReader, write_frame
from node.model.trouble import Trouble

_DEATH = 1
"""PR_SET_PDEATHSIG."""

_CHUNK = 1 << 16
_LONGEST = 1000
"""Most characters of a sentence that tells a failure."""


def find(name: str) -> type[Adapter]:
    """Return the class that is installed under a name; raise Misconfigured if there is none, or it cannot be loaded."""
    found = list(entry_points(group=GROUP, name=name))
    if not found:
        raise Misconfigured(f"没有安装名为{name}的适配器", f"no adapter {name} is installed")
    try:
        loaded = found[0].load()
    except ImportError as why:
        missing = why.name or "?"
        raise Misconfigured(f"适配器{name}缺少程序包{missing}", f"adapter {name} lacks the package {missing}") from None
    if not isinstance(loaded, type) or not issubclass(loaded, Adapter):
        raise Misconfigured(f"{name}不是适配器", f"{name} is no adapter")
    return loaded


class Speaker:
    """What the adapter's process says; rows are gathered into blocks."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._rows = bytearray()

    def say(self, kind: FrameKind, said: Any) -> None:
        """Say one frame of JSON, after the rows before it."""
        self.flush()
        self._out.write(write_frame(kind, json.dumps(said, ensure_ascii=False).encode()))
        self._out.flush()

    def row(self, line: bytes) -> None:
        """Say a row as it is written, with others."""
        if len(self._rows) + len(line) >= BLOCK:
            self.flush()
        self._rows += line + b"\n"

    def dirty(self, one: Dirty) -> None:
        """Say that a row cannot be given."""
        self.say(FrameKind.DIRTY, asdict(one))

    def bookmark(self, mark: Bookmark) -> None:
        """Say how far has been read."""
        said = json.dumps(mark.at, ensure_ascii=False).encode()
        if len(said) > STATE:
            raise Misconfigured("断点超过64 KiB", "the bookmark has more than 64 KiB")
        self.flush()
        self._out.write(write_frame(FrameKind.BOOKMARK, said))

    def flush(self) -> None:
        """Send the rows gathered so far."""
        if self._rows:
            self._out.write(write_frame(FrameKind.RECORDS, bytes(self._rows)))
            self._rows.clear()


class Session:
    """One adapter and what it is asked."""

    def __init__(self, adapter: Adapter, speaker: Speaker) -> None:
        self.adapter, self.speaker = adapter, speaker
        self.acts: Mapping[str, Callable[[Mapping[str, Any], list[Any]], Any]] = {
            "check": lambda said, records: [asdict(one) for one in adapter.check()],
            "discover": lambda said, records: [asdict(one) for one in adapter.discover()],
            "survey": lambda said, records: [asdict(one) for one in self.survey(**said)],
            "script": lambda said, records: self.script(**said),
            "read": lambda said, records: self.read(Order(**{**said, "mode": Mode(said.get("mode", "new"))})),
            "apply": lambda said, records: self.apply(Batch(**said, records=tuple(map(incoming, records)))),
            "describe": lambda said, records: {
                "settings": adapter.settings, "reads": adapter.reads, "writes": adapter.writes,
                "deletes": adapter.deletes,
            },
        }

    def act(self, call: Call) -> None:
        """Do one act and say how it ended."""
        act = self.acts.get(call.do)
        try:
            if act is None:
                raise Misconfigured("适配器不认识此操作", "the adapter knows no such act")
            self.speaker.say(FrameKind.ANSWER, act(call.said, call.records))
        except Exception as met:
            self.speaker.say(FrameKind.FAILED, failure(met))

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Have what is to be read, or written, looked at."""
        self._fit(what, write)
        return self.adapter.survey(what, write)

    def script(self, what: Mapping[str, Any], drop: bool = False) -> str:
        """Have the script for a source written."""
        self._fit(what, False)
        return self.adapter.script(what, drop)

    def _fit(self, what: Mapping[str, Any], write: bool) -> None:
        fit(self.adapter.writes if write else self.adapter.reads, what, "设置what", "what")

    def apply(self, batch: Batch) -> list[list[Any]]:
        """Have records landed; return what is to be told of each, nothing more than needed."""
        self._fit(batch.what, True)
        return [told(one) for one in self.adapter.apply(batch)]

    def written(self, row: Row) -> bytes | Dirty:
        """Return a row's line, or what is wrong with it, by the row's name in the source."""
        line = write_row(row)
        return replace(line, row=self.adapter.named()) if isinstance(line, Dirty) else line

    def read(self, order: Order) -> dict[str, Any]:
        """Give rows until the adapter, or the order, has no more; return how many, and whether there are `more`."""
        self._fit(order.what, False)
        rows = dirty = 0
        more = False
        for one in self.adapter.read(order):
            if isinstance(one, Bookmark):
                self.speaker.bookmark(one)
                more = rows + dirty >= order.limit
                if more:
                    break
                continue
            line = one if isinstance(one, Dirty) else self.written(one)
            if isinstance(line, Dirty):
                dirty += 1
                self.speaker.dirty(line)
            else:
                rows += 1
                self.speaker.row(line)
        return {"rows": rows, "dirty": dirty, "more": more}


def incoming(said: Mapping[str, Any]) -> Incoming:
    """Return a record as an adapter lands it."""
    epoch, n = said["version"]
    return Incoming(
        said["leaf"], said["origin"], (epoch, n), said["delete"], said["row"], tuple(said["key"]), said["fields"]
    )


def told(one: Result) -> list[Any]:
    """Return a result as it is said: leaf and fate, and of a refusal the field and why."""
    why = [one.field, one.zh[:_LONGEST], one.en[:_LONGEST]] if one.fate is Fate.REFUSED else []
    return [one.leaf, one.fate.value, *why]


def failure(met: Exception) -> dict[str, str]:
    """Return what is told of an error."""
    if isinstance(met, Misconfigured | Unavailable):
        kind = "hold" if isinstance(met, Misconfigured) else "retry"
        return {"kind": kind, "zh": met.zh[:_LONGEST], "en": met.en[:_LONGEST]}
    if isinstance(met, Trouble):  # a frame would be too long: of thousands of tables, or columns
        return {"kind": "fault", "zh": "答复过长", "en": "the answer is too long"}
    name = type(met).__name__[:100]
    return {"kind": "fault", "zh": f"适配器内部错误：{name}", "en": f"an error inside the adapter: {name}"}


class Call(NamedTuple):
    """What the node asks: an act, its arguments, and the records that came with it."""

    do: str
    said: dict[str, Any]
    records: list[Any]


def asked(octets: Iterable[bytes]) -> Iterator[Call]:
    """Yield each CALL with its records; raise Refused(ADAPTER_FRAME) for what is none."""
    reader = FrameReader(NODE)
    frames = (frame for piece in octets for frame in reader.feed(piece))
    for frame in frames:
        said = json.loads(frame.body)
        do, wanted = said.pop("do", ""), said.pop("records", 0)
        records: list[Any] = []
        while len(records) < wanted:
            records += map(orjson.loads, next(frames).lines)
        yield Call(do, said, records)


def main() -> int:
    """Serve one adapter until standard input ends."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)
    if os.getppid() != parent:
        return 0  # it died before the kernel was asked
    with os.fdopen(int(sys.argv[2]), "rb") as file:
        settings = json.load(file)
    speaker = Speaker(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)  # what an adapter or its driver prints is no frame
    try:
        adapter = find(sys.argv[1])
        fit(adapter.settings, settings, "设置settings", "settings")
        session = Session(adapter(settings), speaker)
    except Exception as met:
        speaker.say(FrameKind.FAILED, failure(met))
        return 1
    try:
        for call in asked(iter(lambda: os.read(0, _CHUNK), b"")):
            session.act(call)
    except (Trouble, StopIteration):
        return 1
    finally:
        session.adapter.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
