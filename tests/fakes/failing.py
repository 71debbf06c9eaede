"""The SQLite stores, cut off at a chosen commit."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from node.store import SqliteInbox, SqliteOutbox, SqliteWarehouse
from tests.fakes.memory import Failing, PowerCut


class _Dies(Failing[Any]):
    """A dead process opens no unit."""

    @contextmanager
    def unit(self, durable: bool = True) -> Iterator[Any]:
        """Open one transaction, unless the power was cut."""
        if self.dead:
            raise PowerCut
        with super().unit(durable) as unit:  # type: ignore[misc]  # the store this is mixed into
            yield unit


class FailingOutbox(_Dies, SqliteOutbox):
    """An outbox with `fail_at`."""


class FailingInbox(_Dies, SqliteInbox):
    """An inbox with `fail_at`."""


class FailingWarehouse(_Dies, SqliteWarehouse):
    """A warehouse with `fail_at`."""


def after_the_cut(path: Path, into: Path) -> Path:
    """Copy a store's files as the disk has them, log and all, without closing it; return the copy."""
    into.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal"):
        source = path.with_name(path.name + suffix)
        if source.exists():
            shutil.copy(source, into / source.name)
    return into / path.name
