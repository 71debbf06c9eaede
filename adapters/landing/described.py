"""The table in which records land, as the database describes it now.

Rule 1: names are found in whatever letters they are written, exactly written ones first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import Connection, inspect, text

from adapters.contract import Misconfigured
from adapters.landing.cells import Fit
from adapters.landing.charset import charset_of, charsets
from adapters.landing.family import family_of
from adapters.landing.kinds import fit_for
from adapters.landing.plan import Plan


@dataclass(frozen=True, slots=True)
class Described:
    """A column as the database describes it."""

    name: str
    fit: Fit
    null: bool
    made: bool
    """The database makes its value itself, or has one for a row that brings none."""
    fixed: bool
    """Nobody may write it."""
    kind: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is now."""

    name: str
    schema: str | None
    columns: tuple[Described, ...]
    primary: tuple[str, ...]
    unique: tuple[frozenset[str], ...]
    deferred: bool
    view: bool
    signature: str

    def column(self, name: str) -> Described:
        """Return a column by its name; raise Misconfigured."""
        zh, en = f"{self.name}没有列{name}", f"{self.name} has no column {name}"
        found: Described = _found(self.columns, name, lambda one: one.name, zh, en)
        return found

    @property
    def full_name(self) -> str:
        """Its name for the ledger, in small letters."""
        return f"{self.schema or ''}.{self.name}".lower()


def describe(connection: Connection, plan: Plan) -> Table:
    """Look a table up; raise Misconfigured if there is none."""
    about = inspect(connection)
    tables, views = about.get_table_names(plan.schema), about.get_view_names(plan.schema)
    zh, en = f"没有表{plan.table}", f"there is no table {plan.table}"
    name = str(_found([*tables, *views], plan.table, str, zh, en))
    _transactional(connection, name, plan.schema)
    known = charsets(connection, name, plan.schema)
    zone = _zone(plan.zone)
    dialect = family_of(connection.dialect)
    described = about.get_columns(name, plan.schema)
    columns = tuple(
        Described(
            one["name"], fit_for(one["type"], dialect, zone, charset_of(known, one["name"])),
            bool(one.get("nullable", True)), _made(one), bool(one.get("computed")), _kind(one["type"]))
        for one in described
    )
    primary = tuple(about.get_pk_constraint(name, plan.schema).get("constrained_columns") or ())
    unique = tuple(_unique(about, name, plan.schema, primary))
    signature = repr((
        [(one.name, one.kind, one.null, one.made, one.fixed) for one in columns], sorted(known.items(), key=str),
        primary, sorted(map(sorted, unique))))
    deferred = _deferred(connection, name, plan.schema)
    return Table(name, plan.schema, columns, primary, unique, deferred, name not in tables, signature)


def _transactional(connection: Connection, name: str, schema: str | None) -> None:
    """Raise Misconfigured for a table of MySQL whose changes cannot be undone."""
    if family_of(connection.dialect) != "mysql":
        return
    asked = text(
        "SELECT t.ENGINE FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE"
        " WHERE t.TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND t.TABLE_NAME = :name AND e.TRANSACTIONS = 'NO'")
    engine = connection.execute(asked, {"schema": schema, "name": name}).scalar()
    if engine is not None:
        raise Misconfigured(
            f"表{name}的引擎{engine}没有事务，请改为InnoDB", f"table {name} has no transactions ({engine}): make it InnoDB")


def _kind(kind: Any) -> str:
    try:
        return str(kind)
    except Exception:  # a type that SQLAlchemy does not know has no words
        return type(kind).__name__


def _made(column: Any) -> bool:
    auto = column.get("autoincrement")
    return bool(column.get("default") is not None or column.get("identity") or auto is True)


def _unique(about: Any, name: str, schema: str | None, primary: Sequence[str]) -> Iterable[frozenset[str]]:
    if primary:
        yield frozenset(primary)
    for one in about.get_unique_constraints(name, schema):
        yield frozenset(one["column_names"])
    for one in about.get_indexes(name, schema):
        options = one.get("dialect_options") or {}
        partial = any(said is not None for key, said in options.items() if key.endswith("_where"))
        if one.get("unique") and not partial and all(one["column_names"]):
            yield frozenset(one["column_names"])


def _deferred(connection: Connection, name: str, schema: str | None) -> bool:
    """Return whether something is checked only when a transaction ends."""
    if family_of(connection.dialect) != "postgresql":
        return False
    quoted = connection.dialect.identifier_preparer.quote
    full = f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)
    asked = "SELECT count(*) FROM pg_constraint WHERE condeferrable AND to_regclass(%(name)s) IN (conrelid, confrelid)"
    return bool(connection.exec_driver_sql(asked, {"name": full}).scalar_one())


def _zone(offset: str) -> timezone:
    found = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
    assert isinstance(found, timezone)
    return found


def _found(among: Iterable[Any], name: str, named: Callable[[Any], str], zh: str, en: str) -> Any:
    listed = list(among)
    exact = [one for one in listed if named(one) == name]
    loose = exact or [one for one in listed if named(one).lower() == name.lower()]
    if len(loose) != 1:
        raise Misconfigured(zh, en)
    return loose[0]
