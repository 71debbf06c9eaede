"""A batch as a file: once, whole, in its charset; broken off anywhere; the disk full; a late process refused."""

from __future__ import annotations

import csv
import errno
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from secrets import randbits
from typing import Any

import pytest
from lxml import etree

from adapters.contract import Batch, Fate, Incoming, Result, Unavailable
from adapters.file_drop import FileDrop
from adapters.files import ledger, local
from tests.adapters.file_world import Died, Mortal, MortalDrop


def incoming(leaf: int, delete: bool = False, fields: Mapping[str, Any] | None = None) -> Incoming:
    """Return a record."""
    return Incoming(leaf, "A01", (3, leaf), delete, f"row{leaf}", (f"k{leaf}",),
                    {"姓名": "张三㐂", "号": f"{leaf}"} if fields is None else fields)


def batch(
    records: Sequence[Incoming], parcel: str = "p-1", token: int = 7, lane: str = "a/b/人口/live", **what: Any
) -> Batch:
    """Return a batch."""
    return Batch({"folder": "out", "format": "csv", **what}, "人口", lane, parcel, token, tuple(records))


def files(root: Path, folder: str = "out") -> list[Path]:
    """Return what a consumer sees."""
    return sorted(one for one in (root / folder).iterdir() if not one.name.startswith("."))


def apply(root: Path, asked: Batch) -> list[Result]:
    """Have a batch written by a process of its own."""
    made = FileDrop({"root": str(root)})
    try:
        return list(made.apply(asked))
    finally:
        made.close()


def test_a_batch_is_one_file_with_versions(tmp_path: Path) -> None:
    came = apply(tmp_path, batch([incoming(1), incoming(2, True)]))
    assert [(one.leaf, one.fate) for one in came] == [(1, Fate.APPLIED), (2, Fate.APPLIED)]
    (path,) = files(tmp_path)
    assert path.name == "人口-000000000007-p-1.csv"
    with path.open(encoding="gb18030", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "_op": "U", "_origin": "A01", "_epoch": "3", "_number": "1", "_row": "row1", "_key": "k1",
        "姓名": "张三㐂", "号": "1"}
    assert rows[1]["_op"] == "D" and (path.stat().st_mode & 0o777) == 0o640


@pytest.mark.parametrize(("what", "wanted"), [
    ({"format": "ndjson"}, {"_op": "U", "_origin": "A01", "_epoch": 3, "_number": 1, "_row": "row1", "_key": ["k1"],
                            "fields": {"人": {"名": "张\n三", "子": ["甲", "乙"]}}}),
    ({"format": "ndjson", "columns": ["人/名"]}, {
        "_op": "U", "_origin": "A01", "_epoch": 3, "_number": 1, "_row": "row1", "_key": ["k1"],
        "fields": {"人/名": "张\n三"}}),
])
def test_ndjson_holds_what_is_nested(tmp_path: Path, what: dict[str, Any], wanted: Any) -> None:
    apply(tmp_path, batch([incoming(1, fields={"人": {"名": "张\n三", "子": ["甲", "乙"]}})], **what))
    assert json.loads(files(tmp_path)[0].read_text(encoding="utf-8")) == wanted


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_xml_holds_what_is_nested(tmp_path: Path, encoding: str) -> None:
    fields = {"人": {"名": "<张三>&㐂\r", "子": ["甲", "乙"]}, "a\"b": ""}
    apply(tmp_path, batch([incoming(1, fields=fields)], format="xml", encoding=encoding))
    (record,) = etree.fromstring(files(tmp_path)[0].read_bytes())
    assert dict(record.attrib) == {"op": "U", "origin": "A01", "epoch": "3", "number": "1", "row": "row1", "key": "k1"}
    assert [(one.get("name"), one.text) for one in record] == [
        ("人/名", "<张三>&㐂\r"), ("人/子", "甲"), ("人/子[2]", "乙"), ('a"b', None)]


