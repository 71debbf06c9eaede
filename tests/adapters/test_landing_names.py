"""Columns that are named nearly as fields take them: letters and digits count, and nobody takes what another has."""

from __future__ import annotations

from adapters.landing.paths import matched


def test_a_column_takes_the_field_with_its_letters_and_digits() -> None:
    assert matched(["support_rep_id", "ADDR_CITY", "x"], ["SupportRepId", "Addr.City"]) == {
        "support_rep_id": "SupportRepId", "ADDR_CITY": "Addr.City"}


def test_what_is_named_exactly_comes_first_and_a_field_goes_to_one_column() -> None:
    assert matched(["support_rep", "supportrep"], ["SupportRep"]) == {"supportrep": "SupportRep"}
    assert matched(["a_b_c", "ab_c"], ["AbC"]) == {"a_b_c": "AbC"}
