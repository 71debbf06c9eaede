"""A check, what it came to, and the levels an adapter can reach.

Rule 1: a check passes only if it was made; one that was not says why, in both languages.
Rule 2: an essential check is one without which its level means nothing: the level is reached only if all of them
        passed.
Rule 3: what a check says holds counts and names, nothing that stood in a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import pytest

F = TypeVar("F", bound=Callable[..., Any])

GROUPS = ("basic", "incremental", "capture", "writing")
"""Three levels of reading, each with those before it, and writing."""

_MARK = "contract_check"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its group, what it asks in both languages, what it needs of the class, whether it is essential."""

    name: str
    group: str
    zh: str
    en: str
    needs: tuple[str, ...]
    essential: bool


class Broken(AssertionError):
    """The adapter does not keep the contract."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh}\n{en}")
        self.zh, self.en = zh, en


_Skipped: Any = pytest.skip.Exception


class Unmade(_Skipped):  # type: ignore[misc]  # a class that is the attribute of a function
    """A check that cannot be made here, and why."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


def check(group: str, zh: str, en: str, *needs: str, essential: bool = False) -> Callable[[F], F]:
    """Make a test method a check."""

    def mark(function: F) -> F:
        setattr(function, _MARK, Check(bare(function.__name__), group, zh, en, needs, essential))
        return function

    return mark


def check_of(function: object) -> Check | None:
    """Return what a test method checks, None if it is a test of somebody's own."""
    return getattr(function, _MARK, None)


def bare(name: str) -> str:
    """Return the name of a check: that of its method without `test_`."""
    return name.removeprefix("test_")


def unmade(zh: str, en: str) -> Unmade:
    """Return the reason why a check cannot be made, ready to raise."""
    return Unmade(zh, en)


def broken(zh: str, en: str, why: BaseException | None = None) -> NoReturn:
    """Say that the contract is not kept."""
    __tracebackhide__ = True
    raise _breach(zh, en) from why


def must(stands: object, zh: str, en: str) -> None:
    """Say that the contract is not kept unless something stands."""
    __tracebackhide__ = True
    if not stands:
        raise _breach(zh, en)


def _breach(zh: str, en: str) -> Broken:
    return Broken(zh, en)
