"""One batch as one file in a folder: there once and whole, however often the batch comes and wherever it is broken off.

Rule 1: written under a temporary name, on the disk, entered in the ledger, renamed; then, if wanted, its done-file.
Rule 2: the name is of resource, token and parcel; a parcel that comes again finds it done or completes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from adapters.contract import Batch, Fate, Incoming, Result
from adapters.files.archive import join
from adapters.files.folder import Folder, Gone, Taken
from adapters.files.ledger import LOCK, Ledger
from adapters.files.written import ENDINGS, Unfit, flat, pieces

_ODD = re.compile(r"[^\w.\-]").sub
_LONGEST = 60


class Writer:
    """Writes batches to folders; keeps what it has read of their ledgers."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._ledgers: dict[str, Ledger] = {}

    def apply(self, batch: Batch) -> Iterator[Result]:
        """Write a batch; yield what became of each record once the file is there."""
        what, folder = batch.what, self._folder
        path = what.get("folder", "").strip("/")
        results: list[Result] = []
        good: list[tuple[Incoming, dict[str, str]]] = []
        for one in batch.records:
            row = flat(one, what)
            if isinstance(row, Unfit):
                results.append(Result(one.leaf, Fate.REFUSED, row.field, row.zh, row.en))
            else:
                good.append((one, row))
                results.append(Result(one.leaf, Fate.APPLIED))
        folder.make(path)
        folder.lock(join(path, LOCK))
        try:
            self._write(batch, path, good)
        finally:
            folder.unlock()
        yield from results

    def _write(self, batch: Batch, path: str, good: list[tuple[Incoming, dict[str, str]]]) -> None:
        ledger = self._ledgers.setdefault(path, Ledger(self._folder, path))
        ledger.load()
        ledger.demand(batch.lane, batch.token)
        token, fresh = ledger.token(batch.parcel), join(path, _fresh(batch))
        if token is None:
            if good:
                self._folder.write(fresh, pieces(good, batch.what))
            ledger.enter(batch.lane, batch.token, batch.parcel)
            token = batch.token
        self._publish(fresh, join(path, name_of(batch, token)), batch.what)

    def _publish(self, fresh: str, name: str, what: Mapping[str, Any]) -> None:
        folder = self._folder
        try:
            folder.rename(fresh, name)
        except Gone:
            pass  # it was renamed before, or there was nothing to write
        except Taken:
            folder.remove(fresh)  # the very same file, from before the ledger was lost
        done = what.get("done")
        if done and folder.entry(name) and not folder.entry(name + done):
            folder.write(name + done, [])


def name_of(batch: Batch, token: int) -> str:
    """Return the name of a batch's file, by the token it was first written with."""
    return f"{_safe(batch.resource)}-{token:012}-{_safe(batch.parcel)}{ENDINGS[batch.what['format']]}"


def _fresh(batch: Batch) -> str:
    """Return its name until it is whole: the same with whatever token it comes."""
    return f".{_safe(batch.resource)}-{_safe(batch.parcel)}.tmp"


def _safe(name: str) -> str:
    """Return a name that any file system holds, and that is another for another name."""
    safe = _ODD("_", name)[:_LONGEST]
    return safe if safe == name else f"{safe}-{blake2b(name.encode(), digest_size=6).hexdigest()}"
