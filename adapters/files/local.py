"""A folder of this machine, or one mounted on it.

Rule 1: a file is opened without following a link and without waiting for a pipe, and only if it is an ordinary file.
Rule 2: what was written or renamed is on the disk before the method returns.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO

from adapters.contract import Misconfigured, Unavailable
from adapters.files.folder import MANY, Entry, Folder, Gone, Taken

_MEND = {
    errno.ENOENT: ("没有此文件夹", "there is no such folder"),
    errno.ENOTDIR: ("不是文件夹", "it is no folder"),
    errno.EACCES: ("没有权限", "the right is missing"),
    errno.EPERM: ("没有权限", "the right is missing"),
    errno.EROFS: ("文件系统只读", "the file system is read-only"),
    errno.EXDEV: ("归档文件夹须与来源在同一文件系统", "the archive must be on the file system of the source"),
    errno.ELOOP: ("路径是符号链接", "the path is a symbolic link"),
    errno.ENAMETOOLONG: ("文件名过长", "the name is too long"),
}
"""What a person must mend; every other error mends itself."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


def told(why: OSError) -> Misconfigured | Unavailable:
    """Return an error of the file system in our words: its number, never a path."""
    if why.errno in _MEND:
        zh, en = _MEND[why.errno]
        return Misconfigured(f"文件夹不可用：{zh}", f"the folder cannot be used: {en}")
    if why.errno in _FULL:
        return Unavailable("磁盘已满", "the disk is full")
    name = errno.errorcode.get(why.errno or 0, "?")
    return Unavailable(f"文件夹暂时不可用（{name}）", f"the folder is not available ({name})")


@contextmanager
def _spoken() -> Iterator[None]:
    try:
        yield
    except OSError as why:
        raise told(why) from None


class LocalFolder:
    """A tree below one folder of this machine."""

    near = True

    def __init__(self, root: str) -> None:
        self.root = root
        self._locked: int | None = None

    def _at(self, path: str) -> str:
        return os.path.join(self.root, path) if path else self.root

    def entries(self, path: str) -> Iterator[Entry]:
        """Yield what the folder holds."""
        with _spoken(), os.scandir(self._at(path)) as found:
            for number, one in enumerate(found):
                if number >= MANY:
                    raise Misconfigured(
                        f"文件夹中超过{MANY}个文件，请清理", f"the folder holds more than {MANY} files; clear it")
                with suppress(FileNotFoundError):  # it went while we looked
                    yield _entry(one.name, one.stat(follow_symlinks=False))

    def entry(self, path: str) -> Entry | None:
        """Return one entry, None if there is none."""
        with _spoken():
            try:
                return _entry(os.path.basename(path), os.lstat(self._at(path)))
            except (FileNotFoundError, NotADirectoryError):
                return None

    def open(self, path: str) -> BufferedReader:
        """Open an ordinary file for reading."""
        try:
            opened = os.open(self._at(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as why:
            if why.errno in (errno.ENOENT, errno.ELOOP, errno.ENXIO):
                raise Gone from None
            raise told(why) from None
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            os.close(opened)
            raise Gone
        return BufferedReader(FileIO(opened, "rb"), 1 << 16)

    def rename(self, old: str, new: str) -> None:
        """Rename a file, both folders on the disk."""
        with _spoken():
            if os.path.lexists(self._at(new)):
                raise Taken
            try:
                os.rename(self._at(old), self._at(new))
            except FileNotFoundError:
                if os.path.lexists(self._at(old)):
                    raise
                raise Gone from None
        for folder in {os.path.dirname(new), os.path.dirname(old)}:
            self.sync(folder)

    def replace(self, old: str, new: str) -> None:
        """Rename a file, in place of what has the new name."""
        with _spoken():
            os.replace(self._at(old), self._at(new))
        self.sync(os.path.dirname(new))

    def remove(self, path: str) -> None:
        """Remove a file or an empty folder."""
        with _spoken(), suppress(FileNotFoundError):
            try:
                os.unlink(self._at(path))
            except (IsADirectoryError, PermissionError):
                if not os.path.isdir(self._at(path)):
                    raise
                os.rmdir(self._at(path))

    def make(self, path: str) -> None:
        """Make a folder and those above it."""
        with _spoken():
            if not os.path.isdir(self._at(path)):
                os.makedirs(self._at(path), mode=0o750, exist_ok=True)
                self.sync(os.path.dirname(path))

    def write(self, path: str, pieces: Iterable[bytes]) -> None:
        """Write a file anew; nothing of it stays if that does not succeed."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with _spoken():
            opened = os.open(self._at(path), flags, 0o640)
            try:
                with os.fdopen(opened, "wb", buffering=1 << 16) as file:
                    for piece in pieces:
                        file.write(piece)
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                with suppress(OSError):
                    os.unlink(self._at(path))
                raise
        self.sync(os.path.dirname(path))

    def append(self, path: str, octets: bytes) -> None:
        """Add to a file, and have it on the disk."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        with _spoken():
            opened = os.open(self._at(path), flags, 0o640)
            with os.fdopen(opened, "wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())

    def sync(self, path: str) -> None:
        """Have the names of a folder on the disk; a mounted share may know no such thing."""
        with suppress(OSError):
            opened = os.open(self._at(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def lock(self, path: str) -> None:
        """Hold a lock of this name; the kernel lets it go with the process."""
        with _spoken():
            opened = os.open(self._at(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640)
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(opened)
            raise Unavailable("另一进程正在写入此文件夹", "another process is writing to the folder") from None
        self._locked = opened

    def unlock(self) -> None:
        """Let the lock go."""
        if self._locked is not None:
            os.close(self._locked)
            self._locked = None

    def free(self, path: str) -> int | None:
        """Return how many octets are free there for this account."""
        with _spoken():
            about = os.statvfs(self._at(path))
            return about.f_bavail * about.f_frsize

    def may(self, path: str, write: bool) -> bool | None:
        """Return whether this account may list the folder, or write to it."""
        return os.access(self._at(path), os.R_OK | os.X_OK | (os.W_OK if write else 0), effective_ids=True)

    def close(self) -> None:
        """Let the lock go."""
        self.unlock()


def _entry(name: str, about: os.stat_result) -> Entry:
    mode = about.st_mode
    return Entry(name, about.st_size, about.st_mtime_ns, stat.S_ISREG(mode), stat.S_ISDIR(mode))


_: type[Folder] = LocalFolder
