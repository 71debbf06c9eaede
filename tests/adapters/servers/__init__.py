"""Real databases for tests, each started privately; `tests/adapters/conftest.py` gives them as fixtures."""

from tests.adapters.servers.kinds import Firebird, MariaDB, PostgreSQL, SQLite
from tests.adapters.servers.process import Database, Server, clear_away

__all__ = ["Database", "Firebird", "MariaDB", "PostgreSQL", "SQLite", "Server", "clear_away"]
