"""What a peer answers to our own loops: hello, parcels, receipts, collect; statements are signed by the centre."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from node.envelope import Enclosure, Letter, content_of, frame, write_letter
from node.envelope.statement import enclose
from node.exchange.authority import ourselves, party
from node.intake.collector import Collector
from node.model.parcel import NOTHING, LaneHead, Probe
from node.model.record import Stream
from node.wire.message import Request, Response
from tests.crypto.papers import NOW
from tests.deliver.play import PATHS, Play
from tests.fuzz.mutate import any_of, armoured, asn1, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.fuzz.targets.gateway import general, real, statement
from tests.intake.api import Api, twin
from tests.stage.desk import CENTRE, DOMAIN, means_of, peer_of
from tests.stage.forging import EPOCH, signer_of


def seeds() -> Iterator[bytes]:
    """Yield what a peer might answer, each given to every question."""
    means = means_of(CENTRE, ["dept-a"])
    heads = [LaneHead("dept-a", CENTRE, "population", Stream.LIVE, EPOCH, 9, "ab" * 32),
             LaneHead(CENTRE, "dept-a", "population", Stream.LIVE, EPOCH, 3, NOTHING)]
    for lanes in ((), heads):
        said = Probe(domain=DOMAIN, sender=ourselves(means), receiver=party(peer_of("dept-a")), epoch=EPOCH,
                     boot="0" * 32, time=NOW, lanes=tuple(lanes))
        yield general(content_of(said))
    ids = [f"01a206c0-7316-73f6-aa3e-76256c39168{digit}" for digit in "abcd"]
    yield write_letter(Letter())
    yield write_letter(Letter([Enclosure(b"receipt", b"verdicts")], ids, ids, ids))
    yield frame(b"manifest", b"payload " + MARKER)
    yield b'{"code":"EXN-BEHIND","epoch":1,"seq":2,"head":"%b"}' % (b"ab" * 32)
    yield b""


def run(data: bytes) -> Hashable:
    """Let every loop run against a peer that always answers this; none fails, and the journal tells no content."""
    play = Play()
    signer = signer_of(means_of(CENTRE, ["dept-a"]))
    body = real(data)
    if data.startswith(b'{"@type"'):
        body = enclose("probe", body, signer.certificate, signer.sign)
    problem = data.startswith(b'{"code"')

    def answer(request: Request) -> Response:
        media = b"application/problem+json" if problem else b"application/x-fuzz"
        return Response(409 if problem else 200, body, [(b"Content-Type", media)])

    Api(play.dept).submitted(twin(1))
    play.answers = dict.fromkeys(PATHS, answer)
    play.link.set_up(True)
    play.start(play.greeter.run, play.pump.run, play.asker.poll, play.asker.give,
               Collector(play.dept.desk, play.link).run)
    play.go(2.0, 0.5)
    events = list(play.dept.journal.events)
    play.end()
    for level, event, fields in events:
        hidden(level, event, *fields.values())
    return tuple(sorted({event for _, event, _ in events}))[:6], tuple(sorted(play.asked))


TARGET = Target("answers", "answers of a peer to our loops", seeds, run,
                any_of(statement, statement, octets, armoured(asn1)), rounds=40)
