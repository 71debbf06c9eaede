"""The process of an adapter that can be killed at any word: `python -m adapters.kit.mortal COUNT NAME DESCRIPTOR`.

It is `adapters.child`, but for two things: NAME may also be `module:Class`, for an adapter not yet installed; and
after COUNT rows, bookmarks or results the kernel ends it on the spot, as a power cut would: nothing is closed.  What
was said up to a bookmark has reached the node by then, which is the worst that can be.  A COUNT below zero never does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, TypeVar

from adapters import child
from adapters.contract import Adapter, Batch, Bookmark, Dirty, Misconfigured, Order, Result, Row

T = TypeVar("T")

_installed = child.find


def find(name: str) -> type[Adapter]:
    """Return an adapter's class by its entry point or by `module:Class`; raise Misconfigured."""
    module, colon, path = name.partition(":")
    if not colon:
        return _installed(name)
    try:
        found: Any = import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        raise Misconfigured("无法载入适配器的类", "the class of the adapter cannot be loaded") from None
    if not isinstance(found, type) or not issubclass(found, Adapter):
        raise Misconfigured("不是适配器", "this is no adapter")
    return found


class Prompt(child.Speaker):
    """It says a bookmark at once; else it might wait with others and die with them, and nothing would be tried."""

    def bookmark(self, mark: Bookmark) -> None:
        super().bookmark(mark)
        self._out.flush()


def mortal(kind: type[Adapter], count: int) -> type[Adapter]:
    """Return the class whose every act ends the process after so many words."""
    if count < 0:
        return kind

    class Mortal(kind):  # type: ignore[misc, valid-type]  # the class is known at run time only
        def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
            yield from _until(super().read(order), count)

        def apply(self, batch: Batch) -> Iterable[Result]:
            yield from _until(super().apply(batch), count)

    return Mortal


def _until(words: Iterable[T], count: int) -> Iterator[T]:
    if count == 0:
        _die()
    for number, word in enumerate(words, 1):
        yield word
        if number == count:
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> int:
    """Serve as `adapters.child` does, until COUNT."""
    count = int(sys.argv.pop(1))
    child.Speaker = Prompt  # type: ignore[misc]  # the program is the same but for this
    child.find = lambda name: mortal(find(name), count)
    return child.main()


if __name__ == "__main__":
    sys.exit(main())
