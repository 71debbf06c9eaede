"""What peers may ask of the gateway: hello, parcels, collect, receipts.

An input is the content of a statement, in which the digests of the stage's certificates stand for the parties; it is
signed by dept-a after every change, so that the code behind the signature is reached.  Anything else goes as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache, partial
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from node.envelope import Enclosure, Letter, content_of, frame, write_letter
from node.envelope.statement import enclose
from node.exchange.authority import ourselves, party
from node.model.parcel import NOTHING, Collect, LaneHead, Place, Probe, Stage
from node.model.record import Stream
from node.wire.media import LETTER, PARCEL, STATEMENT
from tests.crypto.papers import NOW
from tests.fuzz.mutate import any_of, armoured, asn1, json_text, members, octets
from tests.fuzz.target import MARKER, Target, hidden
from tests.intake.api import twin
from tests.stage.desk import CENTRE, DOMAIN, peer_of
from tests.stage.forging import EPOCH, draft_of, line_of, parcel_of, signer_of
from tests.stage.pair import Pair

AGAIN = 150
SPLIT = b"\n--payload--\n"
"""Divides the content of a manifest from the payload beside it."""
PARTIES = {b"a1" * 32: ("dept-a", "sign"), b"b2" * 32: (CENTRE, "encrypt"), b"c3" * 32: (CENTRE, "sign"),
           b"d4" * 32: ("dept-a", "encrypt")}


class Stand:
    """A department and the centre in memory, set up anew now and then."""

    def __init__(self) -> None:
        self._pair: Pair | None = None
        self._left = 0

    def pair(self) -> Pair:
        """Return the pair to ask next; hello was said."""
        if self._pair is None or self._left == 0:
            self._pair, self._left = Pair(), AGAIN
        self._left -= 1
        return self._pair

    def leave(self) -> None:
        """Set up anew before the next question."""
        self._left = 0


STAND = Stand()


@cache
def fingerprints() -> dict[bytes, bytes]:
    """Return which digest of this run stands for which of an input."""
    found = {}
    for stands, (node, role) in PARTIES.items():
        peer = peer_of(node)
        certificate = peer.signing[0] if role == "sign" else peer.encryption
        found[stands] = certificate.fingerprint.encode()
    return found


def general(content: bytes) -> bytes:
    """Return content without the digests of this run's certificates."""
    for stands, real in fingerprints().items():
        content = content.replace(real, stands)
    return content


def real(content: bytes) -> bytes:
    """Return content with the digests of this run's certificates."""
    for stands, one in fingerprints().items():
        content = content.replace(stands, one)
    return content


def _signed(kind: str, data: bytes) -> bytes:
    signer = signer_of(STAND.pair().dept.desk.means)
    return enclose(kind, real(data), signer.certificate, signer.sign) if data.startswith(b'{"@type"') else data


def probes() -> Iterator[bytes]:
    """Yield hellos."""
    means = STAND.pair().dept.desk.means
    heads = [LaneHead("dept-a", CENTRE, "population", Stream.LIVE, EPOCH, 3, "ab" * 32),
             LaneHead(CENTRE, "dept-a", "population", Stream.BACKFILL, 0, 0, NOTHING)]
    for lanes in ((), heads[:1], heads, heads[:1] * 3):
        said = Probe(domain=DOMAIN, sender=ourselves(means), receiver=party(peer_of(CENTRE)), epoch=EPOCH,
                     boot="0" * 32,
                     time=NOW, lanes=tuple(lanes))
        yield general(content_of(said))


def collects() -> Iterator[bytes]:
    """Yield collect statements."""
    means = STAND.pair().dept.desk.means
    yield general(content_of(Collect(DOMAIN, ourselves(means), party(peer_of(CENTRE)), EPOCH, "0" * 32, NOW)))


