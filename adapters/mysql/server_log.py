"""The binary log of a MySQL or MariaDB, asked for as a replica asks, up to its present end and no longer.

Rule 1: the connection is its own and is closed at the end; the server is told not to wait for what is to come.
Rule 2: an event of more than 64 MiB is not taken in.
Rule 3: a place is good only for the file it was taken in: one of the same name that was made at another second is
        another log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from struct import pack
from time import sleep
from typing import Any

from pymysql.constants.COMMAND import COM_BINLOG_DUMP
from pymysql.err import OperationalError, ProgrammingError
from sqlalchemy import Connection, Engine, exc, text

from adapters.contract import Misconfigured
from adapters.mysql.binlog import LONGEST, Decoder, Event, Format, Malformed, Rotate

_NOT_WAITING = 1
_GONE = 1236
_SETTLE = 2.0
"""Seconds in which what MySQL has logged is seen by others too; MariaDB tells a place of which this is certain."""
_EPOCH = datetime(1970, 1, 1)
_DAY = 86_400
_LAST = (1 << 31) - 1
_DAYS = 10_000
"""Most days whose clock is remembered."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the log: file, octet, and the second at which the file was made."""

    file: str
    at: int
    made: int

    @property
    def order(self) -> tuple[int, int]:
        """What places are compared by."""
        number = self.file.rpartition(".")[2]
        return int(number) if number.isdecimal() else 0, self.at


def whole_read(zh: str, en: str) -> Misconfigured:
    """Return that the log cannot be read on."""
    return Misconfigured(f"{zh}，须整表重读", f"{en}; a whole read is needed")


class Stream:
    """The events of one table behind a place."""

    def __init__(self, engine: Engine, number: int, file: str, at: int, schema: str, table: str) -> None:
        self.place = Place(file, at, 0)
        self.too_far = False
        """Whether the file is longer than a place can tell."""
        self._raw = engine.raw_connection()
        driver: Any = self._raw.driver_connection
        self._driver = driver
        with driver.cursor() as cursor:
            cursor.execute("SELECT @@global.binlog_checksum")
            checksum = str(cursor.fetchone()[0]).upper() != "NONE"
            cursor.execute("SET @master_binlog_checksum = @@global.binlog_checksum, "
                           "@source_binlog_checksum = @@global.binlog_checksum")
        self._decoder = Decoder(schema, table, checksum)
        driver._execute_command(COM_BINLOG_DUMP, pack("<IHI", at, _NOT_WAITING, number) + file.encode())

    def events(self) -> Iterator[Event]:
        """Yield events to the present end of the log; `place` is where the last one ended."""
        while (octets := self._packet()) is not None:
            try:
                event = self._decoder.decode(octets)
            except Malformed:
                raise whole_read("二进制日志无法识别", "the binary log cannot be understood") from None
            self._move(event)
            if event is not None:
                yield event

    def _move(self, event: Event | None) -> None:
        place, at = self.place, self._decoder.at
        if isinstance(event, Rotate):
            self.place, self.too_far = Place(event.file, event.at, place.made), False
        elif isinstance(event, Format):
            self.place = Place(place.file, place.at, event.made)
        elif at:
            self.too_far |= at < place.at
            self.place = Place(place.file, at, place.made)

    def _packet(self) -> bytes | None:
        """Return an event, None at the end."""
        parts, size, long = [], 0xFFFFFF, 0
        while size == 0xFFFFFF:
            size = int.from_bytes(self._driver._read_bytes(4)[:3], "little")
            long += size
            if long > LONGEST:
                raise whole_read("日志中有超过64 MiB的变更", "the log has a change of more than 64 MiB")
            parts.append(self._driver._read_bytes(size))
        packet = b"".join(parts)
        if packet[:1] == b"\xff":
            raise _told(int.from_bytes(packet[1:3], "little"))
        return None if packet[:1] == b"\xfe" and len(packet) < 9 else packet[1:]

    def close(self) -> None:
        """Let go of the connection, which serves nothing else any more."""
        with suppress(Exception):
            self._driver._force_close()
        self._raw.invalidate()


def _told(code: int) -> Exception:
    if code == _GONE:
        return whole_read("断点处的日志已被清除，或含超过max_allowed_packet的变更",
                          "the log was purged at the bookmark, or a change there is larger than max_allowed_packet")
    return OperationalError(code, "")  # type: ignore[no-any-return]  # PyMySQL has no types


def end(connection: Connection) -> Place:
    """Return the present end of the log; raise Misconfigured if the server writes none."""
    for asked in ("SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"):
        try:
            found = connection.exec_driver_sql(asked).first()
        except exc.DBAPIError as why:
            if not isinstance(why.orig, ProgrammingError) or asked == "SHOW BINARY LOG STATUS":
                raise
        else:
            if found is not None:
                return Place(str(found[0]), int(found[1]), 0)
            break
    raise Misconfigured("服务器没有开启二进制日志，请在配置文件中设log_bin并重启",
                        "the server writes no binary log; set log_bin in its configuration and restart")


def seen(connection: Connection) -> Place:
    """Return a place before which there is nothing that a read beginning now may miss."""
    place = end(connection)
    connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    try:
        told = dict(tuple(one) for one in connection.exec_driver_sql("SHOW STATUS LIKE 'binlog_snapshot_%%'"))
    finally:
        connection.exec_driver_sql("COMMIT")
    said = {str(name).lower(): value for name, value in told.items()}
    if said.get("binlog_snapshot_file"):
        return Place(str(said["binlog_snapshot_file"]), int(said["binlog_snapshot_position"]), 0)
    sleep(_SETTLE)
    return place


def variables(connection: Connection) -> Mapping[str, str]:
    """Return how the server logs."""
    asked = text("SHOW GLOBAL VARIABLES WHERE Variable_name LIKE '%binlog%' OR Variable_name LIKE '%log_bin%' "
                 "OR Variable_name IN ('server_id', 'version', 'expire_logs_days')")
    return {str(name).lower(): str(value) for name, value in connection.execute(asked)}


class Clock:
    """What the server's clock said at a second since 1970; its zone may be one that changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._shifts: dict[int, int | None] = {}

    def __call__(self, seconds: int) -> str:
        """Return the time as the server writes it."""
        day = seconds // _DAY
        if day not in self._shifts:
            if len(self._shifts) >= _DAYS:
                self._shifts.clear()
            first, last = (self._shift(one) for one in (day * _DAY, min((day + 1) * _DAY - 1, _LAST)))
            self._shifts[day] = first if first == last else None
        shift = self._shifts[day]
        said = _EPOCH + timedelta(seconds=seconds + (self._shift(seconds) if shift is None else shift))
        return said.isoformat(" ")

    def _shift(self, seconds: int) -> int:
        asked = text("SELECT CAST(FROM_UNIXTIME(:at) AS CHAR(19))")
        said = self._connection.execute(asked, {"at": seconds}).scalar_one()
        return round((datetime.fromisoformat(said) - _EPOCH).total_seconds()) - seconds
