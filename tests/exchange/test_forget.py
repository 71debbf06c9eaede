"""A source is reset while a read of it from the start is under way: that is not kept, and everything comes again."""

from __future__ import annotations

import pytest

from node.exchange import read
from node.model import codes
from node.model.trouble import Retry
from tests.exchange.test_read import SOURCE, Reader, pair, place, waiting
from tests.intake.api import twin
from tests.stage.pair import Pair

__all__ = ["pair"]


@pytest.mark.parametrize("before", [0, 1], ids=["its first", "reset before"])
def test_a_read_from_the_start_is_not_kept_behind_a_reset(pair: Pair, before: int) -> None:
    def forget() -> None:
        with pair.dept.stores.outbox.unit() as unit:
            read.forget(unit, SOURCE)

    for _ in range(before):
        forget()
    reader = Reader(pair)
    forget()
    with pytest.raises(Retry) as met:
        reader.give([twin(0)], 1)
    assert met.value.code is codes.FENCED and not waiting(pair)
    assert not place(pair).begun
    Reader(pair).give([twin(0)], 1)
    assert place(pair).begun and len(waiting(pair)) == 1
