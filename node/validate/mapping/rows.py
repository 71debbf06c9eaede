"""Rows as a source sends them: JSON objects one by one or a line each, and CSV with a header row.

Rule 1: the limits are those of every door, and are checked before the work they bound.
Rule 2: an octet that cannot be decoded spoils its cell or its line alone, unless it stands in the header.
Rule 3: a JSON number keeps its digits; a JSON text that names a member twice is no row.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

import jiter

from node.model import codes
from node.model.record import Draft, Problem
from node.model.sentence import Sentence
from node.model.trouble import Trouble, trouble
from node.validate import document
from node.validate.document import Limits, Media
from node.validate.mapping.reading import COLUMNS
from node.validate.mapping.texts import UNREADABLE
from node.validate.mapping.wording import PROBLEMS, Unfit
from node.validate.mapping.words import COLUMN
from node.validate.pattern import BLANK
from node.validate.rules.wording import say
from node.validate.shape import Shape

_LONE = re.compile("[\ud800-\udfff]").search
_WHOLE = Sentence("此行", "the row")
_BOM = codecs.BOM_UTF8
SEPARATORS = (b",", b";", b"\t", b"|")


@dataclass(frozen=True, slots=True)
class Writing:
    """How a source writes: its charset where none is declared, what parts its cells, the columns a mapping takes."""

    charset: str
    separator: str
    taken: frozenset[str]


def row_problem(rule: str, bound: object = "") -> Problem:
    """Return a problem of a whole row."""
    return Problem("", rule, say(PROBLEMS[rule], _WHOLE, bound))


def parse_row(octets: bytes) -> Any:
    """Return the object of a JSON text; raise Unfit unless it is one whose every name and number can be relied on."""
    try:
        row = jiter.from_json(octets, catch_duplicate_keys=True, allow_inf_nan=False, float_mode="decimal")
    except ValueError:
        _reencoded(octets, "utf-8")
        raise Unfit("mapping-json", COLUMNS) from None
    if not isinstance(row, dict) or len(row) > COLUMNS:
        raise Unfit("mapping-json", COLUMNS)
    return row


def json_rows(content: bytes, media: Media, writing: Writing, shape: Shape, limits: Limits) -> Sequence[Draft]:
    """Return the rows of a JSON or NDJSON body, not yet parsed; raise Refused for the whole of it."""
    charset = media.charset or writing.charset
    if media.kind == "json" or charset == "utf-8":
        return document.read_drafts(content, Media(media.kind, charset), shape, limits)
    return [_line(draft, charset) for draft in document.read_drafts(content, Media(media.kind), shape, limits)]


def _line(draft: Draft, charset: str) -> Draft:
    try:
        return Draft(draft.index, "json", _reencoded(draft.tree, charset))
    except Unfit as why:
        return Draft(draft.index, "json", b"", (row_problem(why.rule, why.bound),))


def _reencoded(octets: bytes, charset: str) -> bytes:
    try:
        return octets.decode(charset).encode()
    except (UnicodeDecodeError, UnicodeEncodeError):
        raise Unfit("mapping-charset", charset.upper()) from None


class CsvRows:
    """The rows of a CSV body; they are made anew each time they are walked, so that only the text is kept."""

    def __init__(self, content: bytes, media: Media, writing: Writing, limits: Limits) -> None:
        if len(content) > limits.octets:
            raise trouble(codes.TOO_LARGE, what="body", limit=limits.octets)
        if b"\0" in content:
            raise trouble(codes.MALFORMED, reason="NUL", line=content[:content.index(b"\0")].count(b"\n") + 1)
        charset = csv_charset(content[:3], media.charset, writing.charset)
        self._text = content.removeprefix(_BOM).decode(charset, "surrogateescape")
        self._writing, self._limits = writing, limits
        count = 0
        for count, _ in enumerate(self, 1):  # every line is looked at before the first record is judged
            if count > limits.records:
                raise trouble(codes.TOO_LARGE, what="records", limit=limits.records)
        if not count:
            raise trouble(codes.MALFORMED, reason="no record", line=1)

    def __iter__(self) -> Iterator[Draft]:
        text = io.StringIO(self._text, newline="")
        return (draft for _, draft in read_csv(text, self._writing, self._limits.record_octets))


def csv_charset(start: bytes, declared: str | None, usual: str) -> str:
    """Return the charset of a CSV text by its first octets and what was declared; raise Refused(MALFORMED)."""
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise trouble(codes.MALFORMED, reason="byte order mark", line=1)
    if start == _BOM:
        if declared not in (None, "utf-8"):
            raise trouble(codes.MALFORMED, reason="charset declared twice", line=1)
        return "utf-8"
    return declared or usual


def open_csv(
    stream: io.BufferedReader, declared: str | None, writing: Writing, limits: Limits
) -> Iterator[tuple[int, Draft]]:
    """Yield the rows of a CSV file of any size, in the memory of one row, each with the line it begins on.

    Raises Refused as `CsvRows` does; rows may be as many as they are.
    """
    charset = csv_charset(stream.peek(3)[:3], declared, writing.charset)
    text = io.TextIOWrapper(stream, "utf-8-sig" if charset == "utf-8" else charset, "surrogateescape", newline="")
    try:
        yield from read_csv(text, writing, limits.record_octets)
    finally:
        if not stream.closed:
            text.detach()  # the stream is its owner's to close


def read_csv(stream: TextIO, writing: Writing, most: int) -> Iterator[tuple[int, Draft]]:
    """Yield the rows of a CSV text that was decoded with `surrogateescape`, and the lines they begin on.

    A row that is empty is left out; one of more than `most` characters raises Refused(TOO_LARGE).
    """
    lines = _Lines(stream, most)
    cells = csv.reader(lines, strict=True, delimiter=writing.separator)
    names: Sequence[str] | None = None
    index = 0
    while True:
        lines.begin()
        begun = cells.line_num + 1
        try:
            row = next(cells, None)
        except csv.Error:
            raise trouble(codes.MALFORMED, reason="CSV", line=cells.line_num) from None
        if row is None:
            break
        if not any(row):
            continue
        if names is None:
            names = _header(row, writing)
            continue
        yield begun, _draft(index, row, names)
        index += 1
    if names is None:
        raise trouble(codes.MALFORMED, reason="no record", line=1)


def cut_csv(stream: io.BufferedReader, charset: str, most: int) -> Iterator[tuple[int, bytes]]:
    """Yield the header of a CSV file and each row that is not empty, as they stand in it, with the line each begins on.

    In `charset` every octet must be some text; only quotes, separators and line ends are looked at.  Raises Refused
    (TOO_LARGE, MALFORMED) where no row can be told from the next.
    """
    separator = max(SEPARATORS, key=stream.peek(most)[:most].partition(b"\n")[0].count)
    text = io.TextIOWrapper(stream, charset, "surrogateescape", newline="")
    lines = _Lines(text, most)
    cells = csv.reader(lines, strict=True, delimiter=separator.decode())
    try:
        while True:
            lines.begin()
            begun = cells.line_num + 1
            row = next(cells, None)
            if row is None:
                return
            if any(row):
                yield begun, "".join(lines.read).encode(charset, "surrogateescape")
    except csv.Error:
        raise trouble(codes.MALFORMED, reason="CSV", line=cells.line_num) from None
    finally:
        if not stream.closed:
            text.detach()


class _Lines:
    """The lines of a text, of which no more than a record may hold are read between two calls of `begin`."""

    def __init__(self, stream: TextIO, most: int) -> None:
        self._line: Callable[[int], str] = stream.readline
        self._most = most
        self.begin()

    def begin(self) -> None:
        """A row begins."""
        self.read: list[str] = []
        self._left = self._most

    def __iter__(self) -> Iterator[str]:
        while line := self._line(self._most + 1):
            self._left -= len(line)
            if self._left < 0:
                raise trouble(codes.TOO_LARGE, what="record", limit=self._most)
            self.read.append(line)
            yield line


def _header(row: Sequence[str], writing: Writing) -> Sequence[str]:
    """Return the names of the columns; columns without a name are passed over."""
    names = [name.strip(BLANK) for name in row]
    named = [name for name in names if name]
    if len(names) > COLUMNS or len(set(named)) < len(named) or any(len(name) > COLUMN for name in named):
        raise _no_header()
    if _LONE("".join(names)) or writing.taken and not writing.taken.intersection(named):
        raise _no_header()  # the charset or the separator is another one, or this is no header
    return names


def _no_header() -> Trouble:
    return trouble(codes.MALFORMED, reason="CSV header", line=1)


def _draft(index: int, row: Sequence[str], names: Sequence[str]) -> Draft:
    if len(row) != len(names):
        return Draft(index, "row", {}, (row_problem("mapping-row", len(names)),))
    tree: dict[str, Any] = dict(zip(names, row))
    if _LONE("".join(row)):
        tree = {name: UNREADABLE if _LONE(cell) else cell for name, cell in tree.items()}
    tree.pop("", None)
    return Draft(index, "row", tree)
