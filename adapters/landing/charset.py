"""Which characters the text of a database can hold.

Rule 1: what is not known here is judged by the database; one that would put a question mark in silence must be known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, text

from adapters.landing.family import family_of

_MYSQL: Mapping[str, str | None] = {
    "utf8mb4": None, "utf8": "bmp", "utf8mb3": "bmp", "ucs2": "bmp", "gbk": "gbk", "gb2312": "gb2312", "gb18030": None,
    "latin1": "cp1252", "ascii": "ascii", "big5": "big5", "binary": None, "utf16": None, "utf32": None,
}
_POSTGRESQL = {"EUC_CN": "gb2312", "LATIN1": "latin-1", "EUC_TW": "euc_tw", "WIN1252": "cp1252", "EUC_JP": "euc_jp"}
_FIREBIRD = {
    "GBK": "gbk", "GB_2312": "gb2312", "BIG_5": "big5", "ISO8859_1": "latin-1", "WIN1252": "cp1252", "ASCII": "ascii",
}
_MSSQL = {936: "gbk", 950: "big5", 932: "cp932", 949: "cp949", 65001: None, 1252: "cp1252"}


def charsets(connection: Connection, name: str, schema: str | None) -> Mapping[str, str | None]:
    """Return the charset of each column of a table that is known, by its name in small letters; `` of all others."""
    kind = family_of(connection.dialect)
    ask = _ASK.get(kind)
    return ask(connection, name, schema) if ask else {}


def _postgresql(connection: Connection, name: str, schema: str | None) -> Mapping[str, str | None]:
    found = str(connection.execute(text("SHOW server_encoding")).scalar_one())
    return {"": _POSTGRESQL.get(found)}


def _mysql(connection: Connection, name: str, schema: str | None) -> Mapping[str, str | None]:
    asked = text(
        "SELECT COLUMN_NAME, CHARACTER_SET_NAME FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND TABLE_NAME = :name")
    found = connection.execute(asked, {"schema": schema, "name": name})
    return {str(column).lower(): _MYSQL.get(str(charset), "ascii") for column, charset in found if charset}


def _firebird(connection: Connection, name: str, schema: str | None) -> Mapping[str, str | None]:
    asked = text(
        "SELECT TRIM(r.RDB$FIELD_NAME), TRIM(c.RDB$CHARACTER_SET_NAME) FROM RDB$RELATION_FIELDS r"
        " JOIN RDB$FIELDS f ON f.RDB$FIELD_NAME = r.RDB$FIELD_SOURCE"
        " JOIN RDB$CHARACTER_SETS c ON c.RDB$CHARACTER_SET_ID = f.RDB$CHARACTER_SET_ID"
        " WHERE UPPER(TRIM(r.RDB$RELATION_NAME)) = UPPER(:name)")
    found = connection.execute(asked, {"name": name})
    return {str(column).lower(): _FIREBIRD.get(str(charset)) for column, charset in found}


def _mssql(connection: Connection, name: str, schema: str | None) -> Mapping[str, str | None]:
    asked = text(
        "SELECT c.name, CAST(COLLATIONPROPERTY(c.collation_name, 'CodePage') AS INT), t.name FROM sys.columns c"
        " JOIN sys.types t ON t.user_type_id = c.user_type_id WHERE c.object_id = OBJECT_ID(:name)")
    found = connection.execute(asked, {"name": f"{schema}.{name}" if schema else name})
    return {
        str(column).lower(): None if str(kind).startswith("n") else _MSSQL.get(page, "ascii")
        for column, page, kind in found if page is not None
    }


_ASK: Mapping[str, Callable[[Connection, str, str | None], Mapping[str, str | None]]] = {
    "postgresql": _postgresql, "mysql": _mysql, "firebird": _firebird, "mssql": _mssql,
}


def charset_of(known: Mapping[str, str | None], column: Any) -> str | None:
    """Return the charset of one column."""
    return known.get(str(column).lower(), known.get(""))
