"""What a journal of a table is called and holds: one name for each thing that a script makes.

| Column | Holds |
|---|---|
| `exn_seq` | the number of the entry; of PostgreSQL and its kin `exn_tx`, the number of its transaction |
| `exn_at` | when it was written, by the source's clock |
| `exn_op` | I, U, D, T (emptied); of the first entry B and a random text, by which one journal is told from another |
| the key's | the key of a row that changed: where an update gives a row another key, an entry each |

Rule 1: names are written in the letters of the table's own, and never longer than the database takes.
Rule 2: columns of the key have the types of the table's own, charset and collation included.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError
from sqlalchemy.types import NullType

from adapters import sql
from adapters.contract import Misconfigured
from adapters.sql.dialects import family

LONGEST: Mapping[str, int] = {"firebird": 31, "oracle": 30, "postgresql": 63, "mysql": 64, "mssql": 128, "dm": 128}
"""Most octets of a name; of Oracle and Firebird what their older versions take."""

LOUD = ("firebird", "oracle", "dm")
"""Databases whose own names are in capitals."""

_PARTS = {"table": "exn_j_", "insert": "exn_i_", "update": "exn_u_", "delete": "exn_d_", "row": "exn_t_",
          "truncate": "exn_z_", "sequence": "exn_s_", "function": "exn_f_", "index": "exn_x_"}

_TRIGGERS: Mapping[str, tuple[str, ...]] = {
    "sqlite": ("insert", "update", "delete"), "mysql": ("insert", "update", "delete"),
    "postgresql": ("row", "truncate"),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A table, its journal, and the columns of its key with the types they are declared with."""

    family: str
    """As `adapters.sql.dialects` names it."""
    dialect: Dialect = field(repr=False)
    table: str
    schema: str | None
    key: Mapping[str, str]
    journal: str = ""
    """The journal's name, else one made of the table's."""
    reader: str | None = None
    """Whom the script lets read the journal, as a statement names an account."""
    prunes: bool = False
    """Whether the reader may delete old entries."""
    engine: str = "InnoDB"
    """MySQL's, of the table: a journal must be undone, or not, together with it."""

    def name(self, part: str) -> str:
        """Return what the journal's part is called; raise KeyError for one that is not known."""
        if part == "table" and self.journal:
            return self.journal
        loud = self.family in LOUD or self.table == self.table.upper() != self.table.lower()
        prefix = _PARTS[part].upper() if loud else _PARTS[part]
        most = LONGEST.get(self.family, 200) - len(prefix)
        if len(self.table.encode()) <= most:
            return prefix + self.table
        mark = blake2b(self.table.encode(), digest_size=4).hexdigest()
        kept = self.table.encode()[:most - len(mark)].decode("utf-8", "ignore")
        return prefix + kept + (mark.upper() if loud else mark)

    def column(self, name: str) -> str:
        """Return what a column of ours is called: `seq`, `tx`, `at`, `op`."""
        return f"EXN_{name.upper()}" if self.family in LOUD else f"exn_{name}"

    @property
    def order(self) -> str:
        """The column by which entries are read."""
        return self.column("tx" if self.family == "postgresql" else "seq")

    @property
    def triggers(self) -> list[str]:
        """The names of the triggers."""
        return [self.name(part) for part in _TRIGGERS.get(self.family, ("row",))]

    def quote(self, name: str) -> str:
        """Return a name as a statement writes it, always in quotes."""
        return quoted(self.dialect, name)

    def placed(self, name: str) -> str:
        """Return a name with its schema, if there is one, as a statement writes it."""
        return f"{self.quote(self.schema)}.{self.quote(name)}" if self.schema else self.quote(name)


def quoted(dialect: Dialect, name: str) -> str:
    """Return a name in quotes; SQLAlchemy's own would double a percent sign, for drivers that read it as a place."""
    marks: Any = dialect.identifier_preparer
    return f"{marks.initial_quote}{name.replace(marks.final_quote, marks.final_quote * 2)}{marks.final_quote}"


def shape_of(connection: Connection, what: Mapping[str, Any]) -> Shape:
    """Return the shape of the journal that `what` needs; raise Misconfigured where the table or its key is unfit."""
    dialect, kind = connection.dialect, family(connection.engine.url)
    name, schema = sql.own(dialect, what["table"]), what.get("schema")
    about = inspect(connection)
    known = list(sql.columns(about, name, schema))
    keys = what.get("key") or [one.name for one in known if one.key]
    if not keys:
        raise Misconfigured(
            f"{name}没有主键，请用key指明唯一的列", f"{name} has no primary key; name unique columns with key")
    lacking = [one for one in keys if one not in {column.name for column in known}]
    if lacking:
        raise Misconfigured(f"{name}没有列{'、'.join(lacking)}", f"{name} has no column {', '.join(lacking)}")
    types = {sql.own(dialect, one["name"]): one["type"] for one in about.get_columns(name, schema)}
    declared = {one: _written(one, types[one], dialect) for one in keys}
    return Shape(
        kind, dialect, name, _schema(connection, kind, name, schema), declared,
        what.get("journal", ""), _reader(connection, kind), "prune" in what, _engine(about, kind, name, schema))


def _schema(connection: Connection, kind: str, name: str, schema: str | None) -> str | None:
    """Return the schema by which statements name the table; a function of PostgreSQL's must name it."""
    if kind == "sqlite":
        return None
    if kind != "postgresql" or schema:
        return schema
    asked = text("SELECT n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                 " WHERE c.relname = :name AND pg_catalog.pg_table_is_visible(c.oid)")
    return str(connection.execute(asked, {"name": name}).scalar_one())


def _written(name: str, kind: Any, dialect: Dialect) -> str:
    try:
        if isinstance(kind, NullType):
            raise CompileError
        return str(kind.compile(dialect=dialect))
    except CompileError:
        raise Misconfigured(
            f"键列{name}的类型无法识别，不能生成变更日志",
            f"the type of the key {name} is not known: no journal can be written") from None


def _reader(connection: Connection, kind: str) -> str | None:
    if kind == "mysql":  # its accounts have a host, which the URL does not tell
        user, _, host = str(connection.execute(text("SELECT CURRENT_USER()")).scalar_one()).rpartition("@")
        return f"{quoted(connection.dialect, user)}@{quoted(connection.dialect, host)}"
    user = connection.engine.url.username or ""
    return quoted(connection.dialect, user) if user and kind != "sqlite" else None


def _engine(about: Any, kind: str, name: str, schema: str | None) -> str:
    return about.get_table_options(name, schema).get("mysql_engine", "InnoDB") if kind == "mysql" else "InnoDB"
