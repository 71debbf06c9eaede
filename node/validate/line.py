"""A line of a parcel: canonical JSON `{"body":{...},"head":{...}}` (WIRE §2).

Members of `head`, in the order they are written; those marked ? are absent when they do not apply:

    admitted      time of admission, `YYYY-MM-DDThh:mm:ss.mmmZ`
    captured ?    time the source's change was read, same form
    correlation ? what joins records of one case (办件编号), 1 to 64 characters
    ext ?         object; unknown members are kept and passed on
    operation     `upsert` or `delete`
    origin        code of the node where the record was submitted
    record        record id, lower-case UUIDv7
    row           row id, as the body's row-id field says it
    time          business time, as the body's time field says it
    version       [epoch, n]

Rule 1: a line is stored and passed on byte for byte; nothing here rewrites one.
Rule 2: `split_line` proves the head.  The body is proved by `Specification.judge_body`, and by nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator

from node.model import codes
from node.model.record import Head, Operation, Record, Version
from node.model.trouble import Trouble, trouble

HEAD_OCTETS = 16384
"""Most that a head may be long, `ext` included."""

_OPEN = b'{"body":{'
_MIDDLE = b',"head":{'
_TIME = "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$"
_WHOLE = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
_HEAD = Draft202012Validator(
    {
        "type": "object",
        "properties": {
            "admitted": {"type": "string", "pattern": _TIME},
            "captured": {"type": "string", "pattern": _TIME},
            "correlation": {"type": "string", "minLength": 1, "maxLength": 64},
            "ext": {"type": "object", "maxProperties": 32},
            "operation": {"enum": ["upsert", "delete"]},
            "origin": {"type": "string", "pattern": "^[!-~]{1,64}$"},
            "record": {
                "type": "string",
                "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
            },
            "row": {"type": "string", "minLength": 1, "maxLength": 64},
            "time": {"type": "string", "minLength": 1, "maxLength": 32},
            "version": {
                "type": "array", "prefixItems": [_WHOLE, _WHOLE], "minItems": 2, "maxItems": 2,
            },
        },
        "required": ["admitted", "operation", "origin", "record", "row", "time", "version"],
        "additionalProperties": False,
    }
)
_OPERATIONS = {"upsert": Operation.UPSERT, "delete": Operation.DELETE}

_TEXT = r'[^"\\\x00-\x1f\x7f]'
_NUMBER = "(0|[1-9][0-9]{0,14})"
_PLAIN = re.compile(
    rf'"admitted":"({_TIME[1:-1]})",(?:"captured":"({_TIME[1:-1]})",)?(?:"correlation":"({_TEXT}{{1,64}})",)?'
    r'"operation":"(upsert|delete)","origin":"([!#-\[\]-~]{1,64})",'
    r'"record":"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})",'
    rf'"row":"({_TEXT}{{1,64}})","time":"({_TEXT}{{1,32}})","version":\[{_NUMBER},{_NUMBER}\]'
).fullmatch
"""A head as nearly every one is: canonical by its form, without `ext`, an escape or a huge number.

Reading it so is four times as fast as parsing; whatever does not fit is parsed, and both ways tell the same.
"""


def join_line(body: bytes, head: Head) -> bytes:
    """Return the line of a record's canonical `body` and its `head`."""
    members: dict[str, Any] = {"admitted": head.admitted}
    if head.captured is not None:
        members["captured"] = head.captured
    if head.correlation is not None:
        members["correlation"] = head.correlation
    if head.ext:
        members["ext"] = head.ext
    members["operation"] = head.operation.value
    members["origin"] = head.origin
    members["record"] = head.record
    members["row"] = head.row
    members["time"] = head.happened
    members["version"] = head.version[:]
    octets = orjson.dumps(members, option=orjson.OPT_SORT_KEYS)
    if len(octets) > HEAD_OCTETS - len(_MIDDLE):
        raise trouble(codes.TOO_LARGE, what="head", limit=HEAD_OCTETS)
    return b'{"body":%b,"head":%b}' % (body, octets)


