"""The reader of HTTP services keeps the contract that integrators' adapters are held to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import AdapterContract
from tests.adapters.http_service import CHINA, Asked, Persons, Told, Web, settings

pytestmark = pytest.mark.long


class PollContract(AdapterContract):
    """A service whose JSON is GB18030, and which may hold octets that are not."""

    name = "http_poll"
    key, text, stamp = "id", "xm", "gxsj"
    bad = ({"url": "nonsense"}, {"url": "http://127.0.0.1/"}, {"url": "https://u:p@127.0.0.1/"},
           {"url": "https://127.0.0.1/", "ca": "/nowhere"})
    missing = {"url": "http://127.0.0.1:1", "plain": True}
    many = 500

    def start(self, folder: Path) -> None:
        self.persons = Persons()
        self.raw: dict[int, bytes] = {}
        self.web = Web(self._answer)
        self.settings = settings(self.web.port, most_octets=64 << 20, samples=[self.read], secret="hunter22",
                                 auth={"kind": "bearer"}, secret_headers="X-Key: hunter33")

    def stop(self) -> None:
        self.web.stop()

    def _answer(self, asked: Asked) -> Told:
        said = self.persons(asked)
        body = json.dumps(said.body, ensure_ascii=False).encode("gb18030")
        for number, octets in self.raw.items():
            body = body.replace(f"raw-{number}-".encode(), octets)
        return Told(body, headers={**said.headers, "Content-Type": "application/json; charset=GB18030"})

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self.persons.put(*({**row, "gxsj": row["gxsj"] and _written(row["gxsj"])} for row in rows))

    change = insert

    def octets(self, number: int, octets: bytes) -> None:
        self.raw[number] = octets
        self.insert([{"id": number, "xm": f"raw-{number}-", "gxsj": None}])

    def ahead(self, bookmark: Any) -> Any:
        return {**bookmark, "at": "2999-01-01 00:00:00"}

    def example(self) -> Sequence[dict[str, Any]]:
        cells = {"空": None, "真": True, "整": 10**30, "数": 0.1, "表": [1, "二", None], "址": {"省": "京", "市": {"区": 1}}}
        self.persons.put({"id": -1, "xm": "例", "gxsj": "2019-02-28 00:00:00", **cells})
        return [{"id": -1, "xm": "例", "空": None, "真": True, "整": 10**30, "数": 0.1, "表": '[1,"二",null]', "址.省": "京",
                 "址.市.区": 1}]


class TestByPage(PollContract):
    """Pages by number, joined each to the one before."""

    read = {"path": "/persons", "rows": "data.list", "cursor": "gxsj", "key": ["id"], "limit": 3,
            "query": {"since": "{bookmark}", "page": "{page}", "limit": "{limit}"}, "paging": {"kind": "page"}}


class TestByStamp(PollContract):
    """Pages by the stamp of the row read last."""

    read = {"path": "/persons", "rows": "data.list", "cursor": "gxsj", "key": ["id"], "limit": 3, "sorted": True,
            "query": {"since": "{bookmark}", "offset": "{offset}", "limit": "{limit}"},
            "paging": {"kind": "offset", "total": "data.total"}}


del AdapterContract, PollContract  # they are held against what inherits from them, not by themselves


def _written(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
