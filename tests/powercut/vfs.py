"""The VFS of the very SQLite library that Python's `sqlite3` uses, listened to and, at one moment, cut off.

A copy of the library's own VFS is registered as its default, so the stores run as they are, on real files, with the
same statements and pragmas.  Of each file opened in a watched folder the four methods that change a disk (write,
truncate, sync, close) are ours and go on to the library's own; reads, locks and shared memory never come here.
"""

from __future__ import annotations

import ctypes as c
import ctypes.util
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.powercut.platter import Inode, Platter, Truncate, Write

OK, IOERR = 0, 10
IOERR_WRITE, IOERR_FSYNC = IOERR | 3 << 8, IOERR | 4 << 8

_P, _I, _L = c.c_void_p, c.c_int, c.c_int64
_CLOSE = c.CFUNCTYPE(_I, _P)
_WRITE = c.CFUNCTYPE(_I, _P, _P, _I, _L)
_TRUNCATE = c.CFUNCTYPE(_I, _P, _L)
_SYNC = c.CFUNCTYPE(_I, _P, _I)
_OPEN = c.CFUNCTYPE(_I, _P, _P, _P, _I, _P)
_DELETE = c.CFUNCTYPE(_I, _P, _P, _I)
_SET_CALL = c.CFUNCTYPE(_I, _P, c.c_char_p, _P)
_GET_CALL = c.CFUNCTYPE(_P, _P, c.c_char_p)
_OPEN_FOLDER = c.CFUNCTYPE(_I, _P, _P)


class _Methods(c.Structure):
    """`sqlite3_io_methods`, version 3 (https://www.sqlite.org/c3ref/io_methods.html)."""

    _fields_ = [
        ("version", _I), ("close", _P), ("read", _P), ("write", _P), ("truncate", _P), ("sync", _P),
        *((name, _P) for name in (
            "size lock unlock check_lock control sector characteristics shm_map shm_lock shm_barrier shm_unmap "
            "fetch unfetch"
        ).split()),
    ]


class _Vfs(c.Structure):
    """`sqlite3_vfs`, version 3 (https://www.sqlite.org/c3ref/vfs.html)."""

    _fields_ = [
        ("version", _I), ("file_size", _I), ("most_path", _I), ("next", _P), ("name", c.c_char_p), ("data", _P),
        *((name, _P) for name in (
            "open delete access full_path dl_open dl_error dl_sym dl_close randomness sleep time error time64 "
            "set_call get_call next_call"
        ).split()),
    ]


class _File(c.Structure):
    """The beginning of every `sqlite3_file`."""

    _fields_ = [("methods", c.POINTER(_Methods))]


def library() -> c.CDLL | None:
    """Return the library that Python's `sqlite3` calls; None if it is built in, where nobody can listen."""
    found = c.CDLL(ctypes.util.find_library("sqlite3") or "libsqlite3.so.0")
    found.sqlite3_libversion.restype = c.c_char_p
    loaded = Path("/proc/self/maps").read_text(encoding="utf-8")
    shared = "libsqlite3" in loaded and found.sqlite3_libversion().decode() == sqlite3.sqlite_version
    return found if shared else None


