"""14: a file is taken whole and once, whatever its writer does while it is polled (PEERS §11.14).

OpenAS2's poller sent files that were still being written (#616), and Camel's file consumer needs a `readLock`, for the
same file, renamed, or dropped again under its name, was read half or twice.  Here a real node polls, and is killed.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from node.validate import sample
from tests.processes.exchange import RESOURCES, SOURCE, until
from tests.regressions.standing import Standing

SETTLE = 1
RESTED = SETTLE + 1.1
"""Seconds after which a file has rested, by a clock that tells whole seconds."""
_SECTION = """
[[adapter]]
name = "{name}"
kind = "file_drop"
settings = {{ root = "{root}" }}
[[adapter.read]]
resource = "population"
every = "1h"
what = {{ folder = "in", pattern = "*.csv", format = "csv", archive = "done", error = "bad", {more} }}
"""


class Folder:
    """A folder that the department's node polls when it is asked to, and at no other time but its start."""

    def __init__(self, standing: Standing, root: Path, name: str, more: str) -> None:
        self.standing, self.root, self.name = standing, root, name
        self.inbox = root / "in"
        self.inbox.mkdir(parents=True)
        self.section = _SECTION.format(name=name, root=root, more=more)
        self._seen = 0

    def poll(self) -> Any:
        """Have it polled once and perhaps once more; return what is wrong, if anything is."""
        _, told = self.standing.command(SOURCE, "adapter", "run", self.name, "--once", "--who", "li", "--json")
        assert told[0]["ended"], told
        return told[0]["trouble"]

    def poll_rested(self) -> None:
        """Have it polled, and again, so that what does not change has rested; and again, so that it is archived."""
        assert self.poll() is None
        time.sleep(RESTED)
        assert (self.poll(), self.poll()) == (None, None)

    def arrived(self) -> list[str]:
        """Return, in their order, the remarks of the records that came to the centre since this was last asked."""
        self.standing.accounted()
        (centre,) = self.standing.ledgers("centre")
        found = []
        for block in centre.blocks("population", self._seen):
            self._seen = block.id
            found += [json.loads(line)["body"].get("Remark", "") for line in block.lines]
        return [remark for remark in found if remark.startswith(self.name)]

    def archived(self) -> list[str]:
        """Return the names of the files in the archive, without what tells two of one name apart."""
        return sorted(path.name.partition("-")[2] for path in self.root.glob("done/**/*.csv"))

    def waiting(self) -> list[str]:
        """Return the names of the files that were not moved."""
        return sorted(os.listdir(self.inbox))

    def text(self, remarks: Sequence[str]) -> bytes:
        """Return a file of one person for each remark."""
        spec = self.standing.specifications.get(RESOURCES["population"])
        assert spec is not None
        living = (one for at in count() if "DeathDate" not in (one := sample(spec, 14, at)))
        rows = [{**twin, "Remark": f"{self.name} {one}"} for one, twin in zip(remarks, living)]
        names = [name for name in rows[0] if all(name in row for row in rows)]
        out = io.StringIO()
        table: Any = csv.DictWriter(out, names, extrasaction="ignore")
        table.writeheader()
        table.writerows(rows)
        return out.getvalue().encode()


@contextmanager
def polled(standing: Standing, root: Path, name: str, more: str) -> Iterator[Folder]:
    """Have the department poll a folder, and no longer afterwards."""
    folder = Folder(standing, root, name, more)
    path = standing.set(SOURCE, "60-adapter", folder.section)
    standing.reload(SOURCE)
    try:
        folder.arrived()
        yield folder
    finally:
        path.unlink()
        standing.reload(SOURCE)
        shutil.rmtree(root)  # it holds people


@pytest.fixture
def settled(standing: Standing, tmp_path: Path) -> Iterator[Folder]:
    """A folder whose files must rest; what was read once is not read again under any name."""
    with polled(standing, tmp_path, "settled", f'settle = {SETTLE}, repeat = "skip"') as folder:
        yield folder


@pytest.fixture
def signed(standing: Standing, tmp_path: Path) -> Iterator[Folder]:
    """A folder where another file says that one is whole."""
    with polled(standing, tmp_path, "signed", 'done = "{name}.ok"') as folder:
        yield folder


def pieces(text: bytes, count: int) -> list[bytes]:
    """Return a file in pieces that end within a row."""
    size = len(text) // count + 1
    return [text[at : at + size] for at in range(0, len(text), size)]


def test_a_file_that_grows_while_it_is_polled_is_not_taken_before_it_rests(settled: Folder) -> None:
    written = settled.inbox / "grows.csv"
    for piece in pieces(settled.text(["a", "b", "c"]), 4):
        with written.open("ab") as file:
            file.write(piece)
        assert settled.poll() is None
        time.sleep(SETTLE / 2)
    assert settled.arrived() == [] and settled.waiting() == ["grows.csv"]
    settled.poll_rested()
    assert settled.arrived() == ["settled a", "settled b", "settled c"]
    assert settled.archived() == ["grows.csv"] and settled.waiting() == []


