"""By what a file is known again, and by what name it is told.

Rule 1: a mark is of name, size and time of change; the ends of the file (4 KiB each) are compared beside it, for an old
        system may write a file twice within the second that its file system counts.
Rule 2: a name is told unless it holds what looks like the number of a person or a telephone, or what cannot be shown.
"""

from __future__ import annotations

import os
import re
from hashlib import blake2b
from io import BufferedReader

from adapters.files.folder import Entry

MARK = 8
ENDS = 4
KEY = MARK + ENDS
_END = 4096
_PERSON = re.compile(r"(?<!\d)(\d{17}[\dXx]|\d{15}|1[3-9]\d{9})(?!\d)|[\x00-\x1f\x7f-\x9f\u2028-\u202e\ud800-\udfff]")
_LONGEST = 120


def mark(entry: Entry, *beside: Entry) -> bytes:
    """Return what a file is known by: its name, size and time, and those of what belongs to it."""
    return _digest(b"\n".join(
        b"%d %d %b" % (one.size, one.mtime, os.fsencode(one.name)) for one in (entry, *beside)), MARK)


def name_mark(name: str) -> bytes:
    """Return a digest of a name alone."""
    return _digest(os.fsencode(name), MARK)


def ends(file: BufferedReader, size: int) -> bytes:
    """Return a digest of the first and the last 4 KiB of a file."""
    file.seek(0)
    head = file.read(_END)
    file.seek(max(0, size - _END))
    return _digest(head + file.read(_END), ENDS)


def whole(file: BufferedReader) -> bytes:
    """Return a digest of everything in a file."""
    kept = blake2b(digest_size=KEY)
    while piece := file.read(1 << 18):
        kept.update(piece)
    return kept.digest()


def readable(name: str) -> str:
    """Return a name as text: octets that are no UTF-8 are taken as GB18030 if they can be."""
    octets = os.fsencode(name)
    for charset in ("utf-8", "gb18030"):
        try:
            return octets.decode(charset)
        except UnicodeDecodeError:
            continue
    return octets.decode("ascii", "backslashreplace")


def told(name: str) -> str:
    """Return by what name a file is told in a sentence."""
    text = readable(name)
    if _PERSON.search(text) or len(text) > _LONGEST:
        return f"#{_digest(os.fsencode(name), 4).hex()}"
    return text


def _digest(octets: bytes, size: int) -> bytes:
    return blake2b(octets, digest_size=size).digest()
