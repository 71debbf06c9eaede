"""A database that runs elsewhere, named by a variable EXN_TEST_URL_NAME: of a kind that cannot be run here.

    EXN_TEST_URL_DM='dm+dmPython://TEST:password@10.0.0.5:5236' python -m pytest tests/adapters/test_sql_table.py

The account must be one that may make tables, and have none called T_HUKOU, T_LOG, T_U or T_ZP: a test that finds one
fails and leaves it as it is.  What a test made, it drops.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy.engine import URL, make_url

import adapters.sql.dialects  # registers the dialects that are ours
from tests.adapters.servers.process import Database, Server

PREFIX = "EXN_TEST_URL_"


class Elsewhere(Server):
    """A database somebody else runs; `fresh` is always the same one, which must be empty."""

    def __init__(self, url: str) -> None:
        found = make_url(url)
        self.kind = {"mysql": "mariadb"}.get(adapters.sql.dialects.family(found), adapters.sql.dialects.family(found))
        self.place = {"psycopg": "%s", "psycopg2": "%s", "ksycopg2": "%s", "pymysql": "%s", "pymssql": "%s"}.get(
            found.get_driver_name(), ":1" if self.kind == "oracle" else "?")
        self.password = found.password or ""
        self._url = found.set(password=None).render_as_string() if found.password else url

    main = ""

    def prepare(self) -> None:
        """Make nothing."""

    def command(self) -> Sequence[str]:
        """Return nothing: somebody else runs it."""
        raise NotImplementedError("somebody else runs it")

    def url_of(self, name: str) -> URL:
        """Return the URL of the database."""
        return make_url(self._url)

    def create(self, name: str, charset: str | None) -> None:
        """Make nothing."""

    def fresh(self, charset: str | None = None) -> Database:
        """Return the database."""
        return Database(self, "", self._url, self.password or None)

    def drop(self, database: Database) -> None:
        """Drop the tables that a test made."""
        database.run(*(f"DROP TABLE {name}" for name in database.made))


def named(environment: Mapping[str, str] = os.environ) -> Iterator[str]:
    """Yield the names that the environment gives URLs for."""
    return (name.removeprefix(PREFIX) for name in sorted(environment) if name.startswith(PREFIX))
