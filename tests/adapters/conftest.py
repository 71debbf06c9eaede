"""Databases that really run, one of each kind a session; a missing one skips its tests by name, in CI it fails them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.adapters.servers import Database, Firebird, MariaDB, PostgreSQL, Server, SQLite, elsewhere

Find = Callable[[str, str], str]


def _run(made: Server) -> Iterator[Any]:
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="session", autouse=True)
def no_authorities() -> Iterator[None]:
    """Hide the machine's list of certification authorities: MySQL's driver loads it for each of thousands of logins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        yield


@pytest.fixture(scope="session")
def postgresql(server: Find) -> Iterator[PostgreSQL]:
    """Give a PostgreSQL of our own, with logical decoding."""
    server("postgresql", PostgreSQL.binary())
    yield from _run(PostgreSQL())


@pytest.fixture(scope="session")
def mariadb(server: Find) -> Iterator[MariaDB]:
    """Give a MariaDB of our own, with a binary log of rows."""
    server("mariadb-server", MariaDB.binary())
    yield from _run(MariaDB())


@pytest.fixture(scope="session")
def firebird(server: Find) -> Iterator[Firebird]:
    """Give a Firebird of our own."""
    server("firebird3.0-server", Firebird.binary())
    yield from _run(Firebird())


@pytest.fixture(scope="session")
def sqlite() -> Iterator[SQLite]:
    """Give a folder for SQLite's files."""
    yield from _run(SQLite())


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "firebird"])
def each(request: pytest.FixtureRequest) -> Server:
    """Give every kind of server in turn."""
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def database(each: Server) -> Iterator[Database]:
    """Give an empty database of every kind of server in turn, and forget it afterwards."""
    made = each.fresh()
    yield made
    each.drop(made)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb", "firebird", "kingbase", *elsewhere.named()])
def source(request: pytest.FixtureRequest) -> Iterator[Database]:
    """Give an empty database of every kind that can be read, in turn, and forget it afterwards.

    `kingbase` is PostgreSQL's server through KingbaseES's driver; others are named by EXN_TEST_URL_NAME.
    """
    if request.param.isupper():
        server: Server = elsewhere.Elsewhere(os.environ[elsewhere.PREFIX + request.param])
    else:
        server = request.getfixturevalue({"kingbase": "postgresql"}.get(request.param, request.param))
    made = server.fresh()
    if request.param == "kingbase":
        url = made.url.replace("postgresql+psycopg://", "kingbase+ksycopg2://")
        made = Database(server, made.name, url, made.password)
    yield made
    server.drop(made)
