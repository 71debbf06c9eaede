"""KingbaseES through the driver of its maker, which is psycopg2 under another name: `kingbase+ksycopg2://`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.engine.interfaces import DBAPIModule


class Kingbase(PGDialect_psycopg2):
    """SQLAlchemy's dialect of psycopg2, with the modules and the version of KingbaseES."""

    name = "kingbase"
    driver = "ksycopg2"
    supports_statement_cache = True

    def __init__(self, **given: Any) -> None:
        super().__init__(**{"use_native_hstore": False, **given})  # type: ignore[no-untyped-call]  # no types

    @classmethod
    def import_dbapi(cls) -> DBAPIModule:
        """Return the driver."""
        import ksycopg2

        return ksycopg2  # type: ignore[no-any-return]  # no types

    @property
    def _psycopg2_extensions(self) -> ModuleType:
        from ksycopg2 import extensions

        return extensions  # type: ignore[no-any-return]  # no types

    @property
    def _psycopg2_extras(self) -> ModuleType:
        from ksycopg2 import extras

        return extras  # type: ignore[no-any-return]  # no types

    def _get_server_version_info(self, connection: Any) -> tuple[int, ...]:
        """Return which PostgreSQL it is like; its own version is written in another way."""
        found: int = connection.connection.driver_connection.server_version
        return (found // 10000, found % 10000 // 100)