def parcels() -> Iterator[bytes]:
    """Yield manifests, each with its payload behind it; and parcels whose lines are not what they should be."""
    means = STAND.pair().dept.desk.means
    hidden_one = dict(twin(2)) | {"PersonName": MARKER.decode()}
    nested = b'{"body":{"A":' + b'{"a":' * 300 + b"1" + b"}" * 300 + b","
    deep = line_of(dict(twin(1)), NOW).replace(b'{"body":{', nested, 1)
    for lines in ([line_of(dict(twin(1)), NOW)], [deep], [line_of(hidden_one, NOW)], [b"{}"],
                  [b'{"body":{},"head":{}}'] * 3,
                  [line_of(hidden_one, NOW, origin="dept-c")]):
        sealed = parcel_of(means, lines, draft_of(means, NOW, via=("dept-z",)))
        yield general(content_of(sealed.statement)) + SPLIT + sealed.payload
    sealed = parcel_of(means, [line_of(dict(twin(1)), NOW)], draft_of(means, NOW, place=Place(EPOCH, 2, "ab" * 32)))
    yield general(content_of(sealed.statement)) + SPLIT + sealed.payload
    yield frame(b"x", b"y")


def letters() -> Iterator[bytes]:
    """Yield letters."""
    ids = [f"01a206c0-7316-73f6-aa3e-76256c39168{digit}" for digit in "abcd"]
    yield write_letter(Letter())
    yield write_letter(Letter(ask=ids))
    yield write_letter(Letter([Enclosure(b"receipt", b"verdicts")], pending=ids, unknown=ids))


def run(path: str, data: bytes) -> Hashable:
    """Ask as dept-a, open what was taken in; no answer is a fault, and none tells content."""
    kind, body = _body(path, data)
    pair = STAND.pair()
    heard = pair.said(path + ("?wait=0" if path in ("/v1/collect", "/v1/receipts") else ""), body, kind)
    assert heard.status < 500 or heard.status in (503, 507), heard.body
    if path == "/v1/parcels" and heard.status == 200:
        _open(pair)
        STAND.leave()  # the lane has moved on: no other input would be at its place
    if MARKER in data:
        hidden(heard.headers, heard.body if heard.status >= 400 else b"")
    for staged in (pair.dept, pair.centre):
        for level, event, fields in staged.journal.events:
            assert event != "EXN-FAULT", fields
            hidden(level, event, *fields.values())
        staged.journal.events.clear()
        hidden(*staged.tally.counts)
    return heard.status, heard.json.get("code") if heard.status >= 400 else "", _stage(heard.status, heard.body)


def _open(pair: Pair) -> None:
    """Let the centre open what came, if it was anything new."""
    running, failed = Deferred.fromCoroutine(pair.opener.run()), list[Failure]()
    running.addErrback(lambda failure: None if failure.check(CancelledError) else failed.append(failure))
    for _ in range(20):
        pair.clock.advance(0)
    running.cancel()
    for failure in failed:
        failure.raiseException()


def _stage(status: int, body: bytes) -> str:
    return next((one.value for one in Stage if one.value.encode() in body), "") if status == 200 else ""


def _body(path: str, data: bytes) -> tuple[bytes, bytes]:
    if path == "/v1/receipts":
        return LETTER, data
    if path != "/v1/parcels":
        return STATEMENT, _signed("probe" if path == "/v1/hello" else "collect", data)
    content, split, payload = data.partition(SPLIT)
    return PARCEL, frame(_signed("parcel", content), payload) if split else data


def statement(data: bytes, chance: Random) -> bytes:
    """Return the input with the statement changed and what follows it left as it is."""
    content, split, payload = data.partition(SPLIT)
    return chance.choice((members, members, members, json_text))(content, chance) + split + payload


def _target(name: str, seeds: Callable[[], Iterable[bytes]], rounds: int) -> Target:
    mutate = any_of(members, json_text, octets, armoured(asn1)) if name == "receipts" else any_of(statement,
                                                                                                  statement, octets)
    return Target(f"gateway-{name}", f"/v1/{name} of the gateway, signed again", seeds, partial(run, f"/v1/{name}"),
                  mutate,
                  rounds=rounds)


TARGETS = (
    _target("hello", probes, 80), _target("collect", collects, 60), _target("parcels", parcels, 60),
    _target("receipts", letters, 80),
)