def test_a_file_that_grows_after_it_rested_ends_as_its_writer_left_it(settled: Folder) -> None:
    written, text = settled.inbox / "pauses.csv", settled.text(["first", "second"])
    cut = text.index(b"second") + 3
    obstacle = settled.root / "done"
    obstacle.touch()  # it cannot be archived before it grows
    written.write_bytes(text[:cut])
    until("what was written is taken", lambda: settled.poll() and "settled first" in settled.arrived())
    with written.open("ab") as file:
        file.write(text[cut:])
    obstacle.unlink()
    settled.poll_rested()
    assert settled.arrived()[-2:] == ["settled first", "settled second"]
    assert settled.archived() == ["pauses.csv"] and settled.waiting() == []


def test_a_file_without_its_sign_is_not_taken_however_long_it_rests(signed: Folder) -> None:
    written, (first, second) = signed.inbox / "a.csv", pieces(signed.text(["a", "b"]), 2)
    written.write_bytes(first)
    signed.poll_rested()
    written.write_bytes(first + second)
    signed.poll_rested()
    assert signed.arrived() == [] and signed.waiting() == ["a.csv"]
    (signed.inbox / "a.csv.ok").touch()
    assert (signed.poll(), signed.poll()) == (None, None)
    assert signed.arrived() == ["signed a", "signed b"] and signed.waiting() == []


def test_a_file_renamed_into_place_is_taken_once(settled: Folder) -> None:
    obstacle, unfinished = settled.root / "done", settled.inbox / "later.csv.part"
    obstacle.touch()
    unfinished.write_bytes(settled.text(["a"]))
    settled.poll_rested()
    assert settled.arrived() == [] and settled.waiting() == ["later.csv.part"]
    unfinished.rename(settled.inbox / "later.csv")
    until("it is taken, and cannot be archived", lambda: settled.poll() is not None)
    (settled.inbox / "later.csv").rename(settled.inbox / "moved.csv")
    obstacle.unlink()
    settled.poll_rested()
    assert settled.arrived() == ["settled a"]
    assert settled.waiting() == [] and settled.archived() == ["moved.csv"]


def test_dropped_again_under_its_name_other_content_is_new_and_the_same_is_not(settled: Folder) -> None:
    written = settled.inbox / "daily.csv"
    for content, new in (("one", True), ("two", True), ("two", False), ("one", False)):
        written.write_bytes(settled.text([content]))
        settled.poll_rested()
        assert settled.arrived() == [f"settled {content}"] * new
    assert settled.waiting() == [] and settled.archived() == ["daily.csv"] * 4


def test_dropped_again_before_it_was_archived_as_long_and_as_old_other_content_is_new(signed: Folder) -> None:
    written, obstacle = signed.inbox / "daily.csv", signed.root / "done"
    obstacle.touch()
    for content in ("one", "two"):
        written.write_bytes(signed.text([content]))
        os.utime(written, ns=(1, 1_700_000_000 * 10**9))
        (signed.inbox / "daily.csv.ok").touch()
        if content == "one":
            until("it is taken, and cannot be archived", lambda: signed.poll() is not None)
            assert signed.arrived() == ["signed one"]
    obstacle.unlink()
    assert (signed.poll(), signed.poll()) == (None, None)
    assert signed.arrived() == ["signed two"] and signed.waiting() == []
    assert signed.archived() == ["daily.csv"], "what was replaced before it was moved is no more"


def test_killed_between_reading_and_archiving_a_node_gives_nothing_twice(signed: Folder) -> None:
    standing, obstacle = signed.standing, signed.root / "done"
    obstacle.touch()
    (signed.inbox / "a.csv").write_bytes(signed.text("abc"))
    (signed.inbox / "a.csv.ok").touch()
    until("it is taken, and cannot be archived", lambda: signed.poll() is not None)
    assert signed.arrived() == ["signed a", "signed b", "signed c"] and "a.csv" in signed.waiting()
    standing.crew.kill(SOURCE)
    standing.start(SOURCE)
    assert signed.poll() is not None
    standing.crew.kill(SOURCE)
    obstacle.unlink()
    standing.start(SOURCE)
    assert signed.poll() is None and signed.archived() == ["a.csv"]
    assert signed.arrived() == []


def test_killed_while_it_reads_a_node_gives_each_row_once(signed: Folder) -> None:
    standing, remarks = signed.standing, [f"{at:04}" for at in range(2500)]
    (signed.inbox / "large.csv").write_bytes(signed.text(remarks))
    (signed.inbox / "large.csv.ok").touch()
    for pause in (0.3, 0.7):
        standing.crew.kill(SOURCE)
        standing.start(SOURCE)  # it polls at once
        time.sleep(pause)
    standing.crew.kill(SOURCE)
    standing.start(SOURCE)
    until("it is archived", lambda: signed.poll() is None and signed.archived() == ["large.csv"])
    assert sorted(signed.arrived()) == [f"signed {one}" for one in remarks], "the bookmark stands with the rows"
