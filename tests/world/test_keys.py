"""Certificates end while parcels, receipts and origins signed under them are on their way; nothing is stranded."""

from __future__ import annotations

import pytest

from tests.world import lives
from tests.world.city import City
from tests.world.nemesis import Nemeses


# Before receipts were judged as of when they were given, lanes of these seeds asked for one for ever.
@pytest.mark.parametrize("seed", [5, 7])
def test_certificates_that_end_strand_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Ending(Nemeses):
        """Certificates end often."""

        def __init__(self, city: City) -> None:
            super().__init__(city)
            self._climate = {"expire": 0.15}

    monkeypatch.setattr(lives, "Nemeses", Ending)
    told = lives.live(seed)
    assert told.error is None, told.error
    assert told.nemeses["expire"]
