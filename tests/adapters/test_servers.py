"""The databases that tests run on: they answer, each test has its own, they can be stopped and end with their test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.adapters.servers import Database, MariaDB, PostgreSQL, Server, clear_away


def count_of(database: Database) -> int:
    """Return how many rows table T has."""
    with database.engine.connect() as connection:
        return int(connection.execute(text("SELECT COUNT(*) FROM T")).scalar_one())


def test_each_database_is_empty_and_keeps_what_it_is_given(each: Server) -> None:
    for _ in range(2):
        database = each.fresh()
        database.run("CREATE TABLE T (ID INTEGER NOT NULL PRIMARY KEY, XM VARCHAR(20))")
        database.put("INSERT INTO T VALUES (?, ?)", [(n, "张三㐂𠮷") for n in range(10)])
        assert count_of(database) == 10
        each.drop(database)


def test_what_was_committed_outlives_a_restart_on_the_same_port(each: Server) -> None:
    database = each.fresh()
    database.run("CREATE TABLE T (ID INTEGER NOT NULL PRIMARY KEY)", "INSERT INTO T VALUES (1)")
    each.restart()
    assert count_of(database) == 1
    each.drop(database)


def test_a_stopped_server_answers_nobody(postgresql: PostgreSQL) -> None:
    postgresql.stop()
    with pytest.raises(DBAPIError):
        postgresql.run("SELECT 1")
    postgresql.start()
    postgresql.run("SELECT 1")


def test_the_logs_that_capture_reads_are_on(postgresql: PostgreSQL, mariadb: MariaDB) -> None:
    with postgresql.engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW wal_level").scalar_one() == "logical"
        assert int(connection.exec_driver_sql("SHOW max_replication_slots").scalar_one()) >= 10
    with mariadb.engine.connect() as connection:
        found = connection.exec_driver_sql("SELECT @@log_bin, @@binlog_format, @@binlog_row_metadata").one()
        assert tuple(found) == (1, "ROW", "FULL")


PROGRAM = """
import sys
from tests.adapters.servers import {kind}
made = {kind}()
made.start()
print(made._process.pid, made.folder, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("of", ["postgresql", "mariadb", "firebird"])
def test_a_server_ends_with_a_test_process_that_is_killed(request: pytest.FixtureRequest, of: str) -> None:
    kind = type(request.getfixturevalue(of)).__name__
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(kind=kind)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    pid, folder = process.stdout.readline().split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    until = time.monotonic() + 20
    while Path(f"/proc/{pid}/stat").exists() and not _is_dead(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists() or _is_dead(pid)
    clear_away()
    assert not os.path.exists(folder), "what it left behind is cleared away"


def _is_dead(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True
