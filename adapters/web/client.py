"""Requests to one service, each with its answer; a connection is kept between them while both sides like it.

Rule 1: an answer is whole, or it is Unavailable: what was cut off, or is not HTTP, is never used.
Rule 2: a redirect is followed within the origin, a few times, and never turns a POST into a GET.
Rule 3: a request on a kept connection that proves dead before an octet of an answer came is sent once more on a new
        one; requests of both adapters may be repeated.
Rule 4: no proxy of the environment, no cookie, no compression but gzip, within bounds.
"""

from __future__ import annotations

import errno
import http.client
import select
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any

from adapters.contract import Misconfigured, Unavailable
from adapters.web import tls
from adapters.web.address import PORTS, Address
from adapters.web.gunzip import Bomb, gunzip
from adapters.web.line import Line, Patience, TooMuch

HEAD = 256 << 10
"""Most octets of an answer's head, and of what frames its body."""

REDIRECTS = 5
_MOVED = (301, 302, 303, 307, 308)
_KEEPING = (307, 308)
"""Redirects that repeat a POST as it is."""

_DEAD = (ConnectionResetError, BrokenPipeError, ConnectionAbortedError, http.client.RemoteDisconnected, ssl.SSLEOFError)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: a target within the origin, headers, and a body."""

    method: str
    target: str = field(repr=False)
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, whole and unpacked; `target` is what was asked last, after redirects."""

    status: int
    headers: Message
    body: bytes = field(repr=False)
    target: str = field(repr=False)

    @property
    def clock(self) -> datetime | None:
        """The service's time, if it tells it."""
        try:
            at = parsedate_to_datetime(self.headers.get("Date", ""))
        except (TypeError, ValueError, OverflowError):
            return None
        return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


class Client:
    """A service, and at most one connection to it."""

    def __init__(self, address: Address, context: ssl.SSLContext | None, patience: Patience, most: int) -> None:
        self.address = address
        self._context, self._patience, self._most = context, patience, most
        self._connection: http.client.HTTPConnection | None = None
        self._line: Line | None = None

    def certificate(self) -> Mapping[str, Any] | None:
        """Connect if need be; return the service's certificate, which was verified, or None for plain http."""
        try:
            if self._connection is None:
                self._open()
        except Exception as why:
            self.close()
            raise _told(why) from None
        line = self._line
        return line.socket.getpeercert() if line and isinstance(line.socket, ssl.SSLSocket) else None

    def ask(self, request: Request) -> Answer:
        """Return the answer; raise Misconfigured or Unavailable where there is none."""
        for _ in range(REDIRECTS + 1):
            answer = self._once(request)
            place = answer.headers.get("Location")
            if answer.status not in _MOVED or place is None:
                return answer
            if request.method != "GET" and answer.status not in _KEEPING:
                raise Misconfigured(f"服务以{answer.status}转向，请把path改为新的地址",
                                    f"the service redirects with {answer.status}; change the path to the new place")
            request = Request(request.method, self.address.within(answer.target, place), request.headers, request.body)
        raise Misconfigured(f"服务转向超过{REDIRECTS}次", f"the service redirects more than {REDIRECTS} times")

    def _once(self, request: Request) -> Answer:
        kept = self._usable()
        try:
            try:
                return self._asked(request)
            except _DEAD:
                if not kept:
                    raise
                self.close()
                return self._asked(request)
        except Exception as why:
            self.close()
            raise _told(why) from None

    def _usable(self) -> bool:
        """Whether a connection is kept; one that has something to say unasked is closed, or soon will be."""
        if self._connection is None or self._line is None or self._connection.sock is None:
            self.close()
            return False
        if select.select([self._line.socket], [], [], 0)[0]:
            self.close()
        return self._connection is not None

    def _open(self) -> tuple[http.client.HTTPConnection, Line]:
        line = Line(self.address, self._patience, self._context)
        connection = http.client.HTTPConnection(self.address.host, self.address.port)
        connection.default_port = PORTS[self.address.scheme]  # what is left out of Host
        connection.auto_open = 0  # it would connect anywhere, without our rules
        connection.sock = line
        self._connection, self._line = connection, line
        return connection, line

    def _asked(self, request: Request) -> Answer:
        if self._connection is None or self._line is None:
            self._open()
        connection, line = self._connection, self._line
        assert connection is not None and line is not None
        line.begin(self._most + HEAD)
        headers = {"Accept-Encoding": "gzip", "User-Agent": "exchange-node", **dict(request.headers)}
        try:
            connection.request(request.method, request.target, request.body, headers)
        except _DEAD:
            pass  # it may have said why before it had taken everything, as with 413, or an alert of TLS
        with connection.getresponse() as response:
            body = self._body(response)
            return Answer(response.status, response.msg, _unpacked(response.msg, body, self._most), request.target)

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        whole = bytearray()
        while piece := response.read(1 << 16):
            whole += piece
            if len(whole) > self._most:
                raise TooMuch
        if response.length:
            raise http.client.IncompleteRead(b"")  # http.client does not say so when it is read in pieces
        return bytes(whole)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._line is not None:
            self._line.end()
        self._connection = self._line = None


def _unpacked(headers: Message, body: bytes, most: int) -> bytes:
    coding = headers.get("Content-Encoding", "identity").strip().lower()
    if coding == "identity" or not body:
        return body
    if coding not in ("gzip", "x-gzip"):
        raise Misconfigured("服务的答复用了未要求的压缩方式", "the service packs its answer in a way that was not asked for")
    return gunzip(body, most)


def _told(why: Exception) -> Exception:
    """Return what went wrong with a connection in our words; an error of our own as it is."""
    if isinstance(why, Misconfigured | Unavailable):
        return why
    if isinstance(why, TooMuch | Bomb):
        return Misconfigured("服务的答复过大：请减小每页行数，或调大most_octets",
                             "the answer of the service is too large: ask for smaller pages, or raise most_octets")
    if isinstance(why, ssl.SSLError) and not isinstance(why, TimeoutError):
        return tls.told(why)
    if isinstance(why, TimeoutError):
        return Unavailable("服务没有及时答复", "the service did not answer in time")
    if isinstance(why, socket.gaierror):
        return Unavailable("主机名解析不到", "the host name is not found")
    if isinstance(why, http.client.HTTPException | ValueError) and not isinstance(why, OSError):
        return Unavailable(f"服务的答复不完整或不是HTTP（{type(why).__name__}）",
                           f"the answer of the service is cut off or not HTTP ({type(why).__name__})")
    if isinstance(why, OSError):
        code = errno.errorcode.get(why.errno or 0, type(why).__name__)
        return Unavailable(f"连接不上服务，或连接中断（{code}）",
                           f"the service cannot be reached, or the connection broke ({code})")
    return why
