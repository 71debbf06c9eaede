"""An old system's folder, a node that reads it, and a folder that fails at any step."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.contract import Bookmark, Dirty, Mode, Order
from adapters.file_drop import FileDrop
from adapters.files.drop import FolderAdapter
from adapters.files.folder import Folder
from adapters.files.local import LocalFolder

WHAT: dict[str, Any] = {
    "folder": "in", "pattern": "*.csv", "format": "csv", "archive": "done", "error": "bad", "settle": 0,
}


class Died(BaseException):
    """The process was killed here."""


class Mortal:
    """Counts the instants before and after each act of a folder; its user dies at one, and nothing is tidied up."""

    left = -1

    @classmethod
    def step(cls) -> None:
        """Count one instant; die at the last."""
        if cls.left == 0:
            raise Died
        cls.left -= 1


def _mortal(plain: Any) -> Any:
    def act(self: Any, *given: Any) -> Any:
        if getattr(self, "busy", False):
            return plain(self, *given)  # an act inside another
        Mortal.step()
        self.busy = True
        try:
            came = plain(self, *given)
        finally:
            self.busy = False
        try:
            Mortal.step()
        except Died:
            if plain.__name__ == "open":
                came.close()  # the kernel does it
            raise
        return came

    return act


def mortal(kind: Any) -> Any:
    """Return a kind of folder whose user dies before or after its n-th act."""
    names = ("entry", "open", "rename", "remove", "make", "write", "append", "replace")
    return type(f"Mortal{kind.__name__}", (kind,), {name: _mortal(getattr(kind, name)) for name in names})


MortalLocal = mortal(LocalFolder)


class MortalDrop(FileDrop):
    """A file drop that dies."""

    def open(self) -> Folder:
        made: Folder = MortalLocal(self.given["root"])
        return made


@dataclass
class Reads:
    """What the node keeps of reads: bookmarks, the rows before them, the dirty ones."""

    adapter: FolderAdapter
    what: dict[str, Any]
    bookmarks: dict[Mode, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    dirty: list[Dirty] = field(default_factory=list)

    def read(self, kill_after: int | None = None, mode: Mode = Mode.NEW, limit: int = 1 << 60) -> list[dict[str, Any]]:
        """Read once; return the rows kept."""
        into = Mode.WHOLE if mode is Mode.WHOLE else Mode.NEW
        kept: list[dict[str, Any]] = []
        waiting: list[Any] = []
        given = 0
        for number, one in enumerate(self.adapter.read(Order(self.what, self.bookmarks.get(into), mode))):
            if kill_after is not None and number >= kill_after:
                break
            if isinstance(one, Bookmark):
                text = json.dumps(one.at)
                assert len(text) <= 64 << 10
                self.bookmarks[into] = json.loads(text)
                kept += [row for row in waiting if not isinstance(row, Dirty)]
                self.dirty += [row for row in waiting if isinstance(row, Dirty)]
                waiting.clear()
                if given >= limit:
                    break
            else:
                given += 1
                waiting.append(one if isinstance(one, Dirty) else dict(one))
        else:
            assert not waiting, "rows came behind the last bookmark"
        self.rows += kept
        return kept


class World:
    """A root with a folder `in`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox = root / "in"
        self.inbox.mkdir(parents=True)

    def drop(self, name: str, content: str | bytes, encoding: str = "utf-8") -> Path:
        """Drop a whole file as a careful program does."""
        fresh = self.inbox / ".fresh"
        fresh.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        path = self.inbox / name
        os.rename(fresh, path)
        return path

    def reads(self, **what: Any) -> Reads:
        """Return a node that reads the folder; a part that is None is left out."""
        told = {name: value for name, value in {**WHAT, **what}.items() if value is not None}
        return Reads(FileDrop({"root": str(self.root)}), told)

    def names(self, folder: str) -> list[str]:
        """Return the names of the files below a folder, sorted, without their numbers."""
        return sorted(one.name.split("-", 1)[1] for one in (self.root / folder).glob("*/*"))


def csv_of(first: int, count: int = 3, name: str = "张三") -> str:
    """Return a file of rows that are numbered."""
    return "ID,XM\n" + "".join(f"{number},{name}{number}\n" for number in range(first, first + count))


def ids(rows: list[dict[str, Any]]) -> list[int]:
    """Return the numbers of rows."""
    return [int(row["ID"]) for row in rows]
