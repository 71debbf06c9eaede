"""The kit judges rightly: an adapter that keeps the contract passes, and each way of breaking it is found."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.kit import AdapterContract, endings
from adapters.kit.judged import Broken, Unmade, check_of
from tests.adapters import shelf

PASSWORD = "hunter2-20190228"


class TestShelf(AdapterContract):
    """It makes every check that there is."""

    adapter = shelf.Shelf
    read = {"table": "kept", "page": 3}
    write = {"table": "landed"}
    stamp = "at"
    bad = ({"path": "/nowhere"},)

    def start(self, folder: Path) -> None:
        self.path = folder / "shelf.db"
        self.connection = sqlite3.connect(self.path, isolation_level=None)
        self.connection.execute("PRAGMA synchronous = OFF")
        self.connection.executescript(shelf.TABLES)
        self.settings = {"path": str(self.path), "password": PASSWORD}

    def stop(self) -> None:
        self.connection.close()

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self.connection.execute("BEGIN")
        for row in rows:
            at = row["at"] and row["at"].strftime("%Y-%m-%dT%H:%M:%SZ")
            self.connection.execute("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (row["id"], row["name"], at))
            self.connection.execute("INSERT INTO journal (id) VALUES (?)", (row["id"],))
        self.connection.execute("COMMIT")

    change = insert

    def delete(self, keys: Sequence[int]) -> None:
        for key in keys:
            self.connection.execute("DELETE FROM kept WHERE id = ?", (key,))
            self.connection.execute("INSERT INTO journal (id) VALUES (?)", (key,))

    def late(self, rows: Sequence[dict[str, Any]]) -> Callable[[], None]:
        (last,) = self.connection.execute("SELECT coalesce(max(n), 0) FROM journal").fetchone()
        self.connection.execute("INSERT INTO journal VALUES (?, -1)", (last + len(rows) + 1,))

        def commit() -> None:
            for n, row in enumerate(rows, last + 1):
                self.connection.execute("INSERT INTO kept VALUES (?, ?, '')", (row["id"], row["name"]))
                self.connection.execute("INSERT INTO journal VALUES (?, ?)", (n, row["id"]))

        return commit

    def octets(self, number: int, octets: bytes) -> None:
        self.connection.execute("INSERT INTO kept VALUES (?, ?, '')", (number, octets))

    def example(self) -> Sequence[dict[str, Any]]:
        rows = [{"id": key, "name": cell, "at": "x"} for key, cell in ((-1, 7), (-2, 0.5), (-3, None))]
        self.connection.executemany("INSERT INTO kept VALUES (:id, :name, :at)", rows)
        return rows

    def lose(self) -> None:
        self.path.unlink()

    def ahead(self, bookmark: Any) -> Any:
        return {"after": 1 << 40, "gaps": []}

    def landed(self) -> Mapping[str, str]:
        return dict(self.connection.execute("SELECT key, text FROM landed WHERE text IS NOT NULL"))

    def unfit(self, number: int) -> Mapping[str, Any]:
        return {"id": str(number), "name": "过长" * 100}


def played(kind: type[AdapterContract], check: str, folder: Path, fault: str = "") -> Iterator[None]:
    """Make one check."""
    one = kind()
    one._folder = folder
    start = one.start

    def faulty(where: Path) -> None:
        start(where)
        one.settings = {**one.settings, **({"fault": fault} if fault else {})}

    one.start = faulty  # type: ignore[method-assign]  # the class of the kit knows nothing of faults
    one._begin()
    try:
        yield getattr(one, f"test_{check}")()
    finally:
        one._end()


FAULTS = [
    ("good_settings", "refuses"), ("check", "english only"), ("survey", "odd level"), ("discover", "blind"),
    ("whole_read", "skips"), ("whole_read", "no last bookmark"), ("cells", "texts"), ("process", "only here"),
    ("process", "no last bookmark"), ("whole_read_resumed", "early"), ("no_rows", "no bookmark when empty"),
    ("bookmarks", "fat"), ("time_zone", "local"), ("lost_source", "silent when gone"), ("given_up", "thread"),
    ("stopped_process", "grandchild"), ("memory", "hoards"), ("quiet", "consumes"), ("rare_characters", "gbk"),
    ("gb18030", "gbk"), ("huge_row", "chokes"), ("huge_row", "quotes"), ("huge_row", "drops large"),
    ("secrets", "prints"), ("secrets", "logs"), ("secrets", "tells"), ("secrets", "chains"), ("second_read", "deaf"),
    ("inserted_row", "stuck"), ("changed_row", "first only"), ("from_now", "gives anyway"),
    ("strange_bookmark", "trusting"), ("strange_bookmark", "silent when strange"),
    ("bookmark_ahead", "silent when ahead"), ("given_up_at_every_row", "early"), ("given_up_at_every_row", "edge"),
    ("killed_at_every_row", "early"), ("killed_at_every_row", "keeps state"), ("ties", "edge"),
    ("late_commit", "never late"), ("null_stamp", "skips null"), ("stamp_ahead", "by the greatest time"),
    ("deleted_row", "no deletes"), ("deleted_row_given_up", "early"), ("landed", "never commits"),
    ("landed", "loses results"), ("one_key_twice", "last wins"), ("delete", "forgets deletes"), ("older", "last wins"),
    ("replay", "forgets parcels"), ("smaller_token", "any token"), ("bad_record", "all or nothing"),
    ("bad_record", "quotes"), ("killed_while_landing", "commits in between"),
]


@pytest.mark.parametrize(("check", "fault"), FAULTS)
def test_each_way_of_breaking_the_contract_is_found(
    check: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "SOON", 0.5)
    with pytest.raises(Broken) as met:
        next(played(TestShelf, check, tmp_path, fault))
    assert met.value.zh and met.value.en and PASSWORD not in str(met.value)


@pytest.mark.parametrize(("check", "adapter"), [
    ("schemas", shelf.Unmarked), ("schemas", shelf.Unschooled), ("bad_settings", shelf.Loose),
])
def test_each_fault_of_a_schema_is_found(check: str, adapter: type[shelf.Shelf], tmp_path: Path) -> None:
    kind = type("TestFaulty", (TestShelf,), {"adapter": adapter})
    with pytest.raises(Broken):
        next(played(kind, check, tmp_path))


def test_every_check_has_been_seen_to_fail() -> None:
    checks = {one.name for name in dir(AdapterContract) if (one := check_of(getattr(AdapterContract, name)))}
    assert checks - {check for check, _ in FAULTS} == {"schemas", "bad_settings"}


def test_a_check_that_lacks_its_hook_says_so_and_is_not_passed() -> None:
    class Bare(AdapterContract):
        adapter = shelf.Shelf

    one = Bare()
    for need, says in (("insert", "insert"), ("read", "read"), ("stamp", "stamp"), ("missing", "lose")):
        with pytest.raises(Unmade) as met:
            one._need(need)
        assert says in met.value.zh and says in met.value.en
