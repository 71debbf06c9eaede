"""Origin entries: a routed record proves itself against its origin's own parcel, over any number of hops."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest

from node.envelope import (
    Attested,
    Origin,
    Said,
    Unverified,
    check_origins,
    evidence,
    read_origins,
    thin,
    verify,
    write_origins,
)
from node.envelope.opening import Opened
from node.model import codes
from node.model.parcel import Manifest
from node.model.trouble import Hold, Refused, trouble
from tests.envelope.people import ALICE, BOB, CAROL, CRYPTO, Person, lines_of, opened, sealed

CITY, PROVINCE = BOB, Person("province")
KNOWN = {one.node: one for one in (ALICE, CAROL, CITY, PROVINCE)}


def attest(unverified: Unverified[Manifest]) -> Attested[Manifest]:
    person = KNOWN.get(unverified.statement.sender.node)
    if person is None:
        raise trouble(codes.UNREGISTERED)
    return verify(unverified, person.signing.certificate, CRYPTO)


def arrive(lines: Sequence[bytes], sender: Person, receiver: Person, origins: Sequence[Origin] = ()) -> Opened:
    return opened(sealed(lines, sender, receiver, said=Said(origins=origins)), sender, receiver)


def judged(found: Opened, origins: Sequence[str]) -> list[str | None]:
    assert found.inner is not None
    return check_origins(
        found.lines, origins, found.manifest.statement, found.inner.said.origins, attest, CRYPTO
    )


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_a_whole_parcel_travels_without_rest(count: int) -> None:
    first = arrive(lines_of(count), ALICE, CITY)
    kept = evidence(first, ["dept-a"] * count, range(count), CRYPTO)
    assert [entry.rest for entry in kept] == [()]
    routed = arrive(first.lines, CITY, CAROL, kept)
    assert judged(routed, ["dept-a"] * count) == ["dept-a"] * count


def test_s_is_never_passed_on() -> None:
    first = arrive(lines_of(5), ALICE, CITY)
    assert first.secret.hex().encode() not in write_origins(evidence(first, ["dept-a"] * 5, range(5), CRYPTO))


def test_records_prove_themselves_over_three_hops(seed: int) -> None:
    """Departments → city → province → a department: each hop keeps fewer records, from two parcels and its own."""
    dice = random.Random(seed)
    one, two = arrive(lines_of(7), ALICE, CITY), arrive(lines_of(6), CAROL, CITY)
    keep_one, keep_two = sorted(dice.sample(range(7), 5)), sorted(dice.sample(range(6), 4))
    entries = [
        *evidence(one, ["dept-a"] * 7, keep_one, CRYPTO), *evidence(two, ["dept-c"] * 6, keep_two, CRYPTO)
    ]
    lines = [one.lines[at] for at in keep_one] + [two.lines[at] for at in keep_two]
    origins = ["dept-a"] * 5 + ["dept-c"] * 4
    mixed = lines[:3] + lines_of(2) + lines[3:]
    spoken = origins[:3] + ["centre"] * 2 + origins[3:]
    at_province = arrive(mixed, CITY, PROVINCE, entries)
    assert judged(at_province, spoken) == spoken

    keep = sorted(dice.sample(range(11), 6) + [3])
    keep = sorted(set(keep))
    onward = evidence(at_province, spoken, keep, CRYPTO)
    last = arrive([mixed[at] for at in keep], PROVINCE, ALICE, read_origins(write_origins(onward)))
    assert judged(last, [spoken[at] for at in keep]) == [spoken[at] for at in keep]

    fewer = [at for at in range(len(keep)) if dice.random() < 0.6] or [0]
    thinned = thin(onward, last.lines, fewer, CRYPTO)
    end = arrive([last.lines[at] for at in fewer], PROVINCE, CITY, thinned)
    want = [spoken[keep[at]] for at in fewer]
    assert judged(end, want) == want


def test_without_entries_the_sender_alone_vouches() -> None:
    routed = arrive(lines_of(3), CITY, CAROL)
    assert judged(routed, ["dept-a", "centre", "dept-a"]) == ["centre"] * 3


def entry_of(count: int, keep: Sequence[int]) -> tuple[Opened, Origin]:
    first = arrive(lines_of(count), ALICE, CITY)
    (entry,) = evidence(first, ["dept-a"] * count, keep, CRYPTO)
    return first, entry


def test_a_changed_line_salt_index_count_or_rest_proves_nothing() -> None:
    first, entry = entry_of(6, [1, 2, 4])
    lines = [first.lines[at] for at in (1, 2, 4)]
    salts = [salt for _, salt in entry.at]
    broken = [
        replace(entry, count=7), replace(entry, count=5), replace(entry, rest=entry.rest[:-1]),
        replace(entry, rest=(*entry.rest, entry.rest[0])), replace(entry, rest=entry.rest[::-1]),
        replace(entry, at=tuple(zip((1, 2, 5), salts))), replace(entry, at=tuple(zip((2, 1, 4), salts))),
        replace(entry, at=tuple(zip((1, 1, 4), salts))), replace(entry, at=tuple(zip((1, 2, 4), salts[::-1]))),
        replace(entry, at=tuple(zip((1, 2, 99), salts))), replace(entry, manifest=entry.manifest[:-1]),
    ]
    for one in broken:
        assert judged(arrive(lines, CITY, CAROL, [one]), ["dept-a"] * 3) == [None] * 3
    other = [lines[0], lines[2], lines[1]]
    assert judged(arrive(other, CITY, CAROL, [entry]), ["dept-a"] * 3) == [None] * 3
    assert judged(arrive(lines, CITY, CAROL, [entry]), ["dept-a"] * 3) == ["dept-a"] * 3


def test_a_bad_entry_unproves_its_own_lines_alone() -> None:
    first, entry = entry_of(3, [0, 1, 2])
    second = arrive(lines_of(2), CAROL, CITY)
    (good,) = evidence(second, ["dept-c"] * 2, [0, 1], CRYPTO)
    routed = arrive([*first.lines, *second.lines], CITY, CAROL, [replace(entry, count=4), good])
    assert judged(routed, ["dept-a"] * 3 + ["dept-c"] * 2) == [None] * 3 + ["dept-c"] * 2


def test_entries_that_do_not_fit_the_lines_prove_nothing() -> None:
    first, entry = entry_of(3, [0, 1])
    routed = arrive(first.lines, CITY, CAROL, [entry])
    assert judged(routed, ["dept-a"] * 3) == [None] * 3
    assert judged(routed, ["dept-a", "dept-a", "centre"]) == ["dept-a", "dept-a", "centre"]
    with pytest.raises(ValueError):
        evidence(routed, ["dept-a"] * 3, [0], CRYPTO)
    with pytest.raises(ValueError):
        thin([entry], first.lines, [0], CRYPTO)


def test_a_record_of_another_resource_or_of_nobody_known_is_not_proven() -> None:
    first = opened(sealed(lines_of(1), ALICE, CITY, resource="legal-entity"), ALICE, CITY)
    (entry,) = evidence(first, ["dept-a"], [0], CRYPTO)
    assert judged(arrive(first.lines, CITY, CAROL, [entry]), ["dept-a"]) == [None]
    stranger = arrive(lines_of(1), Person("stranger"), CITY)
    (unknown,) = evidence(stranger, ["stranger"], [0], CRYPTO)
    with pytest.raises(Hold):
        judged(arrive(stranger.lines, CITY, CAROL, [unknown]), ["stranger"])


def test_an_origin_is_the_node_that_signed_and_no_other() -> None:
    first, entry = entry_of(1, [0])
    assert judged(arrive(first.lines, CITY, CAROL, [entry]), ["dept-c"]) == ["dept-a"]


def test_entries_read_back_as_they_were() -> None:
    _, entry = entry_of(4, [1, 3])
    assert read_origins(write_origins([entry, entry])) == (entry, entry)
    assert write_origins([]) == b"" and read_origins(b"") == ()
    for content in (b"[]", b"{}", b"[{}]", write_origins([entry]).replace(b'"n":4', b'"n":0')):
        with pytest.raises(Refused):
            read_origins(content)
