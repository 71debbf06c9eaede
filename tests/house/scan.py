"""Looks for 18-digit identity numbers (GB 11643) in files, in whatever they wrote: text, databases, logs.

    python -m tests.house.scan FOLDER...     prints file and offset of each, never the number; exit 1 if there is one

A number counts if its check digit is right (ISO 7064 MOD 11-2) and it holds a date: one in some 300 random runs of 18
digits does.  Runs inside longer words of letters and digits (digests, serials) are not numbers of persons.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = b"10X98765432"
PRINTED = frozenset({b"11010519491231002X", b"440524188001010014"})
"""The two examples GB 11643-1999 itself prints; they are nobody's."""

PAYLOADS = frozenset({".json", ".ndjson", ".xml", ".dat"})
"""What a client of the node writes is called so; the node itself never writes such a file."""

_RUN = re.compile(rb"(?<![0-9A-Za-z])[1-9][0-9]{16}[0-9Xx](?![0-9A-Za-z])")
# UTF-16, as some databases and logs write it, puts a zero byte beside each digit.
_WIDE = re.compile(rb"(?<![0-9A-Za-z]\x00)(?:[0-9]\x00){17}[0-9Xx]\x00?(?![0-9A-Za-z])")
# What a regular expression takes long to look for is ruled out by a plain search: 17 digits that follow one another.
_SHAPE = bytes(48 if 48 <= one < 58 else one and 46 for one in range(256))
_SHAPES = ((_RUN, b"0" * 17), (_WIDE, b"0\0" * 17))
_BLOCK = 1 << 20
_OVERLAP = 64


@dataclass(frozen=True, order=True)
class Find:
    """Where a number stands; not which."""

    path: Path
    offset: int


def is_identity(number: bytes) -> bool:
    """Return whether 18 bytes hold a date and the right check digit."""
    if not re.fullmatch(rb"[1-9][0-9]{16}[0-9Xx]", number):
        return False
    month, day = int(number[10:12]), int(number[12:14])
    if not (1800 <= int(number[6:10]) < 2200 and 1 <= month <= 12 and 1 <= day <= 31):
        return False
    total = sum(weight * (digit - 48) for weight, digit in zip(WEIGHTS, number, strict=False))
    return number.upper()[17] == CHECKS[total % 11]


def in_bytes(data: bytes, allowed: frozenset[bytes] = frozenset()) -> Iterator[int]:
    """Yield the offset of every identity number in `data` that is not allowed."""
    shape = data.translate(_SHAPE)
    for form, least in _SHAPES:
        for found in form.finditer(data) if least in shape else ():
            number = found[0].replace(b"\0", b"")
            if is_identity(number) and number.upper() not in allowed:
                yield found.start()


def in_file(path: Path, allowed: frozenset[bytes] = frozenset()) -> list[Find]:
    """Return what a file holds, in blocks that overlap by more than a number's length."""
    found: set[int] = set()
    with path.open("rb") as stream:
        start, tail = 0, b""
        while block := stream.read(_BLOCK):
            data = tail + block
            found.update(start - len(tail) + offset for offset in in_bytes(data, allowed))
            start, tail = start + len(block), data[-_OVERLAP:]
    return [Find(path, offset) for offset in sorted(found)]


def scan(places: Iterable[Path], allowed: frozenset[bytes] = frozenset(), skip: Iterable[str] = ()) -> list[Find]:
    """Return every identity number in files and folders, and in the names of files; `skip` names folders to leave."""
    found: list[Find] = []
    left = set(skip)
    for place in places:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if left.intersection(path.relative_to(place).parts) or path.is_symlink():
                continue
            if list(in_bytes(path.name.encode("utf-8", "surrogateescape"), allowed)):  # an offset may be 0
                found.append(Find(path, -1))
            if path.is_file():
                found += in_file(path, allowed)
    return found


def left_in_clear(folder: Path) -> list[Find]:
    """Return every number below a folder that stands elsewhere than in a client's own payload."""
    return [one for one in scan([folder], PRINTED) if one.path.suffix not in PAYLOADS or one.offset < 0]


def main(arguments: list[str]) -> int:
    """Scan the folders named; return 1 if a number was found."""
    found = scan(map(Path, arguments))
    for one in found:
        print(f"{one.path}: {'name' if one.offset < 0 else one.offset}")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
