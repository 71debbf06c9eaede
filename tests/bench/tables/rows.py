"""The tables: filled with good records, and compared."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import islice

import psycopg
from sqlalchemy.engine import make_url

import xsd
from node.crypto.openssl import OpenSslCrypto
from node.validate import Specification, Specifications
from tests.adapters.servers import Database, MariaDB, PostgreSQL
from tests.bench.tables.people import people

SPECIFICATION, RESOURCE, TABLE = "population-basic/1.0", "population", "t_rk"
COLUMNS = (
    "RecordId", "Operation", "EventTime", "PersonName", "IdTypeCode", "IdNumber", "SexCode", "EthnicityCode",
    "BirthDate", "DomicileRegionCode", "DomicileAddress", "PersonStatusCode",
)
_AT_ONCE = 5000


class Durable(PostgreSQL):
    """PostgreSQL as one would run it: it syncs what it commits, and knows when that was."""

    def command(self) -> Sequence[str]:
        """Return what starts it."""
        return [*(one for one in super().command() if not one.startswith("--fsync")), "--fsync=on",
                "--shared_buffers=256MB", "--max_wal_size=4GB", "--track_commit_timestamp=on"]


@cache
def specification() -> Specification:
    """Return the specification that all rows keep."""
    found = Specifications.load(xsd.FOLDER, OpenSslCrypto().sm3).get(SPECIFICATION)
    assert found is not None
    return found


def fill(database: Database, rows: int) -> None:
    """Make the source with so many rows in it."""
    if isinstance(database.server, MariaDB):
        _fill_mariadb(database, rows)
        return
    with opened(database) as line:
        line.execute(f"CREATE TABLE {TABLE} ({', '.join(f'{quoted(one)} text NOT NULL' for one in COLUMNS)})")
        with line.cursor().copy(f"COPY {TABLE} FROM STDIN") as copy:
            for twin in islice(people(specification(), COLUMNS), rows):
                copy.write_row([twin[one] for one in COLUMNS])
        line.execute(f'ALTER TABLE {TABLE} ADD PRIMARY KEY ("RecordId")')
        line.commit()
        line.autocommit = True
        line.execute(f"VACUUM ANALYZE {TABLE}")


def _fill_mariadb(database: Database, rows: int) -> None:
    columns = ", ".join(f"`{one}` varchar(200) NOT NULL" for one in COLUMNS)
    database.run(f"CREATE TABLE {TABLE} ({columns}, PRIMARY KEY (`RecordId`))")
    statement = f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(COLUMNS))})"
    twins = islice(people(specification(), COLUMNS), rows)
    while some := list(islice(twins, _AT_ONCE)):
        database.put(statement, [[twin[one] for one in COLUMNS] for twin in some])
    database.run(f"ANALYZE TABLE {TABLE}")


def target_of(database: Database) -> None:
    """Make an empty target, whose key is the business key."""
    columns = ", ".join(f"{quoted(one)} text" for one in COLUMNS)
    database.run(f'CREATE TABLE {TABLE} ({columns}, PRIMARY KEY ("IdNumber"))')


def unlike(source: Database, target: Database) -> int:
    """Return how many rows stand in one of the two tables and not in the other."""
    both = [set(_all(one)) for one in (source, target)]
    return len(both[0] ^ both[1])


def _all(database: Database) -> list[tuple[str, ...]]:
    names = ", ".join(f"`{one}`" if isinstance(database.server, MariaDB) else quoted(one) for one in COLUMNS)
    with database.engine.connect() as line:
        return [tuple(row) for row in line.exec_driver_sql(f"SELECT {names} FROM {TABLE}")]


def opened(database: Database) -> psycopg.Connection[tuple[int]]:
    """Return a connection to a PostgreSQL database."""
    url = make_url(database.url)
    return psycopg.connect(
        host=url.host, port=url.port, user=url.username, password=database.password, dbname=url.database)


def quoted(name: str) -> str:
    """Return a column's name as a statement writes it."""
    return f'"{name}"'
