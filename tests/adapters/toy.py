"""A third party's adapter, installed in a folder of its own as pip would install it."""

from __future__ import annotations

from pathlib import Path

ADAPTER = '''
import datetime, decimal, os, sys, time
from adapters.contract import (Adapter, Bookmark, Column, Dirty, Fate, Misconfigured, Mode, Result, Table, Unavailable,
                               good)

class Toy(Adapter):
    settings = {"type": "object", "properties": {"many": {"type": "boolean"}}}
    reads = {"type": "object"}
    writes = {"type": "object"}

    def check(self):
        print("connected to", self.given.get("password"))
        yield good("可以打开", "it can be opened")

    def survey(self, what, write=False):
        yield good(f"{what['table']}", f"{write}")

    def apply(self, batch):
        for one in batch.records:
            if one.delete:
                yield Result(one.leaf, Fate.OLDER)
            elif "坏" in one.fields:
                yield Result(one.leaf, Fate.REFUSED, "坏", "放不下", "it does not fit")
            else:
                yield Result(one.leaf, Fate.APPLIED)

    def discover(self):
        if self.given.get("many"):
            yield from (Table(f"T{n}" + "x" * 1000, ()) for n in range(10_000))
        yield Table("人口", (Column("姓名", "TEXT", key=True),), rows=3)

    def read(self, order):
        do = order.what.get("do")
        if order.mode is Mode.NONE:
            yield Bookmark(order.what["rows"])
            return
        if do == "missing":
            open("/nowhere/张三.csv")
        if do == "raise":
            raise RuntimeError("row of 张三 and hunter2")
        if do == "hold":
            raise Misconfigured("表不存在", "there is no table")
        if do == "down":
            raise Unavailable("连不上", "no connection")
        if do == "exit":
            sys.exit(7)
        if do == "wait":
            time.sleep(600)
        if do == "odd":
            yield {"姓名": "张三㐂𠮷", "号": decimal.Decimal("1E+2"), "日": datetime.date(2019, 2, 28), "空": None, "真": True,
                   "时": datetime.datetime(2019, 2, 28, 9, 30, 0, 500), "数": 0.1, "节": b"\\x00\\xff", "整": 10**30}
            yield {"坏": "\\udcff"}
            yield {"坏": float("nan")}
            yield {"坏": object()}
            yield {"大": "x" * (1 << 20)}
            yield Dirty("7", "列", "为什么", "why")
            yield Bookmark({"at": "2019"})
            return
        for number in range((order.bookmark or 0) + 1, order.what["rows"] + 1):
            yield {"n": number, "text": "x" * 200}
            if number % 10 == 0:
                yield Bookmark(number)
'''


def install(folder: Path) -> Path:
    """Lay the toy out below `folder`; return what PYTHONPATH must name."""
    (folder / "toy.py").write_text(ADAPTER, encoding="utf-8")
    about = folder / "toy-0.1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 0.1\n")
    names = ("toy = toy:Toy", "lame = missing_driver:Lame", "no = os:path")
    (about / "entry_points.txt").write_text("\n".join(("[exchange_node.adapters]", *names)))
    return folder
