"""Cells of PostgreSQL: what its texts in the log are in Python, by the very loaders that rows are selected with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from psycopg.adapt import Transformer
from psycopg.pq import Format
from sqlalchemy import Connection, text

from adapters.sql.dialects import postgres_cells

_OWN = 16_384
"""The first number of a type that somebody made."""
_DOMAINS = text("SELECT oid, typbasetype FROM pg_type WHERE typtype = 'd' AND oid = ANY(:numbers)")


def loaders(connection: Connection, kinds: Sequence[int]) -> list[Callable[[bytes], Any]]:
    """Return for each type's number what makes a cell of a text; a domain is what it is made of."""
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor:
        postgres_cells(cursor)
        transformer = Transformer(cursor)
    return [transformer.get_loader(one, Format.TEXT).load for one in _bare(connection, list(kinds))]


def _bare(connection: Connection, kinds: list[int]) -> list[int]:
    while any(one >= _OWN for one in kinds):
        numbers = [one for one in kinds if one >= _OWN]
        bare = dict(tuple(one) for one in connection.execute(_DOMAINS, {"numbers": numbers}))
        if not bare:
            break
        kinds = [bare.get(one, one) for one in kinds]
    return kinds
