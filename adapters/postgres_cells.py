"""Cells of PostgreSQL: what its texts are in Python, the same for a row that was selected and for one from the log.

Rule 1: numbers, truths, texts, octets, dates and times become Python's; every other type (json, uuid, inet, interval,
        arrays, enums) stays the text that PostgreSQL writes.
Rule 2: a date that Python has not (`infinity`, before Christ) stays its text too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Loader, Transformer
from psycopg.pq import Format
from psycopg.types.datetime import DateLoader, TimeLoader, TimestampLoader, TimestamptzLoader, TimetzLoader
from psycopg.types.string import TextLoader
from sqlalchemy import Connection, text

_PLAIN = frozenset([
    "bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "text", "varchar", "bpchar", "name", "char",
    "\"char\"", "bytea",
])
_DATES: Mapping[str, type[Loader]] = {
    "date": DateLoader, "time": TimeLoader, "timetz": TimetzLoader, "timestamp": TimestampLoader,
    "timestamptz": TimestamptzLoader,
}
_OWN = 16_384
"""The first number of a type that somebody made."""
_DOMAINS = text("SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd' AND oid = ANY(:numbers)")


def _tolerant(strict: type[Loader]) -> type[Loader]:
    """Return a loader that leaves a text what Python has no date for."""

    class Tolerant(strict):  # type: ignore[misc, valid-type]
        """Loads a date or time, or its text."""

        def load(self, data: Any) -> Any:
            """Return the date, or its text."""
            try:
                return super().load(data)
            except psycopg.DataError:
                return bytes(data).decode("ascii", "replace")

    return Tolerant


_TOLERANT = {name: _tolerant(strict) for name, strict in _DATES.items()}


def prepare(connection: Connection) -> None:
    """Have what is selected on this connection become the same cells."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    for one in psycopg.adapters.types:
        if one.name in _TOLERANT:
            driver.adapters.register_loader(one.oid, _TOLERANT[one.name])
        elif one.name not in _PLAIN:
            driver.adapters.register_loader(one.oid, TextLoader)
        if one.array_oid:
            driver.adapters.register_loader(one.array_oid, TextLoader)


def loaders(connection: Connection, kinds: Sequence[int]) -> list[Callable[[bytes], Any]]:
    """Return for each type's number what makes a cell of a text; a domain is what it is made of."""
    transformer = Transformer(connection.connection.driver_connection)
    return [transformer.get_loader(one, Format.TEXT).load for one in _bare(connection, list(kinds))]


def _bare(connection: Connection, kinds: list[int]) -> list[int]:
    while any(one >= _OWN for one in kinds):
        numbers = [one for one in kinds if one >= _OWN]
        bare = dict(tuple(one) for one in connection.execute(_DOMAINS, {"numbers": numbers}))
        if not bare:
            break
        kinds = [bare.get(one, one) for one in kinds]
    return kinds
