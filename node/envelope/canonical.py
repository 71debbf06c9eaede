"""Canonical JSON: RFC 8785, restricted until every value has one spelling (WIRE §1).

Rule 1: members are named `[a-z_]+`, or `@type` at the top; texts are printable ASCII without `"` and `\\`, so no
        escape sequence ever occurs; numbers are whole, 0 … 2⁵³−1; there is no null.
Rule 2: what is read is parsed, written again and compared with the bytes received; a difference is refused.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

import orjson

from node.model import codes
from node.model.trouble import Trouble, trouble

MAX_NUMBER = (1 << 53) - 1
MAX_DEPTH = 12
_NAME = re.compile(r"[a-z_]+")


def write(value: Mapping[str, Any] | list[Any], limit: int | None = None) -> bytes:
    """Return the one spelling of `value`.

    Raises Refused: STATEMENT for what canonical JSON cannot say, TOO_LARGE above `limit` octets.
    """
    _conform(value, 0)
    content = spell(value)
    _plain(content)
    _bound(content, limit)
    return content


def spell(value: object) -> bytes:
    """Return JSON without blanks, members in order: canonical if the value is; raise Refused(STATEMENT) for none."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise _refusal("a value that JSON cannot hold") from None


def read(content: bytes, limit: int) -> Any:
    """Return the value that `content` spells.

    Raises Refused: TOO_LARGE above `limit` octets, STATEMENT for any other spelling than `write` gives.
    """
    _bound(content, limit)
    _plain(content)
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise _refusal("not JSON") from None
    _conform(value, 0)
    if spell(value) != content:
        raise _refusal("not canonical")
    return value


def armour(octets: bytes) -> str:
    """Return octets as base64 text (RFC 4648 §4, padded)."""
    return b64encode(octets).decode("ascii")


def unarmour(text: str) -> bytes:
    """Return the octets of base64 text; raise ValueError for any other spelling than `armour` gives."""
    octets = b64decode(text, validate=True)
    if armour(octets) != text:
        raise ValueError("not canonical base64")
    return octets


def _bound(content: bytes, limit: int | None) -> None:
    if limit is not None and len(content) > limit:
        raise trouble(codes.TOO_LARGE, what="canonical JSON", limit=limit)


def _plain(content: bytes) -> None:
    # JSON itself forbids raw control characters within a text and a bare quote ends it, so this settles every text.
    if not content.isascii() or b"\\" in content or b"\x7f" in content:
        raise _refusal("a text outside printable ASCII, or an escape")


def _conform(value: object, depth: int) -> None:
    kind = type(value)
    if kind is str or kind is bool:
        return
    if kind is int:
        if not 0 <= value <= MAX_NUMBER:  # type: ignore[operator]  # `kind is int` does not narrow
            raise _refusal("a number outside 0 … 2⁵³−1")
    elif depth == MAX_DEPTH:
        raise _refusal("too deep")
    elif isinstance(value, dict):
        for name, member in value.items():
            if not (_NAME.fullmatch(name) or (name == "@type" and depth == 0)):
                raise _refusal("a member's name")
            _conform(member, depth + 1)
    elif isinstance(value, (list, tuple)):
        for member in value:
            _conform(member, depth + 1)
    else:
        raise _refusal("a null or a fraction")


def _refusal(reason: str) -> Trouble:
    return trouble(codes.STATEMENT, reason=reason)
