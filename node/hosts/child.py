"""One adapter's process, as the thread that asks it sees it.

Rule 1: one thread asks at a time; another may only `kill`.
Rule 2: what is read of the pipe is at most one frame ahead: a child that reads faster than we keep waits.
Rule 3: settings go through a descriptor of their own; its standard error goes nowhere, for a driver may say anything.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from node.model import codes
from node.model.frames import ADAPTER, BLOCK, Frame, FrameKind, FrameReader, write_frame
from node.model.sentence import Sentence
from node.model.trouble import Refused, Trouble, trouble

PYTHON = (sys.executable, "-P", "-m", "adapters.child")
"""-P: what lies in the folder that the node happens to run in is no adapter."""

_CHUNK = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """What a process may take: seconds without a word, octets of memory of its own, seconds to end when asked to."""

    silence: float = 300.0
    memory: int = 512 << 20
    farewell: float = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """What an adapter said of itself while it worked."""

    level: str
    says: Sentence


class Child:
    """A running adapter; `settings` are sent to it and not kept."""

    def __init__(
        self, name: str, settings: Mapping[str, Any], limits: Limits = Limits(),
        hear: Callable[[Told], None] = lambda told: None, command: tuple[str, ...] = PYTHON, errors: int | None = None,
        folder: str | None = None, shown: str | None = None,
    ) -> None:
        """Start the process of the adapter `name` in a folder; troubles call it `shown`, else by its own name.

        `errors` is where its standard error goes, nowhere if not given.
        """
        self.name, self._limits, self._hear = shown or name, limits, hear
        self._reader = FrameReader(ADAPTER)
        self._frames: Iterator[Frame] = iter(())
        self._process = _start((*command, name), json.dumps(dict(settings)).encode(), errors, folder)
        resource.prlimit(self._process.pid, resource.RLIMIT_DATA, (limits.memory, limits.memory))
        assert self._process.stdout is not None and self._process.stdin is not None
        self._out, self._in = self._process.stdout.fileno(), self._process.stdin
        for descriptor in (self._out, self._in.fileno()):
            os.set_blocking(descriptor, False)
        self._heard, self._free = selectors.DefaultSelector(), selectors.DefaultSelector()
        self._heard.register(self._out, selectors.EVENT_READ)
        self._free.register(self._in, selectors.EVENT_WRITE)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether the process is gone: it died, or was ended in the middle of an act that nobody wanted to its end."""
        return self._process.poll() is not None

    def ask(self, do: str, **said: Any) -> Any:
        """Have one act done that gives no rows; return its answer."""
        for frame in self.act(do, **said):
            if frame.kind is FrameKind.ANSWER:
                return self._json(frame)
        raise self._ended()

    def apply(self, lines: Sequence[bytes], **said: Any) -> Any:
        """Have records landed, each a line of JSON; return its answer."""
        self._say(_call("apply", said | {"records": len(lines)}))
        for block in _blocks(lines):
            self._say(write_frame(FrameKind.RECORDS, block))
        for frame in self._answered():
            if frame.kind is FrameKind.ANSWER:
                return self._json(frame)
        raise self._ended()

    def act(self, do: str, **said: Any) -> Generator[Frame, None, None]:
        """Have one act done; yield RECORDS, BOOKMARK and DIRTY as they come, and the ANSWER last.

        Raises what the room's front page says; the process is ended then unless it said itself what failed.
        """
        self._say(_call(do, said))
        yield from self._answered()

    def _answered(self) -> Generator[Frame, None, None]:
        last = False
        try:
            while not last:
                frame = self._next()
                last = frame.kind is FrameKind.ANSWER
                if frame.kind is FrameKind.LOG:
                    self._log(frame)
                elif frame.kind is FrameKind.FAILED:
                    raise self._failed(frame)
                else:
                    yield frame
        except GeneratorExit:
            if not last:
                self.kill()  # nobody wants the rest, and there is no other way to stop it
            raise

    def close(self) -> None:
        """Let it end by itself, or end it; never raises."""
        try:
            self._in.close()
            self._process.wait(self._limits.farewell)
        except (OSError, subprocess.TimeoutExpired):
            self.kill()
        self._heard.close()
        self._free.close()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def kill(self) -> None:
        """End it now; whoever asks it gets Retry(ADAPTER_ENDED)."""
        self._process.kill()
        self._process.wait()

    # --- frames -------------------------------------------------------------------------------------------------

    def _say(self, octets: bytes) -> None:
        """Write, and wait no longer than for a word: a process that is busy or stuck may not read."""
        until, left = time.monotonic() + self._limits.silence, memoryview(octets)
        try:
            while left:
                self._wait(self._free, until)
                left = left[os.write(self._in.fileno(), left):]
        except OSError:
            return  # it has ended: whoever reads next finds what it said last, or that it says nothing more

    def _next(self) -> Frame:
        """Return the next frame; raise Retry(ADAPTER_ENDED)."""
        until = time.monotonic() + self._limits.silence
        while True:
            try:
                frame = next(self._frames, None)
                if frame is not None:
                    return frame
                octets = self._octets(until)
            except Refused as met:  # what it says is no frame
                raise self._ended(met) from None
            if not octets:
                raise self._ended()
            self._frames = self._reader.feed(octets)

    def _octets(self, until: float) -> bytes:
        self._wait(self._heard, until)
        return os.read(self._out, _CHUNK)

    def _wait(self, what: selectors.BaseSelector, until: float) -> None:
        while not what.select(max(0.0, until - time.monotonic())):
            if time.monotonic() >= until:
                self.kill()
                raise trouble(codes.ADAPTER_ENDED, name=self.name, reason=_SILENT.fill(seconds=self._limits.silence))

    def _json(self, frame: Frame) -> Any:
        try:
            return json.loads(frame.body)
        except ValueError:
            raise self._ended() from None

    def _log(self, frame: Frame) -> None:
        said = self._json(frame)
        if isinstance(said, dict):
            self._hear(Told(str(said.get("level", "info"))[:16], _sentence(said)))

    def _failed(self, frame: Frame) -> Trouble:
        said = self._json(frame)
        said = said if isinstance(said, dict) else {}
        code = {"hold": codes.ADAPTER, "retry": codes.ADAPTER_DOWN}.get(str(said.get("kind")), codes.ADAPTER_FAULT)
        return trouble(code, name=self.name, reason=_sentence(said))

    def _ended(self, met: Trouble | None = None) -> Trouble:
        """End the process; return what it died of."""
        status = self._process.poll()
        if status is None:
            try:
                status = self._process.wait(1.0 if met is None else 0.0)
            except subprocess.TimeoutExpired:
                self.kill()
        reason = _NO_FRAME if met is not None else _STATUS.fill(status=status if status is not None else "-")
        return trouble(codes.ADAPTER_ENDED, name=self.name, reason=reason)