class Power:
    """A machine's disk, and the sync at which its power fails; after that nothing reaches the disk any more."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self.platter = Platter(files)
        self.syncs: list[str] = []
        """The file of every sync so far."""
        self.dead = False
        self._at, self._after = 0, False

    def fail_at(self, sync: int, after: bool = False) -> None:
        """Let the power fail at a sync, counted from 1 since this disk was made, before or after it took effect."""
        self._at, self._after = sync, after

    def synced(self, path: str, act: Callable[[], int], safe: Callable[[], None]) -> int:
        """Sync a file or, ending in a slash, a folder, unless the power fails."""
        if self.dead:
            return IOERR_FSYNC
        self.syncs.append(path)
        now = len(self.syncs) == self._at
        self.dead = now and not self._after
        if self.dead:
            return IOERR_FSYNC
        result = act()
        if result == OK:
            safe()
        self.dead = now
        return IOERR_FSYNC if now else result


class Shim:
    """The listening VFS; `watch` says which machine a folder belongs to."""

    def __init__(self, sqlite: c.CDLL) -> None:
        sqlite.sqlite3_vfs_find.restype = c.POINTER(_Vfs)
        self._sqlite = sqlite
        self._own = sqlite.sqlite3_vfs_find(None)
        self._machines: dict[str, Power] = {}
        self._open: dict[int, tuple[str, Inode, Power]] = {}
        self._methods: dict[int, _Methods] = {}
        self._synced: set[int] = set()
        self._folder: str | None = None
        self.errors: list[BaseException] = []
        self._kept: list[Any] = []
        self._vfs = _Vfs.from_buffer_copy(self._own.contents)
        self._vfs.name = b"powercut"
        self._vfs.open = self._callback(_OPEN, self._on_open)
        self._vfs.delete = self._callback(_DELETE, self._on_delete)
        self._call_open = _OPEN(self._own.contents.open)
        self._call_delete = _DELETE(self._own.contents.delete)
        get_call = _GET_CALL(self._own.contents.get_call)
        self._call_folder = _OPEN_FOLDER(get_call(c.addressof(self._own.contents), b"openDirectory"))
        self._hook = self._callback(_OPEN_FOLDER, self._on_folder)

    def _callback(self, kind: Any, function: Callable[..., int]) -> int:
        def guarded(*args: Any) -> int:
            try:
                return function(*args)
            except BaseException as error:  # an exception cannot cross C; the test that uses us fails with it
                self.errors.append(error)
                return IOERR

        made = kind(guarded)
        self._kept.append(made)
        return int(c.cast(made, _P).value or 0)

    def watch(self, folder: str, power: Power) -> None:
        """Report what happens in a folder to a machine."""
        self._machines[folder] = power

    @contextmanager
    def listening(self) -> Iterator[Shim]:
        """Be the library's default VFS."""
        own = c.byref(self._own.contents)
        set_call = _SET_CALL(self._own.contents.set_call)
        assert self._sqlite.sqlite3_vfs_register(c.byref(self._vfs), 1) == OK
        assert set_call(c.addressof(self._own.contents), b"openDirectory", self._hook) == OK
        try:
            yield self
        finally:
            assert set_call(c.addressof(self._own.contents), b"openDirectory", None) == OK
            assert self._sqlite.sqlite3_vfs_register(own, 1) == OK
            assert self._sqlite.sqlite3_vfs_unregister(c.byref(self._vfs)) == OK
            self._leave()
        assert not self.errors, self.errors

    def _leave(self) -> None:
        """Give connections that are still open back to the library, for they may be closed when we are gone."""
        for file in self._open:
            held = _File.from_address(file)
            own = next(at for at, ours in self._methods.items() if c.addressof(ours) == c.addressof(held.methods[0]))
            held.methods = c.cast(own, c.POINTER(_Methods))
        self._open.clear()
        self._vfs.open, self._vfs.delete = self._own.contents.open, self._own.contents.delete
        c.pythonapi.Py_IncRef(c.py_object(self._vfs))

    # --- what the library calls ---------------------------------------------------------------------------------

    def _on_open(self, vfs: int, name: int | None, file: int, flags: int, told: int | None) -> int:
        own = c.addressof(self._own.contents)
        path = os.fsdecode(c.string_at(name)) if name else ""
        power = self._machines.get(path.rpartition("/")[0])
        if power is not None and power.dead:
            return IOERR
        result = int(self._call_open(own, name, file, flags, told))
        if result == OK and power is not None:
            held = _File.from_address(file)
            held.methods = c.pointer(self._listened(held.methods))
            self._open[file] = (path, power.platter.open(path), power)
        return result

    def _listened(self, methods: Any) -> _Methods:
        """Return the library's methods with ours in their place."""
        at = c.addressof(methods.contents)
        if at not in self._methods:
            own = methods.contents
            ours = _Methods.from_buffer_copy(own)
            close, write = _CLOSE(own.close), _WRITE(own.write)
            truncate, sync = _TRUNCATE(own.truncate), _SYNC(own.sync)
            ours.close = self._callback(_CLOSE, lambda file: self._on_close(file, close))
            ours.write = self._callback(_WRITE, partial(self._on_write, write))
            ours.truncate = self._callback(_TRUNCATE, lambda file, size: self._on_truncate(file, size, truncate))
            ours.sync = self._callback(_SYNC, lambda file, flags: self._on_sync(file, flags, sync))
            self._methods[at] = ours
        return self._methods[at]

    def _on_close(self, file: int, call: Callable[[int], int]) -> int:
        self._open.pop(file, None)
        self._synced.discard(file)
        return call(file)

    def _on_write(self, call: Callable[..., int], file: int, data: int, size: int, at: int) -> int:
        _, inode, power = self._open[file]
        if power.dead:
            return IOERR_WRITE
        result = call(file, data, size, at)
        if result == OK:
            inode.since.append(Write(at, c.string_at(data, size)))
        return result

    def _on_truncate(self, file: int, size: int, call: Callable[..., int]) -> int:
        _, inode, power = self._open[file]
        if power.dead:
            return IOERR
        result = call(file, size)
        if result == OK:
            inode.since.append(Truncate(size))
        return result

    def _on_sync(self, file: int, flags: int, call: Callable[..., int]) -> int:
        path, inode, power = self._open[file]
        self._folder = None
        result = power.synced(path, lambda: self._sync_once(file, flags, call), inode.sync)
        return self._names_safe(power, result)

    def _sync_once(self, file: int, flags: int, call: Callable[[int, int], int]) -> int:
        """Let the library sync a file the first time, for then it may sync the folder; later the model suffices."""
        if file in self._synced:
            return OK
        self._synced.add(file)
        return call(file, flags)

    def _on_delete(self, vfs: int, name: int, with_folder: int) -> int:
        path = os.fsdecode(c.string_at(name))
        power = self._machines.get(path.rpartition("/")[0])
        if power is not None and power.dead:
            return IOERR
        self._folder = None
        result = int(self._call_delete(c.addressof(self._own.contents), name, with_folder))
        if result == OK and power is not None:
            power.platter.remove(path)
            return self._names_safe(power, result)
        return result

    def _on_folder(self, name: int, told: int) -> int:
        """The library opens a folder for one purpose only: to sync it, within a sync or a removal."""
        self._folder = os.fsdecode(c.string_at(name)).rpartition("/")[0]
        return int(self._call_folder(name, told))

    def _names_safe(self, power: Power, result: int) -> int:
        """Count the folder's sync, which the library did within the call before, as one of its own."""
        folder = self._folder
        if folder is None or result != OK:
            return result
        return power.synced(f"{folder}/", lambda: OK, lambda: power.platter.sync_folder(folder))
