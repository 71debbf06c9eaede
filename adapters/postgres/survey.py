"""What PostgreSQL lacks before a table can be read from its log, with the statement that makes it.

Rule: nothing is changed; what an operator runs is only told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, inspect, text

from adapters import sql
from adapters.contract import Finding, Misconfigured, Unavailable, fault, good, warning
from adapters.postgres import slots

_MUCH = 1 << 30
"""Octets of kept log from which it is worth a word."""

_SERVER = text("""
    SELECT current_setting('wal_level'), current_setting('max_slot_wal_keep_size', true), pg_is_in_recovery(),
           (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
           current_user, current_setting('server_version')""")
_TABLE = text("""
    SELECT c.oid, c.relkind, c.relreplident, c.relpersistence, has_table_privilege(c.oid, 'SELECT'),
           ARRAY(SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0
                 AND NOT a.attisdropped AND a.attgenerated <> ''),
           ARRAY(SELECT a.attname FROM pg_index AS i JOIN pg_attribute AS a
                   ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
                 WHERE i.indrelid = c.oid
                   AND (c.relreplident = 'd' AND i.indisprimary OR c.relreplident = 'i' AND i.indisreplident))
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relname = :table""")
_PUBLICATION = text("""
    SELECT p.pubinsert AND p.pubupdate AND p.pubdelete, p.pubtruncate, p.pubviaroot,
           (SELECT count(*) FROM pg_publication_tables AS t WHERE t.pubname = p.pubname
              AND (t.schemaname, t.tablename) <> (:schema, :table)),
           EXISTS (SELECT FROM pg_publication_tables AS t WHERE t.pubname = p.pubname
              AND (t.schemaname, t.tablename) = (:schema, :table))
    FROM pg_publication AS p WHERE p.pubname = :publication""")
_KEPT = text("""
    SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), row_to_json(s)::jsonb ->> 'wal_status'
    FROM pg_replication_slots AS s WHERE slot_name = :slot""")


def quoted(*names: str) -> str:
    """Return names as they stand in a statement."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def ready(connection: Connection) -> Iterator[Finding]:
    """Yield whether the server tells changes at all, and to this account."""
    level, keep, standby, may, account, version = connection.execute(_SERVER).one()
    yield good(f"已连接PostgreSQL {version}", f"connected to PostgreSQL {version}")
    if standby:
        yield fault("这是备机，请改连主机", "this server is a standby; connect to the primary")
    if level != "logical":
        yield fault("日志级别不足，请执行 ALTER SYSTEM SET wal_level = 'logical'，然后重启数据库",
                    "the log tells too little: ALTER SYSTEM SET wal_level = 'logical', then restart the server")
    if not may:
        statement = f"ALTER ROLE {quoted(account)} REPLICATION"
        yield fault(f"账号不能读复制槽，请执行 {statement}", f"the account may read no slot: {statement}")
    if keep == "-1":
        statement = "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf()"
        yield warning(f"停读时日志会占满磁盘，宜设上限，如 {statement}",
                      f"while nobody reads, the log may fill the disk; set a limit, as {statement}")


def survey(connection: Connection, what: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is missing for one table: right, identity, publication, slot."""
    schema, table = what.get("schema", "public"), what["table"]
    found = connection.execute(_TABLE, {"schema": schema, "table": table}).first()
    if found is None:
        raise Misconfigured(f"没有表{schema}.{table}", f"there is no table {schema}.{table}")
    yield from _publication(connection, what, schema, table, found[1] == "p")
    yield from _table(what, schema, table, found)
    if found[2] != "f":
        yield from _identity(connection, what, schema, table, set(found[6]))
    yield from _slot(connection, what["slot"])


def _table(what: Mapping[str, Any], schema: str, table: str, found: Any) -> Iterator[Finding]:
    _, kind, _, persistence, selects, computed, _ = found
    if kind not in ("r", "p") or persistence != "p":
        yield fault(f"{table}不是普通表，其变化不记入日志", f"{table} is no ordinary table, the log has no changes of it")
    if not selects:
        statement = f"GRANT SELECT ON {quoted(schema, table)} TO CURRENT_USER"
        yield fault(f"账号不能查询此表，请执行 {statement}（写明账号）", f"the account may not select: {statement}, by name")
    if computed and (not what.get("columns") or set(computed) & set(what["columns"])):
        yield warning(f"计算列{'、'.join(computed)}不在日志中，每行须再查询一次；可用columns略去",
                      f"the log has no computed column ({', '.join(computed)}): each row is selected; or name columns")


def _identity(
    connection: Connection, what: Mapping[str, Any], schema: str, table: str, identity: set[str]
) -> Iterator[Finding]:
    key = what.get("key") or [one.name for one in sql.columns(inspect(connection), table, schema) if one.key]
    if not key:
        yield fault("表没有主键，请用key指明唯一的列", "the table has no primary key; name unique columns with key")
    statement = f"ALTER TABLE {quoted(schema, table)} REPLICA IDENTITY FULL"
    if set(key) <= identity:
        yield good("删除与改键可从日志得知", "the log tells deletes and changes of the key")
    else:
        yield fault(f"日志不含旧主键，请执行 {statement}", f"the log lacks the old key: {statement}")


def _publication(
    connection: Connection, what: Mapping[str, Any], schema: str, table: str, parts: bool
) -> Iterator[Finding]:
    name = what["publication"]
    found = connection.execute(_PUBLICATION, {"publication": name, "schema": schema, "table": table}).first()
    if found is None:
        statement = f"CREATE PUBLICATION {quoted(name)} FOR TABLE {quoted(schema, table)}"
        if parts:
            statement += " WITH (publish_via_partition_root = true)"
        yield fault(f"没有发布{name}，请执行 {statement}", f"there is no publication {name}: {statement}")
        return
    alter = f"ALTER PUBLICATION {quoted(name)}"
    everything, truncates, root, others, has = found
    if parts and not root:
        yield fault(f"分区表须以总表发布，请执行 {alter} SET (publish_via_partition_root = true)",
                    f"a partitioned table is published as one: {alter} SET (publish_via_partition_root = true)")
    elif not has:
        statement = f"{alter} ADD TABLE {quoted(schema, table)}"
        yield fault(f"发布{name}不含此表，请执行 {statement}", f"the publication {name} lacks the table: {statement}")
    if not everything or not truncates:
        statement = f"{alter} SET (publish = 'insert, update, delete, truncate')"
        yield fault(f"发布{name}未含全部操作，请执行 {statement}", f"the publication {name} lacks operations: {statement}")
    if others:
        yield warning(f"发布{name}还含{others}个表，其变化也要解码；宜为本表单独发布",
                      f"the publication {name} has {others} tables more, which are decoded for nothing")


def _slot(connection: Connection, name: str) -> Iterator[Finding]:
    try:
        slots.find(connection, name)
    except Misconfigured as why:
        statement = f"SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"
        yield fault(f"{why.zh}：{statement}（在发布之后执行）", f"{why.en}: {statement}, behind the publication")
        return
    except Unavailable as why:
        yield warning(why.zh, why.en)
    kept, state = connection.execute(_KEPT, {"slot": name}).one()
    told = warning if (kept or 0) > _MUCH or state == "unreserved" else good
    size = f"{int(kept or 0) >> 20} MiB"
    yield told(f"复制槽{name}保留日志{size}，状态{state}", f"the slot {name} keeps {size} of log, its state is {state}")
