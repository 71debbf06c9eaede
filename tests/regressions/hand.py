"""A node played by the test with its own papers: it speaks RFC 8998 TLS to a running gateway, and says what it likes.

    with Hand(exchange, SOURCE) as hand:
        heard = hand.post_parcel(hand.sealed([line], seq=1))
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from OpenSSL import SSL

from node.cli.demo.site import DOMAIN
from node.config import load
from node.crypto.tls import Channels, TlsKey
from node.envelope import Letter, ParcelDraft, Said, Signer, frame, read_letter, seal, write, write_letter
from node.exchange.authority import ourselves, party
from node.exchange.means import Means
from node.model.ids import uuid7
from node.model.instant import stamp
from node.model.parcel import NOTHING, Collect, Place, Probe
from node.model.record import Head, Operation, SpecificationId, Stream, Version
from node.model.registry import Peer
from node.model.spool import Sealed
from node.service.papers import read_papers
from node.validate import join_line
from node.validate.made.samples import sample, to_json
from node.wire.media import LETTER, PARCEL, STATEMENT
from tests.processes.exchange import CENTRE, RESOURCES, SOURCE, Exchange

PATIENCE = 30


def now() -> int:
    """The wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Heard:
    """One answer of a gateway."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The EXN code of a refusal."""
        return str(json.loads(self.body)["code"])


class Hand:
    """Acts as one department; `port` is the centre's gateway unless another is given.

    Its lanes are of an epoch so old that the true node, which may run, does not mind them.
    """

    def __init__(self, exchange: Exchange, node: str, port: int | None = None) -> None:
        settings = load(exchange.seat(node).config)
        papers = read_papers(settings, lambda said: None)
        said = settings.node
        self.papers, self.exchange = papers, exchange
        self.means = Means(
            papers.keyring.identity(said.domain, said.code, said.org), papers.crypto, papers.registry, papers.trust,
            exchange.specifications, os.urandom,
        )
        self._channels = Channels(TlsKey(*papers.keyring.tls()), papers.trust, papers.crypto.sm3, now)
        self._port = port or exchange.seat(CENTRE).gateway
        self._line: http.client.HTTPConnection | None = None
        self.epoch, self.boot = 1, os.urandom(16).hex()

    def __enter__(self) -> Hand:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the line."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    @property
    def centre(self) -> Peer:
        """The centre as this department registers it."""
        found = self.means.registry.peer(CENTRE)
        assert found is not None
        return found

    def channel(self, context: SSL.Context | None = None) -> Channel:
        """Return a new channel to the gateway."""
        return Channel(context or self._channels.client(), self._port)

    def post(self, path: str, body: bytes, media: bytes, **headers: str) -> Heard:
        """Return the gateway's answer; the line is kept."""
        if self._line is None:
            self._line = http.client.HTTPConnection("127.0.0.1", self._port)
            self._line.sock = self.channel()  # type: ignore[assignment]  # all that http.client asks of a socket
        try:
            self._line.request("POST", path, body, {"Content-Type": media.decode(), **headers})
            answer = self._line.getresponse()
            return Heard(answer.status, dict(answer.getheaders()), answer.read())
        except BaseException:
            self.close()
            raise

    def post_parcel(self, sealed: Sealed) -> Heard:
        """Post a parcel."""
        return self.post("/v1/parcels", frame(sealed.manifest, sealed.payload), PARCEL)

    def ask(self, *parcels: str, wait: int = 0) -> Letter:
        """Ask for receipts."""
        heard = self.post(f"/v1/receipts?wait={wait}", write_letter(Letter(ask=parcels)), LETTER)
        assert heard.status == 200, heard.body
        return read_letter(heard.body)

    def hello(self) -> Heard:
        """Greet the centre without telling of any lane."""
        said = Probe(DOMAIN, ourselves(self.means), party(self.centre), self.epoch, self.boot, now(), ())
        return self.post("/v1/hello", self._signed(said), STATEMENT)

    def collect(self, wait: int = 0) -> Heard:
        """Ask for what waits here."""
        said = Collect(DOMAIN, ourselves(self.means), party(self.centre), self.epoch, self.boot, now())
        return self.post(f"/v1/collect?wait={wait}", self._signed(said), STATEMENT)

    def _signed(self, said: Any) -> bytes:
        return write(said, self.means.identity.signing, self.means.identity.sign)

    def spec(self, resource: str = "population") -> SpecificationId:
        """Return the id of a resource's specification."""
        found = self.exchange.specifications.get(RESOURCES[resource])
        assert found is not None
        return found.id

    def twin(self, number: int, **given: Any) -> dict[str, Any]:
        """Return a good record of the population; `given` replaces fields."""
        spec = self.exchange.specifications.get(RESOURCES["population"])
        assert spec is not None
        return {**sample(spec, 11, number), **given}

    def line(self, twin: Mapping[str, Any], n: int = 1) -> bytes:
        """Return the line of a twin."""
        at = now()
        operation = Operation.DELETE if twin["Operation"] == "D" else Operation.UPSERT
        head = Head(
            uuid7(at, os.urandom(10)), twin["RecordId"], self.means.identity.node, Version(self.epoch, n), operation,
            twin["EventTime"], None, stamp(at),
        )
        return join_line(to_json(dict(twin)), head)

    def sealed(self, lines: Sequence[bytes], seq: int = 1, prev: str = NOTHING, **given: Any) -> Sealed:
        """Return a parcel of the population to the centre; `given` replaces members of its draft."""
        made = {
            "domain": DOMAIN, "sender": ourselves(self.means), "receiver": party(self.centre),
            "parcel": uuid7(now(), os.urandom(10)), "resource": "population", "stream": Stream.LIVE,
            "spec": self.spec(), "place": Place(self.epoch, seq, prev), "created": now(), "priority": 5,
        }
        identity = self.means.identity
        return seal(
            ParcelDraft(**{**made, **given}), lines, Said(), Signer(identity.signing, identity.sign),
            [self.centre.encryption], self.means.crypto, os.urandom,
        )


