"""A registered department that lies: it has heard everything that was ever said, and holds good keys of its own.

Each deed is sent to the centre over the liar's own channel, well formed and well signed, and false in one thing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from node.envelope import Enclosure, Letter, frame_head, read_manifest, unframe, write, write_letter
from node.exchange.authority import ourselves, party
from node.exchange.means import Means
from node.model.parcel import Checkpoint, LaneHead, Party, Place, Position, Probe, Receipt, Stage
from node.model.record import Stream, Version
from node.model.spool import Sealed
from node.spool.alignment import START
from node.validate import sample
from node.wire.media import LETTER, PARCEL, STATEMENT
from node.wire.message import Response
from tests.crypto.papers import CRYPTO, ORG
from tests.stage.desk import CENTRE, DOMAIN, means_of, peer_of, specifications
from tests.stage.forging import draft_of, line_of, parcel_of, signed_again
from tests.world.keys import ring, suite

if TYPE_CHECKING:
    from tests.world.city import City

LIAR = "dept-x"
ABSURD = 1 << 50
DEEDS = ("replay", "forged_receipts", "stolen_envelope", "foreign_origin", "wrong_root", "fork", "absurd_heads")


class Liar:
    """Knows what went over the wire, and says what is not so."""

    def __init__(self, city: City) -> None:
        self.city, self.dice = city, Random(f"{city.seed}: liar")
        self.heard: list[tuple[str, bytes]] = []
        self.answers: list[tuple[str, int]] = []
        """Each deed with the status it was answered with."""
        self._epoch, self._count = city.began // 1000, 0
        self._heads: dict[str, Position] = {}
        """Where its lane of each resource stands, as the centre's answers told it."""

    def act(self) -> None:
        """Do one deed, if the centre is up."""
        life = self.city.centre.life
        if life is not None and not life.time.stalled:
            name = self.dice.choice(DEEDS)
            deed: Callable[[], None] = getattr(self, name)
            deed()

    # --- deeds --------------------------------------------------------------------------------------------------

    def replay(self) -> None:
        """Say again what another said, over the own channel: its collect, its hello, its parcel, its receipts."""
        if self.heard:
            path, body = self.dice.choice(self.heard)
            media = {"/v1/parcels": PARCEL, "/v1/hello": STATEMENT}.get(path.partition("?")[0], STATEMENT)
            self._say("replay", path, LETTER if path.startswith("/v1/receipts") else media, body)

    def forged_receipts(self) -> None:
        """Give a final word on a parcel between the centre and others."""
        means = self._means()
        for said in list(self.city.manifests.values())[-3:]:
            stage = self.dice.choice(list(Stage))
            receipt = Receipt(
                DOMAIN, ourselves(means), self._centre(), stage, said.parcel, self.city.digests[said.parcel],
                said.envelope.digest, said.place.epoch, said.place.seq, self._now(), Checkpoint(), "0" * 64,
                code="EXN-OPEN" if stage is Stage.REFUSED else None,
                counts={"applied": said.count, "older": 0, "refused": 0} if stage is Stage.PROCESSED else None,
            )
            octets = write(receipt, means.identity.signing, means.identity.sign)
            self._say("forged_receipts", "/v1/receipts?wait=0", LETTER, write_letter(Letter([Enclosure(octets)])))

    def stolen_envelope(self) -> None:
        """Seal another's envelope under the own signature."""
        stolen = [unframe(body) for path, body in self.heard if path == "/v1/parcels"]
        if stolen:
            framed = self.dice.choice(stolen)
            said = read_manifest(framed.manifest, CRYPTO).statement
            if said.kind != "records" or said.receiver.cert != self._centre().cert:
                return
            means = self._means()
            mine = replace(
                said, sender=ourselves(means), parcel=draft_of(means, self._now()).parcel,
                place=self._place(said.resource), stream=Stream.LIVE, supersedes=None,
            )
            made = Sealed(mine, "", b"", framed.payload, b"")
            self._send("stolen_envelope", signed_again(means, made))

    def foreign_origin(self) -> None:
        """Say that another department's row is at a version nobody will ever reach."""
        self._send("foreign_origin", self._parcel("dept-a", Version(ABSURD, ABSURD)))

    def wrong_root(self) -> None:
        """Sign a root that is not the records'."""
        self._send("wrong_root", signed_again(self._means(), self._parcel(), root="1" * 64))

    def fork(self) -> None:
        """Send two parcels for one place, then go on in a new epoch."""
        one, other = self._parcel(), self._parcel()
        self._send("fork", one)
        self._send("fork", other)
        self._epoch += 1

    def absurd_heads(self) -> None:
        """Greet with heads in the lanes of others, and in own lanes that do not exist."""
        means = self._means()
        lanes = tuple(
            LaneHead(sender, receiver, "region-code", Stream.LIVE, ABSURD, ABSURD, "f" * 64)
            for sender, receiver in ((LIAR, CENTRE), (CENTRE, LIAR), ("dept-a", CENTRE), (CENTRE, "dept-b"))
        )
        said = Probe(DOMAIN, ourselves(means), self._centre(), self._epoch, "b" * 32, self._now(), lanes)
        octets = write(said, means.identity.signing, means.identity.sign)
        self._say("absurd_heads", "/v1/hello", STATEMENT, octets)

    # --- how ----------------------------------------------------------------------------------------------------

    def _now(self) -> int:
        return self.city.centre.now()

    def _means(self) -> Means:
        made = means_of(LIAR, [CENTRE], chance=self.dice.randbytes)
        identity = ring(LIAR, 0, self.city.real).identity(DOMAIN, LIAR, ORG)
        return replace(made, identity=identity, crypto=suite(self.city.real))

    def _centre(self) -> Party:
        return party(peer_of(CENTRE))

    def _place(self, resource: str = "population") -> Place:
        head = self._heads.get(resource, START)
        seq = head.seq + 1 if head.epoch == self._epoch else 1
        return Place(self._epoch, seq, head.digest)

    def _parcel(self, origin: str = LIAR, version: Version | None = None) -> Sealed:
        self._count += 1
        spec = specifications().get("population-basic/1.0")
        assert spec is not None
        twin = sample(spec, 1, self.dice.randrange(6), operation="U", revision=self._count)
        line = line_of(twin, self._now(), origin, self._count, version=version or Version(self._epoch, self._count))
        means = self._means()
        place = self._place()
        draft = draft_of(means, self._now(), place.seq, place.prev)
        return parcel_of(means, [line], replace(draft, place=place))

    def _send(self, deed: str, made: Sealed) -> None:
        self.city.envelopes[made.statement.envelope.digest] = made.payload
        body = frame_head(made.manifest, len(made.payload)) + made.payload

        def answered(response: Response) -> None:
            if response.status == 200:
                said = made.statement
                self._heads[said.resource] = Position(said.place.epoch, said.place.seq, made.digest)

        self._say(deed, "/v1/parcels", PARCEL, body, answered)

    def _say(
        self, deed: str, path: str, media: bytes, body: bytes,
        then: Callable[[Response], None] = lambda response: None,
    ) -> None:
        life = self.city.centre.life
        if life is None:
            return

        def answered(response: Response) -> None:
            self.answers.append((deed, response.status))
            then(response)

        life.answer(LIAR, path, media, body).addCallbacks(answered, lambda failure: None)
