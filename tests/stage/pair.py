"""A department and the centre on one clock: parcels go over, are opened, and their receipts come home, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from node.envelope import Enclosure, Letter, frame, read_letter, write_letter
from node.exchange.seal import Outgoing
from node.intake.gateway import Gateway
from node.intake.opener import Opener
from node.model.parcel import Lane
from node.model.record import Stream
from node.model.registry import Peer
from node.wire.media import LETTER, PARCEL
from node.workers.passage import next_parcel, release, take_receipts
from tests.stage.desk import CENTRE, DOMAIN, Staged, finish, set_up
from tests.stage.joined import House
from tests.wire.talk import Heard, post


def lane_of(
    resource: str = "population", stream: Stream = Stream.LIVE, sender: str = "dept-a", receiver: str = CENTRE
) -> Lane:
    """Return a lane, by default from dept-a to the centre."""
    return Lane(DOMAIN, sender, receiver, resource, stream)


def media(name: bytes) -> str:
    """Return the Content-Type line of a media type."""
    return f"Content-Type: {name.decode()}"


@dataclass
class Pair:
    """dept-a and the centre; `folder` None keeps their stores in memory."""

    folder: Path | None = None
    registered: Sequence[str | Peer] = ("dept-a",)
    clock: Clock = field(default_factory=Clock)
    given: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        dept, centre = (self.folder and self.folder / name for name in ("dept-a", CENTRE))
        self.dept: Staged = set_up("dept-a", [CENTRE], stores=dept, clock=self.clock)
        self.centre: Staged = set_up(CENTRE, self.registered, stores=centre, clock=self.clock, **self.given)
        self.open_house()

    def open_house(self) -> None:
        """Let the centre's gateway answer; again after a crash of the centre."""
        self.gateway = Gateway(self.centre.desk)
        self.house = House(self.centre, self.gateway.add_to)
        self.opener = Opener(self.centre.desk)

    def crash_centre(self) -> None:
        """Crash the centre and start it again."""
        self.centre = self.centre.crash()
        self.open_house()

    def crash_dept(self) -> None:
        """Crash the department and start it again."""
        self.dept = self.dept.crash()

    def close(self) -> None:
        """Close all stores."""
        self.dept.close()
        self.centre.close()

    # --- the steps ----------------------------------------------------------------------------------------------

    def sealed(self, lane: Lane | None = None) -> Outgoing:
        """Return the parcel the department's lane may send now, its claim given back."""
        found = finish(next_parcel(self.dept.desk, lane or lane_of()), self.clock)
        assert found is not None, "nothing waits"
        finish(release(self.dept.desk, found.claim), self.clock)
        return found

    def posted(self, manifest: bytes, payload: bytes, caller: str | None = "dept-a") -> Heard:
        """Return the centre's answer to a parcel."""
        return self.said("/v1/parcels", frame(manifest, payload), PARCEL, caller)

    def said(self, path: str, body: bytes, kind: bytes, caller: str | None = "dept-a") -> Heard:
        """Return the centre's answer to a peer."""
        heard = self.house.answer(post(path, body, media(kind)), caller=caller)
        assert not self.house.faults, self.house.faults
        return heard

    def accept(self, outgoing: Outgoing) -> bytes:
        """Post a parcel, take its *accepted* receipt home, and return it."""
        heard = self.posted(outgoing.manifest, outgoing.payload)
        assert heard.status == 200, heard.json
        moved = finish(take_receipts(self.dept.desk, CENTRE, [(heard.body, b"")]), self.clock)
        assert [entry.parcel for entry in moved] == [outgoing.entry.parcel]
        return heard.body

    def opened(self, parcels: int = 1) -> None:
        """Let the centre open the next parcels."""
        for _ in range(parcels):
            finish(self.opener.run(), self.clock)

    def accounted(self, *asked: str) -> Letter:
        """Ask for receipts and take home what the centre gives."""
        heard = self.said("/v1/receipts?wait=0", write_letter(Letter(ask=asked)), LETTER)
        assert heard.status == 200, heard.json
        letter = read_letter(heard.body)
        told: list[Enclosure] = list(letter.receipts)
        finish(take_receipts(self.dept.desk, CENTRE, [(one.receipt, one.verdicts) for one in told]), self.clock)
        return letter
