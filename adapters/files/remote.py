"""A folder of an SFTP server.

Rule 1: names are octets to the server: those that are no UTF-8 are kept as they are.
Rule 2: a file is opened only if it is an ordinary one, and is still that once it is open.
Rule 3: what is written is said to be on the disk where the server can be told to put it there (OpenSSH); its size is
        compared in any case.  SFTP has no lock: one node writes to one folder.
Rule 4: a file is read in blocks of several requests at once, and no more than a block is kept.
"""

from __future__ import annotations

import errno
import io
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import paramiko
from paramiko import sftp as words

from adapters.contract import Misconfigured, Unavailable
from adapters.files.folder import MANY, Entry, Folder, Gone, Taken
from adapters.files.login import SECONDS, connect

_PIECE = 32 << 10
_BLOCK = 16 * _PIECE


class _Client(paramiko.SFTPClient):  # type: ignore[misc]  # paramiko has no types
    """A client that needs no server to speak UTF-8."""

    def _convert_status(self, msg: Any) -> None:
        code = msg.get_int()
        if code == words.SFTP_OK:
            return
        if code == words.SFTP_EOF:
            raise EOFError
        raise OSError(_CODES.get(code, errno.EIO), "")


_CODES = {words.SFTP_NO_SUCH_FILE: errno.ENOENT, words.SFTP_PERMISSION_DENIED: errno.EACCES,
          words.SFTP_OP_UNSUPPORTED: errno.ENOSYS}


@contextmanager
def _spoken() -> Iterator[None]:
    try:
        yield
    except (paramiko.SSHException, paramiko.SFTPError, EOFError, TimeoutError, ConnectionError, UnicodeError,
            struct.error):
        raise Unavailable("与SFTP服务器的连接中断", "the connection to the SFTP server broke") from None
    except OSError as why:
        if why.errno == errno.ENOENT:
            raise Misconfigured("SFTP服务器上没有此文件夹", "the SFTP server has no such folder") from None
        if why.errno == errno.EACCES:
            raise Misconfigured("在SFTP服务器上没有权限", "the right is missing on the SFTP server") from None
        raise Unavailable("SFTP服务器未能完成，磁盘可能已满", "the SFTP server failed; its disk may be full") from None


class RemoteFolder:
    """A tree below one folder of a server."""

    near = False

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._root = given.get("root", ".")
        self._transport = connect(given)
        try:
            with _spoken():
                channel = self._transport.open_session(timeout=given.get("seconds", SECONDS))
                channel.settimeout(given.get("seconds", SECONDS))
                channel.invoke_subsystem("sftp")
                self._client = _Client(channel)
        except BaseException:
            self._transport.close()
            raise

    def _at(self, path: str) -> bytes:
        return os.fsencode(f"{self._root}/{path}" if path else self._root)

    def entries(self, path: str) -> Iterator[Entry]:
        """Yield what the folder holds."""
        with _spoken():
            kind, said = self._client._request(words.CMD_OPENDIR, self._at(path))
            handle = said.get_binary()
            try:
                yield from self._listed(handle)
            finally:
                with suppress(OSError, EOFError, paramiko.SSHException):
                    self._client._request(words.CMD_CLOSE, handle)

    def _listed(self, handle: bytes) -> Iterator[Entry]:
        number = 0
        while True:
            try:
                _, said = self._client._request(words.CMD_READDIR, handle)
            except EOFError:
                return
            for _ in range(said.get_int()):
                name = os.fsdecode(said.get_binary())
                said.get_binary()
                about = paramiko.SFTPAttributes._from_msg(said)
                number += 1
                if number > MANY:
                    raise Misconfigured(
                        f"文件夹中超过{MANY}个文件，请清理", f"the folder holds more than {MANY} files; clear it")
                if name not in (".", "..") and "/" not in name:
                    yield _entry(name, about)

    def entry(self, path: str) -> Entry | None:
        """Return one entry, None if there is none."""
        with _spoken():
            try:
                return _entry(path.rpartition("/")[2], self._client.lstat(self._at(path)))
            except FileNotFoundError:
                return None

    def open(self, path: str) -> io.BufferedReader:
        """Open an ordinary file for reading."""
        listed = self.entry(path)
        if listed is None or not listed.plain:
            raise Gone
        with _spoken():
            try:
                file = self._client.open(self._at(path), "rb", bufsize=0)
            except FileNotFoundError:
                raise Gone from None
            about = _entry(listed.name, file.stat())
            if about != listed:
                file.close()
                raise Gone
        return io.BufferedReader(_Remote(self._client, file, about.size), 1 << 16)

    def rename(self, old: str, new: str) -> None:
        """Rename a file."""
        if self.entry(new) is not None:
            raise Taken  # some servers would replace it
        with _spoken():
            try:
                self._client.rename(self._at(old), self._at(new))
            except OSError as why:
                if why.errno in (errno.ENOENT, errno.EIO, errno.ENOSYS):
                    self._refused(old, new)
                raise

    def _refused(self, old: str, new: str) -> None:
        if self.entry(old) is None:
            raise Gone from None
        if self.entry(new) is not None:
            raise Taken from None
        raise Misconfigured(
            "SFTP服务器拒绝改名：两个文件夹须存在、可写并在同一文件系统",
            "the SFTP server refuses to rename: both folders must be there, writable, on one file system") from None

    def replace(self, old: str, new: str) -> None:
        """Rename a file in place of another; where the server cannot do it at once, the other is removed first."""
        with _spoken():
            try:
                self._client.posix_rename(self._at(old), self._at(new))
            except OSError as why:
                if why.errno not in (errno.ENOSYS, errno.EIO):
                    raise
                with suppress(FileNotFoundError):
                    self._client.remove(self._at(new))
                self._client.rename(self._at(old), self._at(new))

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder."""
        found = self.entry(path)
        with _spoken(), suppress(FileNotFoundError):
            if found is not None and found.folder:
                self._client.rmdir(self._at(path))
            elif found is not None:
                self._client.remove(self._at(path))

    def make(self, path: str) -> None:
        """Make a folder and those above it."""
        parts = path.split("/") if path else []
        for number in range(len(parts)):
            above = "/".join(parts[:number + 1])
            if self.entry(above) is None:
                with _spoken():
                    self._client.mkdir(self._at(above), 0o750)

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file anew; nothing of it stays if that does not succeed."""
        try:
            with _spoken():
                self._put(path, pieces, "wb")
        except BaseException:
            with suppress(Unavailable, Misconfigured):
                self.remove(path)
            raise

    def append(self, path: str, octets: bytes) -> None:
        """Add to a file."""
        with _spoken():
            self._put(path, [octets], "ab")

    def _put(self, path: str, pieces: Iterable[bytes], mode: str) -> None:
        before = 0
        if mode == "ab":
            with suppress(FileNotFoundError):
                before = self._client.lstat(self._at(path)).st_size or 0
        with self._client.open(self._at(path), mode, bufsize=_PIECE) as file:
            for piece in pieces:
                file.write(piece)
                before += len(piece)
            file.flush()
            with suppress(OSError):  # a server that cannot says so
                self._client._request(words.CMD_EXTENDED, b"fsync@openssh.com", file.handle)
        if self._client.lstat(self._at(path)).st_size != before:
            raise OSError(errno.EIO, "")

    def sync(self, path: str) -> None:
        """Do nothing: SFTP has no word for it."""

    def lock(self, path: str) -> None:
        """Do nothing: SFTP has no lock."""

    def unlock(self) -> None:
        """Do nothing."""

    def free(self, path: str) -> int | None:
        """Return None: SFTP does not tell."""
        return None

    def may(self, path: str, write: bool) -> bool | None:
        """Return None for writing; listing is tried."""
        if write:
            return None
        try:
            next(iter(self.entries(path)), None)
        except Misconfigured:
            return False
        return True

    def close(self) -> None:
        """End the session."""
        self._transport.close()


