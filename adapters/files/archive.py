"""Where files go when they are done: a folder of the day in the archive, or in that of errors with a report.

Rule 1: a file is moved only if it is still the one that was read: by name, size, time and ends.  Once moved it is
        looked at again; had it been replaced in that instant, it is put back.
Rule 2: what is beside a file goes before it, so that a move that was broken off leaves the file itself to be moved.
Rule 3: a report says why and from which line, and nothing that stood in the file.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from adapters.contract import Misconfigured
from adapters.files.dbf_rows import MEMOS
from adapters.files.folder import Entry, Folder, Gone, Taken
from adapters.files.look import Found, Listing
from adapters.files.marks import MARK, ends
from adapters.files.progress import Fault, Progress

_DAY = re.compile(r"^\d{4}-\d{2}-\d{2}$").match
_NUMBER = re.compile(r"^(\d{13})-").match
_REPORT = ".report.json"
_NAME = 180
_SWEEP = 1000
"""Most files that one read removes because their days are over."""


class Kept(NamedTuple):
    """A file in the archive, by the number it was read as."""

    number: int
    path: str
    entry: Entry
    memo: str | None


def demand(what: Mapping[str, Any]) -> None:
    """Raise Misconfigured if the folders do not go together."""
    if ("archive" in what) != ("error" in what):
        raise Misconfigured("archive与error须同时设置", "archive and error are set together")
    named = [what.get("folder", "").strip("/")] + [what[one].strip("/") for one in ("archive", "error") if one in what]
    if len(set(named)) < len(named):
        raise Misconfigured("来源、archive与error须是不同的文件夹", "the source, archive and error are different folders")


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


def is_same(folder: Folder, path: str, entry: Entry, known: bytes) -> bool:
    """Return whether the file is the one with these ends, and of this size and time still."""
    now = folder.entry(path)
    if now is None or not now.plain or (now.size, now.mtime) != (entry.size, entry.mtime):
        return False
    try:
        with folder.open(path) as file:
            return ends(file, entry.size) == known
    except Gone:
        return False


def clear(folder: Folder, what: Mapping[str, Any], progress: Progress, listing: Listing) -> set[bytes]:
    """Move every file that is done; return the marks of those that were."""
    moved = set()
    by_mark = {one.mark: one for one in listing.found}
    day = datetime.fromtimestamp(progress.base / 1000).strftime("%Y-%m-%d")
    shared = dict(listing.shared)
    for index, known in enumerate(progress.done):
        found = by_mark.get(known[:MARK])
        if found is None or not is_same(
                folder, join(what.get("folder", ""), found.name), found.entry, known[MARK:]):
            continue
        fault = progress.bad.get(known)
        where = join(what["error" if fault else "archive"].strip("/"), day)
        folder.make(where)
        _move(folder, what, found, join(where, f"{progress.base + index:013}-"), fault, shared)
        moved.add(found.mark)
    progress.done.clear()
    progress.bad.clear()
    return moved


def _move(
    folder: Folder, what: Mapping[str, Any], found: Found, to: str, fault: Fault | None, shared: dict[str, int]
) -> None:
    source = what.get("folder", "")
    if fault:
        folder.write(to + _cut(found.name) + _REPORT, [_report(fault)])
    if found.memo:
        _rename(folder, join(source, found.memo.name), to + _cut(found.memo.name))
    sign = found.sign
    if sign:
        shared[sign.name] -= 1
        if not shared[sign.name]:
            folder.remove(join(source, sign.name))
    target = _rename(folder, join(source, found.name), to + _cut(found.name))
    now = folder.entry(target) if target else None
    if target and now and (now.size, now.mtime) != (found.entry.size, found.entry.mtime):
        folder.rename(target, join(source, found.name))
        if sign:
            folder.write(join(source, sign.name), [])


def _rename(folder: Folder, old: str, new: str) -> str | None:
    """Move a file to a name that is free; return the name, None if the file is gone."""
    stem, dot, ending = new.rpartition(".")
    for number in range(1, 100):
        target = new if number == 1 else f"{stem}-{number}{dot}{ending}"
        try:
            folder.rename(old, target)
            return target
        except Taken:
            continue
        except Gone:
            return None
    raise Misconfigured("归档文件夹中已有太多同名文件", "the archive holds too many files of that name")


def _cut(name: str) -> str:
    """Return a name short enough to bear a number and a report's ending; its own ending stays."""
    octets = os.fsencode(name)
    return name if len(octets) <= _NAME else os.fsdecode(octets[-_NAME:].lstrip(b"."))


def _report(fault: Fault) -> bytes:
    return json.dumps(
        {"zh": fault.zh, "en": fault.en, "line": fault.line or None, "rows": fault.rows,
         "at": datetime.now().astimezone().isoformat(timespec="seconds")}, ensure_ascii=False, indent=1).encode()


def kept(folder: Folder, what: Mapping[str, Any], after: int) -> list[Kept]:
    """Return every file of the archive, unreadable ones too, whose number is greater, in the order they were read."""
    found = []
    for path, entries in _days(folder, what):
        memos = {name.rpartition(".")[0].lower(): name for name in entries if name.lower().endswith(MEMOS)}
        for name, entry in entries.items():
            number = _NUMBER(name)
            if number and int(number[1]) > after and not name.endswith(_REPORT) and (
                    what["format"] != "dbf" or not name.lower().endswith(MEMOS)):
                memo = memos.get(name.rpartition(".")[0].lower()) if what["format"] == "dbf" else None
                found.append(Kept(int(number[1]), join(path, name), entry, memo and join(path, memo)))
    return sorted(found)


def _days(folder: Folder, what: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Entry]]]:
    for where in ("archive", "error"):
        path = what.get(where, "").strip("/")
        if path and folder.entry(path):
            for day in sorted(one.name for one in folder.entries(path) if one.folder and _DAY(one.name)):
                inner = join(path, day)
                yield inner, {one.name: one for one in folder.entries(inner) if one.plain}


def sweep(folder: Folder, what: Mapping[str, Any]) -> None:
    """Remove what is older than `keep_days`."""
    if "keep_days" not in what:
        return
    oldest = (date.today() - timedelta(days=what["keep_days"])).isoformat()
    left = _SWEEP
    for path, entries in _days(folder, what):
        if path.rpartition("/")[2] >= oldest:
            continue
        for name in entries:
            if not left:
                return
            folder.remove(join(path, name))
            left -= 1
        folder.remove(path)
