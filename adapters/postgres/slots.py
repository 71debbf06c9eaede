"""A logical replication slot of PostgreSQL, used through plain SQL: looked at, moved on, peeked into.

Rule 1: peeking changes nothing; a slot is moved on only by `advance`, and never behind what was asked.
Rule 2: where changes behind a place may be missing, the slot is never read on from it: Misconfigured tells that a
        whole read is needed.
Rule 3: no snapshot is held while changes are handed on; the server lays them aside, and gives them piece by piece.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, exc, text

from adapters import sql
from adapters.contract import Misconfigured, Unavailable

PIECE = 64
"""Messages fetched at a time."""
LONGEST = 4 << 20
"""Most octets kept of one message; with PIECE the most that is held at a time."""
_IN_USE, _TOO_SLOW, _ABSENT = "55006", "57014", "42704"
_LSN = re.compile("([0-9A-F]{1,8})/([0-9A-F]{1,8})", re.ASCII).fullmatch

_STATE = text("""
    SELECT (SELECT row_to_json(s)::text FROM pg_replication_slots AS s WHERE slot_name = :slot),
           (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
           current_database()""")
_HERE = text("""
    SELECT (SELECT system_identifier::text FROM pg_control_system()),
           substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), pg_current_wal_flush_lsn()::text""")
_ADVANCE = text("SELECT pg_replication_slot_advance(:slot, CAST(:lsn AS pg_lsn))")
_WRITERS = text("""
    SELECT DISTINCT virtualtransaction FROM pg_locks
    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND granted
      AND mode IN ('RowExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
      AND relation IN (SELECT CAST(:table AS regclass)
                       UNION SELECT relid FROM pg_partition_tree(CAST(:table AS regclass)))""")
_PEEK = """
    SELECT substr(data, 1, %(longest)s), octet_length(data) > %(longest)s
    FROM pg_logical_slot_peek_binary_changes(%(slot)s, %(upto)s::pg_lsn, %(many)s, 'proto_version', '1',
                                             'publication_names', %(publication)s)"""


@dataclass(frozen=True, slots=True)
class Here:
    """A place in the log of one server: which server, which of its time lines, and how far."""

    system: str
    line: str
    lsn: int


def read_lsn(said: Any) -> int:
    """Return a place of the log, as PostgreSQL writes it; raise Misconfigured for what is none."""
    found = _LSN(said) if isinstance(said, str) else None
    if found is None:
        raise Misconfigured("断点无法识别，须整表重读", "the bookmark cannot be read; a whole read is needed")
    return int(found[1], 16) << 32 | int(found[2], 16)


def write_lsn(at: int) -> str:
    """Return a place of the log as PostgreSQL writes it."""
    return f"{at >> 32:X}/{at & 0xFFFFFFFF:X}"


def here(connection: Connection) -> Here:
    """Return how far the log is safe on the disk; raise Misconfigured for a standby, which has no log of its own."""
    if connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one():
        raise Misconfigured("这是备机，请改连主机", "this server is a standby; connect to the primary")
    system, line, lsn = connection.execute(_HERE).one()
    return Here(system, line, read_lsn(lsn))


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot as it was found; `at` is the place up to which its changes were given away."""

    name: str
    about: Mapping[str, Any]

    @property
    def at(self) -> int:
        """Return the place behind which it has changes."""
        return read_lsn(self.about["confirmed_flush_lsn"])


def find(connection: Connection, name: str) -> Slot:
    """Return a slot that can be read; raise Misconfigured if there is none, or Unavailable while another reads it."""
    said, may, database = connection.execute(_STATE, {"slot": name}).one()
    if not may:
        raise Misconfigured("账号没有REPLICATION权限", "the account has no REPLICATION attribute")
    if said is None:
        raise Misconfigured(f"没有复制槽{name}；建立后须整表重读",
                            f"there is no replication slot {name}; when it is made, a whole read is needed")
    about = json.loads(said)
    if about["plugin"] != "pgoutput" or about["database"] != database:
        raise Misconfigured(f"复制槽{name}不属于本库，或其插件不是pgoutput",
                            f"the replication slot {name} is of another database, or its plugin is not pgoutput")
    if about.get("wal_status") == "lost" or about["confirmed_flush_lsn"] is None:
        raise Misconfigured(f"复制槽{name}所需日志已被清除，须重建此槽并整表重读",
                            f"the log that the slot {name} needs is gone; make it anew, then a whole read is needed")
    if about["active"]:
        raise _in_use()
    return Slot(name, about)


def _in_use() -> Unavailable:
    return Unavailable("复制槽正被别的读取者使用", "another reader is using the replication slot")


def hold(slot: Slot, mark: Here, now: Here) -> None:
    """Raise Misconfigured unless the slot still has every change behind the mark."""
    if (mark.system, mark.line) != (now.system, now.line):
        why = ("服务器已更换或切换过主备", "the server was changed, or failed over")
    elif now.lsn < mark.lsn:
        why = ("服务器被恢复到了过去", "the server was set back")
    elif slot.at > mark.lsn:
        why = ("复制槽已被别的读取者推进，或是重建的", "another reader moved the slot on, or it was made anew")
    else:
        return
    raise Misconfigured(f"{why[0]}，须整表重读", f"{why[1]}; a whole read is needed")


def advance(connection: Connection, slot: Slot, lsn: int) -> None:
    """Let the server forget what was read up to this place."""
    if slot.at < lsn:
        with told():
            connection.execute(_ADVANCE, {"slot": slot.name, "lsn": write_lsn(lsn)})


def writers(connection: Connection, table: str) -> set[str]:
    """Return who has written to a table, or is about to, and has not ended."""
    return set(connection.execute(_WRITERS, {"table": table}).scalars())


def peek(
    connection: Connection, slot: str, publication: str, upto: int, many: int
) -> Generator[tuple[bytes, bool], None, None]:
    """Yield messages, each with whether it was cut, up to a place or the end of a transaction behind so many."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg's
    quoted = publication.replace('"', '""')
    with told(), driver.cursor("exnode_changes", binary=True, withhold=True) as cursor:
        cursor.execute(_PEEK, {"longest": LONGEST, "slot": slot, "upto": write_lsn(upto), "many": many,
                               "publication": f'"{quoted}"'})
        while piece := cursor.fetchmany(PIECE):
            yield from piece


@contextmanager
def told() -> Iterator[None]:
    """Let errors of slots leave in our words."""
    try:
        yield
    except (psycopg.Error, exc.DBAPIError) as why:
        code = getattr(getattr(why, "orig", why), "sqlstate", None)
        if code == _IN_USE:
            raise _in_use() from None
        if code == _TOO_SLOW:
            raise Unavailable("日志未能在时限内解码，可调大seconds",
                              "the log was not decoded in time; `seconds` may be raised") from None
        if code == _ABSENT:
            raise Misconfigured("发布在复制槽建立时尚不存在，请重建复制槽并整表重读",
                                "the publication is missing, or was not there yet when the slot was made; "
                                "make the slot anew, then a whole read is needed") from None
        if isinstance(why, psycopg.Error):
            raise sql.told(_wrapped(why)) from None
        raise


def _wrapped(why: psycopg.Error) -> exc.DBAPIError:
    made = exc.DBAPIError.instance("", None, why, psycopg.Error)
    assert isinstance(made, exc.DBAPIError)
    return made
