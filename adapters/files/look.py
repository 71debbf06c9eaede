"""Which files of a folder are to be read, and which of them may be read now.

Rule 1: only ordinary files, never one that is hidden or has a name of what is still being written.  A link is none.
Rule 2: with `done` a file may be read once the file that says so is there.  Without, once it was seen twice, `settle`
        seconds apart, with one size and one time: a clock of another machine plays no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from adapters.files.dbf_rows import MEMOS
from adapters.files.folder import Entry, Folder
from adapters.files.marks import mark, readable
from adapters.files.progress import SEEN, Progress

_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
SETTLE = 10


@dataclass(frozen=True, slots=True)
class Found:
    """A file to be read: what is beside it moves with it, `sign` says it is whole."""

    entry: Entry
    mark: bytes
    memo: Entry | None = None
    sign: Entry | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.entry.name


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a folder that fit the pattern, in the order in which they are read."""

    found: tuple[Found, ...]
    strange: int
    """How many entries fit the pattern and are no ordinary files."""
    shared: Mapping[str, int]
    """How many files have the same sign."""


def look(folder: Folder, what: Mapping[str, Any]) -> Listing:
    """Return what is in the folder."""
    entries = {one.name: one for one in folder.entries(what.get("folder", "")) if not one.folder}
    fits = [one for one in entries.values() if is_wanted(one.name, what)]
    memos = _memos(entries) if what["format"] == "dbf" else {}
    found, shared = [], dict[str, int]()
    for one in fits:
        if not one.plain:
            continue
        memo = memos.get(_stem(one.name).lower())
        sign = entries.get(_sign(one.name, what)) if what.get("done") else None
        if sign:
            shared[sign.name] = shared.get(sign.name, 0) + 1
        found.append(Found(one, mark(one, memo) if memo else mark(one), memo, sign))
    return Listing(tuple(sorted(found, key=order(what))), sum(not one.plain for one in fits), shared)


def order(what: Mapping[str, Any]) -> Any:
    """Return by what files are sorted."""
    if what.get("order") == "mtime":
        return lambda found: (found.entry.mtime // 10**6, found.name)
    return lambda found: found.name


def is_wanted(name: str, what: Mapping[str, Any]) -> bool:
    """Return whether a name fits the pattern and is not of a file that is still being written."""
    if name.startswith(".") or name.lower().endswith(_UNFINISHED):
        return False
    done = what.get("done")
    if done and name.endswith(done.rpartition("}")[2]):
        return False
    text = readable(name).lower()
    return any(fnmatchcase(text, one.strip().lower()) for one in what["pattern"].split(";"))


def _sign(name: str, what: Mapping[str, Any]) -> str:
    return str(what["done"]).replace("{name}", name).replace("{stem}", _stem(name))


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _memos(entries: Mapping[str, Entry]) -> dict[str, Entry]:
    return {_stem(name).lower(): one for name, one in entries.items()
            if one.plain and name.lower().endswith(MEMOS)}


def ready(found: Iterable[Found], what: Mapping[str, Any], progress: Progress, now: int) -> list[Found]:
    """Return those that may be read now; keep in `progress` when the others were first seen as they are."""
    found = list(found)
    if what.get("done"):
        progress.seen.clear()
        return [one for one in found if one.sign]
    settle = what.get("settle", SETTLE)
    if not settle:
        return found
    before, progress.seen = progress.seen, {}
    may = []
    for one in found:
        then = before.get(one.mark)
        if then is not None or len(progress.seen) < SEEN:
            then = now if then is None else min(then, now)
            if len(progress.seen) < SEEN:
                progress.seen[one.mark] = then
            if now - then >= settle:
                may.append(one)
    return may
