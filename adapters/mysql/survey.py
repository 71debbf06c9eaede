"""What a MySQL or MariaDB lacks before a table can be read from its binary log, with the statement that mends it.

Rule: nothing is changed; what an operator runs is only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, text

from adapters.contract import Finding, Misconfigured, fault, good, warning
from adapters.mysql import server_log

_WANTED = {"binlog_format": "ROW", "binlog_row_image": "FULL", "binlog_row_metadata": "FULL"}
_UNWANTED = {"binlog_transaction_compression": "OFF", "binlog_row_value_options": ""}
_HOURS = 24

_STORED = text("SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES "
               "WHERE TABLE_SCHEMA = COALESCE(:schema, DATABASE()) AND TABLE_NAME = :table AND TABLE_TYPE <> 'VIEW'")
_CASCADES = text("""
    SELECT CONSTRAINT_NAME FROM information_schema.REFERENTIAL_CONSTRAINTS
    WHERE CONSTRAINT_SCHEMA = :schema AND TABLE_NAME = :table
      AND (DELETE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT')
           OR UPDATE_RULE IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))
    ORDER BY 1 LIMIT 1""")


def stored(connection: Connection, what: Mapping[str, Any]) -> tuple[str, str]:
    """Return database and table as the server writes them; raise Misconfigured if there is no such table."""
    found = connection.execute(_STORED, {"schema": what.get("schema"), "table": what["table"]}).first()
    if found is None:
        raise Misconfigured(f"没有表{what['table']}", f"there is no table {what['table']}")
    return str(found[0]), str(found[1])


def cascades(connection: Connection, what: Mapping[str, Any], schema: str, table: str) -> None:
    """Raise Misconfigured if rows may change through a foreign key, which the log does not tell."""
    if what.get("cascade", "hold") == "ignore":
        return
    found = connection.execute(_CASCADES, {"schema": schema, "table": table}).scalar()
    if found is not None:
        raise Misconfigured(
            f'外键{found}的级联删改不记入日志；若不必理会可设cascade = "ignore"',
            f'what the foreign key {found} deletes or changes in cascade is not logged; or cascade = "ignore"')


def ready(connection: Connection) -> Iterator[Finding]:
    """Yield whether the server logs what is needed."""
    told = server_log.variables(connection)
    yield good(f"已连接{told.get('version', '')}", f"connected to {told.get('version', '')}")
    if told.get("log_bin") not in ("ON", "1"):
        yield fault("服务器没有开启二进制日志，请在配置文件中设log_bin并重启",
                    "the server writes no binary log; set log_bin in its configuration and restart")
        return
    for name, value in {**_WANTED, **_UNWANTED}.items():
        yield from _variable(told, name, value)
    yield from _kept(told)


def _variable(told: Mapping[str, str], name: str, value: str) -> Iterator[Finding]:
    if name not in told:
        if name in _WANTED:
            yield fault(f"服务器没有变量{name}：须为MariaDB 10.5或MySQL 8.0以上",
                        f"the server has no {name}: MariaDB 10.5 or MySQL 8.0 is needed")
    elif told[name].upper() != value:
        statement = f"SET GLOBAL {name} = '{value}'"
        yield fault(f"请执行 {statement}，并写入配置文件", f"needed, in its configuration too: {statement}")


def _kept(told: Mapping[str, str]) -> Iterator[Finding]:
    seconds = float(told.get("binlog_expire_logs_seconds") or 0) or float(told.get("expire_logs_days") or 0) * 86_400
    hours = round(seconds / 3600)
    if seconds and hours < _HOURS:
        yield warning(f"日志只保留{hours}小时，停读更久便须整表重读",
                      f"the log is kept for {hours} hours; after a longer rest a whole read is needed")
    else:
        yield good(f"日志保留{hours}小时" if seconds else "日志不自动清除",
                   f"the log is kept for {hours} hours" if seconds else "the log is not purged by itself")


def survey(connection: Connection, what: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is amiss with one table."""
    schema, table = stored(connection, what)
    try:
        cascades(connection, what, schema, table)
    except Misconfigured as why:
        yield fault(why.zh, why.en)
    filters = connection.exec_driver_sql("SHOW MASTER STATUS").first()
    only, but = ({name for name in str(one or "").split(",") if name} for one in (filters or ("", "", "", ""))[2:4])
    if only and schema not in only or schema in but:
        yield fault(f"数据库{schema}不记入日志（binlog_do_db、binlog_ignore_db）",
                    f"the database {schema} is not logged (binlog_do_db, binlog_ignore_db)")
