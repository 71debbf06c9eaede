"""pgoutput: what a PostgreSQL 15 really wrote, cut everywhere, changed everywhere, and in too long lists."""

from __future__ import annotations

from random import Random
from struct import pack

import pytest

from adapters.postgres.pgoutput import (
    CUT,
    RELATIONS,
    UNCHANGED,
    Attribute,
    Begin,
    Change,
    Commit,
    Decoder,
    Malformed,
    Relation,
    Truncate,
)

BEGIN = bytes.fromhex("420000000001546b6000030463ff64bfe4000002dc")
COMMIT = bytes.fromhex("43000000000001546b600000000001546b9000030463ff64bfe4")
TABLE = (b"R\0\0@\x01public\0t_hukou\0d\0\x03\x01id\0\0\0\0\x17\xff\xff\xff\xff\0xm\0\0\0\0\x19\xff\xff\xff\xff"
         b"\0zp\0\0\0\0\x19\xff\xff\xff\xff")
OTHER = b"R\0\0@\x08public\0other\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff"
INSERT = b"I\0\0@\x01N\0\x03t\0\0\0\x012nt\0\0\0\0"
UPDATE = b"U\0\0@\x01N\0\x03t\0\0\0\x011t\0\0\0\x06\xe6\x9d\x8e\xe5\x9b\x9bu"
MOVED = b"U\0\0@\x01K\0\x03t\0\0\0\x012nnN\0\x03t\0\0\0\x013nt\0\0\0\0"
FULL = b"U\0\0@\x01O\0\x03t\0\0\0\x011t\0\0\0\x02abt\0\0\0\x04longN\0\x03t\0\0\0\x011nu"
DELETE = b"D\0\0@\x01K\0\x03t\0\0\0\x013nn"
EMPTIED = b"T\0\0\0\x01\0\0\0@\x01"
ELSEWHERE = b"I\0\0@\x08N\0\x01t\0\0\0\x011"
ALL = [BEGIN, COMMIT, TABLE, OTHER, INSERT, UPDATE, MOVED, FULL, DELETE, EMPTIED]
RELATION = Relation(0x4001, (Attribute("id", True, 23), Attribute("xm", False, 25), Attribute("zp", False, 25)))


def decoder() -> Decoder:
    """Return a decoder to which both tables were described."""
    made = Decoder("public", "t_hukou")
    made.decode(TABLE)
    made.decode(OTHER)
    return made


@pytest.mark.parametrize(("octets", "means"), [
    (BEGIN, Begin(0x1546B60)), (COMMIT, Commit(0x1546B90)), (TABLE, RELATION), (OTHER, None),
    (INSERT, Change(RELATION, None, (b"2", None, b""), insert=True)),
    (UPDATE, Change(RELATION, None, (b"1", "李四".encode(), UNCHANGED))),
    (MOVED, Change(RELATION, (b"2", None, None), (b"3", None, b""))),
    (FULL, Change(RELATION, (b"1", b"ab", b"long"), (b"1", None, UNCHANGED), True)),
    (DELETE, Change(RELATION, (b"3", None, None), None)), (EMPTIED, Truncate()), (ELSEWHERE, None),
    (b"T\0\0\0\x01\0\0\0@\x08", None), (b"O\0\0\0\0\0\0\0\0node\0", None), (b"Y\0\0@\0public\0sex\0", None),
])
def test_what_postgresql_wrote_is_taken_apart(octets: bytes, means: object) -> None:
    assert decoder().decode(octets) == means


@pytest.mark.parametrize("octets", ALL)
def test_a_message_cut_anywhere_or_too_long_is_malformed(octets: bytes) -> None:
    for end in range(len(octets)):
        with pytest.raises(Malformed):
            decoder().decode(octets[:end])
    with pytest.raises(Malformed):
        decoder().decode(octets + b"\0")


@pytest.mark.parametrize("octets", [UPDATE, MOVED, FULL, DELETE, INSERT])
def test_of_a_message_kept_in_part_the_rest_is_cut_and_the_key_stays(octets: bytes) -> None:
    head = len(b"U\0\0@\x01K\0\x03t\0\0\0\x012")
    for end in range(head, len(octets)):
        found = decoder().decode(octets[:end], cut=True)
        assert isinstance(found, Change)
        rows = [row for row in (found.old, found.new) if row is not None]
        assert rows[0][0] in (b"1", b"2", b"3") and any(CUT in row for row in rows), end


@pytest.mark.parametrize("octets", [
    b"", b"X", b"S\0\0\0\0\0", b"I\0\0@\x09N\0\x01t\0\0\0\x011", b"I\0\0@\x01K\0\x03nnnN\0\x03nnn",
    b"I\0\0@\x01N\0\x02nn", b"I\0\0@\x01N\0\x03nnx", b"I\0\0@\x01N\0\x03nnt\xff\xff\xff\xff",
    b"I\0\0@\x01N\0\x03nnt\x7f\xff\xff\xff", b"D\0\0@\x01N\0\x03nnn", b"T\xff\xff\xff\xff\0\0\0@\x01",
    b"R\0\0@\x01public\0" + b"a" * 5000 + b"\0d\0\0", b"R\0\0@\x01pub\xfflic\0a\0d\0\0", b"R\0\0@\x01a\0b\0d\xff\xff",
])
def test_what_no_server_writes_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed):
        decoder().decode(octets)


def test_whatever_comes_nothing_but_malformed_is_raised(seed: int) -> None:
    dice = Random(seed)
    for _ in range(20_000):
        octets = bytearray(dice.choice(ALL))
        for _ in range(dice.randrange(1, 4)):
            octets[dice.randrange(len(octets))] = dice.randrange(256)
        try:
            decoder().decode(bytes(octets[:dice.randrange(1, len(octets) + 1)]), dice.random() < 0.5)
        except Malformed:
            pass


def test_of_other_tables_no_more_is_kept_than_a_log_may_have() -> None:
    made = Decoder("public", "t_hukou")
    for number in range(RELATIONS):
        made.decode(b"R" + pack(">I", number) + b"a\0b\0d\0\0")
    made.decode(b"R\0\0\0\0a\0b\0d\0\0")
    with pytest.raises(Malformed):
        made.decode(b"R" + pack(">I", RELATIONS) + b"a\0b\0d\0\0")


def test_a_table_is_taken_as_it_was_last_described() -> None:
    made = decoder()
    made.decode(b"R\0\0@\x01public\0t_hukou\0d\0\x01\x01id\0\0\0\0\x17\xff\xff\xff\xff")
    found = made.decode(b"I\0\0@\x01N\0\x01t\0\0\0\x019")
    assert isinstance(found, Change) and found.new == (b"9",)
