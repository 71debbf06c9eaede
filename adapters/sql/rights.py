"""Whether the account by which a database is read could also write in it, and what to revoke.

The database is asked for the rights of the account, not tried.  Of what it answers only words of rights and names of
tables are told; `SHOW GRANTS` also holds the digest of a password.

Rule 1: a file that is opened for reading alone cannot be written, whoever may.
Rule 2: where the database cannot be asked, that is said: nothing found is not taken for nothing there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection, exc, text

from adapters.contract import Finding, good, warning
from adapters.sql.dialects import family

SHOWN = 5
"""Most rights that are named."""

_POSTGRESQL = """
SELECT 'SUPERUSER' FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL SELECT 'CREATE ON SCHEMA ' || nspname FROM pg_namespace
 WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'CREATE')
UNION ALL SELECT 'INSERT, UPDATE, DELETE ON ' || c.relname
 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'f', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 AND n.nspname NOT LIKE 'pg\\_toast%' AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
"""
_FIREBIRD = """
SELECT 'SYSDBA' FROM RDB$DATABASE WHERE CURRENT_USER = 'SYSDBA' OR CURRENT_ROLE = 'RDB$ADMIN'
UNION ALL SELECT DISTINCT DECODE(RDB$PRIVILEGE, 'I', 'INSERT', 'U', 'UPDATE', 'DELETE') || ' ON '
 || TRIM(RDB$RELATION_NAME) FROM RDB$USER_PRIVILEGES
 WHERE RDB$USER IN (CURRENT_USER, 'PUBLIC', CURRENT_ROLE) AND RDB$PRIVILEGE IN ('I', 'U', 'D')
 AND RDB$OBJECT_TYPE = 0 AND RDB$RELATION_NAME NOT STARTING WITH 'RDB$' AND RDB$RELATION_NAME NOT STARTING WITH 'MON$'
 AND RDB$RELATION_NAME NOT STARTING WITH 'SEC$'
"""
_ORACLE = """
SELECT PRIVILEGE FROM SESSION_PRIVS WHERE PRIVILEGE NOT IN ('CREATE SESSION') AND PRIVILEGE NOT LIKE 'SELECT%'
 AND PRIVILEGE NOT LIKE 'READ%'
UNION SELECT DISTINCT PRIVILEGE || ' ON ' || TABLE_NAME FROM USER_TAB_PRIVS
 WHERE PRIVILEGE IN ('INSERT', 'UPDATE', 'DELETE', 'ALTER')
"""
_MSSQL = """
SELECT DISTINCT permission_name FROM fn_my_permissions(NULL, 'DATABASE')
 WHERE permission_name NOT LIKE 'VIEW%' AND permission_name NOT IN ('CONNECT', 'SELECT', 'SHOWPLAN')
"""
_ASKED = {
    "postgresql": _POSTGRESQL, "firebird": _FIREBIRD, "oracle": _ORACLE, "dm": _ORACLE, "mssql": _MSSQL,
    "mysql": "SHOW GRANTS",
}

_GRANT = re.compile(r"GRANT (.+?) ON (\S+) TO ")
_READS = frozenset({
    "USAGE", "SELECT", "SHOW VIEW", "SHOW DATABASES", "PROCESS", "REPLICATION CLIENT", "REPLICATION SLAVE",
    "BINLOG MONITOR", "REPLICA MONITOR", "SLAVE MONITOR", "REPLICATION MASTER ADMIN", "PROXY",
})


def rights(connection: Connection) -> Finding:
    """Return whether the account may write, as far as the database tells."""
    name = family(connection.engine.url)
    if name == "sqlite":
        return good("数据库文件以只读方式打开", "the database file is opened for reading alone")
    found = _found(connection, name)
    if found is None:
        return warning("无法查明帐户是否只读，请由管理员确认", "whether the account may only read cannot be found out; ask its keeper")
    if not found:
        return good("帐户没有写的权限", "the account has no right to write")
    shown = found[:SHOWN]
    more = f"…（{len(found)}）" if len(found) > SHOWN else ""
    return warning(
        f"帐户可以写，请收回：{'；'.join(shown)}{more}", f"the account may write; revoke: {'; '.join(shown)}{more}")


def _found(connection: Connection, name: str) -> list[str] | None:
    asked = _ASKED.get(name)
    if asked is None:
        return None
    try:
        rows = [str(row[0]).strip() for row in connection.execute(text(asked))]
    except exc.DBAPIError:
        return None
    return _CHOOSE.get(name, list)(rows)


def _written(grants: Iterable[str]) -> list[str]:
    """Return what MySQL's grants allow beyond reading; a role that is not active does not count."""
    found = []
    for grant in grants:
        told = _GRANT.match(grant)
        if told is None:
            continue
        kinds = [one.strip() for one in re.sub(r"\([^)]*\)", "", told[1]).split(",")]
        found += [f"{one} ON {told[2]}" for one in kinds if one not in _READS]
    return found


_CHOOSE: Mapping[str, Callable[[list[str]], list[str]]] = {"mysql": _written}
