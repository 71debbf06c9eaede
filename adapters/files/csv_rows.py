"""CSV as old systems and Excel write it.

Rule 1: a record may go over lines inside quotes.  One that then has not the columns of the header, or does not end,
        began with a stray quote: its first line is dirty, and reading goes on with the second.
Rule 2: Excel's `="00123"`, a tab or an apostrophe that keeps digits a text, are taken off; all else stands as it is.
Rule 3: a byte order mark at the head of any record is taken off, and a header that follows one is passed over: files
        were joined.
Rule 4: a header must be names: none twice, none that is a number of six digits or more, and all that are declared.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from io import BufferedReader
from typing import Any

from adapters.files.charset import find
from adapters.files.flaw import LONGEST, NUL, TOO_LONG, UNDECODED, WIDTH, Broken, Flaw, Piece
from adapters.files.lines import Line, lines
from adapters.files.source import Source

SPAN = 100
"""Most lines of one record."""

BLANK = 1_000_000
"""Most blank lines in a row: more is no file of data."""

MARK = "\ufeff"
_LONE = re.compile("[\ud800-\udfff]").search
_NUMBER = re.compile(r"[0-9]{6,}[0-9Xx]?$").match
_KEPT = re.compile(r'^="(.*)"$', re.S)
_STRAY = Flaw("", "引号不成对", "a quote has no partner")


def rows(source: Source, form: Mapping[str, Any], at: int, line: int) -> Iterator[Piece]:
    """Yield the rows from a place on; at 0 from the first."""
    csv.field_size_limit(LONGEST)
    charset, mark = find(source, form.get("encoding", "auto"))
    names: Sequence[str] = form.get("columns", ())
    with source.open(mark) as file:
        records = _Records(file, form, charset, mark, 1 + form.get("skip", 0), form.get("skip", 0))
        wanted = names
        if form.get("header", True):
            names = _header(records, wanted)
        begin = (records.after, records.following)
    with source.open(at := max(at, begin[0])) as file:
        records = _Records(file, form, charset, at, max(line, begin[1]), 0)
        records.width = len(names)
        for cells in records:
            row = cells if isinstance(cells, Flaw) else _row(cells, names, wanted, records.marked)
            if row is not None:
                yield Piece(records.after, records.following, records.number, row)


def _header(records: _Records, wanted: Sequence[str]) -> Sequence[str]:
    found = next(iter(records), None)
    if found is None:
        raise Broken("文件是空的，没有列名", "the file is empty and has no names of columns", 1)
    if isinstance(found, Flaw):
        raise Broken(f"列名不可读：{found.zh}", f"the names of columns cannot be read: {found.en}", records.number)
    return names_of(found, wanted, records.number)


def names_of(cells: Sequence[str], wanted: Sequence[str], line: int) -> Sequence[str]:
    """Return the names that a header gives its columns; raise Broken if it is none."""
    if any(_LONE(cell) or "\0" in cell for cell in cells):
        raise Broken("列名不可读：内容不合文件的字符集", "the names of columns are not in the file's charset", line)
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    names = [name or f"#{number}" for number, name in enumerate(names, 1)]
    if not names or any(_NUMBER(name) for name in names):
        raise Broken("这一行不是列名", "the line holds no names of columns", line)
    if len(set(names)) < len(names):
        raise Broken("有两列同名", "two columns have one name", line)
    if lacking := [name for name in wanted if name not in names]:
        raise Broken(f"缺少列{'、'.join(lacking)}", f"the file lacks {', '.join(lacking)}", line)
    return names


def _row(cells: list[str], names: Sequence[str], wanted: Sequence[str], marked: bool) -> Any:
    wide = len(names)
    if marked and cells[:wide] == list(names):
        return None
    if len(cells) < wide or any(cells[wide:]):
        return WIDTH
    row = dict(zip(names, cells))
    for name, cell in row.items():
        if _LONE(cell):
            return Flaw(name, *UNDECODED)
        if "\0" in cell:
            return Flaw(name, *NUL)
    return {name: row[name] for name in wanted} if wanted else row


class _Halt(Exception):
    """The record at hand does not end as it should."""


class _Records:
    """The records of a file; after each, where it ended, and its line."""

    def __init__(
        self, file: BufferedReader, form: Mapping[str, Any], charset: str, at: int, number: int, skip: int
    ) -> None:
        self._lines = lines(file, at, number - skip)
        for _, _line in zip(range(skip), self._lines):
            at = _line.after
        self._charset = charset
        self._excel = form.get("excel", True)
        quote = form.get("quote", '"')
        self._how: dict[str, Any] = {"delimiter": form.get("separator", ",")}
        self._how |= {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE, "quotechar": None}
        self._waiting: deque[Line] = deque()
        self._taken: list[Line] = []
        self._ended = False
        self.after, self.number, self.following = at, number, number
        self.marked = False
        self.width = 0

    def __iter__(self) -> Iterator[list[str] | Flaw]:
        reader = csv.reader(self._feed(), **self._how)
        blank = 0
        while True:
            self._taken.clear()
            self._ended = self.marked = False
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _Halt):
                cells = []
                self._ended = True
            taken = self._taken
            if not self._ended and len(taken) > 1:
                self._ended = bool(self.width and len(cells) != self.width) or not self._is_strict(taken)
            if self._ended:
                self._waiting.extendleft(reversed(taken[1:]))
                del taken[1:]
                reader = csv.reader(self._feed(), **self._how)
            self.after, self.number, self.following = taken[-1].after, taken[0].number, taken[-1].number + 1
            if self._ended:
                yield TOO_LONG if taken[0].octets is None else _STRAY
            elif cells and cells != [""]:
                blank = 0
                yield self._clean(cells) if self._excel else cells
            else:
                blank += 1
                if blank > BLANK:
                    raise Broken("空行过多", "there are too many blank lines", self.number)

    def _is_strict(self, taken: list[Line]) -> bool:
        """Return whether each quote of a record over lines ends where a cell ends."""
        text = (line.octets.decode(self._charset, "surrogateescape") for line in taken if line.octets)
        try:
            return sum(1 for _ in csv.reader(text, strict=True, **self._how)) == 1
        except csv.Error:
            return False

    def _feed(self) -> Iterator[str]:
        """Give lines as text to the reader of records, which asks for no more than one record takes."""
        taken = self._taken
        size = 0
        while True:
            line = self._waiting.popleft() if self._waiting else next(self._lines, None)
            if not taken:
                size = 0
            if line is None:
                self._ended = bool(taken)
                return
            size += len(line.octets or b"")
            if taken and (line.octets is None or len(taken) >= SPAN or size > LONGEST):
                self._waiting.appendleft(line)
                raise _Halt
            taken.append(line)
            if line.octets is None:
                raise _Halt
            text = line.octets.decode(self._charset, "surrogateescape")
            if text.startswith(MARK):
                self.marked = True
                text = text.removeprefix(MARK)
            yield text

    def _clean(self, cells: list[str]) -> list[str]:
        return [_plain(cell) if cell and cell[0] in "=\t'" or cell.endswith("\t") else cell for cell in cells]


def _plain(cell: str) -> str:
    cell = cell.strip("\t")
    if kept := _KEPT.match(cell):
        return kept[1]
    return cell[1:] if cell[:1] == "'" and cell[1:].isdigit() else cell
