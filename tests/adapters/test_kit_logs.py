"""The readers of logs keep the contract that integrators' adapters are held to, their processes killed included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from adapters.kit import AdapterContract
from tests.adapters.servers import Database, MariaDB, PostgreSQL, Server

pytestmark = pytest.mark.long


class _Log(AdapterContract):
    """A table with an id and a name, whose server is the session's."""

    __test__ = False
    key, text = "id", "name"
    server: ClassVar[Server]
    long: ClassVar[str] = "text"

    def start(self, folder: Path) -> None:
        self.database: Database = self.server.fresh()
        self.settings = self.database.settings
        self.database.run(f"CREATE TABLE t (id int PRIMARY KEY, name {self.long})")

    def stop(self) -> None:
        self.server.drop(self.database)

    def insert(self, rows: Sequence[dict[str, Any]]) -> None:
        self.database.put("INSERT INTO t VALUES (?, ?)", [(row["id"], row["name"]) for row in rows])

    def change(self, rows: Sequence[dict[str, Any]]) -> None:
        self.database.put("UPDATE t SET name = ? WHERE id = ?", [(row["name"], row["id"]) for row in rows])

    def delete(self, keys: Sequence[int]) -> None:
        self.database.put("DELETE FROM t WHERE id = ?", [(key,) for key in keys])

    def late(self, rows: Sequence[dict[str, Any]]) -> Callable[[], None]:
        raw = self.database.engine.execution_options(isolation_level="READ COMMITTED").connect()
        for row in rows:
            raw.exec_driver_sql("INSERT INTO t VALUES (%s, %s)", (row["id"], row["name"]))

        def commit() -> None:
            raw.commit()
            raw.close()

        return commit


class TestPostgresLogical(_Log):
    """A table of PostgreSQL, published, with a slot of its own."""

    __test__ = True
    name = "postgres_logical"
    bad = ({"url": "postgresql+psycopg://h/d", "password": 5},)
    missing = {"url": "postgresql+psycopg://nobody@127.0.0.1:9/none"}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, postgresql: PostgreSQL) -> Iterator[None]:
        cls.server = postgresql
        yield

    def start(self, folder: Path) -> None:
        super().start(folder)
        slot = f"{self.database.name}_kit"
        self.read = {"table": "t", "publication": "kit", "slot": slot, "page": 3}
        self.database.run("CREATE PUBLICATION kit FOR TABLE t",
                          f"SELECT pg_create_logical_replication_slot('{slot}', 'pgoutput')")

    def ahead(self, bookmark: Any) -> Any:
        return {**bookmark, "lsn": "FFFF/0"}


class TestMysqlBinlog(_Log):
    """A table of MariaDB."""

    __test__ = True
    name = "mysql_binlog"
    long = "longtext"
    read = {"table": "t", "page": 3}
    bad = ({"url": "mysql+pymysql://h/d", "password": 5},)
    missing = {"url": "mysql+pymysql://nobody@127.0.0.1:9/none"}

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def _server(cls, mariadb: MariaDB) -> Iterator[None]:
        cls.server = mariadb
        yield

    def ahead(self, bookmark: Any) -> Any:
        return {**bookmark, "file": "binlog.999999"}