class _Answers:
    """The answers to several requests that are under way at once."""

    def __init__(self, client: _Client, handle: bytes) -> None:
        self._client, self._handle = client, handle
        self._came: dict[int, bytes] = {}

    def octets(self, asked: Sequence[tuple[int, int]]) -> bytes:
        """Return what stands at these places one after another, up to the first that a server gave only in part."""
        numbers = [self._client._async_request(self, words.CMD_READ, self._handle, words.int64(at), size)
                   for at, size in asked]
        while len(self._came) < len(numbers):
            self._client._read_response()
        found = []
        for number, (_, size) in zip(numbers, asked):
            found.append(self._came[number])
            if len(found[-1]) < size:
                break
        return b"".join(found)

    def _async_response(self, kind: int, said: Any, number: int) -> None:
        """Take an answer; the client calls it by this name."""
        if kind == words.CMD_DATA:
            self._came[number] = said.get_string()
            return
        try:
            self._client._convert_status(said)
        except EOFError:
            pass
        self._came[number] = b""


class _Remote(io.RawIOBase):
    """A file of a server, of which one block at a time is fetched."""

    def __init__(self, client: _Client, file: Any, size: int) -> None:
        self._client, self._file, self._size = client, file, size
        self._at = self._begin = 0
        self._block = b""
        self._next = _PIECE

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that any place in it can be read."""
        return True

    def seek(self, at: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        self._at = at + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer; return how many octets."""
        if not self._begin <= self._at < self._begin + len(self._block):
            self._fetch()
        piece = self._block[self._at - self._begin:][:len(buffer)]
        buffer[:len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _fetch(self) -> None:
        """Fetch the block at the place; who reads on gets longer ones."""
        self._next = min(2 * self._next, _BLOCK) if self._at == self._begin + len(self._block) else _PIECE
        self._begin = self._at
        end = min(self._size, self._at + self._next)
        asked = [(at, min(_PIECE, end - at)) for at in range(self._at, end, _PIECE)]
        with _spoken():
            self._block = _Answers(self._client, self._file.handle).octets(asked)
        if asked and not self._block:
            raise Unavailable("读取时文件变短", "the file became shorter while it was read")

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            with suppress(OSError, EOFError, paramiko.SSHException):
                self._file.close()
        super().close()


def _entry(name: str, about: Any) -> Entry:
    mode = about.st_mode or 0
    return Entry(name, about.st_size or 0, (about.st_mtime or 0) * 10**9, stat.S_ISREG(mode), stat.S_ISDIR(mode))


_: type[Folder] = RemoteFolder
