"""What the commands print: sentences, facts, tables or JSON; plain unless a person looks on.

Rule 1: results go to standard output, everything else to standard error.
Rule 2: a character that could steer a terminal, or turn the reading direction, is never printed: others chose the
        names in certificates and files.
Rule 3: with --json one JSON document is all of standard output.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from node.model.sentence import Sentence
from node.model.trouble import Trouble

Cell = Sentence | str | int | None
COLON = Sentence("：", ": ")
NONE = Sentence("（无）", "(none)")
YES, NO = Sentence("是", "yes"), Sentence("否", "no")


def printable(text: str) -> str:
    """Return the text on one line, with every control or direction character replaced."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)


def yes(value: bool) -> Sentence:
    """Return yes or no."""
    return YES if value else NO


class Output:
    """One command's output in one language."""

    def __init__(self, language: str, out: TextIO, err: TextIO) -> None:
        self.language, self.json = language, False
        self._out, self._err = out, err

    def text(self, said: Cell) -> str:
        """Return a cell as it is printed."""
        if said is None:
            return "-"
        return printable(said.into(self.language) if isinstance(said, Sentence) else str(said))

    def line(self, said: Cell) -> None:
        """Print one line of the result, unless a program reads it."""
        if not self.json:
            print(self.text(said), file=self._out)

    def lines(self, told: Iterable[str]) -> None:
        """Print lines of the result, unless a program reads it."""
        for said in told:
            self.line(said)

    def note(self, said: Cell) -> None:
        """Tell a person something beside the result."""
        print(self.text(said), file=self._err)

    def data(self, value: Any) -> None:
        """Print the result for a program."""
        print(json.dumps(value, ensure_ascii=False, indent=2), file=self._out)

    def raw(self, text: str) -> None:
        """Print text that is made for programs as it stands."""
        self._out.write(text)

    def show(self, value: Any, people: Callable[[], None]) -> None:
        """Print `value` if a program reads, else let `people` print it for a person."""
        if self.json:
            self.data(value)
        else:
            people()

    def facts(self, pairs: Iterable[tuple[Cell, Cell]]) -> None:
        """Print facts, one a line, their names aligned."""
        told = [(self.text(name), self.text(value)) for name, value in pairs]
        width = max((cell_len(name) for name, _ in told), default=0)
        colon = COLON.into(self.language)
        for name, value in told:
            print(f"{name}{colon}{' ' * (width - cell_len(name))}{value}", file=self._out)

    def table(self, heads: Sequence[Sentence], rows: Iterable[Sequence[Cell]]) -> None:
        """Print a table: framed for a person at a terminal, aligned columns otherwise."""
        told = [[self.text(cell) for cell in row] for row in rows]
        names = [self.text(head) for head in heads]
        if not told:
            self.line(NONE)
        elif self._out.isatty():
            self._framed(names, told)
        else:
            self._aligned([names, *told])

    def _framed(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table()
        for name in names:
            table.add_column(Text(name))
        for row in rows:
            table.add_row(*(Text(cell, overflow="fold") for cell in row))
        Console(file=self._out, highlight=False, markup=False).print(table)

    def _aligned(self, rows: Sequence[Sequence[str]]) -> None:
        widths = [max(map(cell_len, column)) for column in zip(*rows)]
        for row in rows:
            cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths))
            print("  ".join(cells).rstrip(), file=self._out)

    def error(self, says: Sentence, status: int) -> None:
        """Tell an error that has no code; to a program as one JSON line on standard error."""
        if self.json:
            told = {"error": {"zh": says.zh, "en": says.en, "status": status}}
            print(json.dumps(told, ensure_ascii=False), file=self._err)
        else:
            self.note(says)

    def trouble(self, met: Trouble) -> None:
        """Tell what went wrong and what to do; to a program as one JSON line on standard error."""
        if self.json:
            print(json.dumps({"error": described(met)}, ensure_ascii=False), file=self._err)
            return
        self.note(f"{met.code.name}{self.text(COLON)}{self.text(met.sentence)}")
        for fault in getattr(met, "faults", ()):
            self.note(fault.text(self.language))
        self.note(met.cure)

    @contextmanager
    def progress(
        self, what: Sentence, total: int | None, counted: bool = False
    ) -> Iterator[Callable[[int], None]]:
        """Show a bar on standard error while a person looks on: of octets, or of things `counted`.

        Yields what to call with each advance.
        """
        if not self._err.isatty():
            yield lambda octets: None
            return
        console = Console(file=self._err, highlight=False, markup=False)
        told = MofNCompleteColumn() if counted else DownloadColumn()
        columns = (TextColumn("{task.description}", markup=False), BarColumn(), told, TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(self.text(what), total=total)
            yield lambda octets: progress.advance(task, octets)


def described(met: Trouble) -> Mapping[str, Any]:
    """Return a trouble for a program."""
    told: dict[str, Any] = {
        "code": met.code.name, "kind": met.code.kind.value, "zh": met.sentence.zh, "en": met.sentence.en,
        "cure": {"zh": met.cure.zh, "en": met.cure.en},
    }
    faults = getattr(met, "faults", None)
    return told if faults is None else {**told, "faults": [
        {"file": str(one.file), "line": one.line, "key": one.key, "rule": one.rule,
         "zh": one.says.zh, "en": one.says.en, "cure": {"zh": one.hint.zh, "en": one.hint.en}} for one in faults
    ]}