def join_born(
    records: Sequence[Record], ids: Sequence[str], origin: str, first: Version, admitted: str,
    captured: str | None = None,
) -> list[bytes]:
    """Return the lines of records that are submitted here: `join_line` of each, with its id and the next version."""
    write, epoch = orjson.dumps, first.epoch
    opening, acts = b'"admitted":%b,' % write(admitted), _acts(origin)
    if captured is not None:
        opening += b'"captured":%b,' % write(captured)
    lines = []
    for n, (record, id) in enumerate(zip(records, ids, strict=True), first.n):
        _, body, row, operation, happened, _, correlation = record
        case = b"" if correlation is None else b'"correlation":%b,' % write(correlation)
        line = b'{"body":%b,"head":{%b%b%b,"record":"%b","row":%b,"time":%b,"version":[%d,%d]}}' % (
            body, opening, case, acts[operation], id.encode(), write(row), write(happened), epoch, n
        )
        if len(line) - len(body) > HEAD_OCTETS + 8:
            raise trouble(codes.TOO_LARGE, what="head", limit=HEAD_OCTETS)
        lines.append(line)
    return lines


@lru_cache(64)
def _acts(origin: str) -> dict[Operation, bytes]:
    octets = orjson.dumps(origin)
    return {act: b'"operation":"%b","origin":%b' % (act.value.encode(), octets) for act in Operation}


def split_line(line: bytes) -> tuple[bytes, Head]:
    """Return the bytes of the body, and the head; raise Refused(LINE) for any other form.

    The head is refused unless it is canonical, closed and complete.  The body's bytes are only cut out.
    """
    if not line.startswith(_OPEN) or line[-2:] != b"}}":
        raise _broken("frame")
    # A quote inside a string is escaped, so the middle is found between members only.  A member `head` inside the
    # body ends before the line does and does not parse; the first one that fills the rest of the line is the head.
    # Where the last one is plain, none before it does: its object would stay open.
    middle = line.rfind(_MIDDLE)
    head = _plain(line[middle + 9:-2]) if middle >= 0 else None
    if head is not None:
        return line[8:middle], head
    middle = line.find(_MIDDLE, max(0, len(line) - HEAD_OCTETS))
    while middle >= 0:
        head = _head(line[middle + 8:-1])
        if head is not None:
            return line[8:middle], head
        middle = line.find(_MIDDLE, middle + 1)
    raise _broken("head")


def _plain(octets: bytes) -> Head | None:
    """Return the head whose members these are if it is plain."""
    try:
        found = _PLAIN(octets.decode())
    except UnicodeDecodeError:
        return None
    if found is None:
        return None
    admitted, captured, correlation, operation, origin, record, row, time, epoch, n = found.groups()
    version = Version(int(epoch), int(n))
    return Head(record, row, origin, version, _OPERATIONS[operation], time, captured, admitted, correlation)


def _head(octets: bytes) -> Head | None:
    try:
        members = orjson.loads(octets)
        if not _HEAD.is_valid(members) or orjson.dumps(members, option=orjson.OPT_SORT_KEYS) != octets:
            return None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):  # no JSON, or nested deeper than is written again
        return None
    epoch, n = members["version"]
    if epoch.__class__ is not int or n.__class__ is not int:  # JSON Schema takes 1.0 for an integer
        return None
    take = members.get
    return Head(
        members["record"], members["row"], members["origin"], Version(epoch, n),
        _OPERATIONS[members["operation"]], members["time"], take("captured"), members["admitted"],
        take("correlation"), take("ext") or {},
    )


def same(head: Head, record: Record) -> bool:
    """Return whether the head says of row id, operation, business time and correlation what the body says."""
    return (
        head.row == record.row
        and head.operation is record.operation
        and head.happened == record.happened
        and head.correlation == record.correlation
    )


def _broken(reason: str) -> Trouble:
    return trouble(codes.LINE, reason=reason)
