"""A table T_HUKOU with a journal beside it, in a database of any kind, and a mirror of what is read of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from adapters import sql
from adapters.journal.scripts import made, undone
from adapters.journal.shape import Shape, shape_of
from adapters.sql_journal import SqlJournal
from tests.adapters.mirror import Key, Mirror, by_key, held, quoted
from tests.adapters.servers import Database


class Journalled:
    """The table, made with these columns and this key."""

    def __init__(self, database: Database, columns: Sequence[str] = ("ID INTEGER NOT NULL", "XM VARCHAR(60)"),
                 key: Sequence[str] = ("ID",), installed: bool = True, **what: Any) -> None:
        self.database, self.key = database, key
        self.names = [one.partition(" ")[0] for one in columns]
        self.table = quoted(database, "T_HUKOU")
        said = [f"{quoted(database, one.partition(' ')[0])} {one.partition(' ')[2]}" for one in columns]
        database.run(f"CREATE TABLE {self.table} ({', '.join(said)}, PRIMARY KEY ({quoted(database, *key)}))")
        self.what: dict[str, Any] = {"table": "T_HUKOU", "page": 7, **what}
        self.mirror = self.reader()
        if installed:
            self.install()

    def reader(self, **settings: Any) -> Mirror:
        """Return another mirror, by default read as admin."""
        return Mirror(SqlJournal({**self.database.settings, **settings}), dict(self.what), self.key)

    @property
    def shape(self) -> Shape:
        """The shape of the journal."""
        adapter: Any = self.mirror.adapter
        with sql.reading(adapter._engine) as connection:
            return shape_of(connection, self.what)

    @property
    def journal(self) -> str:
        """The journal as a statement names it."""
        return self.shape.placed(self.shape.name("table"))

    def install(self) -> None:
        """Make the journal and its triggers."""
        self.database.run(*made(self.shape))

    def remove(self) -> None:
        """Undo `install`."""
        self.database.run(*undone(self.shape))

    def open(self) -> Connection:
        """Return a connection that commits when it is told to."""
        url = make_url(self.database.url)
        named = url.set(password=self.database.password) if self.database.password else url
        return create_engine(named, poolclass=NullPool).connect().execution_options(no_parameters=True)

    def insert(self, *rows: Sequence[Any]) -> list[str]:
        """Return statements that insert rows."""
        return [f"INSERT INTO {self.table} VALUES ({', '.join(map(written, row))})" for row in rows]

    def update(self, name: str, value: Any, *keys: Any) -> list[str]:
        """Return statements that change a column of rows, by the first column of their key."""
        return [f"UPDATE {self.table} SET {quoted(self.database, name)} = {written(value)}"
                f" WHERE {quoted(self.database, self.key[0])} = {written(key)}" for key in keys]

    def delete(self, *keys: Any) -> list[str]:
        """Return statements that delete rows, by the first column of their key."""
        return [f"DELETE FROM {self.table} WHERE {quoted(self.database, self.key[0])} = {written(key)}" for key in keys]

    def run(self, *statements: Sequence[str]) -> None:
        """Run statements, each committed."""
        self.database.run(*(one for some in statements for one in some))

    def together(self, *statements: Sequence[str]) -> None:
        """Run statements in one transaction."""
        with self.open() as connection:
            do(connection, *statements)
            connection.commit()

    def now(self) -> dict[Key, dict[str, Any]]:
        """Return the table's rows by their key."""
        return by_key(held(self.database, "T_HUKOU", self.names), self.key)

    def entries(self) -> int:
        """Return how many entries the journal has."""
        with self.database.engine.connect() as connection:
            return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {self.journal}").scalar_one())

    def close(self) -> None:
        """Let go of the connections."""
        self.mirror.adapter.close()


def do(connection: Connection, *statements: Sequence[str]) -> None:
    """Run statements without committing them."""
    for some in statements:
        for one in some:
            connection.exec_driver_sql(one)


def written(value: Any) -> str:
    """Return a value as a statement writes it."""
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"


def read_out(mirror: Mirror) -> None:
    """Read until nothing more comes."""
    for _ in range(300):
        if mirror.read() == [] and mirror.ended:
            return
    raise AssertionError("it does not come to rest")
