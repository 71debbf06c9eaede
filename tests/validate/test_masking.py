"""What people may see of a record: each mask hides what it says, whatever the length, and what is unknown is hidden."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.validate import masked, sample
from node.validate.masking import _MASKS
from node.validate.notes import MASKS
from tests.validate.held import NAMES, spec
from tests.validate.workshop import workshop


def test_there_is_a_mask_for_every_word() -> None:
    assert set(_MASKS) == set(MASKS)


@pytest.mark.parametrize(("mask", "text", "seen"), [
    ("name", "张", "张*"), ("name", "张三", "张*"), ("name", "欧阳修远", "欧***"),
    ("id", "11010519491231002X", "11**************2X"),
    ("id", "1234567", "*******"), ("id", "1", "***"), ("phone", "13800138000", "138******00"),
    ("address", "和平大道146号滨江小区", "和平大道14" + "*" * 6), ("address", "和平大道", "****"), ("all", "x" * 99, "***"),
])
def test_each_mask_leaves_what_it_says(mask: str, text: str, seen: str) -> None:
    assert _MASKS[mask](text) == seen


@given(mask=st.sampled_from(sorted(MASKS)), text=st.text(min_size=1, max_size=30))
def test_at_least_half_of_an_id_a_phone_and_an_address_is_hidden(mask: str, text: str) -> None:
    seen = _MASKS[mask](text)
    assert seen != text or set(text) == {"*"}
    if mask != "name":
        assert sum(one != "*" for one in seen) <= len(text) / 2


@pytest.mark.parametrize("name", NAMES)
def test_a_field_without_a_mask_is_shown_and_one_with_it_is_not(name: str) -> None:
    of = spec(name)
    twin = sample(of, 3, 4)
    shown = masked(of.shape, twin)
    assert shown.keys() == twin.keys()
    for field, member in of.shape.record.members.items():
        if field in twin and hasattr(member, "mask"):
            assert (shown[field] == twin[field]) == (member.mask is None)


def test_groups_lists_and_what_is_unknown() -> None:
    of: Any = workshop()
    twin = {"Tags": ["a"], "Steps": [{"From": "2019-01-01", "Person": {"Number": "1"}}], "Odd": {"x": "y"}}
    shown = masked(of.shape, twin)
    assert shown["Odd"] == "***" and shown["Steps"][0]["From"] == "2019-01-01"
