"""A registered department that lies in every way we know changes nothing of others, and its deeds do arrive."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.stage.desk import CENTRE
from tests.world.city import City
from tests.world.liar import DEEDS, LIAR
from tests.world.promises import check


@pytest.mark.parametrize("seed", [1, 2])
def test_a_liar_changes_nothing_of_others(seed: int) -> None:
    city = City(seed)
    city.start()
    try:
        city.run(1)
        for _ in range(6):
            for source in city.sources.values():
                source.change()
            for deed in DEEDS:
                city.run(1)
                getattr(city.liar, deed)()
        city.calm()
        city.settle()
        check(city)
        tried = Counter(city.liar.answers)
        assert {deed for deed, _ in tried} == set(DEEDS), tried
        for deed in ("foreign_origin", "wrong_root", "stolen_envelope", "fork"):
            assert tried[deed, 200], f"seed={seed}: {deed} never got past the gateway: {tried}"
        assert all(status < 500 for _, status in tried), tried
        assert city.machines[CENTRE].life is not None
        with city.machines[CENTRE].life.stores.warehouse.unit() as unit:
            mine = [row for _, row in unit.rows("population", 0, 1 << 20) if row.origin == LIAR]
        assert mine, "what it says of itself counts as anybody's"
    finally:
        city.end()
