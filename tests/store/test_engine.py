"""One file, one writer, synced commits; what a library says stays inside."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from node.model import codes
from node.model.trouble import Hold, Retry
from node.store import SqliteOutbox
from node.store.schema import statements
from node.store.schema_inbox import INBOX
from node.store.schema_outbox import OUTBOX
from node.store.schema_warehouse import WAREHOUSE
from node.store.sealing import pack, unpack
from tests.contracts.things import LANE, T0, lines, supply
from tests.fakes.failing import after_the_cut
from tests.store import places


def pragma(store: Any, name: str) -> Any:
    """Return a setting of the store's connection."""
    return store._connection.execute(f"PRAGMA {name}").fetchone()[0]


def test_a_commit_is_synced_before_it_is_told(tmp_path: Path) -> None:
    for store in (places.outbox(tmp_path), places.inbox(tmp_path), places.warehouse(tmp_path)):
        assert (pragma(store, "synchronous"), pragma(store, "journal_mode")) == (2, "wal")
        octets = pragma(store, "wal_autocheckpoint") * pragma(store, "page_size")
        assert 4 << 20 <= octets <= 16 << 20
        store.close()


def test_a_unit_that_need_not_be_durable_is_not_synced_and_the_next_one_is(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    for durable in (False, False, True, False, True):
        with store.unit(durable) as unit:
            supply(unit, 1)
        assert pragma(store, "synchronous") == (2 if durable else 1)
    store.close()
    again = places.outbox(tmp_path)
    with again.unit() as unit:
        assert sum(state.waiting for state in unit.lanes()) == 5, "closing is no power cut"
    again.close()


def test_the_files_belong_to_their_owner_alone(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        store = places.outbox(tmp_path)
        with store.unit() as unit:
            supply(unit, 3)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()
    finally:
        os.umask(umask)
    assert set(modes) >= {"outbox.db", "outbox.db-wal", "outbox.db.lock"} and set(modes.values()) == {0o600}


def test_one_process_writes(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    with pytest.raises(Retry) as caught:
        places.outbox(tmp_path)
    assert caught.value.code is codes.STORE_TAKEN and "outbox" in str(caught.value)
    store.close()
    places.outbox(tmp_path).close()


def test_another_process_is_refused_too_and_a_dead_one_is_not_in_the_way(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.store import places\n"
        "store = places.outbox(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(Retry):
            places.outbox(tmp_path)
        other.kill()
    places.outbox(tmp_path).close()


def test_a_reader_sees_what_is_committed_while_another_writes(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    with store.unit() as unit:
        supply(unit, 3)
        boot = unit.boot()
    reader = places.outbox(tmp_path, writing=False)
    with store.unit() as unit:
        supply(unit, 4)
        with reader.unit() as looking:
            state = looking.lane(LANE)
            assert state is not None and state.waiting == 3
            assert looking.boot() == boot and [len(group.lines) for group in looking.draw(LANE)] == [3]
    with reader.unit() as looking:
        state = looking.lane(LANE)
        assert state is not None and state.waiting == 7
    with pytest.raises(Retry) as caught, reader.unit() as looking:
        looking.hold(LANE, "EXN-X")
    assert caught.value.code is codes.STORE_BUSY
    reader.close()
    store.close()
    reader = places.outbox(tmp_path, writing=False)
    with reader.unit() as looking:
        assert [len(group.lines) for group in looking.draw(LANE)] == [3, 4]
    reader.close()


def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    with pytest.raises(Retry) as caught:
        places.outbox(tmp_path, writing=False)
    assert caught.value.code is codes.STORE_BUSY and not list(tmp_path.iterdir())


def test_a_store_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    places.outbox(tmp_path).close()
    with sqlite3.connect(tmp_path / "outbox.db") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for writing in (True, False):
        with pytest.raises(Hold) as caught:
            places.outbox(tmp_path, writing=writing)
        assert caught.value.code is codes.STORE_NEWER
    connection = sqlite3.connect(tmp_path / "outbox.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (99,)
    connection.close()


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "outbox.db").write_bytes(b"not a database at all" * 400)
    with pytest.raises(Hold) as caught:
        places.outbox(tmp_path)
    assert caught.value.code is codes.STORE_DAMAGED


def test_a_full_disk_is_told_and_undone_and_the_store_goes_on(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    with store.unit() as unit:
        supply(unit, 1)
    pages = pragma(store, "page_count")
    pragma(store, f"max_page_count = {pages}")
    with pytest.raises(Retry) as caught, store.unit() as unit:
        supply(unit, 9)
        unit.note(LANE, "accepted", "s" * 400_000, "", 1, T0)
    assert caught.value.code is codes.DISK
    pragma(store, "max_page_count = 1000000")
    with store.unit() as unit:
        state = unit.lane(LANE)
        assert state is not None and state.waiting == 1
        assert supply(unit, 1).first.n == 2, "the versions of the lost unit were never given out"
    store.close()


def test_a_touched_or_moved_value_is_damage_here_and_nobodys_refusal(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    for _ in range(2):
        with store.unit() as unit:
            supply(unit, 2)
    execute = store._connection.execute
    for change in (
        "UPDATE bodies SET sealed = (SELECT sealed FROM bodies ORDER BY id DESC LIMIT 1)",
        "UPDATE bodies SET sealed = CAST(substr(sealed, 1, 40) || x'00' || substr(sealed, 42) AS BLOB)",
        "UPDATE bodies SET sealed = x'00'",
    ):
        execute("BEGIN")
        execute(change)
        execute("COMMIT")
        with pytest.raises(Hold) as caught, store.unit() as unit:
            unit.draw(LANE)
        assert caught.value.code in (codes.STORE_DAMAGED, codes.KEY_FILE)
    store.close()


def test_nothing_of_a_record_or_its_caller_rests_in_clear(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    with store.unit() as unit:
        supply(unit, 3, key="the-key-of-li", caller="li-si")
        unit.mark("reader", None, "last row was zhang-san")
    octets = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
    octets += (tmp_path / "outbox.db").read_bytes()
    assert b"population" in octets
    for secret in (b"the-key-of-li", b"li-si", b"zhang-san", b'"head"', lines(1, "v1")[0]):
        assert secret not in octets


def test_a_power_cut_between_log_and_file_loses_nothing(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    for _ in range(20):
        with store.unit() as unit:
            supply(unit, 7)
    assert (tmp_path / "outbox.db-wal").stat().st_size > 0
    after_the_cut(tmp_path / "outbox.db", tmp_path / "copy")
    store.close()
    copy = places.outbox(tmp_path / "copy")
    with copy.unit() as unit:
        state = unit.lane(LANE)
        assert state is not None and state.waiting == 140
    copy.close()


def test_the_log_stays_small(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    for _ in range(60):
        with store.unit() as unit:
            unit.note(LANE, "accepted", "s" * 400_000, "", 1, T0)
    assert (tmp_path / "outbox.db-wal").stat().st_size <= 20 << 20
    store.close()


def test_a_commit_is_timed_if_anything_was_written(tmp_path: Path) -> None:
    class _Times:
        def __init__(self) -> None:
            self.seen: list[tuple[str, dict[str, str]]] = []

        def count(self, name: str, by: float = 1, **labels: str) -> None: ...

        def gauge(self, name: str, value: float, **labels: str) -> None: ...

        def timed(self, name: str, seconds: float, **labels: str) -> None:
            assert 0 <= seconds < 60
            self.seen.append((name, labels))

    times = _Times()
    store = SqliteOutbox(
        tmp_path / "outbox.db", places.STORAGE, places.CRYPTO.sm3, lambda: T0, places.chance, counter=times
    )
    before = len(times.seen)
    with store.unit() as unit:
        supply(unit, 1)
    with store.unit() as unit:
        unit.lane(LANE)
    store.close()
    assert times.seen[before:] == [("commit", {"store": "outbox"})]


def test_a_unit_inside_a_unit_is_a_bug(tmp_path: Path) -> None:
    store = places.outbox(tmp_path)
    with store.unit(), pytest.raises(AssertionError), store.unit():
        pass
    with store.unit() as unit:
        assert unit.lanes() == []
    store.close()


@pytest.mark.parametrize("tables", [OUTBOX, INBOX, WAREHOUSE])
def test_a_schema_is_strict_and_every_table_has_a_key(tables: Any) -> None:
    connection = sqlite3.connect(":memory:")
    for statement in statements(tables):
        connection.execute(statement)
    names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert {"lanes", "ledger"} <= set(names)
    for name in names:
        (strict,) = connection.execute("SELECT strict FROM pragma_table_list WHERE name = ?", (name,)).fetchone()
        keys = connection.execute("SELECT count(*) FROM pragma_table_info(?) WHERE pk > 0", (name,)).fetchone()
        assert strict == 1 and keys[0] >= 1, name
    connection.close()


def test_packing_keeps_every_part() -> None:
    for parts in ([], [b""], [b"", b"a", b"\n\0" * 100], [b"x" * 70_000, b""]):
        assert unpack(pack(parts)) == parts