_SILENT = Sentence("{seconds}秒没有响应", "silent for {seconds} seconds")
_NO_FRAME = Sentence("其输出不是约定的帧", "what it says is no frame")
_STATUS = Sentence("退出状态{status}", "status {status}")
_NO_FOLDER = Sentence("设置的folder不是文件夹", "the folder of its settings is none")
_LONGEST = 300


def _call(do: str, said: Mapping[str, Any]) -> bytes:
    return write_frame(FrameKind.CALL, json.dumps({"do": do, **said}, ensure_ascii=False).encode())


def _blocks(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the lines in blocks of about a mebibyte."""
    block = bytearray()
    for line in lines:
        if block and len(block) + len(line) >= BLOCK:
            yield bytes(block)
            block.clear()
        block += line + b"\n"
    if block:
        yield bytes(block)


def _sentence(said: Mapping[str, Any]) -> Sentence:
    """Return what an adapter says, as it may stand in a log: one line, bounded."""
    zh, en = (" ".join(str(said.get(language, "?")).split())[:_LONGEST] for language in ("zh", "en"))
    return Sentence(zh.replace("{", "("), en.replace("{", "("))


def _start(
    command: tuple[str, ...], settings: bytes, errors: int | None, folder: str | None
) -> subprocess.Popen[bytes]:
    """Start a process; the last argument is the descriptor that gives its settings, in memory and on no disk."""
    with os.fdopen(os.memfd_create("settings"), "r+b") as file:
        file.write(settings)
        file.seek(0)
        if folder is not None and not os.path.isdir(folder):
            raise trouble(codes.ADAPTER, name=command[-1], reason=_NO_FOLDER)
        return subprocess.Popen(
            (*command, str(file.fileno())), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if errors is None else errors, pass_fds=(file.fileno(),), env=_environment(),
            cwd=folder,
        )


def _environment() -> dict[str, str]:
    """Return what a process is told of ours: where programs are, and how people write; nothing of the node's."""
    return {name: value for name in _PASSED if (value := os.environ.get(name)) is not None}


_PASSED = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")
