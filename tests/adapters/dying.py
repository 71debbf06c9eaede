"""The process of an adapter that dies at one step of a batch: `python -m tests.adapters.dying STEP NAME DESCRIPTOR`.

A step is each statement, before and after, each COPY in its middle, and each commit, before and after: the kernel ends
the process there, and nothing is closed.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from adapters import child
from adapters.landing import copying


class Steps:
    """Counts the steps of this process, and ends it at one of them."""

    def __init__(self, last: int) -> None:
        self.last, self.taken = last, 0

    def take(self, *said: Any) -> None:
        """Take a step."""
        self.taken += 1
        if self.taken == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        """Count from now on."""
        event.listen(Engine, "before_cursor_execute", self.take)
        event.listen(Engine, "after_cursor_execute", self.take)
        plain, copy = Connection.commit, copying.copy

        def commit(connection: Connection) -> None:
            self.take()
            plain(connection)
            self.take()

        def copied(connection: Connection, statement: str, rows: Sequence[Any]) -> None:
            copy(connection, statement, _Half(rows, self.take))

        setattr(Connection, "commit", commit)
        setattr(copying, "copy", copied)


class _Half(list[Any]):
    """Rows, in whose middle a step is taken."""

    def __init__(self, rows: Sequence[Any], take: Callable[[], None]) -> None:
        super().__init__(rows)
        self._take = take

    def __iter__(self) -> Any:
        for number, row in enumerate(super().__iter__()):
            if number == len(self) // 2:
                self._take()
            yield row


if __name__ == "__main__":
    Steps(int(sys.argv.pop(1))).watch()
    sys.exit(child.main())
