"""The memo file of a dBase (.dbt) or FoxPro (.fpt) table: long texts in blocks, each by its number."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import IO

from adapters.files.flaw import LONGEST, Broken

_TEXT = 1
_DBASE4 = b"\xff\xff\x08\x00"
_END = b"\x1a"
_BLOCK = 512


class Memo:
    """An open memo file, or none."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self._file = file
        self._foxpro, self._block = False, _BLOCK
        if file is not None:
            self._head(file.read(32))

    @staticmethod
    @contextmanager
    def open(file: IO[bytes] | None, needed: bool) -> Iterator[Memo]:
        """Give the memo; raise Broken if it is needed and not there."""
        if needed and file is None:
            raise Broken("缺少备注文件（.fpt或.dbt）", "the memo file (.fpt or .dbt) is missing")
        with file or nullcontext():
            yield Memo(file)

    def _head(self, octets: bytes) -> None:
        """Tell the two families apart: FoxPro's block size is big-endian at 6, where dBase has nought, or its name."""
        if len(octets) < 24:
            raise Broken("备注文件损坏", "the memo file is damaged")
        big, little = struct.unpack_from(">H", octets, 6)[0], struct.unpack_from("<H", octets, 20)[0]
        if octets[4:6] == b"\0\0" and big and not octets[8:16].strip(b"\0"):
            self._foxpro, self._block = True, big
        elif little and little % 64 == 0:
            self._block = little

    def text(self, pointer: bytes, charset: str) -> str | None:
        """Return the text a field points to; None if it points to none."""
        number = struct.unpack("<I", pointer)[0] if len(pointer) == 4 else int(pointer.strip(b" \0") or b"0")
        if not number:
            return None
        assert self._file is not None
        self._file.seek(number * self._block)
        return (self._fox() if self._foxpro else self._dbase()).decode(charset)

    def _fox(self) -> bytes:
        assert self._file is not None
        kind, size = struct.unpack(">II", self._file.read(8))
        if kind != _TEXT and size or size > LONGEST:
            raise ValueError
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        assert self._file is not None
        octets = self._file.read(size)
        if len(octets) < size:
            raise ValueError
        return octets

    def _dbase(self) -> bytes:
        assert self._file is not None
        octets = self._file.read(8)
        if octets[:4] == _DBASE4:
            size = struct.unpack_from("<I", octets, 4)[0] - 8
            if not 0 <= size <= LONGEST:
                raise ValueError
            return self._exactly(size)
        while _END not in octets:
            more = self._file.read(_BLOCK)
            if not more or len(octets) > LONGEST:
                raise ValueError
            octets += more
        return octets.partition(_END)[0]
