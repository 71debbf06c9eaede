"""What libraries say by themselves, brought into our log: failures nobody took, warnings, lines of their own.

Their texts are not written: they may quote what a peer sent.  What is written is who said it and where it happened.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any, TextIO

from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from node.ports import Log

_LEVELS = {LogLevel.warn: "warning", LogLevel.error: "error", LogLevel.critical: "error"}


@implementer(ILogObserver)
class _Twisted:
    """Observes twisted.logger: a failure becomes EXN-FAULT with its places, another line only its origin."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def __call__(self, event: LogEvent) -> None:
        failure = event.get("log_failure")
        source = str(event.get("log_namespace", "twisted"))
        if failure is not None:
            self._log("error", "EXN-FAULT", at=source, bug=failure.value)
        elif event.get("log_level") in _LEVELS:
            self._log(_LEVELS[event["log_level"]], "twisted.log", at=source)


class _Logging(logging.Handler):
    """Takes what libraries write to the standard logging module at WARNING or above."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write who logged, where, and the types of its exception."""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        extra = {"bug": record.exc_info[1]} if record.exc_info and record.exc_info[1] else {}
        self._log(level, "python.log", at=f"{record.name}:{record.lineno}", **extra)


def catch_strays(log: Log) -> Callable[[], None]:
    """Send stray words of libraries to `log`; return a function that puts everything back."""
    observer, handler, shown = _Twisted(log), _Logging(log), warnings.showwarning

    def show(
        message: Warning | str, category: type[Warning], filename: str, lineno: int,
        file: TextIO | None = None, line: str | None = None,
    ) -> None:
        place = "/".join(filename.split("/")[-2:])
        log("warning", "python.warning", kind=category.__name__, at=f"{place}:{lineno}")

    globalLogPublisher.addObserver(observer)
    logging.getLogger().addHandler(handler)
    set_back: Any = warnings
    set_back.showwarning = show

    def release() -> None:
        globalLogPublisher.removeObserver(observer)
        logging.getLogger().removeHandler(handler)
        set_back.showwarning = shown

    return release
