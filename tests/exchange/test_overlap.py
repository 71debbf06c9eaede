"""Two versions of an interface, each taken in its time, and which one is right when (requirement C4)."""

from __future__ import annotations

import pytest

from node.exchange import overlap
from node.model import codes
from node.model.registry import Resource, Term
from node.model.trouble import Refused

OLD, NEW, NEXT = "people/1.0", "people/1.1", "people/1.2"
RESOURCE = Resource("people", NEW, versions=(Term(OLD, until=200), Term(NEW, since=100), Term(NEXT, since=300)))


@pytest.mark.parametrize(("name", "at", "code"), [
    (OLD, 0, None), (OLD, 199, None), (OLD, 200, codes.VERSION_ENDED), (NEW, 99, codes.VERSION_EARLY), (NEW, 100, None),
    (NEXT, 299, codes.VERSION_EARLY), (NEXT, 300, None), ("people/2.0", 150, codes.VERSION_OTHER),
])
def test_a_version_is_taken_from_its_first_moment_and_before_its_last(name: str, at: int, code: object) -> None:
    assert overlap.wrong(RESOURCE, name, at) is code


@pytest.mark.parametrize(("at", "right"), [(0, OLD), (99, OLD), (100, NEW), (150, NEW), (250, NEW), (400, NEW)])
def test_the_right_version_is_the_resources_own_when_that_is_taken_and_else_the_last_that_is(
    at: int, right: str,
) -> None:
    assert overlap.right(RESOURCE, at) == right
    assert overlap.choose(RESOURCE, None, at) == right


@pytest.mark.parametrize(("name", "at", "code"), [
    (OLD, 250, codes.VERSION_ENDED), (NEW, 50, codes.VERSION_EARLY), ("people/9.9", 150, codes.VERSION_OTHER),
    ("fish/1.0", 150, codes.VERSION_OTHER),
])
def test_a_refusal_names_the_right_version(name: str, at: int, code: object) -> None:
    with pytest.raises(Refused) as caught:
        overlap.choose(RESOURCE, name, at)
    assert caught.value.code is code
    said = caught.value.code.says.fill(**caught.value.details)
    right = overlap.right(RESOURCE, at)
    assert right in said.zh and right in said.en and "{" not in said.zh + said.en


def test_without_dates_any_version_of_the_interface_is_taken_and_no_other_interface() -> None:
    plain = Resource("people", NEW)
    assert overlap.wrong(plain, OLD, 0) is None and overlap.choose(plain, OLD, 0) == OLD
    with pytest.raises(Refused):
        overlap.choose(plain, "fish/1.0", 0)


def test_the_resources_own_version_needs_no_dates() -> None:
    own = Resource("people", NEW, versions=(Term(OLD, until=200),))
    assert overlap.wrong(own, NEW, 0) is None and overlap.right(own, 500) == NEW
