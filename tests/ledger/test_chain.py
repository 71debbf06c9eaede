"""A chain covers every octet of every entry, and their order."""

from __future__ import annotations

from dataclasses import fields, replace

from hypothesis import given
from hypothesis import strategies as st

from node.crypto.symmetric import sm3
from node.ledger import chain, steps
from node.model.record import Stream
from node.model.spool import LedgerEntry
from tests.contracts.things import LANE, T0, digest

TEXT = st.text(max_size=5)
TEXTS = st.tuples(TEXT, TEXT, TEXT)


def told(number: int) -> list[LedgerEntry]:
    """Return an intact chain."""
    entries, head = [], chain.START
    for size in range(1, number + 1):
        subject = f"subject-{size}"
        octets = chain.entry_octets(chain.lane_octets(LANE), size, steps.ACCEPTED, subject, digest(size), size, T0)
        head = chain.grow(sm3, head, octets)
        entries.append(LedgerEntry(LANE, size, head.hex(), steps.ACCEPTED, subject, digest(size), size, T0))
    return entries


def test_the_first_entry_of_a_chain_is_as_written_down() -> None:
    octets = chain.entry_octets(chain.lane_octets(LANE), 1, "accepted", "s", "d", 2, 3)
    assert octets == (
        b"exn.ledger.1" + bytes(7) + b"\1" + bytes(7) + b"\2" + bytes(7) + b"\3"
        + b"\0\0\0\4test" b"\0\0\0\6dept-a" b"\0\0\0\6centre" b"\0\0\0\x0apopulation" b"\0\0\0\4live"
        + b"\0\0\0\x08accepted" b"\0\0\0\1s" b"\0\0\0\1d"
    )
    assert chain.grow(sm3, chain.START, octets) == sm3(bytes(32) + octets)


def test_a_chain_is_intact_and_goes_on_from_anywhere() -> None:
    entries = told(5)
    assert chain.intact(sm3, []) and chain.intact(sm3, entries)
    assert chain.intact(sm3, entries[2:], bytes.fromhex(entries[1].head), 2)
    assert not chain.intact(sm3, entries[2:]) and not chain.intact(sm3, [*entries[:2], *entries[3:]])
    assert not chain.intact(sm3, [entries[1], entries[0], *entries[2:]])


def test_any_changed_member_breaks_the_chain() -> None:
    changes = {
        "lane": LANE._replace(stream=Stream.BACKFILL), "size": 7, "head": digest("x"), "step": steps.REFUSED,
        "subject": "another", "digest": digest("y"), "count": 99, "at": T0 + 1,
    }
    assert set(changes) == {field.name for field in fields(LedgerEntry)}
    for name, value in changes.items():
        entries = told(3)
        entries[1] = replace(entries[1], **{name: value})  # type: ignore[arg-type]  # each name with its own type
        assert not chain.intact(sm3, entries), name


@given(TEXTS, TEXTS)
def test_two_entries_never_share_their_octets(one: tuple[str, str, str], two: tuple[str, str, str]) -> None:
    octets = [chain.entry_octets(b"", 1, *texts, 1, 1) for texts in (one, two)]
    assert (octets[0] == octets[1]) == (one == two)


def test_a_step_may_name_who_did_it() -> None:
    step = steps.by(steps.DISCARDED, "wang: the second")
    assert steps.known(step) and steps.known(steps.VOIDED) and not steps.known("sealed")
    assert steps.group_subject(5) == "group-5"
