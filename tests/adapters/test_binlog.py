"""Events of the binary log: what a MariaDB 10.11 really wrote, cut everywhere, changed everywhere."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from random import Random
from struct import pack
from typing import Any

import pytest

from adapters.mysql.binlog import Decoder, End, Format, Kind, Malformed, Prepared, Query, Rotate, Rows, Unknown
from adapters.mysql.cells import DOUBT, Cells

FORMAT = bytes.fromhex(
    "ffdf0b6b0f01000000fc000000000000000000040031302e31312e31392d4d6172696144422d302b646562313275312d" "6c6f67"
    + "00" * 24
    + "13380d000800120004040404120000e400041a08000000080808020000000a0a0a0000000000000a0a0a"
    + "00" * 119
    + "041304000d0808080a0a0a01b144fe6e")
ROTATE = bytes.fromhex("0000000004010000002c000000000000002000320200000000000062696e6c6f672e3030303030319796158e")
BEGIN = bytes.fromhex("7cdf0b6b02010000002a0000005c02000008000000000000000000000000000000424547494e3fde37d8")
TABLE = bytes.fromhex(
    "7cdf0b6b13010000005d00000029030000000012000000000001000274310007545f48554b4f550004030ffe12051200f701030e01018002"
    "011c040c02494402584d0258420247580a012d06090203e794b703e5a5b3080100ef1673f0")
INSERT = bytes.fromhex("7cdf0b6b1701000000380000006103000000001200000000000100040ff00100000004d5c5c8fd0299a278978009c4"
                       "fe020000003aaadc6b")
UPDATE = bytes.fromhex("7cdf0b6b1801000000460000008d04000000001200000000000100040f0ff00100000004d5c5c8fd0299a278978009"
                       "c4f00100000004c0eecbc40299a278978009c42dc0aa3e")
DELETE = bytes.fromhex("7cdf0b6b1901000000260000008e05000000001200000000000100040ffe02000000410d34ab")
COMMIT = bytes.fromhex("7cdf0b6b10010000001f0000008003000000004c000000000000009fe1d28d")
TRUNCATE = bytes.fromhex("7cdf0b6b0201000000570000002e06000000000d000000000000000200001a0000000000010100002054000000000"
                         "603737464042d002d002d007431005452554e43415445205441424c4520545f48554b4f5504e9ae07")
ALL = [FORMAT, ROTATE, BEGIN, TABLE, INSERT, UPDATE, DELETE, COMMIT, TRUNCATE]
NONE: Mapping[int, Any] = {}


def event(kind: int, body: bytes, flags: int = 0) -> bytes:
    """Return an event as a server would write it."""
    head = pack("<IBIIIH", 1, kind, 1, 19 + len(body) + 4, 100, flags) + body
    return head + zlib.crc32(head).to_bytes(4, "little")


def decoder(schema: str = "t1") -> Decoder:
    """Return a decoder to which the table was described."""
    made = Decoder(schema, "T_HUKOU", True)
    assert made.decode(FORMAT) == Format(0x6b0bdfff) and made.decode(TABLE) is None
    return made


def rows(octets: bytes) -> list[list[Any]]:
    """Return the images of an event, each the cells of its columns."""
    found = decoder().decode(octets)
    assert isinstance(found, Rows) and found.table.names == ["ID", "XM", "XB", "GX"]
    cells = Cells(found.table, {28: "gbk", 45: "utf8mb4"}, {}, str, {12: datetime.fromisoformat})
    images, at = [], 0
    while at < len(found.octets):
        image, at = cells.row(found.octets, at, found.after)
        images.append([image[one] for one in found.after])
    return images


@pytest.mark.parametrize(("octets", "means"), [
    (ROTATE, Rotate("binlog.000001", 562)), (BEGIN, Query("", "BEGIN")), (COMMIT, End()),
    (TRUNCATE, Query("t1", "TRUNCATE TABLE T_HUKOU")), (TABLE, None), (event(160, b"INSERT"), None),
    (event(40, b"packed"), Unknown(40)), (event(26, b"\1\0"), Unknown(26)),
    (event(99, b"", 0x80), None), (event(38, b"\1abc"), End()), (event(38, b"\0abc"), Prepared()),
    (event(39, INSERT[19:-4]), Unknown(39)),
])
def test_what_a_server_wrote_is_taken_apart(octets: bytes, means: object) -> None:
    assert decoder().decode(octets) == means


def test_rows_are_taken_apart_by_what_was_told_of_their_table() -> None:
    first, moved = [1, "张三", "女", datetime(2019, 2, 28, 9, 30, 0, 250_000)], [1, "李四", "女"]
    assert rows(INSERT) == [first, [2, None, None, None]]
    assert rows(UPDATE) == [first, [*moved, first[3]]]
    assert rows(DELETE) == [[2, None, None, None]]
    found = decoder().decode(event(30, INSERT[19:27] + b"\2\0" + INSERT[27:-4]))
    assert isinstance(found, Rows) and found.kind is Kind.INSERT, "MySQL's second form"


def test_rows_that_mariadb_packed_are_unpacked_and_never_to_more_than_they_say() -> None:
    head, whole = INSERT[19:29], INSERT[29:-4]
    packed = zlib.compress(whole)
    assert rows(event(166, head + bytes([0x81, len(whole)]) + packed)) == rows(INSERT)
    for bad in (bytes([0x81, len(whole) - 1]) + packed, bytes([0x81, len(whole) + 1]) + packed, b"\x81", b"\x80",
                bytes([0x91, len(whole)]) + packed, b"\x84\xff\xff\xff\xff" + zlib.compress(bytes(1 << 20)),
                bytes([0x81, len(whole)]) + whole):
        with pytest.raises(Malformed):
            decoder().decode(event(166, head + bad))


def test_a_row_of_no_octets_is_no_row() -> None:
    with pytest.raises(Malformed):
        rows(event(23, INSERT[19:28] + b"\0" + b"rest"))


def test_of_another_table_nothing_is_taken_apart() -> None:
    assert decoder("t2").decode(INSERT) is None and decoder("t2").decode(event(39, INSERT[19:-4])) is None


def test_a_charset_that_is_not_known_is_doubt() -> None:
    found = decoder().decode(INSERT)
    assert isinstance(found, Rows)
    for charsets in ({}, {28: "swe7"}, {28: "ascii"}):
        image, _ = Cells(found.table, charsets, {}, str, {}).row(found.octets, 0, found.after)
        assert image[1] is DOUBT


@pytest.mark.parametrize("octets", ALL)
def test_an_event_cut_anywhere_or_changed_in_any_octet_is_malformed(octets: bytes) -> None:
    for end in range(len(octets)):
        with pytest.raises(Malformed):
            decoder().decode(octets[:end])
    for at in range(4, len(octets)):
        if at not in range(9, 13):
            with pytest.raises(Malformed):
                decoder().decode(octets[:at] + bytes([octets[at] ^ 1]) + octets[at + 1:])


@pytest.mark.parametrize("octets", [
    event(23, b"\x63" + b"\0" * 9), event(23, INSERT[19:27] + b"\5\x1f"), event(23, INSERT[19:27] + b"\xff"),
    event(19, TABLE[19:40]), event(19, TABLE[19:] + b"\4"), event(2, b"\0" * 8), event(30, INSERT[19:27] + b"\0\0"),
])
def test_what_no_server_writes_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decoder().decode(octets)


def test_whatever_comes_nothing_but_malformed_is_raised(seed: int) -> None:
    dice = Random(seed)
    for _ in range(10_000):
        made, first = decoder(), dice.choice(ALL)
        for octets in (first, INSERT):
            body = bytearray(octets[19:-4])
            for _ in range(dice.randrange(3) if octets is first else 0):
                body[dice.randrange(len(body))] = dice.randrange(256)
            try:
                found = made.decode(event(octets[4], bytes(body[:dice.randrange(len(body) + 1)] or body)))
                if isinstance(found, Rows):
                    cells, at = Cells(found.table, {28: "gbk", 45: "utf8mb4"}, {}, str, NONE), 0
                    while at < len(found.octets):
                        _, at = cells.row(found.octets, at, found.after)
            except Malformed:
                pass
