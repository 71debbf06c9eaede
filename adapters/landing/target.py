"""The table in which records land, as the database describes it, and how a record becomes a row of it.

Rule 1: names are found in whatever letters they are written, exactly written ones first.
Rule 2: what does not fit its column is told by field and reason, never by value.
Rule 3: the columns of `key` hold the fields of the business key, and the origin if it is one of them; nothing else
        could say which row a delete, or a row that moved, has left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, inspect, text

from adapters.contract import Incoming, Misconfigured
from adapters.landing.cells import Fit, Unfit
from adapters.landing.charset import charset_of, charsets
from adapters.landing.family import family_of
from adapters.landing.kinds import fit_for
from adapters.landing.paths import getter, matched
from adapters.landing.plan import Plan

Words = Mapping[str, str]
"""What may fill columns beside fields: `now`, `origin` and the like, for one record."""


class Refused(NamedTuple):
    """Why the target will not have a record."""

    field: str
    zh: str
    en: str


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
class Filled:
    """A column that is filled: with the field at `path`, or with a word, or with a constant."""

    column: Described
    path: str = ""
    word: str = ""
    constant: Any = None
    find: Callable[[Mapping[str, Any]], Any] | None = None
    absent: str | None = None


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


class Target:
    """A table and what fills it."""

    def __init__(self, table: Table, plan: Plan, known: Iterable[str]) -> None:
        """Put plan and table together; `known` are the paths of fields, for columns of their names."""
        self.table, self.plan = table, plan
        self.filled = _filled(table, plan, known)
        by_name = {one.column.name: at for at, one in enumerate(self.filled)}
        names = [table.column(one).name for one in plan.key] or list(table.primary)
        if not names:
            raise Misconfigured(
                f"{table.name}没有主键，请用key指明", f"{table.name} has no primary key; name the columns with key")
        lacking = [one for one in names if one not in by_name or self.filled[by_name[one]].word not in ("", "origin")]
        if lacking:
            raise Misconfigured(
                f"主键列{'、'.join(lacking)}没有字段可填", f"nothing fills the key's column {', '.join(lacking)}")
        self.key = tuple(by_name[one] for one in names)
        self.by_origin = any(self.filled[at].word == "origin" for at in self.key)
        self.is_unique = frozenset(names) in table.unique
        filled = {one.column.name for one in self.filled}
        self.others_unique = any(one != frozenset(names) and one & filled for one in table.unique)
        self._key_fields = [self.filled[at] for at in self.key if self.filled[at].find is not None]
        self._sorted = len(self._key_fields) > 1
        self._fillers = [_filler(one) for one in self.filled]
        self.uses_words = any(one.word for one in self.filled)

    @property
    def key_names(self) -> list[str]:
        """The names of the key's columns."""
        return [self.filled[at].column.name for at in self.key]

    @property
    def names(self) -> list[str]:
        """The names of the filled columns."""
        return [one.column.name for one in self.filled]

    def key_texts(self, record: Incoming) -> tuple[str, ...]:
        """Return the fields of the target's key; raise Misconfigured where they are not the business key."""
        texts = tuple(one.find(record.fields) for one in self._key_fields if one.find is not None)
        if record.delete and not any(texts) and len(texts) == len(record.key):
            return record.key  # a delete may bring nothing else
        in_order = texts == record.key or (
            self._sorted and all(isinstance(one, str) for one in texts) and sorted(texts) == sorted(record.key))
        if not in_order:
            raise Misconfigured(
                f"{self.table.name}的key须恰好是主键各字段的列（可再加来源节点列）",
                f"the key of {self.table.name} must be the columns of the business key, with the origin's or without")
        return texts

    def key_values(self, texts: Sequence[str], origin: str) -> tuple[Any, ...] | Refused:
        """Return the values of the key's columns for a place."""
        left, values = iter(texts), []
        for at in self.key:
            one = self.filled[at]
            said = origin if one.word else next(left)
            try:
                values.append(one.column.fit(said))
            except Unfit as why:
                return Refused(one.path, why.zh, why.en)
        return tuple(values)

    def row(self, record: Incoming, words: Words) -> tuple[Any, ...] | Refused:
        """Return a record as a row, or why the target will not have it."""
        values: list[Any] = []
        fields = record.fields
        for find, fit, absent, null, one in self._fillers:
            said = find(fields, words)
            if said is None:
                said = absent
            try:
                if said is None and not null:
                    raise Unfit("目标列不可为空", "the column must not be empty")
                values.append(None if said is None else fit(said))
            except Unfit as why:
                where = one.path or one.column.name
                return Refused(where, f"{why.zh}（列{one.column.name}）", f"{why.en} (column {one.column.name})")
        return tuple(values)


def _filler(one: Filled) -> tuple[Any, ...]:
    """Return how a column is filled: what finds its text in fields and words, what fits it, what if there is none."""
    null = one.column.null or one.find is None and not one.word
    if one.find is not None:
        path, find = one.path, one.find
        direct = (lambda fields, words: fields.get(path)) if "." not in path else (lambda fields, words: find(fields))
        return direct, one.column.fit, one.absent, null, one
    if one.word:
        word, fit = one.word, one.column.fit
        return (lambda fields, words: words[word]), partial(_now, fit) if word == "now" else fit, None, null, one
    if one.constant is None:
        return (lambda fields, words: None), one.column.fit, None, True, one
    constant = one.constant
    return (lambda fields, words: constant), (lambda said: said), None, True, one


def _now(fit: Fit, said: str) -> Any:
    try:
        return fit(said)
    except Unfit:
        return fit(said[:10])


def _filled(table: Table, plan: Plan, known: Iterable[str]) -> list[Filled]:
    words = {table.column(name).name: word for name, word in plan.extra.items()}
    mark = table.column(plan.mark["column"]) if plan.mark else None
    taken = {*words, *([mark.name] if mark else ())}
    if plan.columns is not None:
        chosen = {table.column(name).name: path for name, path in plan.columns.items()}
    else:
        free = [one.name for one in table.columns if one.name not in taken and not one.fixed]
        chosen = matched(free, known)
    twice = set(words) & set(chosen)
    if twice:
        raise Misconfigured(f"列{'、'.join(twice)}填两次", f"column {', '.join(twice)} is filled twice")
    absent = {table.column(name).name: said for name, said in plan.absent.items()}
    filled = [
        Filled(table.column(name), path, find=getter(path), absent=absent.get(name)) for name, path in chosen.items()
    ]
    filled += [Filled(table.column(name), word=word) for name, word in words.items()]
    if mark is not None and mark.name not in chosen:
        filled.append(Filled(mark, constant=marked(mark, (plan.mark or {}).get("live"))))
    fixed = [one.column.name for one in filled if one.column.fixed]
    if fixed:
        raise Misconfigured(
            f"列{'、'.join(fixed)}由数据库计算，不能写", f"the database makes column {', '.join(fixed)} itself")
    return sorted(filled, key=lambda one: one.column.name)


def marked(column: Described, said: Any) -> Any:
    """Return the value of a mark as its column takes it; raise Misconfigured."""
    if said is None:
        if not column.null:
            raise Misconfigured(
                f"标记列{column.name}不可为空，请用mark.live写明未删除时的值",
                f"column {column.name} must not be empty: say with mark.live what it holds of a row that stands")
        return None
    try:
        return column.fit(str(said).lower() if isinstance(said, bool) else str(said))
    except Unfit as why:
        raise Misconfigured(
            f"标记值不合列{column.name}：{why.zh}", f"the mark does not fit {column.name}: {why.en}") from None
