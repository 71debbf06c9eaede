"""Our folders keep the contract that integrators' adapters are held to, on this machine and on a server."""

from __future__ import annotations

import csv
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters.kit import AdapterContract
from tests.adapters.test_sftp import Server

pytestmark = pytest.mark.long


class Files(AdapterContract):
    """A folder into which each change is dropped as a file of its own."""

    read = {"folder": "in", "pattern": "*.csv", "format": "csv", "settle": 0, "archive": "done", "error": "bad"}
    write = {"folder": "out", "format": "csv"}
    key, text = "ID", "XM"
    again = 0
    bypass = {
        "test_late_commit": "文件是一次放入的，没有晚提交 / a file comes whole, nothing commits late",
        "test_delete": "由取走文件的系统按版本判断；删除另有测试 / whoever takes the file decides by version",
        "test_older": "由取走文件的系统按版本判断 / whoever takes the file decides by version",
    }
    _files: ClassVar[Iterator[int]] = itertools.count(1)

    def start(self, folder: Path) -> None:
        self.root = folder
        (folder / "in").mkdir()
        self.settings = {"root": str(folder)}

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self._drop("\n".join(["ID,XM", *(f"{row['ID']},{row['XM']}" for row in rows)]).encode() + b"\n")

    change = insert

    def octets(self, number: int, octets: bytes) -> None:
        self._drop(b"ID,XM\n%d,%b\n" % (number, octets))

    def _drop(self, octets: bytes) -> None:
        name = f"{next(self._files):06}.csv"
        (self.root / "in" / ".fresh").write_bytes(octets)
        os.rename(self.root / "in" / ".fresh", self.root / "in" / name)

    def example(self) -> Sequence[dict[str, Any]]:
        self._drop("ID,XM,C\n-1,,\"甲\n乙\"\n".encode())
        return [{"ID": "-1", "XM": "", "C": "甲\n乙"}]

    def unfit(self, number: int) -> Mapping[str, Any]:
        return {"ID": str(number), "XM": "a\0b"}

    def landed(self) -> Mapping[str, str]:
        """Do as a consumer must: keep of each key the record of the greatest version."""
        found: dict[str, tuple[tuple[int, int], str, str]] = {}
        for path in (self.root / "out").glob("*.csv") if (self.root / "out").exists() else ():
            with path.open(encoding="gb18030", newline="") as file:
                for row in csv.DictReader(file):
                    version = int(row["_epoch"]), int(row["_number"])
                    if row["_key"] not in found or found[row["_key"]][0] < version:
                        found[row["_key"]] = version, row["_op"], row.get("XM", "")
        return {key: text for key, (_, op, text) in found.items() if op != "D"}


class TestFileDrop(Files):
    """A folder of this machine."""

    name = "file_drop"
    bad = ({"root": "/nowhere"},)
    missing = {"root": "/nowhere"}


_server: list[Server] = []


class TestSftp(Files):
    """A folder of a server."""

    name = "sftp"
    many = 4000

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _served(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
        _server.append(Server(tmp_path_factory.mktemp("kit")))
        yield
        _server.pop().stop()

    def start(self, folder: Path) -> None:
        own = _server[0]
        name = f"{next(self._files)}"
        self.root = own.folder / name
        (self.root / "in").mkdir(parents=True)
        self.settings = {**own.settings, "root": name}
        self.bad = ({**self.settings, "password": "falsch"}, {**self.settings, "root": "nowhere"})
        self.missing = {**self.settings, "port": 1}
