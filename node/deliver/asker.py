"""The asker: one long poll to a peer while anything is unaccounted for or owed, receipts both ways (WIRE §4).

Rule 1: it asks, it does not resend; the next hello rewinds a lane whose tail the peer lost.
Rule 2: receipts we owe are given at once in a call of their own, beside the poll; what the peer asked for and we never
    stored is told with them, for it can learn that in no other way.
Rule 3: a peer that waits for a word of ours cannot ask by itself: it is given the chance now and then.
Rule 4: an answer that came at once and brought nothing new is followed by a breath: no peer makes us spin.
"""

from __future__ import annotations

from collections.abc import Sequence

from node.envelope import Enclosure, Letter, fill, read_letter, write_letter
from node.exchange import ask
from node.model.spool import Entry, Given
from node.ports import InboxUnit
from node.wire.link import PeerLink, PeerSaid
from node.wire.media import LETTER
from node.workers import Desk, Seldom
from node.workers.handed import current
from node.workers.passage import take_receipts

ANSWER = 16 << 20


class Asker:
    """Accounts with one peer over its link."""

    def __init__(self, desk: Desk, link: PeerLink) -> None:
        self._desk, self._link = desk, link
        self._wanted: set[str] = set()
        self._told: str | None = None
        self._asked = Seldom(desk.reactor, desk.timers.overdue_ms / 1000)
        self._again = Seldom(desk.reactor, desk.timers.rest_first)
        self._denied = Seldom(desk.reactor, desk.timers.overdue_ms / 1000)
        self._chances = Seldom(desk.reactor, desk.timers.hello)

    async def poll(self) -> None:
        """Ask once while something is unaccounted for; wait for the first parcel to be sent otherwise."""
        desk, peer = self._desk, self._link.peer
        names = (f"outbox:{peer}", f"link:{peer}")
        seen = desk.bell.count(*names)
        owed = await desk.outbox.run(lambda unit: ask.wanted(unit, peer, desk.now())) if self._link.up else []
        if not owed:
            news = await desk.bell.wait(names, seen, desk.timers.idle)
            if not news and self._link.up and self._chances.pass_on([peer]):
                await self._say("/v1/receipts?wait=0", Letter())
            return
        before = {entry.parcel: entry.state for entry in owed}
        now = desk.now()  # not before the unit: what was sent in it would lie ahead, and count as overdue
        late = now - desk.timers.overdue_ms
        overdue = [entry.parcel for entry in owed if not late < (entry.sent or 0) <= now]
        wait, began = int(desk.timers.poll), desk.reactor.seconds()
        moved = await self._say(f"/v1/receipts?wait={wait}", Letter(ask=self._asked.pass_on(overdue)), wait + 15.0)
        if not any(before.get(one.parcel, one.state) is not one.state for one in moved or ()):
            await desk.sleep(max(0.0, desk.timers.rest_first - (desk.reactor.seconds() - began)))

    async def give(self) -> None:
        """Give the receipts we owe as soon as there are any."""
        desk, peer = self._desk, self._link.peer
        names = (f"receipts:{peer}", f"link:{peer}")
        seen = desk.bell.count(*names)
        wanted = sorted(self._wanted)[: ask.ASKED]
        due, strange = await desk.inbox.run(lambda unit: _owed(unit, peer, wanted)) if self._link.up else ([], ())
        given, unknown = await current(desk, due), self._denied.pass_on(strange)
        if not given and not unknown:
            self._wanted.difference_update(wanted)
            await desk.bell.wait(names, seen, desk.timers.idle)
            return
        enclosed = fill([Enclosure(one.statement, one.verdicts) for one in given])
        if await self._say("/v1/receipts?wait=0", Letter(enclosed, unknown=unknown)) is None:
            return
        self._wanted.difference_update(wanted)
        told_of = [(one.parcel, one.stage) for one in given[: len(enclosed)]]
        await desk.inbox.run(lambda unit: unit.gave(told_of), durable=False)

    async def _say(self, path: str, letter: Letter, timeout: float = 30.0) -> list[Entry] | None:
        """Send a letter and take in the answer; return the entries its receipts moved.

        None if the peer turned it away, after it was left alone for a while.
        """
        desk, peer = self._desk, self._link.peer
        try:
            answer = await self._link.post(path, LETTER, [write_letter(letter)], timeout, ANSWER)
        except PeerSaid as said:
            name = said.told.code.name if said.told.code else said.code.name
            if name != self._told:
                desk.log("warning", name, peer=peer, at="receipts")
            self._told = name
            await desk.sleep(min(float(said.told.retry_after or desk.timers.idle), desk.timers.rest_most))
            return None
        self._told = None
        told = read_letter(answer.body)
        moved = await take_receipts(desk, peer, [(one.receipt, one.verdicts) for one in told.receipts])
        await self._heed(told)
        return moved

    async def _heed(self, told: Letter) -> None:
        """Remember what the peer asks for, and look after what it says it never had."""
        desk, peer = self._desk, self._link.peer
        wanted = self._again.pass_on(told.ask)
        if wanted:
            self._wanted.update(wanted)
            desk.bell.ring(f"receipts:{peer}")
        if told.unknown:
            lost = await desk.outbox.run(lambda unit: ask.missing(unit, peer, told.unknown, desk.now()))
            if lost:
                desk.log("warning", "EXN-BEHIND", peer=peer, count=len(lost))
                desk.bell.ring(f"greet:{peer}")


def _owed(unit: InboxUnit, peer: str, wanted: Sequence[str]) -> tuple[Sequence[Given], Sequence[str]]:
    """Return the receipts to hand to a peer, and what it asked for that we never stored."""
    return ask.due(unit, peer, wanted), ask.tell(unit, peer, wanted).unknown
