"""The adapter of a folder, wherever it is: what it is asked, and what it finds.  `file_drop` and `sftp` say where."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from adapters.contract import (
    Adapter,
    Batch,
    Bookmark,
    Dirty,
    Finding,
    Misconfigured,
    Order,
    Result,
    Row,
    Table,
    Unavailable,
    fault,
    good,
    warning,
)
from adapters.files import archive, forms, glance, reading
from adapters.files.folder import Folder
from adapters.files.look import look
from adapters.files.progress import DONE
from adapters.files.writing import Writer

PATH = {"type": "string", "pattern": "^(?!/)(?!.*(^|/)\\.\\.(/|$))[^\\x00-\\x1f]{0,200}$"}
"""A path below the root: it does not begin with `/` and never goes up."""

_NAME = {"type": "string", "minLength": 1, "maxLength": 100}
LITTLE = 1 << 30
"""Fewer free octets are warned of."""


class FolderAdapter(Adapter):
    """Reads the files of a folder, and writes files into one."""

    reads = {
        "type": "object",
        "properties": {
            **forms.SCHEMA,
            "folder": PATH, "archive": PATH, "error": PATH,
            "pattern": {"type": "string", "minLength": 1, "maxLength": 200},
            "done": {"type": "string", "pattern": "^\\{(name|stem)\\}[A-Za-z0-9._-]{1,20}$"},
            "settle": {"type": "integer", "minimum": 0, "maximum": 86400},
            "order": {"enum": ["name", "mtime"]},
            "repeat": {"enum": ["read", "skip"]},
            "keep_days": {"type": "integer", "minimum": 1, "maximum": 36500},
            "file_column": _NAME, "line_column": _NAME,
        },
        "required": ["format", "pattern"],
        "additionalProperties": False,
    }
    writes = {
        "type": "object",
        "properties": {
            "folder": PATH,
            "format": {"enum": ["csv", "ndjson", "xml"]},
            "encoding": {"enum": ["gb18030", "gbk", "utf-8", "utf-8-bom"]},
            "separator": forms.SCHEMA["separator"],
            "header": {"type": "boolean"},
            "guard": {"type": "boolean"},
            "columns": forms.SCHEMA["columns"],
            "done": {"type": "string", "pattern": "^\\.[A-Za-z0-9._-]{1,20}$"},
        },
        "required": ["format"],
        "additionalProperties": False,
    }

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._folder: Folder | None = None
        self._writer: Writer | None = None

    @abstractmethod
    def open(self) -> Folder:
        """Open the folder; raise Misconfigured or Unavailable if that cannot be."""

    @property
    def folder(self) -> Folder:
        """The folder, opened at its first use."""
        if self._folder is None:
            self._folder = self.open()
        return self._folder

    def check(self) -> Iterable[Finding]:
        """Say whether the root can be listed, and what is free."""
        number = sum(1 for _ in self.folder.entries(""))
        yield good(f"文件夹可以打开，有{number}项", f"the folder can be opened; it holds {number} entries")
        yield from _free(self.folder, "")

    def discover(self) -> Iterable[Table]:
        """Describe the files that are there, those of like names as one."""
        return glance.tables(self.folder)

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Say what one read, or write, would meet."""
        if write:
            yield from _rights(self.folder, what.get("folder", ""), True, "写入", "written to")
            yield from _free(self.folder, what.get("folder", ""))
            return
        forms.demand(what)
        archive.demand(what)
        yield from _rights(self.folder, what.get("folder", ""), "archive" in what, "读取", "read")
        for name in ("archive", "error"):
            if name in what:
                yield from _rights(self.folder, what[name].strip("/"), True, name, name)
        if "archive" not in what:
            yield warning(
                f"没有归档：读过的文件留在原处，至多{DONE}个",
                f"there is no archive: files stay where they are, {DONE} at most")
        yield from self._files(what)

    def _files(self, what: Mapping[str, Any]) -> Iterator[Finding]:
        listing = look(self.folder, what)
        waiting = sum(1 for one in listing.found if not one.sign) if what.get("done") else 0
        yield good(
            f"符合的文件{len(listing.found)}个，其中{waiting}个尚缺完成标志",
            f"{len(listing.found)} files fit, of which {waiting} lack the file that says they are whole")
        if listing.strange:
            yield warning(
                f"{listing.strange}个链接或特殊文件不会被读取", f"{listing.strange} links or special files are not read")
        if listing.found:
            yield glance.sample(self.folder, what, listing.found[0])

    def read(self, order: Order) -> Iterator[Row | Bookmark | Dirty]:
        """Give the rows of files."""
        return self._said(reading.read(self.folder, order))

    def _said(self, said: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from said
        except Unavailable:
            self._let_go()  # what is broken is opened anew
            raise

    def apply(self, batch: Batch) -> Iterable[Result]:
        """Write a batch as one file."""
        if self._writer is None:
            self._writer = Writer(self.folder)
        return self._said(self._writer.apply(batch))

    def _let_go(self) -> None:
        if self._folder is not None:
            self._folder.close()
        self._folder = self._writer = None

    def close(self) -> None:
        """Let go of the folder."""
        self._let_go()


def _rights(folder: Folder, path: str, write: bool, zh: str, en: str) -> Iterator[Finding]:
    if folder.entry(path) is None:
        yield warning(f"{zh}文件夹尚不存在，将会建立", f"the folder ({en}) is not there yet and will be made")
        return
    may = folder.may(path, write)
    if may is None:
        yield good(f"{zh}文件夹存在，权限须在使用时才知", f"the folder ({en}) is there; its rights show when it is used")
    elif may:
        yield good(f"{zh}文件夹权限足够", f"the rights of the folder ({en}) are enough")
    else:
        yield fault(f"{zh}文件夹缺少权限", f"the rights of the folder ({en}) are not enough")


def _free(folder: Folder, path: str) -> Iterator[Finding]:
    try:
        free = folder.free(path)
    except (Misconfigured, Unavailable):
        return
    if free is not None:
        told = warning if free < LITTLE else good
        yield told(f"磁盘剩余{free >> 20} MiB", f"{free >> 20} MiB are free on the disk")