def test_columns_are_chosen_and_ordered_and_formulas_guarded(tmp_path: Path) -> None:
    fields = {"a": "=1+1", "b": "-5", "c": "x", "d": "@x"}
    apply(tmp_path, batch(
        [incoming(1, fields=fields)], columns=["d", "b", "无", "a"], guard=True, encoding="utf-8-bom", separator="|",
        done=".ok"))
    path, sign = files(tmp_path)
    assert sign.name == path.name + ".ok" and path.read_bytes().startswith(b"\xef\xbb\xbf_op|")
    assert path.read_text(encoding="utf-8-sig").splitlines()[1] == "U|A01|3|1|row1|k1|'@x|'-5||'=1+1"


def test_what_the_charset_cannot_hold_is_refused_by_its_field(tmp_path: Path) -> None:
    came = apply(tmp_path, batch([incoming(1), incoming(2, fields={"姓名": "李四"}), incoming(3, fields={"姓名": "\ud800"}),
                                  incoming(4, fields={"姓名": "a\0"})], encoding="gbk"))
    assert [(one.fate, one.field) for one in came] == [
        (Fate.REFUSED, "姓名"), (Fate.APPLIED, ""), (Fate.REFUSED, "姓名"), (Fate.REFUSED, "姓名")]
    assert "李四" in files(tmp_path)[0].read_text(encoding="gbk") and "㐂" not in came[0].zh + came[0].en
    assert [one.fate for one in apply(tmp_path, batch([incoming(1, fields={"a": "\x01"})], "q", format="xml"))] == [
        Fate.REFUSED]
    assert len(files(tmp_path)) == 1
    deep: Any = "x"
    for _ in range(40):
        deep = {"a": deep}
    assert apply(tmp_path, batch([incoming(1, fields=deep)], "r"))[0].fate is Fate.REFUSED


def test_a_parcel_that_comes_again_is_not_written_again_though_it_was_taken_away(tmp_path: Path) -> None:
    first = apply(tmp_path, batch([incoming(1)]))
    (path,) = files(tmp_path)
    content = path.read_bytes()
    assert apply(tmp_path, batch([incoming(1)])) == first and files(tmp_path) == [path] and path.read_bytes() == content
    path.unlink()
    assert apply(tmp_path, batch([incoming(1)], token=9)) == first and files(tmp_path) == []
    apply(tmp_path, batch([incoming(1)], "p-2", 9))
    assert len(files(tmp_path)) == 1


