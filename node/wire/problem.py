"""Errors over HTTP: problem+json (RFC 9457) written from a `Trouble`, and read back from a peer with care."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from node.model import codes
from node.model.trouble import Code, Kind, Trouble, trouble
from node.ports import Chance
from node.wire.message import Response

PROBLEM_TYPE = b"application/problem+json"
PROBLEM_LIMIT = 64 * 1024
RETRY_AFTER = {Kind.RETRY: 5, Kind.HOLD: 60}
"""Seconds to wait when the one who raised the trouble named no other; a hold waits for a person."""

_NAME = re.compile(r"EXN-[A-Z0-9]+(?:-[A-Z0-9]+){0,5}")
_SECONDS = re.compile(rb"[0-9]{1,5}")
_LANGUAGE = re.compile(rb"\s*([A-Za-z*]{1,8})(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?")


def language(accept: bytes) -> str:
    """Return `en` or `zh` by an Accept-Language header (RFC 9110 §12.5.4); zh unless English is preferred."""
    best = {b"zh": 0.0, b"en": 0.0}
    for item in accept[:256].split(b","):
        match = _LANGUAGE.fullmatch(item)
        name = match.group(1).lower() if match else b""
        if match and name in best:
            best[name] = max(best[name], float(match.group(2) or b"1"))
    return "en" if best[b"en"] > best[b"zh"] else "zh"


def problem(
    what: Trouble, accept: bytes = b"", retry_after: int | None = None, allow: bytes = b"", **members: Any
) -> Response:
    """Return `what` as problem+json in the language of Accept-Language, with both languages under `zh` and `en`.

    `members` are extension members (RFC 9457 §3.2); `retry_after` is in seconds and defaults by the kind of trouble.
    """
    code, chosen = what.code, language(accept)
    document = {**what.members(chosen), **members}
    headers = [(b"Content-Language", chosen.encode("ascii"))]
    wait = RETRY_AFTER.get(code.kind) if retry_after is None else retry_after
    if wait is not None:
        headers.append((b"Retry-After", b"%d" % wait))
    if allow:
        headers.append((b"Allow", allow))
    if code.status == 401:
        headers.append((b"WWW-Authenticate", b"Bearer"))  # RFC 9110 §15.5.2 wants one
    return Response.json(document, code.status, headers, PROBLEM_TYPE)


@dataclass(frozen=True, slots=True)
class Told:
    """What a peer's error answer tells: its status, its code if we know that code, else its bare name or nothing.

    Only a signed receipt finishes an entry (WIRE §4), so this may delay, hold, rewind or re-seal, and no more.
    """

    status: int
    code: Code | None = None
    name: str = ""
    retry_after: int | None = None
    members: Mapping[str, Any] | None = None


def read_problem(status: int, headers: Mapping[bytes, bytes], body: bytes) -> Told:
    """Return what an answer with an error status tells; never raises, whatever the body holds."""
    given = headers.get(b"retry-after", b"")
    wait = int(given) if _SECONDS.fullmatch(given) else None
    media = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if media != PROBLEM_TYPE or len(body) > PROBLEM_LIMIT:
        return Told(status, retry_after=wait)
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Told(status, retry_after=wait)
    name = document.get("code") if isinstance(document, dict) else None
    if not isinstance(name, str) or len(name) > 64 or not _NAME.fullmatch(name):
        return Told(status, retry_after=wait)
    return Told(status, codes.TABLE.get(name), name, wait, document)


class Faults:
    """Where bugs go: each gets a number, its place is logged, and the asker is told the number only.

    `log(number, place)` gets the traceback without the exception's message, which could quote a record.
    """

    def __init__(self, log: Callable[[str, str], None], chance: Chance) -> None:
        self._log = log
        self._chance = chance

    def report(self, error: BaseException) -> Trouble:
        """Log `error` under a new number and return the trouble to answer with."""
        number = self._chance(6).hex()
        self._log(number, place(error))
        return trouble(codes.FAULT, fault=number)


def place(error: BaseException) -> str:
    """Return the types and frames of `error` and of what caused it, without messages or values."""
    lines: list[str] = []
    current: BaseException | None = error
    for _ in range(5):
        if current is None:
            break
        kind = type(current)
        lines.append(f"{kind.__module__}.{kind.__qualname__}")
        frames = traceback.extract_tb(current.__traceback__)[-20:]
        lines += (f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
        current = current.__cause__ or current.__context__
    return "\n".join(lines)
