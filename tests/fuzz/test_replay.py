"""Every target, in every run of the tests: its seeds, what once broke it, and some mutations under a printed seed."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz.engine import CORPUS, Tally, kept_inputs, mutations, replay
from tests.fuzz.targets import targets


@pytest.mark.parametrize("name", sorted(targets()))
def test_nothing_but_a_documented_refusal_comes_out(name: str, seed: int) -> None:
    target, tally = targets()[name], Tally(name)
    pool = replay(target, [*kept_inputs(name), *target.seeds()], tally)
    mutations(target, pool, target.rounds, Random(seed), tally)
    told = [f"{key}\n{data[:2000]!r}\n{finding.trace}" for key, (finding, data) in tally.findings.items()]
    assert not told, f"EXNODE_SEED={seed}\n" + "\n".join(told)
    assert len(tally.features) > 1, "every input has the same outcome: the target reaches nothing"


def test_every_kept_input_belongs_to_a_target() -> None:
    assert {path.name for path in CORPUS.iterdir() if path.is_dir()} <= set(targets())