def test_a_delete_without_fields_is_known_by_its_key(tmp_path: Path) -> None:
    gone = Incoming(1, "A01", (3, 9), True, "row1", ("甲", "乙"), {})
    apply(tmp_path, batch([gone]))
    with files(tmp_path)[0].open(encoding="gb18030", newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["_op"] == "D" and json.loads(row["_key"]) == ["甲", "乙"] and row["_number"] == "9"


def test_a_late_process_is_refused_and_another_lane_is_not(tmp_path: Path) -> None:
    apply(tmp_path, batch([incoming(1)], token=7))
    with pytest.raises(Unavailable):
        apply(tmp_path, batch([incoming(1)], "p-2", 6))
    apply(tmp_path, batch([incoming(1)], "p-3", 6, "c/d/人口/live"))
    assert len(files(tmp_path)) == 2


def test_two_processes_do_not_write_at_once(tmp_path: Path) -> None:
    apply(tmp_path, batch([incoming(1)]))
    one, other = local.LocalFolder(str(tmp_path)), FileDrop({"root": str(tmp_path)})
    one.lock(f"out/{ledger.LOCK}")
    with pytest.raises(Unavailable):
        list(other.apply(batch([incoming(1)], "p-2")))
    one.unlock()
    assert list(other.apply(batch([incoming(1)], "p-2")))
    other.close()


@pytest.mark.parametrize("done", [None, ".ok"])
def test_broken_off_at_every_step_it_is_there_once(tmp_path: Path, done: str | None) -> None:
    step, through = 0, False
    what = {"done": done} if done else {}
    while not through:
        root = tmp_path / f"{step}"
        root.mkdir()
        Mortal.left, through = step, True
        made = MortalDrop({"root": str(root)})
        try:
            list(made.apply(batch([incoming(1)], **what)))
        except Died:
            through = False
        Mortal.left = -1
        made.close()
        apply(root, batch([incoming(1)], token=8, **what))
        found = files(root)
        assert len(found) == (2 if done else 1) and b"row1" in found[0].read_bytes(), step
        for one in found:
            one.unlink()
        apply(root, batch([incoming(1)], token=8, **what))
        assert files(root) == [] and not [one for one in os.listdir(root / "out") if one.endswith(".tmp")], step
        step += 1
    assert step > 8


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(tmp_path, batch([incoming(1)]))
    plain = os.fsync

    def full(number: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{number}")).suffix == ".tmp":
            raise OSError(errno.ENOSPC, "full")
        plain(number)

    monkeypatch.setattr(local.os, "fsync", full)
    with pytest.raises(Unavailable) as met:
        apply(tmp_path, batch([incoming(n) for n in range(1000)], "p-2"))
    assert "磁盘" in met.value.zh and len(files(tmp_path)) == 1
    assert not [one for one in os.listdir(tmp_path / "out") if one.endswith(".tmp")]
    monkeypatch.undo()
    apply(tmp_path, batch([incoming(n) for n in range(1000)], "p-2"))
    assert len(files(tmp_path)) == 2


def test_a_ledger_that_is_torn_anywhere_loses_no_more_than_its_end(tmp_path: Path) -> None:
    for number in range(5):
        apply(tmp_path, batch([incoming(1)], f"p-{number}"))
    path = tmp_path / "out" / ledger.NAME
    content = path.read_bytes()
    ends = [at + 1 for at, octet in enumerate(content) if octet == 10]
    seed = randbits(32)
    print("seed", seed)
    dice = Random(seed)
    for cut in {0, len(content), *(dice.randrange(len(content)) for _ in range(40))}:
        path.write_bytes(content[:cut])
        for one in files(tmp_path):
            one.unlink()
        made = FileDrop({"root": str(tmp_path)})
        for number in range(5):
            list(made.apply(batch([incoming(1)], f"p-{number}")))
        made.close()
        assert len(files(tmp_path)) == sum(end > cut for end in ends)
        assert sum(line.count(b" ") == 3 for line in path.read_bytes().split(b"\n")) >= 5


def test_the_ledger_is_shortened_and_forgets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "KEEP", 10)
    monkeypatch.setattr(ledger, "_MOST", 20)
    apply(tmp_path, batch([incoming(1)], "old", 50, "old/lane"))
    made = FileDrop({"root": str(tmp_path)})
    for number in range(100):
        list(made.apply(batch([incoming(1)], f"p-{number}", 100 + number)))
    for one in files(tmp_path):
        one.unlink()
    for number in range(90, 100):
        list(made.apply(batch([incoming(1)], f"p-{number}", 300)))
    assert files(tmp_path) == []
    for lane, token in (("old/lane", 49), ("a/b/人口/live", 198)):
        with pytest.raises(Unavailable):
            list(made.apply(batch([incoming(1)], "new", token, lane)))
    assert len((tmp_path / "out" / ledger.NAME).read_bytes().splitlines()) <= 22
    made.close()


@pytest.mark.parametrize("parcel", ["../../x", "a/b", "x" * 300, "\n", "张三"])
def test_a_name_is_safe_whatever_a_parcel_is_called(tmp_path: Path, parcel: str) -> None:
    apply(tmp_path, batch([incoming(1)], parcel))
    assert len(files(tmp_path)) == 1 and sorted(os.listdir(tmp_path)) == ["out"]
    assert not any(one.startswith("..") for one in os.listdir(tmp_path / "out"))
