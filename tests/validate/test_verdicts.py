"""A published specification judges as it did when it was published, whatever became of the code of its rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from node.validate import Files, compile_specification
from node.validate.rules.kinds import KINDS
from node.validate.shape import leaves
from tests.validate.held import NAMES, sm3, spec
from tests.validate.verdicts import FOLDER, at, patch_to, patched, path_of, record, recorded, told
from xsd import FOLDER as PUBLISHED


@pytest.mark.parametrize("name", NAMES)
def test_what_was_told_at_its_publication_is_told_today(name: str) -> None:
    of, entries = spec(name), recorded(name)
    changed = [(one.told, now) for one in entries if (now := told(of, one.twin)) != one.told]
    assert not changed, f"{len(changed)} verdicts of {name} changed: what shall judge otherwise is a new kind of rule"


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_was_told_and_was_kept_in_what_is_recorded(name: str) -> None:
    of, entries = spec(name), recorded(name)
    hit = {re.sub(r"\[[0-9]+\]", "", line) for one in entries for line in one.told}
    kept = [one for one in entries if not one.told]
    lacking = {f"{rule.path} {rule.id} {rule.severity}" for rule in of.rules.all} - hit
    groups = {path for path, _ in leaves(of.shape.record) if "/" in path}
    assert all(line.split()[1] == "empty" and any(path.startswith(line.split()[0]) for path in groups)
               for line in lacking), lacking  # of a group that must hold something: what it lacks is told
    given = {path for one in kept for path, _ in leaves(of.shape.record) if at(one.twin, path.split("/"))}
    assert given == {path for path, _ in leaves(of.shape.record)}
    assert len(kept) > 60 and len(entries) - len(kept) > 100


def test_every_kind_that_is_published_was_told_somewhere() -> None:
    kinds = {rule.kind for name in NAMES for rule in spec(name).rules.all if rule.kind in KINDS}
    of = {(name, rule.path, rule.id): rule.kind for name in NAMES for rule in spec(name).rules.all}
    met = {of.get((name, re.sub(r"\[[0-9]+\]", "", line.split()[0]), line.split()[1]))
           for name in NAMES for one in recorded(name) for line in one.told}
    assert len(kinds) > 25 and kinds <= met


@pytest.mark.parametrize(("kind", "wrong"), [
    ("calendar", lambda p: f"'0229' in f_{p['field']}.replace('-', '')"),  # leap days
    ("not-future", lambda p: f"f_{p['field']}.replace('-', '')[:8] >= today"),  # today too, and no grace
    ("citizen-check", lambda p: "False"),
    ("table", lambda p: f"f_{p['field']} == '98'"),
])
def test_a_kind_that_became_stricter_or_laxer_is_noticed(
    kind: str, wrong: Callable[[Any], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "population-basic/1.0"
    monkeypatch.setitem(KINDS, kind, replace(KINDS[kind], broken=wrong))
    other = compile_specification(name, Files(PUBLISHED), sm3)
    assert any(told(other, one.twin) != one.told for one in recorded(name))


def test_what_is_recorded_is_of_the_published_ones_and_is_not_written_again() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {path_of(name).name for name in NAMES}
    before = path_of("region-code/1.0").read_bytes()
    with pytest.raises(FileExistsError):
        record("region-code/1.0")
    assert path_of("region-code/1.0").read_bytes() == before


@pytest.mark.parametrize("change", [
    {}, {"a": "2"}, {"b": ["2", "1"]}, {"c": {"d": "4", "e": "5"}}, {"c": {}}, {"f": {"g": {"h": "x"}}}, {"c": "x"},
])
def test_a_difference_makes_the_one_of_the_other(change: dict[str, Any]) -> None:
    base = {"a": "1", "b": ["1"], "c": {"d": "1", "k": "2"}}
    for one, other in ((base, change), (change, base), (base, {**base, **change})):
        assert patched(one, patch_to(one, other)) == other
