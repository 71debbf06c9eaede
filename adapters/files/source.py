"""One file to be read: opened at a place in it, unpacked if it is gz, and bounded.

Rule 1: what unpacks to more than its bound, or to more than RATIO times its size, is broken.
Rule 2: a format that must go back and forth in a file gets a copy in a file that has no name and ends with the process.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any

from adapters.files.flaw import Broken

RATIO = 500
_FREE = 8 << 20
"""So many octets may come out before the ratio is looked at."""
_CHUNK = 1 << 16


class Source:
    """A file by what opens it: `open_` gives it from its start, `beside` a companion, None if there is none."""

    def __init__(
        self, open_: Callable[[], io.BufferedReader], packed: bool, most: int,
        beside: Callable[[tuple[str, ...]], io.BufferedReader | None] = lambda suffixes: None,
    ) -> None:
        self._open, self.packed, self.most, self.beside = open_, packed, most, beside

    @contextmanager
    def open(self, at: int = 0) -> Iterator[io.BufferedReader]:
        """Give its octets from a place on, counted in what was unpacked."""
        with self._open() as file:
            if not self.packed:
                file.seek(at)
                yield file
                return
            unpacked: Any = io.BufferedReader(Unpacked(file, self.most), _CHUNK)
            while at:
                at -= len(unpacked.read1(min(at, _CHUNK))) or at
            yield unpacked

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Give the file so that any place in it can be read."""
        with self._open() as file:
            if not self.packed and hasattr(file, "fileno") and _has_number(file):
                yield file
                return
        with self.open() as file, TemporaryFile() as copy:
            while piece := file.read(_CHUNK):
                if copy.tell() > self.most:
                    raise too_large(self.most)
                copy.write(piece)
            copy.seek(0)
            yield copy


def _has_number(file: io.BufferedReader) -> bool:
    try:
        return file.fileno() >= 0
    except OSError:
        return False


def too_large(most: int) -> Broken:
    """Return the error of a file that exceeds its bound."""
    return Broken(f"文件超过{most}字节", f"the file has more than {most} octets")


class Unpacked(io.RawIOBase):
    """The octets of a gz file, of one member or several."""

    def __init__(self, file: io.BufferedReader, most: int) -> None:
        self._file, self._most = file, most
        self._given = self._read = 0
        self._inflate = zlib.decompressobj(31)
        self._began = False
        self._rest = b""

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Unpack into a buffer; return how many octets."""
        while True:
            piece = self._some(len(buffer))
            if piece is None:
                return 0
            if piece:
                buffer[:len(piece)] = piece
                return len(piece)

    def _some(self, most: int) -> bytes | None:
        if self._inflate.eof:
            self._rest = self._inflate.unused_data
            self._inflate, self._began = zlib.decompressobj(31), False
        if not self._rest:
            self._rest = self._file.read(_CHUNK)
            self._read += len(self._rest)
        if not self._rest:
            if self._began or not self._given and not self._read:
                raise Broken("压缩文件不完整", "the packed file is cut off")
            return None
        try:
            piece = self._inflate.decompress(self._rest, most)
        except zlib.error:
            if self._given and not self._began and not self._rest.strip(b"\0"):
                self._rest = b""
                return b""  # tapes and some programs fill up with NUL
            raise Broken("压缩文件损坏", "the packed file is damaged") from None
        self._began, self._rest = True, self._inflate.unconsumed_tail
        self._given += len(piece)
        if self._given > self._most or self._given > _FREE and self._given > RATIO * (self._read - len(self._rest)):
            raise Broken("压缩文件解开后过大", "the packed file unpacks to too much")
        return piece
