"""Files read from a folder in the node's way: what is new, everything again, or nothing but from where to go on.

Rule 1: a file is moved, or forgotten, only in the read that begins with the bookmark which says it is done: by then its
        rows are kept.
Rule 2: a large file goes on in its middle if it is still the same; replaced, it is read from its start.
Rule 3: a file that changed while it was read is not done: it is read again once it rests.
Rule 4: a file that is unreadable keeps no other from being read; the rows before the damage are good.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from typing import Any

from adapters.contract import Bookmark, Dirty, Misconfigured, Mode, Order, Row, Unavailable
from adapters.files import archive, forms
from adapters.files.archive import join
from adapters.files.flaw import Broken, Flaw
from adapters.files.folder import Entry, Folder, Gone
from adapters.files.look import SETTLE, Found, Listing, look, order, ready
from adapters.files.marks import ends, name_mark, readable, told, whole
from adapters.files.progress import DONE, Fault, Place, Progress, count, key, strange
from adapters.files.source import Source

EVERY = 1000
_MILLION = 10**6
"""Rows after which a bookmark follows."""

Said = Iterator[Row | Bookmark | Dirty]


def read(folder: Folder, order_: Order) -> Said:
    """Give what the order asks for."""
    what = order_.what
    forms.demand(what)
    archive.demand(what)
    if order_.mode is Mode.NONE:
        yield _nothing(folder, what)
    elif order_.mode is Mode.WHOLE:
        yield from _Whole(folder, what, order_.bookmark).read()
    else:
        yield from _New(folder, what, order_.bookmark).read()


def _nothing(folder: Folder, what: Mapping[str, Any]) -> Bookmark:
    """Return the bookmark by which what is there counts as read."""
    found = look(folder, what).found
    if len(found) > DONE:
        raise Misconfigured(
            f"文件夹中已有超过{DONE}个文件，请先移走", f"the folder holds more than {DONE} files; move them away first")
    progress = Progress(base=_number(0))
    for one in found:
        with _opened(folder, what, one) as (_, known):
            if known:
                progress.finish(known)
    return progress.write()


def _number(last: int) -> int:
    """Return a number greater than `last` that grows with time."""
    return max(int(time.time() * 1000), last + 1)


@contextmanager
def _opened(
    folder: Folder, what: Mapping[str, Any], found: Found
) -> Iterator[tuple[BufferedReader | None, bytes | None]]:
    """Give the file and the key it is known by; nothing if it is gone."""
    try:
        file = folder.open(join(what.get("folder", ""), found.name))
    except Gone:
        yield None, None
        return
    with file:
        known = key(found.mark, ends(file, found.entry.size))
        file.seek(0)
        yield file, known


class _Rows:
    """The rows of one file, named and counted."""

    def __init__(self, folder: Folder, what: Mapping[str, Any], path: str, name: str, memo: str | None) -> None:
        self._what, self._name = what, name
        self._shown, self._told = readable(name), told(name)
        self._format = forms.FORMATS[what["format"]]
        self.source = Source(
            lambda: _open(folder, path), name.lower().endswith(".gz"), forms.most(what),
            lambda suffixes: _open(folder, memo) if memo else None)
        self.at, self.following, self.rows = 0, 1, 0

    def begin(self, place: Place) -> None:
        """Go on from a place."""
        self.at, self.following, self.rows = place.at, place.following, place.rows

    def give(self, size: int) -> Iterator[Row | Dirty]:
        """Yield each row, having noted what comes behind it; raise Broken if the file is."""
        if not self.source.packed and size > self.source.most:
            raise Broken("文件过大", "the file is too large")
        for piece in self._format(self.source, self._what, self.at, self.following):
            self.at, self.following = piece.at, piece.following
            self.rows += 1
            if isinstance(piece.row, Flaw):
                yield Dirty(f"{self._told}:{piece.line}", piece.row.field, piece.row.zh, piece.row.en)
            else:
                yield self._named(piece.row, piece.line)

    def _named(self, row: Row, line: int) -> Row:
        added: dict[str, Any] = {}
        if column := self._what.get("file_column"):
            added[column] = self._shown
        if column := self._what.get("line_column"):
            added[column] = line
        return {**row, **added} if added else row

    def broken(self, why: Broken) -> Dirty:
        """Return what is told of a file that is unreadable."""
        return Dirty(f"{self._told}:{why.line}" if why.line else self._told, "", why.zh, why.en)


def _open(folder: Folder, path: str) -> BufferedReader:
    try:
        return folder.open(path)
    except Gone:
        raise Unavailable("读取时文件被取走", "the file was taken away while it was read") from None


class _New:
    """One read of what is new."""

    def __init__(self, folder: Folder, what: Mapping[str, Any], bookmark: Any) -> None:
        self._folder, self._what = folder, what
        self._began, self._progress = bookmark is not None, Progress.read(bookmark)
        self._moves = "archive" in what
        self._since = 0

    def read(self) -> Said:
        """Move what is done, then give the rows of the files that may be read."""
        progress, what = self._progress, self._what
        began = progress.write() if self._began else None
        listing = look(self._folder, what)
        found = self._rest(listing)
        if lost := self._lost(listing):
            yield lost
        may = ready(found, what, progress, int(time.time()))
        for one in sorted(may, key=self._first):
            if progress.full and self._moves:
                break
            yield from self._file(one)
        if self._since or progress.write() != began:
            yield progress.write()

    def _rest(self, listing: Listing) -> list[Found]:
        """Return the files that are not done, those that are having been moved if they are to be."""
        progress = self._progress
        if self._moves:
            moved = archive.clear(self._folder, self._what, progress, listing)
            archive.sweep(self._folder, self._what)
            return [one for one in listing.found if one.mark not in moved]
        known: dict[bytes, list[bytes]] = {}
        for done in progress.done:
            known.setdefault(done[:-4], []).append(done[-4:])
        rest = [one for one in listing.found if not self._is_known(one, known.get(one.mark))]
        if len(progress.done) + len(rest) > DONE:
            there = {one.mark for one in listing.found}
            progress.done = {one: None for one in progress.done if one[:-4] in there}
        if len(progress.done) + len(rest) > DONE:
            raise Misconfigured(
                f"没有归档的文件夹中不得超过{DONE}个文件：请设置archive，或清理文件夹",
                f"a folder without an archive holds at most {DONE} files: set archive, or clear it")
        return rest

    def _is_known(self, found: Found, known: list[bytes] | None) -> bool:
        if known is None or not self._folder.near:
            return known is not None
        with _opened(self._folder, self._what, found) as (_, now):
            return now is None or now[-4:] in known

    def _lost(self, listing: Listing) -> Dirty | None:
        """Return what is told if the file that was being read is no longer there."""
        now = self._progress.now
        if now is None or any(one.mark == now.key[:-4] for one in listing.found):
            return None
        self._progress.now = None
        self._since += 1
        if any(name_mark(one.name) == now.name for one in listing.found):
            return None  # it was replaced, and is read anew
        return Dirty(None, "", f"一个文件读到第{now.following}行时被取走", f"a file was taken away at its line {now.following}")

    def _first(self, found: Found) -> Any:
        now = self._progress.now
        return (not now or found.mark != now.key[:-4], order(self._what)(found))

    def _file(self, found: Found) -> Said:
        with _opened(self._folder, self._what, found) as (file, known):
            if file is None or known is None:
                return
            content = whole(file) if self._what.get("repeat") == "skip" else None
        if content is None or content not in self._progress.contents:
            fault = yield from self._rows(found, known)
        else:
            fault = None
        if not self._is_still(found):
            self._progress.now = None
            self._since += 1
            return
        if not self._progress.done:
            self._progress.base = _number(self._progress.base + DONE)
        self._progress.finish(known, fault if self._moves else None)
        self._progress.seen.pop(found.mark, None)
        if content:
            self._progress.remember(content)
        self._since += 1
        if self._since >= EVERY // 2:
            yield self._bookmark()

    def _rows(self, found: Found, known: bytes) -> Generator[Any, None, Fault | None]:
        """Yield a file's rows; return what is wrong if it is unreadable."""
        place = self._progress.now
        path = self._what.get("folder", "")
        rows = _Rows(self._folder, self._what, join(path, found.name), found.name,
                     join(path, found.memo.name) if found.memo else None)
        if place and place.key == known and (rows.source.packed or place.at <= found.entry.size):
            rows.begin(place)
        name = name_mark(found.name)
        try:
            for row in rows.give(found.entry.size):
                yield row
                self._since += 1
                if self._since >= EVERY:
                    self._progress.now = Place(known, name, rows.at, rows.following, rows.rows)
                    yield self._bookmark()
        except Broken as why:
            if not self._is_still(found):
                return None
            yield rows.broken(why)
            return Fault(why.zh, why.en, why.line, rows.rows)
        return None

    def _is_still(self, found: Found) -> bool:
        """Return whether the file is as it was when it was listed."""
        now = self._folder.entry(join(self._what.get("folder", ""), found.name))
        return now is not None and (now.size, now.mtime) == (found.entry.size, found.entry.mtime)

    def _bookmark(self) -> Bookmark:
        self._since = 0
        return self._progress.write()


