"""The life of a folder: what is read and when, where it goes, killed at every step; what is no file is left alone."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path
from random import Random
from secrets import randbits
from typing import Any

import pytest

from adapters.contract import Misconfigured, Mode
from adapters.file_drop import FileDrop
from adapters.files import look as looking
from adapters.files import progress, reading
from adapters.files.marks import told
from adapters.schema import fit
from tests.adapters.file_world import Died, Mortal, MortalDrop, Reads, World, csv_of, ids
from tests.adapters.tried import further


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Give an empty folder."""
    return World(tmp_path / "root")


def test_files_come_in_the_order_of_names_and_go_to_the_archive_with_the_next_read(world: World) -> None:
    reads = world.reads()
    assert reads.read() == []
    world.drop("b.csv", csv_of(10))
    world.drop("a.csv", csv_of(1))
    assert ids(reads.read()) == [1, 2, 3, 10, 11, 12]
    assert sorted(os.listdir(world.inbox)) == ["a.csv", "b.csv"]
    assert reads.read() == [] and os.listdir(world.inbox) == [] and world.names("done") == ["a.csv", "b.csv"]
    world.drop("a.csv", csv_of(20))
    assert ids(reads.read()) == [20, 21, 22] and reads.read() == []
    assert world.names("done") == ["a.csv", "a.csv", "b.csv"]


def test_files_come_in_the_order_of_their_times_if_asked(world: World) -> None:
    for at, name in enumerate("cab"):
        os.utime(world.drop(f"{name}.csv", csv_of(at, 1)), (1_700_000_000 + at, 1_700_000_000 + at))
    assert ids(world.reads(order="mtime").read()) == [0, 1, 2]


def test_a_file_waits_for_the_one_that_says_it_is_whole(world: World) -> None:
    reads = world.reads(done="{name}.ok")
    world.drop("a.csv", csv_of(1))
    assert reads.read() == []
    world.drop("a.csv.ok", b"")
    assert ids(reads.read()) == [1, 2, 3]
    reads.read()
    assert os.listdir(world.inbox) == [] and world.names("done") == ["a.csv"]
    world.drop("a.csv", csv_of(4))
    assert reads.read() == []


def test_two_files_of_one_sign_lose_it_with_the_last(world: World) -> None:
    reads = world.reads(done="{stem}.flag", pattern="*.csv;*.txt")
    for name in ("a.csv", "a.txt", "a.flag"):
        world.drop(name, csv_of(1) if name != "a.txt" else csv_of(4))
    assert ids(reads.read()) == [1, 2, 3, 4, 5, 6]
    reads.read()
    assert os.listdir(world.inbox) == []


