"""How lines become groups and groups become a parcel."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from node.model.record import Version
from node.model.spool import GROUP_OCTETS, GROUP_RECORDS
from node.spool.grouping import Run, cut, fit
from tests.contracts.things import NEXT_SPEC, lines, waiting

LENGTHS = st.lists(st.sampled_from([0, 1, 900, GROUP_OCTETS // 3, GROUP_OCTETS, GROUP_OCTETS + 1]), max_size=40)


@given(LENGTHS, st.integers(0, 3 * GROUP_RECORDS))
def test_groups_hold_every_line_in_order_and_none_is_too_large(lengths: list[int], many: int) -> None:
    lengths = [*lengths, *[1] * many]
    pieces = list(cut(lengths))
    assert [index for start, end in pieces for index in range(start, end)] == list(range(len(lengths)))
    for start, end in pieces:
        assert 1 <= end - start <= GROUP_RECORDS
        assert sum(lengths[start:end]) <= GROUP_OCTETS or end - start == 1
    for (start, _), (_, end) in zip(pieces, pieces[1:], strict=False):
        room = sum(lengths[start:end]) > GROUP_OCTETS or end - start > GROUP_RECORDS
        assert room, "two neighbours that would fit together are one"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 700), st.sampled_from([1, 400_000, 2 << 20]))))
def test_a_parcel_takes_the_longest_fitting_front_of_one_kind(groups: list[tuple[str, int, int]]) -> None:
    taken = fit(groups)

    def fits(number: int) -> bool:
        front = groups[:number]
        small = sum(count for _, count, _ in front) <= GROUP_RECORDS and sum(size for *_, size in front) <= GROUP_OCTETS
        return len({kind for kind, *_ in front}) <= 1 and (small or number == 1)

    assert fits(taken) and (taken == len(groups) or not fits(taken + 1))
    assert bool(taken) == bool(groups)


def test_a_run_takes_what_continues_it() -> None:
    first = waiting(lines(3), Version(7, 10))
    run = Run.of(first)
    assert not run.take(waiting(lines(1), Version(7, 14))), "a gap"
    assert not run.take(waiting(lines(1), Version(8, 13))), "another epoch"
    assert not run.take(waiting(lines(1))), "routed"
    assert not run.take(waiting(lines(1), Version(7, 13))._replace(spec=NEXT_SPEC))
    assert run.take(waiting(lines(2), Version(7, 13)))
    assert not run.take(waiting(lines(1), Version(7, 15))._replace(parcel_records=1)), "another measure of parcels"
    assert len(run.lines) == 5 and [piece[0] for piece in run.pieces()] == [Version(7, 10)]
    assert len(first.lines) == 3, "what was given is not changed"


def test_a_run_that_is_cut_goes_on_counting() -> None:
    run = Run.of(waiting(lines(2 * GROUP_RECORDS + 1), Version(7, 1)))
    assert [(first, len(of)) for first, of in run.pieces()] == [
        (Version(7, 1), GROUP_RECORDS), (Version(7, 1 + GROUP_RECORDS), GROUP_RECORDS), (Version(7, 2049), 1)
    ]


@given(st.integers(1, 40), st.integers(1, 12))
def test_a_lane_of_small_parcels_cuts_its_groups_and_takes_no_more_than_one_parcel_holds(many: int, most: int) -> None:
    run = Run.of(waiting(lines(many), Version(7, 1))._replace(parcel_records=most))
    pieces = list(run.pieces())
    assert [line for _, of in pieces for line in of] == lines(many) and max(len(of) for _, of in pieces) <= most
    assert fit([("a", len(of), 900) for _, of in pieces], most) == 1
    assert fit([("a", 1, 900)] * many, most) == min(many, most)
    assert fit([("a", most + 1, 900), ("a", 1, 900)], most) == 1, "what was cut for larger parcels still leaves"
