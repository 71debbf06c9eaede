"""Fate after retention: what was finished and forgotten is still final."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.exchange.fate import fate
from node.model.parcel import Stage
from tests.exchange.acts import heard, receipt, sent
from tests.intake.api import Api, twin
from tests.stage.pair import Pair


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_submission_whose_parcels_were_forgotten_is_final(kind: str, tmp_path: Path) -> None:
    pair = Pair(None if kind == "memory" else tmp_path)
    id = Api(pair.dept).submitted(twin(0)).json["submission"]
    first = sent(pair.dept)

    def final() -> bool:
        with pair.dept.stores.outbox.unit() as unit:
            told = fate(unit, id, None)
        assert told is not None
        return bool(told["final"])

    assert not final()
    heard(pair.dept, *receipt(first, pair.centre.desk.means, pair.dept.desk.means, Stage.PROCESSED))
    assert final()
    with pair.dept.stores.outbox.unit() as unit:
        assert unit.purge(pair.dept.desk.now() + 1, 0, 100) == 1
    assert final()
    pair.close()