class Channel:
    """What http.client asks of a socket, over one TLS connection; every wait is bounded."""

    def __init__(self, context: SSL.Context, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._socket.settimeout(None)
        bound = struct.pack("ll", PATIENCE, 0)
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._socket.setsockopt(socket.SOL_SOCKET, way, bound)
        self.tls = SSL.Connection(context, self._socket)
        self.tls.set_connect_state()
        try:
            self.tls.do_handshake()
        except BaseException:
            self._socket.close()
            raise

    def sendall(self, octets: bytes) -> None:
        """Send all."""
        self.tls.sendall(octets)

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return a reader of what comes."""
        return io.BufferedReader(_Reader(self.tls))

    def close(self) -> None:
        """Close, telling the other end."""
        with suppress(SSL.Error, OSError):
            self.tls.shutdown()
        self._socket.close()

    def drop(self) -> None:
        """Be gone, telling nobody."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()


class _Reader(io.RawIOBase):
    def __init__(self, tls: SSL.Connection) -> None:
        self._tls = tls

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            octets = self._tls.recv(len(buffer))
        except SSL.ZeroReturnError:
            return 0
        except SSL.SysCallError as gone:
            raise ConnectionError(str(gone)) from None
        buffer[: len(octets)] = octets
        return len(octets)


def posted(
    exchange: Exchange, body: bytes, media: str, key: str, node: str = SOURCE, path: str = "population", **headers: str,
) -> Heard:
    """Return the local API's answer to a submission."""
    seat = exchange.seat(node)
    line = http.client.HTTPConnection(seat.host, seat.api, timeout=PATIENCE)
    said = {
        "Authorization": f"Bearer {seat.token.read_text().strip()}", "Content-Type": media, "Idempotency-Key": key,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    try:
        line.request("POST", f"/v1/resources/{path}/records", body, said)
        answer = line.getresponse()
        return Heard(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        line.close()
