"""Adapters that behave oddly, each in its own way; started as `python -m tests.hosts.odd NAME DESCRIPTOR`."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from node.model.frames import FrameKind, write_frame


def _say(kind: FrameKind, said: object) -> None:
    os.write(1, write_frame(kind, json.dumps(said).encode()))


def _gigabyte() -> None:
    kept = [bytearray(1 << 20) for _ in range(1 << 10)]
    _say(FrameKind.ANSWER, len(kept))


def _flood() -> None:
    for _ in range(64):
        block = write_frame(FrameKind.RECORDS, (b'{"a":"' + b"x" * 1000 + b'"}\n') * 1000)
        while block:
            block = block[os.write(1, block):]
    _say(FrameKind.ANSWER, None)


ODD: dict[str, Callable[[], object]] = {
    "silent": lambda: time.sleep(600),
    "ends": lambda: os._exit(3),
    "prints": lambda: os.write(1, b"connected to server\n"),
    "commands": lambda: os.write(1, b"CALL 2\n{}"),
    "huge": lambda: os.write(1, b"BOOKMARK 65537\n"),
    "half": lambda: (os.write(1, b"RECORDS 10\n{}"), os._exit(0)),
    "no json": lambda: os.write(1, b"ANSWER 1\n{"),
    "hold": lambda: _say(FrameKind.FAILED, {"kind": "hold", "zh": "表不存在", "en": "there is no table"}),
    "retry": lambda: _say(FrameKind.FAILED, {"kind": "retry", "zh": "连不上", "en": "no connection"}),
    "fault": lambda: _say(FrameKind.FAILED, {"kind": "fault", "zh": "错{0}", "en": "x" * 5000}),
    "empty": lambda: _say(FrameKind.FAILED, None),
    "gigabyte": _gigabyte,
    "rows": lambda: [_say(FrameKind.RECORDS, {}) for _ in range(3)],
    "flood": _flood,
    "settings": lambda: _say(FrameKind.ANSWER, json.load(os.fdopen(int(sys.argv[2])))),
    "environment": lambda: _say(FrameKind.ANSWER, [dict(os.environ), sys.argv]),
}


def main() -> None:
    """Wait for a call, and be odd."""
    os.read(0, 1 << 16)
    ODD[sys.argv[1]]()
    time.sleep(600)


if __name__ == "__main__":
    main()