def test_without_a_sign_a_file_must_rest(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [1_000_000]
    monkeypatch.setattr(reading.time, "time", lambda: at[0])
    reads = world.reads(settle=10)
    path = world.drop("a.csv", csv_of(1))
    assert reads.read() == []
    at[0] += 9
    assert reads.read() == []
    with path.open("a") as file:
        file.write("4,李四\n")
    at[0] += 9
    assert reads.read() == []
    at[0] -= 1_000  # the clock was set back: it waits anew, and is not lost
    assert reads.read() == []
    at[0] += 10
    assert ids(reads.read()) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", [".a.csv", "a.csv.tmp", "a.csv.part", "a.csv.filepart", "a.csv~", "a.txt"])
def test_what_is_still_written_is_no_file(world: World, name: str) -> None:
    reads = world.reads(pattern="*.csv*")
    world.drop(name, csv_of(1))
    assert reads.read() == []


def test_a_link_a_pipe_a_socket_and_a_folder_are_never_opened(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text(csv_of(1))
    os.symlink(tmp_path / "secret.csv", world.inbox / "link.csv")
    os.link(tmp_path / "secret.csv", world.inbox / "hard.csv")
    os.mkfifo(world.inbox / "pipe.csv")
    os.mkdir(world.inbox / "folder.csv")
    reads = world.reads()
    assert ids(reads.read()) == [1, 2, 3]  # of the second name of a file nobody can tell which was first
    reads.read()
    assert sorted(os.listdir(world.inbox)) == ["folder.csv", "link.csv", "pipe.csv"]
    found = list(reads.adapter.survey(reads.what))
    assert any(one.level == "warning" and "2" in one.zh for one in found)


def test_a_file_that_becomes_a_link_after_it_was_listed_is_not_followed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.csv").write_text(csv_of(1))
    path = world.drop("a.csv", csv_of(7))
    plain = reading.look

    def swap(*given: Any) -> Any:
        found = plain(*given)
        path.unlink()
        path.symlink_to(tmp_path / "secret.csv")
        return found

    monkeypatch.setattr(reading, "look", swap)
    assert world.reads().read() == []


def test_a_large_file_goes_on_in_its_middle(world: World) -> None:
    reads = world.reads()
    world.drop("a.csv", csv_of(0, 5000))
    first = reads.read(limit=1500)
    assert ids(first) == list(range(2000)) and reads.bookmarks[Mode.NEW]["now"][2] > 10_000
    assert ids(reads.read()) == list(range(2000, 5000)) and reads.read() == []


def test_replaced_in_its_middle_it_is_read_from_its_start(world: World) -> None:
    reads = world.reads()
    world.drop("a.csv", csv_of(0, 5000))
    reads.read(limit=1)
    at = (world.inbox / "a.csv").stat()
    replaced = world.drop("a.csv", csv_of(0, 5000, "李四"))  # as long, and of the very same time
    os.utime(replaced, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert ids(reads.read()) == list(range(5000)) and not reads.dirty


def test_taken_away_in_its_middle_it_is_told(world: World) -> None:
    reads = world.reads()
    world.drop("a.csv", csv_of(0, 5000)).rename(world.inbox / "a.csv")
    reads.read(limit=1)
    (world.inbox / "a.csv").unlink()
    world.drop("b.csv", csv_of(7, 1))
    assert ids(reads.read()) == [7]
    assert [one.row for one in reads.dirty] == [None] and "1002" in reads.dirty[0].zh


def test_a_file_that_grows_while_it_is_read_is_not_done(world: World) -> None:
    reads = world.reads()
    path = world.drop("a.csv", csv_of(0, 10))
    said = reads.adapter.read(reading.Order(reads.what))
    next(said)
    with path.open("a") as file:
        file.write("10,十\n")
    list(said)
    rows = reads.read()
    assert 10 in ids(rows)
    reads.read()
    assert world.names("done") == ["a.csv"]


def test_dropped_again_between_read_and_move_it_is_not_moved_unread(world: World) -> None:
    reads = world.reads()
    at = world.drop("a.csv", csv_of(1)).stat()
    reads.read()
    again = world.drop("a.csv", csv_of(4))
    os.utime(again, ns=(at.st_atime_ns, at.st_mtime_ns))
    assert ids(reads.read()) == [4, 5, 6]
    reads.read()
    assert world.names("done") == ["a.csv"] and "4,张三4" in next((world.root / "done").glob("*/*")).read_text()


def test_one_content_under_two_names_is_read_twice_or_once(world: World) -> None:
    for repeat, wanted in (("read", 6), ("skip", 3)):
        reads = world.reads(repeat=repeat, folder=f"in/{repeat}")
        (world.inbox / repeat).mkdir()
        world.drop(f"{repeat}/a.csv", csv_of(1))
        world.drop(f"{repeat}/b.csv", csv_of(1))
        assert len(reads.read()) == wanted
        reads.read()
        assert os.listdir(world.inbox / repeat) == []


def test_without_an_archive_files_are_remembered(world: World) -> None:
    reads = world.reads(archive=None, error=None)
    world.drop("a.csv", csv_of(1))
    world.drop("bad.csv", "")
    assert ids(reads.read()) == [1, 2, 3] and len(reads.dirty) == 1
    os.chmod(world.inbox, 0o555)
    assert reads.read() == [] and len(reads.dirty) == 1
    os.chmod(world.inbox, 0o755)
    at = (world.inbox / "a.csv").stat()
    os.utime(world.drop("a.csv", csv_of(4)), ns=(at.st_atime_ns, at.st_mtime_ns))
    assert ids(reads.read()) == [4, 5, 6]


def test_more_than_can_be_remembered_is_told_with_its_cure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "DONE", 5)
    reads = world.reads(archive=None, error=None)
    for number in range(4):
        world.drop(f"{number}.csv", csv_of(number, 1))
    assert len(reads.read()) == 4
    for number in range(3):
        (world.inbox / f"{number}.csv").unlink()
    for number in range(4, 8):
        world.drop(f"{number}.csv", csv_of(number, 1))
    assert ids(reads.read()) == [4, 5, 6, 7]
    world.drop("8.csv", csv_of(8, 1))
    with pytest.raises(Misconfigured) as met:
        reads.read()
    assert "archive" in met.value.zh


def test_from_now_on_what_is_there_counts_as_read(world: World) -> None:
    reads = world.reads()
    world.drop("a.csv", csv_of(1))
    assert reads.read(mode=Mode.NONE) == []
    world.drop("b.csv", csv_of(4))
    assert ids(reads.read()) == [4, 5, 6]
    reads.read()
    assert world.names("done") == ["a.csv", "b.csv"]


def test_everything_again_comes_in_the_order_in_which_it_was_read(world: World) -> None:
    reads = world.reads()
    for number, name in enumerate(("z.csv", "m.csv", "a.csv")):
        world.drop(name, csv_of(10 * number))
        reads.read()
    reads.read()
    world.drop("b.csv", csv_of(30))
    os.utime(world.inbox / "b.csv", (1, 1))
    assert ids(reads.read(mode=Mode.WHOLE)) == [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]
    assert reads.bookmarks[Mode.WHOLE] is None and ids(reads.read()) == [30, 31, 32]


def test_everything_again_goes_on_where_it_was_broken_off_though_files_move(world: World) -> None:
    reads = world.reads()
    world.drop("a.csv", csv_of(0, 1500))
    reads.read()
    reads.read()
    world.drop("b.csv", csv_of(1500, 3000))
    found = ids(reads.read(mode=Mode.WHOLE, limit=1))
    found += ids(reads.read(mode=Mode.WHOLE, limit=1001))
    reads.read()
    reads.read()
    assert world.names("done") == ["a.csv", "b.csv"]
    found += ids(reads.read(mode=Mode.WHOLE))
    assert set(found) == set(range(4500)) and reads.bookmarks[Mode.WHOLE] is None


def test_an_unreadable_file_goes_to_its_folder_with_a_report_that_quotes_nothing(world: World) -> None:
    reads = world.reads()
    world.drop("good.csv", csv_of(1))
    world.drop("bad.csv", "ID,ID\n110101199003077777,王五\n")
    world.drop("cut.csv.gz", gzip.compress(csv_of(100, 5000).encode())[:-2000])
    reads.what["pattern"] = "*.csv;*.csv.gz"
    rows = reads.read()
    assert {1, 2, 3, 100, 101} <= set(ids(rows)) and 5099 not in ids(rows)
    assert {one.row for one in reads.dirty} == {"bad.csv:1", "cut.csv.gz"}
    reads.read()
    assert world.names("bad") == ["bad.csv", "bad.csv.report.json", "cut.csv.gz", "cut.csv.gz.report.json"]
    report = next((world.root / "bad").glob("*/*bad.csv.report.json")).read_text(encoding="utf-8")
    said = json.loads(report)
    assert said["line"] == 1 and "同名" in said["zh"] and said["rows"] == 0
    assert "王五" not in report and "110101" not in report
    assert world.names("done") == ["good.csv"]


def test_days_that_are_over_are_removed(world: World) -> None:
    old = world.root / "done" / "2020-01-01"
    old.mkdir(parents=True)
    (old / "0000000000001-a.csv").write_text(csv_of(1))
    (world.root / "done" / "kept").mkdir()
    reads = world.reads(keep_days=30)
    world.drop("a.csv", csv_of(1))
    reads.read()
    reads.read()
    assert not old.exists() and (world.root / "done" / "kept").exists() and world.names("done") == ["a.csv"]


def test_names_that_are_odd_are_read_and_told_without_a_person(world: World) -> None:
    names = [b"a\nb.csv", "名单110101199003077777.csv".encode(), "名单.csv".encode("gb18030"), b"\xff\xfe\xff.csv",
             b"x" * 240 + b".csv"]
    reads = world.reads(file_column="文件名", line_column="行")
    for number, name in enumerate(names):
        path = os.path.join(os.fsencode(world.inbox), name)
        with open(path, "wb") as file:
            file.write(csv_of(number, 1).encode() + b"bad\n")
    rows = reads.read()
    assert sorted(ids(rows)) == list(range(5)) and {row["行"] for row in rows} == {2}
    assert {"名单.csv", "名单110101199003077777.csv"} <= {row["文件名"] for row in rows}
    told_ = [str(one.row) for one in reads.dirty]
    assert len(told_) == 5 and "名单.csv:3" in told_ and all("110101" not in one and "\n" not in one for one in told_)
    assert reads.read() == [] and os.listdir(world.inbox) == [] and len(world.names("done")) == 5


def test_a_name_is_told_unless_it_may_be_a_persons() -> None:
    assert told("RK20261129071500.csv") == "RK20261129071500.csv"
    for name in ("13800138000.csv", "x11010119900307777X.csv", "110101900307777.csv", "a\u202eb.csv"):
        assert told(name).startswith("#")


@pytest.mark.parametrize("done", [None, "{name}.ok"])
def test_killed_at_every_step_nothing_is_lost_and_each_file_is_moved_once(world: World, done: str | None) -> None:
    step = 0
    while True:
        root = world.root / f"{step}"
        here = World(root)
        names = ["a.csv", "b.csv", "bad.csv"]
        for number, name in enumerate(names):
            here.drop(name, csv_of(10 * number) if name != "bad.csv" else "")
            if done:
                here.drop(f"{name}.ok", b"")
        reads = here.reads(done=done)
        reads.adapter = MortalDrop({"root": str(root)})
        Mortal.left = step
        through = True
        try:
            for _ in range(3):
                reads.read()
        except Died:
            through = False
        Mortal.left = -1
        for _ in range(3):
            reads.read()
        assert set(ids(reads.rows)) == {0, 1, 2, 10, 11, 12}, step
        assert os.listdir(here.inbox) == [] and here.names("done") == ["a.csv", "b.csv"], step
        assert here.names("bad")[0] == "bad.csv", step
        if through:
            break
        step += 1
    assert step > 30


def test_killed_at_every_word_nothing_is_lost(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "EVERY", 3)
    seed = randbits(32)
    print("seed", seed)
    dice = Random(seed)
    for turn in range(60):
        here = World(world.root / f"t{turn}")
        reads, wanted, last = here.reads(), set[int](), 0
        for _ in range(6):
            for _ in range(dice.randrange(3)):
                count = dice.randrange(1, 12)
                here.drop(f"{dice.randrange(5)}-{last}.csv", csv_of(last, count))
                wanted |= set(range(last, last + count))
                last += count
            reads.read(kill_after=dice.randrange(30))
        reads.read()
        reads.read()
        assert set(ids(reads.rows)) == wanted and os.listdir(here.inbox) == [], (seed, turn)


def test_more_files_than_a_bookmark_holds_come_over_several_reads(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "DONE", 7)
    for number in range(20):
        world.drop(f"{number:03}.csv", csv_of(number, 1))
    reads = world.reads()
    assert [len(reads.read()) for _ in range(4)] == [7, 7, 6, 0] and ids(reads.rows) == list(range(20))


def test_the_largest_bookmark_fits(world: World) -> None:
    full = progress.Progress(
        base=10**13 - 1, now=progress.Place(b"k" * 12, b"n" * 8, 10**12, 10**12, 10**12),
        done={os.urandom(12): None for _ in range(progress.DONE)},
        seen={os.urandom(8): 10**9 + at for at in range(progress.SEEN)},
        contents={os.urandom(12): None for _ in range(progress.CONTENTS)})
    full.bad = {key: progress.Fault("字" * 200, "x" * 200, 10**9, 10**9) for key in list(full.done)[:progress.BAD]}
    said = full.write().at
    print(len(json.dumps(said, ensure_ascii=False).encode()))
    assert len(json.dumps(said, ensure_ascii=False).encode()) <= 64 << 10
    assert progress.Progress.read(json.loads(json.dumps(said))).done == full.done


@pytest.mark.parametrize("many", [10_000, *further(100_000)])
def test_very_many_files_are_listed_in_bounded_time(world: World, many: int) -> None:
    first = world.drop("000000.csv", csv_of(1, 1))
    for number in range(1, many):
        if number % 30_000 == 0:
            first = world.drop(f"{number:06}.csv", csv_of(1, 1))  # a file has not room for more names
        else:
            os.link(first, world.inbox / f"{number:06}.csv")
    reads = world.reads()
    begun = time.monotonic()
    found = looking.look(reads.adapter.folder, reads.what)
    spent = time.monotonic() - begun
    print(f"{spent:.2f} s")
    assert len(found.found) == many and spent < 20 * many / 100_000 + 1
    begun = time.monotonic()
    assert len(reads.read()) == progress.DONE
    print(f"{time.monotonic() - begun:.2f} s")


@pytest.mark.parametrize(("what", "says"), [
    ({"archive": "done", "error": None}, "error"), ({"archive": "in", "error": "bad"}, "不同"),
    ({"format": "fixed"}, "fields"), ({"format": "xml"}, "rows"), ({"header": False}, "columns"),
    ({"folder": "nowhere"}, "没有此文件夹"),
])
def test_what_a_person_must_mend_is_told(world: World, what: dict[str, Any], says: str) -> None:
    with pytest.raises(Misconfigured) as met:
        world.reads(**what).read()
    assert says in met.value.zh


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../../x", "a\nb", ".."])
def test_nothing_above_the_root_can_be_named(path: str) -> None:
    for name in ("folder", "archive", "error"):
        with pytest.raises(Misconfigured):
            fit(FileDrop.reads, {"format": "csv", "pattern": "*", name: path}, "what", "what")
    with pytest.raises(Misconfigured):
        fit(FileDrop.writes, {"format": "csv", "folder": path}, "what", "what")


def test_what_is_there_is_described_without_a_row(world: World) -> None:
    world.drop("RK20261129.csv", "身份证号,姓名\n110101199003077777,张三\n", "gb18030")
    world.drop("RK20261130.csv", "身份证号,姓名\n110101199003077777,张三\n", "gb18030")
    reads: Reads = world.reads()
    (table,) = list(reads.adapter.discover())
    assert table.name == "in/RK*.csv" and [one.name for one in table.columns] == ["身份证号", "姓名"]
    found = [*reads.adapter.check(), *reads.adapter.survey(reads.what)]
    said = " ".join(one.zh + one.en for one in found)
    assert "gb18030" in said and "身份证号" in said and "110101" not in said and "张三" not in said
    assert {one.level for one in found} <= {"good", "warning"} and not (world.root / "done").exists()
