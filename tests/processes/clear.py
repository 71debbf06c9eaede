"""A search for the contents of records in octets, in every writing that a program might have put them in."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import zstandard

LEAST = 6
"""Octets from which a find cannot be chance: some millions of octets are searched for some thousands of values."""
DIGITS, DIGEST = 12, frozenset("0123456789abcdefABCDEF")
ZSTD, GZIP = b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08"
INFLATED = 64 << 20


def telling(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield what would show a record: each value by itself if it can be nothing else, and each with its field's name.

    A short number may stand in a digest by chance; beside its name it stands there by no chance.
    """
    for name, value in record.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Mapping):
                yield from telling(one)
                continue
            text = str(one)
            if len(text) >= DIGITS or not DIGEST.issuperset(text):
                yield text
            yield from (f'"{name}":"{text}"', f'"{name}": "{text}"', f">{text}</{name}>")


def writings(text: str) -> dict[str, set[bytes]]:
    """Return the octets a text may stand as, by the name of the writing; those too short to mean anything left out."""
    found: dict[str, set[bytes]] = {
        "utf-8": {text.encode("utf-8")},
        "gb18030": {text.encode("gb18030")},
        "utf-16": {text.encode("utf-16-le"), text.encode("utf-16-be")},
        "json": {json.dumps(text)[1:-1].encode("ascii"), json.dumps(text)[1:-1].upper().encode("ascii")},
        "percent": {quote(text, safe="").encode("ascii"), quote(text, safe="").lower().encode("ascii")},
    }
    for name in ("utf-8", "gb18030"):
        octets = text.encode(name)
        if len(octets) >= LEAST:
            found[f"hex of {name}"] = {octets.hex().encode(), octets.hex().upper().encode()}
            found[f"base64 of {name}"] = {each for each in _base64(octets)}
    return {name: {one for one in forms if len(one) >= LEAST} for name, forms in found.items()}


def _base64(octets: bytes) -> Iterator[bytes]:
    """Yield the middle of a text in base64 at each of its three places, in both alphabets."""
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + octets)
        middle = coded[4 * (shift > 0) : len(coded) // 4 * 4 - 4]
        yield middle
        yield middle.replace(b"+", b"-").replace(b"/", b"_")


class Search:
    """Looks for texts; made once, used on many octets."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._forms: dict[bytes, list[tuple[bytes, str]]] = {}
        for text in set(texts):
            for name, forms in writings(text).items():
                for form in forms:
                    self._forms.setdefault(form[:LEAST], []).append((form, name))

    def __call__(self, octets: bytes) -> set[str]:
        """Return the names of the writings in which any of the texts was found, packed octets included.

        The texts themselves are never returned: a failing test must not print a record.
        """
        found = self._look(octets)
        for inner in unpacked(octets):
            found |= {f"{name}, packed" for name in self._look(inner)}
        return found

    def _look(self, octets: bytes) -> set[str]:
        forms, found = self._forms, set()
        for at in range(len(octets) - LEAST + 1):
            if (piece := octets[at : at + LEAST]) in forms:
                found |= {name for form, name in forms[piece] if octets.startswith(form, at)}
        return found


def unpacked(octets: bytes) -> Iterator[bytes]:
    """Yield what stands behind each beginning of a zstd or gzip stream, as far as it can be read."""
    for at in _places(octets, ZSTD):
        with suppress(zstandard.ZstdError):
            reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(octets[at:])
            yield reader.read(INFLATED)
    for at in _places(octets, GZIP):
        with suppress(zlib.error):
            yield zlib.decompressobj(wbits=31).decompress(octets[at:], INFLATED)


def _places(octets: bytes, what: bytes) -> Iterator[int]:
    at = octets.find(what)
    while at >= 0:
        yield at
        at = octets.find(what, at + 1)
