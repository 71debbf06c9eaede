"""Files of records: which kind a file is, and NDJSON line by line in constant memory."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson

from node.cli import files
from node.cli.grammar import F, misused, option
from node.model.sentence import Sentence

KINDS = ("json", "ndjson", "xml", "csv")
_SUFFIXES = {".json": "json", ".ndjson": "ndjson", ".jsonl": "ndjson", ".xml": "xml",
             ".csv": "csv"}
CHARSETS = ("utf-8", "gb18030")
_SPACE = b" \t\r\n"
LINE = 1 << 20
"""Most octets of a first line by which a file is known: more than a record may have."""


def with_kind(function: F) -> F:
    """Declare --format and --charset."""
    charset = option("--charset", type=click.Choice(CHARSETS), says=Sentence("字符集；默认UTF-8", "charset; else UTF-8"))
    kind = option("--format", "kind", type=click.Choice(KINDS), says=Sentence(
        "格式；默认取自文件名后缀", "format; else that of the file's ending"))
    return kind(charset(function))


def kind_of(path: Path, given: str | None) -> str:
    """Return `json`, `ndjson`, `xml` or `csv`; a file of JSON that holds a record a line is `ndjson`."""
    kind = given or _SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise misused(f"请用 --format 说明 {path} 的格式", f"Name the format of {path} with --format")
    return "ndjson" if kind == "json" and path.is_file() and _one_a_line(path) else kind


def _one_a_line(path: Path) -> bool:
    """Whether more than one line is filled and the first is a whole JSON object."""
    with open_binary(path) as stream:
        filled = (line.strip(_SPACE) for line in iter(lambda: stream.readline(LINE), b""))
        first = next((line for line in filled if line), b"")
        try:
            return isinstance(orjson.loads(first), dict) and any(filled)
        except orjson.JSONDecodeError:
            return False


def open_binary(path: Path) -> BufferedReader:
    """Open a file of records, or standard input."""
    if path == files.STANDARD:
        stream: Any = sys.stdin.buffer
        return stream if isinstance(stream, BufferedReader) else BufferedReader(stream)
    try:
        return path.open("rb")
    except OSError as error:
        raise files.unreadable(path, error) from None


def size_of(path: Path) -> int | None:
    """Return the octets of a file, None for what has no size."""
    try:
        return path.stat().st_size if path.is_file() else None
    except OSError:
        return None


def lines(stream: BinaryIO, longest: int, advance: Callable[[int], None]) -> Iterator[tuple[int, bytes | None]]:
    """Yield each line that is not blank with its number from 1; None for one longer than `longest`.

    Of a line that is too long no more than `longest` octets are ever kept.
    """
    number = 0
    while True:
        line = stream.readline(longest + 2)
        if not line:
            return
        number += 1
        advance(len(line))
        if len(line.rstrip(b"\r\n")) > longest:
            while line and not line.endswith(b"\n"):
                line = stream.readline(1 << 16)
                advance(len(line))
            yield number, None
        elif line.strip(_SPACE):
            yield number, line.strip(_SPACE)
