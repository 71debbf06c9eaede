"""Log lines: one flat JSON object each, with ids and never content.

    {"ts":"…Z","level":"warning","event":"EXN-PEER-DOWN","msg":"对端centre暂时无法到达","node":"civil-affairs","peer":"centre"}

Rule 1: a value is a short text, a number or a flag.  Of an exception only types and places are written.
Rule 2: what looks like the number of a person or an account is masked, whoever logged it; so is what cannot be seen.
Rule 3: logging never fails and never waits: a line an outlet does not take at once is dropped, and that is counted.
"""

from __future__ import annotations

import re
import string
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from node.model.codes import TABLE
from node.model.instant import stamp
from node.observe.events import EVENTS
from node.ports import Clock, Counter

Lines = Callable[[Mapping[str, Any], bytes], bool]
"""An outlet: gets the fields, and the same as one line of JSON with its newline; returns whether it took them."""

LEVELS = {"debug": 10, "info": 20, "warn": 30, "warning": 30, "error": 40, "critical": 50}
LONGEST = 200
FRAMES = 12
_LONG_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{13,19}[Xx]?(?![0-9A-Za-z])")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Signs that move, turn or hide what stands beside them: a terminal or a page would obey them."""
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_FORMATTER = string.Formatter()


class JsonLog:
    """The port `Log`: writes to every outlet what is at or above `level`, and counts it."""

    def __init__(
        self,
        node: str,
        now: Clock,
        outlets: Sequence[Lines],
        level: str = "info",
        language: str = "zh",
        counter: Counter | None = None,
    ) -> None:
        self._node = node
        self._now = now
        self._outlets = outlets
        self._least = LEVELS.get(level, 20)
        self._language = language
        self._counter = counter

    def __call__(self, level: str, event: str, **fields: object) -> None:
        """Write one line; `event` is an EXN code or a dotted name of `events`."""
        rank = LEVELS.get(level, 40)
        if rank < self._least:
            return
        level = "warning" if level == "warn" else level if level in LEVELS else "error"
        clean = _clean(fields)
        line = {
            "ts": stamp(self._now()), "level": level, "event": _text(event), "msg": self._says(event, clean),
            "node": self._node, **clean,
        }
        octets = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        dropped = [write for write in self._outlets if not write(line, octets)]
        if self._counter is not None:
            self._counter.count("log_dropped", len(dropped))
            if rank >= LEVELS["warning"]:
                self._counter.count("log_events", level=level, event=event)

    def _says(self, event: str, fields: Mapping[str, Any]) -> str:
        code = TABLE.get(event)
        says = code.says if code is not None else EVENTS.get(event)
        if says is None:
            return _text(event)
        return _FORMATTER.vformat(says.into(self._language), (), _Marks(fields))


class _Marks(dict[str, Any]):
    """The fields of a line; a mark nobody filled shows as an ellipsis."""

    def __missing__(self, name: str) -> str:
        return "…"


def _clean(fields: Mapping[str, object]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for name, value in fields.items():
        if not _FIELD.fullmatch(name) or name in ("ts", "level", "event", "msg", "node"):
            name = "field_" + re.sub("[^a-z0-9_]", "_", name.lower())[:24]
        if isinstance(value, BaseException):
            clean["error"], clean["where"] = kinds(value), places(value)
        else:
            clean[name] = _value(value)
    return clean


def _value(value: object) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 53 else _text(str(value))
    if isinstance(value, float):
        return round(value, 6) if value == value and abs(value) < 1e300 else None
    if isinstance(value, str):
        return _text(value)
    # Anything richer could hold a record: only what it was is told.
    return f"<{type(value).__name__}>"


def _text(value: str) -> str:
    """Return a short text in which no number is long enough to be a person's and every sign shows itself."""
    short = value if len(value) <= LONGEST else value[:LONGEST] + "…"
    shown = _UNSEEN.sub(lambda found: f"<U+{ord(found[0]):04X}>", short)
    return _LONG_NUMBER.sub(lambda found: f"<{len(found[0])} digits>", shown.encode("utf-8", "replace").decode())


def kinds(error: BaseException) -> str:
    """Return the types of an exception and of what caused it, without their messages."""
    names, current = [], error
    for _ in range(5):
        names.append(f"{type(current).__module__}.{type(current).__qualname__}".removeprefix("builtins."))
        cause = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        if cause is None:
            break
        current = cause
    return " < ".join(names)


def places(error: BaseException) -> str:
    """Return the innermost code positions of an exception, outermost first: `deliver/pump.py:78 send`."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return " > ".join(f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno} {frame.name}" for frame in frames)
