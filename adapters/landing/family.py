"""By which name a database is known here: MariaDB is MySQL, and a dialect's own additions to its name are left out."""

from __future__ import annotations

from sqlalchemy.engine import Dialect

_FAMILY = {"mariadb": "mysql"}


def family_of(dialect: Dialect) -> str:
    """Return a database's name: `postgresql`, `mysql`, `sqlite`, `firebird`, `oracle`, `mssql`, `dm`, else its own."""
    name = dialect.name.partition(".")[0]
    return _FAMILY.get(name, name)
