"""Which charset a file of text is in: declared, or found where that is certain.

Rule 1: a byte order mark of UTF-8 proves UTF-8; one of UTF-16 is said to be not supported.
Rule 2: found is UTF-8 if the text is strictly UTF-8 and holds a character beyond U+0800, which GB18030 text does not
        by chance; else GB18030 if it is strictly that; else the file is broken and its charset must be declared.
Rule 3: a file declared GB18030 that is plainly UTF-8 is broken: it would be read, and be nonsense.
Rule 4: GB2312 and GBK are read as GB18030, which holds them.
"""

from __future__ import annotations

import codecs
import re
from io import BufferedReader

from adapters.files.flaw import Broken
from adapters.files.source import Source

CHARSETS = ("auto", "utf-8", "gb18030", "gbk", "gb2312")
_CHUNK = 1 << 20
_HIGH = re.compile(rb"[\x80-\xff]").search
_BEYOND = bytes(range(128, 256))
_ENOUGH = 1 << 12
"""So many octets beyond ASCII settle the matter."""
_SCRIPT = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_PLAIN = 8


def find(source: Source, declared: str) -> tuple[str, int]:
    """Return the codec and how many octets its mark takes; raise Broken where it cannot be told."""
    with source.open() as file:
        sample = _sample(file) if declared == "auto" else _piece(file)
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8", len(codecs.BOM_UTF8)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Broken("文件是UTF-16编码，请改用UTF-8或GB18030", "the file is in UTF-16; use UTF-8 or GB18030")
    return judge(sample, declared), 0


def judge(sample: bytes, declared: str) -> str:
    """Return the codec of a sample."""
    if declared == "utf-8":
        return "utf-8"
    as_utf8 = _read(sample, "utf-8")
    if declared != "auto":
        if as_utf8 is not None and len(_SCRIPT.findall(as_utf8)) >= _PLAIN:
            raise Broken("声明为GB18030，而文件是UTF-8", "it is declared as GB18030, and the file is UTF-8")
        return "gb18030"
    if as_utf8 is not None and (as_utf8.isascii() or max(as_utf8) >= "\u0800"):
        return "utf-8"
    if _read(sample, "gb18030") is not None:
        return "gb18030"
    raise Broken("无法确定字符集，请用encoding声明", "the charset cannot be told; declare it with encoding")


def _sample(file: BufferedReader) -> bytes:
    """Return a stretch that holds enough of what is not ASCII, or all there is."""
    sample, high = b"", 0
    while high < _ENOUGH and len(sample) < 4 * _CHUNK and (piece := _piece(file)):
        if sample or _HIGH(piece):  # a stretch of ASCII alone tells nothing, and splits no character
            sample += piece
            high += len(piece) - len(piece.translate(None, _BEYOND))
    return sample


def _piece(file: BufferedReader) -> bytes:
    try:
        return file.read1(_CHUNK)
    except Broken:
        return b""  # who reads the rows finds it too, behind those that are good


def _read(sample: bytes, charset: str) -> str | None:
    """Return the sample as text, None if it is not in this charset; its last character may be cut off."""
    try:
        return codecs.getincrementaldecoder(charset)().decode(sample)
    except UnicodeDecodeError:
        return None
