"""Checks of how a read ends: killed, cancelled, or grown too large; and of what it leaves behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TypeVar

from adapters.contract import Bookmark, Mode, Order
from adapters.kit.judged import broken, check, must, unmade
from adapters.kit.rounds import Kept, Process, Word
from adapters.kit.subject import Subject
from node.model.trouble import Trouble

T = TypeVar("T")

SOON = 5.0
"""Seconds in which everything has ended."""
LARGE = 64 << 20
"""Octets of text in many rows together."""
GROWTH = 32 << 10
"""Kibibytes by which a process may grow when it reads many rows."""


class EndingChecks(Subject):
    """Basic: it can be ended at any time, and holds no more than it must."""

    @check("basic", "中途放弃读取：五秒内结束，不留线程、进程和打开的文件",
           "a read that is given up ends within five seconds and leaves no thread, process or open file", "read")
    def test_given_up(self) -> None:
        self._some(50)
        self._give_up()  # what a driver opens once and keeps is not counted
        before = _open()
        at = time.monotonic()
        self._give_up()
        must(time.monotonic() - at < SOON, "五秒内没有结束", "it did not end within five seconds")
        left = _until_none(lambda: [name for name, count in _open().items() if count > before[name]])
        must(not left, f"留下了：{'、'.join(left)}", f"it left behind: {', '.join(left)}")

    def _give_up(self) -> None:
        with self._opened() as adapter:
            said = iter(adapter.read(self._order()))
            next(said, None)
            if hasattr(said, "close"):
                said.close()

    def _some(self, count: int) -> None:
        if self._has("insert"):
            self.insert(self._rows(count))

    @check("basic", "进程被杀或被停：五秒内结束，不留子进程",
           "killed or stopped, its process ends within five seconds and leaves none behind",
           "read")
    def test_stopped_process(self) -> None:
        self._some(50)
        for end in ("kill", "close"):
            with self._process() as process:
                said = self._begun_reading(process)
                family = [process.child.pid, *_descendants(process.child.pid)]
                at = time.monotonic()
                getattr(process.child, end)()
                said.close()
                must(time.monotonic() - at < SOON + 1, "五秒内没有结束", "it did not end within five seconds")
            left = _until_none(lambda: [pid for pid in family if _lives(pid)])
            must(not left, f"留下{len(left)}个进程", f"it left {len(left)} process(es) behind")

    def _begun_reading(self, process: Process) -> Generator[Word, None, None]:
        said = process.words(self._order())
        try:
            next((one for one in said if isinstance(one, Bookmark)), None)
        except Trouble as met:
            broken(met.sentence.zh, met.sentence.en)
        return said

    @check("basic", "读很多行时内存有界", "its memory is bounded over many rows", "read", "insert")
    def test_memory(self) -> None:
        if self.many <= 0:
            raise unmade("many为0", "`many` is 0")
        self.insert(self._rows(10))
        small = self._peak(10)
        self.insert(self._rows(self.many, text="x" * (LARGE // self.many)))
        large = self._peak(self.many)
        grown = large - small
        must(grown < GROWTH, f"读{self.many}行时内存增加{grown // 1024} MiB",
             f"over {self.many} rows it grew by {grown // 1024} MiB")

    def _peak(self, count: int) -> int:
        """Return the most memory, in KiB, that a process had while it read; rows are counted and let go."""
        try:
            with self._process() as process:
                order = Order(dict(self.read or {}), None, Mode.WHOLE)
                found = sum(not isinstance(one, Bookmark) for one in process.words(order))
                status = Path(f"/proc/{process.child.pid}/status").read_text()
        except Trouble as met:
            broken(f"读很多行时失败：{met.sentence.zh}", f"over many rows it failed: {met.sentence.en}")
        must(found >= count, f"{count}行只读到{found}行", f"of {count} rows {found} came")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))

    @check("basic", "只读不改：读两遍结果相同", "reading changes nothing: a second whole read gives the same", "read", "insert")
    def test_quiet(self) -> None:
        rows = self._rows(5)
        self.insert(rows)
        first = self._mine(self._reads(Kept(), Mode.WHOLE))
        self._reads(Kept())
        again = self._mine(self._reads(Kept(), Mode.WHOLE))
        must(first == again, "第二遍与第一遍不同", "the second is not the first")


def _open() -> dict[str, int]:
    """Return how many of each thing this process has open."""
    files = [_target(one) for one in Path("/proc/self/fd").iterdir()]
    return {
        "threads": threading.active_count(), "processes": len(list(_descendants(os.getpid()))),
        "files": sum(one is not None for one in files),
    }


def _target(descriptor: Path) -> str | None:
    try:
        return os.readlink(descriptor)
    except OSError:
        return None


def _descendants(pid: int) -> Iterator[int]:
    parents = {}
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            try:
                parents[int(one.name)] = int((one / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    family = {pid}
    while found := {child for child, parent in parents.items() if parent in family} - family:
        family |= found
    yield from family - {pid}


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until_none(found: Callable[[], list[T]]) -> list[T]:
    """Return what is still found when five seconds are over."""
    until = time.monotonic() + SOON
    while (left := found()) and time.monotonic() < until:
        time.sleep(0.02)
    return left