class _Whole:
    """One read of everything: the archive, in the order in which it was read, then the folder."""

    def __init__(self, folder: Folder, what: Mapping[str, Any], bookmark: Any) -> None:
        self._folder, self._what = folder, what
        said: Any = {"after": 0} if bookmark is None else bookmark
        try:
            self._after = count(said["after"])
            self._name: Any = said.get("name")
            self._place: Any = said.get("now")
            if self._name is not None:
                self._name = [count(self._name[0]), str(self._name[1])]
            if self._place is not None:
                self._place = [str(self._place[0]), self._place[1], self._place[2], *map(count, self._place[3:6])]
        except (AttributeError, KeyError, IndexError, TypeError, ValueError):
            raise strange() from None
        self._since = 0

    def read(self) -> Said:
        """Give the rows of every file."""
        for one in archive.kept(self._folder, self._what, self._after):
            name = one.path.rpartition("/")[2].partition("-")[2]
            yield from self._file(one.path, name, one.entry, one.memo)
            self._after = one.number
            yield from self._pause()
        listing = look(self._folder, self._what)
        for found in listing.found:
            at = [found.entry.mtime // _MILLION if self._what.get("order") == "mtime" else 0, found.name]
            if self._name is not None and at <= self._name or not self._rests(found):
                continue
            path = self._what.get("folder", "")
            yield from self._file(join(path, found.name), found.name, found.entry,
                                  join(path, found.memo.name) if found.memo else None)
            self._name = at
            yield from self._pause()
        yield Bookmark(None)

    def _rests(self, found: Found) -> bool:
        if self._what.get("done"):
            return found.sign is not None
        settle: int = self._what.get("settle", SETTLE)
        return abs(time.time() - found.entry.mtime / 1e9) >= settle

    def _pause(self) -> Said:
        """Yield a bookmark behind a file if rows enough have come."""
        self._place = None
        if self._since >= EVERY // 2:
            yield self._bookmark()

    def _bookmark(self) -> Bookmark:
        self._since = 0
        return Bookmark({"after": self._after, "name": self._name, "now": self._place})

    def _file(self, path: str, name: str, entry: Entry, memo: str | None) -> Said:
        rows = _Rows(self._folder, self._what, path, name, memo)
        known = [name_mark(path).hex(), entry.size, entry.mtime]
        if self._place and self._place[:3] == known:
            rows.begin(Place(b"", b"", *self._place[3:]))
        try:
            for row in rows.give(entry.size):
                yield row
                self._since += 1
                if self._since >= EVERY:
                    self._place = [*known, rows.at, rows.following, rows.rows]
                    yield self._bookmark()
        except Broken as why:
            yield rows.broken(why)
