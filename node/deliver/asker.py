"""The asker: one long poll to a peer while anything is unaccounted for or owed, receipts both ways (WIRE §4).

Rule 1: it asks, it does not resend; the next hello rewinds a lane whose tail the peer lost.
Rule 2: receipts we owe are given at once in a call of their own, beside the poll.
"""

from __future__ import annotations

from node.envelope import Enclosure, Letter, fill, read_letter, write_letter
from node.exchange import ask
from node.model.spool import Given
from node.wire.link import PeerLink
from node.wire.media import LETTER
from node.workers import Desk, Seldom
from node.workers.passage import take_receipts

ANSWER = 16 << 20


class Asker:
    """Accounts with one peer over its link."""

    def __init__(self, desk: Desk, link: PeerLink) -> None:
        self._desk, self._link = desk, link
        self._wanted: set[str] = set()
        self._asked = Seldom(desk.reactor, desk.timers.overdue_ms / 1000)

    async def poll(self) -> None:
        """Ask once while something is unaccounted for; wait for the first parcel to be sent otherwise."""
        desk, peer = self._desk, self._link.peer
        names = (f"outbox:{peer}", f"link:{peer}")
        seen = desk.bell.count(*names)
        now = desk.now()
        owed = await desk.outbox.run(lambda unit: ask.wanted(unit, peer, now + 1)) if self._link.up else []
        if not owed:
            await desk.bell.wait(names, seen, desk.timers.idle)
            return
        overdue = [entry.parcel for entry in owed if (entry.sent or now) <= now - desk.timers.overdue_ms]
        letter = write_letter(Letter(ask=self._asked.pass_on(overdue)))
        wait = int(desk.timers.poll)
        answer = await self._link.post(f"/v1/receipts?wait={wait}", LETTER, [letter], wait + 15.0, ANSWER)
        told = read_letter(answer.body)
        await take_receipts(desk, peer, [(one.receipt, one.verdicts) for one in told.receipts])
        await self._heed(told)

    async def give(self) -> None:
        """Give the receipts we owe as soon as there are any."""
        desk, peer = self._desk, self._link.peer
        names = (f"receipts:{peer}", f"link:{peer}")
        seen = desk.bell.count(*names)
        given = await self._due() if self._link.up else []
        if not given:
            await desk.bell.wait(names, seen, desk.timers.idle)
            return
        enclosed = fill([Enclosure(one.statement, one.verdicts) for one in given])
        answer = await self._link.post("/v1/receipts?wait=0", LETTER, [write_letter(Letter(enclosed))], limit=ANSWER)
        told_of = [(one.parcel, one.stage) for one in given[: len(enclosed)]]
        await desk.inbox.run(lambda unit: unit.gave(told_of))
        told = read_letter(answer.body)
        await take_receipts(desk, peer, [(one.receipt, one.verdicts) for one in told.receipts])
        await self._heed(told)

    async def _due(self) -> list[Given]:
        wanted, self._wanted = self._wanted, set()
        peer = self._link.peer
        return await self._desk.inbox.run(lambda unit: ask.due(unit, peer, sorted(wanted)))

    async def _heed(self, told: Letter) -> None:
        """Remember what the peer asks for, and look after what it says it never had."""
        desk, peer = self._desk, self._link.peer
        if told.ask:
            self._wanted.update(told.ask)
            desk.bell.ring(f"receipts:{peer}")
        if told.unknown:
            lost = await desk.outbox.run(lambda unit: ask.missing(unit, peer, told.unknown))
            if lost:
                desk.log("warning", "EXN-BEHIND", peer=peer, count=len(lost))
                desk.bell.ring(f"greet:{peer}")
