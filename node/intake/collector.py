"""The collector: asks a peer for what waits for us, so that a node works with every inbound port closed (WIRE §5)."""

from __future__ import annotations

from node.envelope import Enclosure, Letter, fill, read_letter, unframe, write, write_letter
from node.exchange import ask
from node.exchange.authority import ourselves, party
from node.intake.admission import admit_parcel
from node.intake.gateway import FRAME_LIMIT, LETTER_LIMIT
from node.model import codes
from node.model.parcel import Collect
from node.model.trouble import Kind, Trouble
from node.spool.shortage import Shortage
from node.wire.link import PeerLink, PeerSaid
from node.wire.media import LETTER, STATEMENT
from node.workers import Desk
from node.workers.handed import current
from node.workers.passage import take_receipts


class Collector:
    """Collects from one peer over its link, one parcel at a time."""

    def __init__(self, desk: Desk, link: PeerLink) -> None:
        self._desk, self._link = desk, link

    async def run(self) -> None:
        """Collect one parcel, admit it, and give its receipt; wait while the link is down or the disk is short."""
        desk, peer = self._desk, self._link.peer
        names = (f"link:{peer}",)
        seen = desk.bell.count(*names)
        if not self._link.up or desk.shortage() > Shortage.INTAKE:
            await desk.bell.wait(names, seen, desk.timers.idle)
            return
        wait = int(desk.timers.poll)
        try:
            statement = await self._statement()
            answer = await self._link.post(
                f"/v1/collect?wait={wait}", STATEMENT, [statement], wait + 30.0, FRAME_LIMIT
            )
        except PeerSaid as said:
            await self._turned(said)
            return
        if answer.status != 204:
            await self._admit(answer.body)

    async def _statement(self) -> bytes:
        desk, means = self._desk, self._desk.means
        registered = means.registry.peer(self._link.peer)
        assert registered is not None, "the link was made from the registry"
        epoch, boot = await desk.outbox.run(lambda unit: (unit.epoch(), unit.boot()))
        said = Collect(means.identity.domain, ourselves(means), party(registered), epoch, boot, desk.now())
        return write(said, means.identity.signing, means.identity.sign)

    async def _admit(self, frame: bytes) -> None:
        desk, peer = self._desk, self._link.peer
        framed = unframe(frame)
        try:
            receipt = await admit_parcel(desk, framed.manifest, framed.payload, peer)
        except Trouble as met:
            # It stays with the peer, which offers it again; we must not spin on it.
            level = "error" if met.code.kind is Kind.HOLD else "warning"
            desk.log(level, met.code.name, peer=peer, at="collect")
            if met.code in (codes.BEHIND, codes.PURGED):
                desk.bell.ring(f"greet:{peer}")  # our hello tells it where we stand, and its lane turns back
            await desk.sleep(desk.timers.idle, f"inbox-means:{peer}")
            return
        await self._give(receipt)

    async def _give(self, receipt: bytes) -> None:
        """Give a receipt, even one that was given before: who offers its parcel again does not hold it.

        What the peer tells and asks for in return is told and asked for once, so it must be heard here.
        """
        desk, peer = self._desk, self._link.peer
        said = Letter([Enclosure(receipt)])
        while said.receipts or said.unknown:
            answer = await self._link.post("/v1/receipts?wait=0", LETTER, [write_letter(said)], limit=LETTER_LIMIT)
            told = read_letter(answer.body)
            await take_receipts(desk, peer, [(one.receipt, one.verdicts) for one in told.receipts])
            said = Letter()
            if told.ask:
                known = await desk.inbox.run(lambda unit: ask.tell(unit, peer, told.ask))
                given = await current(desk, known.receipts)
                said = Letter(fill([Enclosure(one.statement, one.verdicts) for one in given]), unknown=known.unknown)

    async def _turned(self, said: PeerSaid) -> None:
        code = said.told.code.name if said.told.code else said.code.name
        if said.told.code is codes.GREET:  # it was started anew behind a line that was kept open
            self._desk.bell.ring(f"greet:{self._link.peer}")
            await self._desk.sleep(self._desk.timers.rest_first)
            return
        self._desk.log("warning", code, peer=self._link.peer, at="collect")
        await self._desk.sleep(self._desk.timers.idle)
