"""A request as it came in and the response to it: bytes, nothing decoded that nobody asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

import orjson

from node.model import codes
from node.model.trouble import trouble
from node.wire.head import lines

Headers = Mapping[bytes, bytes]
"""Raw headers: names in lower case; a repeated one is joined with `, ` (RFC 9110 §5.3).  Values may hold any byte."""

QUERY_FIELDS = 32
JSON_TYPE = b"application/json"
_PHRASES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}


class Link:
    """Who is at the other end of a connection.

    `address` is the remote IP address and `port` its port; `tls_fingerprint` is the lower-case hex of SM3 over the
    DER of the client's TLS certificate, set once the channel was checked, and None on a connection without TLS.
    Nothing a request says about itself is ever put here (WIRE §5: headers are never identity).
    """

    __slots__ = ("address", "port", "tls_fingerprint")

    def __init__(self, address: str = "", port: int = 0, tls_fingerprint: str | None = None) -> None:
        self.address = address
        self.port = port
        self.tls_fingerprint = tls_fingerprint


class Request:
    """One request, whole; `template` is the route it matched and `arguments` what the route's braces matched.

    `caller` is who asks, where the route's `early` found that out.
    """

    def __init__(self, method: str, path: str, query_string: bytes, headers: dict[bytes, bytes], peer: Link) -> None:
        self.method = method
        self.path = path
        self.query_string = query_string
        self.headers: Headers = headers
        self.peer = peer
        self.body = b""
        self.template = ""
        self.arguments: Mapping[str, str] = {}
        self.caller = ""

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query's fields; raise Refused(BAD_REQUEST) if it is not UTF-8, has too many, or one twice."""
        try:
            pairs = parse_qsl(
                self.query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=QUERY_FIELDS
            )
        except ValueError:
            raise trouble(codes.BAD_REQUEST, reason="query") from None
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise trouble(codes.BAD_REQUEST, reason="query")
        return fields


class Response:
    """What is sent back: a status, headers, and a body of one buffer or several.

    Content-Length is always written, so a response is never longer or shorter than it says.  A large body given as
    several buffers is never joined.
    """

    __slots__ = ("status", "headers", "body")

    def __init__(
        self, status: int = 200, body: bytes | Sequence[bytes] = b"", headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    @classmethod
    def json(
        cls, value: Any, status: int = 200, headers: Sequence[tuple[bytes, bytes]] = (), media: bytes = JSON_TYPE
    ) -> Response:
        """Return a response of `value` as JSON; `value` may be the bytes of JSON already made."""
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        return cls(status, body, ((b"Content-Type", media), *headers))

    @property
    def size(self) -> int:
        """The length of the body in octets."""
        return len(self.body) if isinstance(self.body, bytes) else sum(map(len, self.body))

    def parts(self, keep: bool, date: bytes, bodiless: bool) -> list[bytes]:
        """Return head and body as buffers to write.

        `keep` False adds `Connection: close`; `date` is a whole Date line or empty; `bodiless` (HEAD) leaves the
        body out and keeps its length.  Raises ValueError for a header that would break the framing.
        """
        status = self.status
        head = [_PHRASES[status], date, *lines(self.headers)]
        if status == 204 or status == 304:
            bodiless = True
        else:
            head.append(b"Content-Length: %d\r\n" % self.size)
        head.append(b"\r\n" if keep else b"Connection: close\r\n\r\n")
        body = self.body
        if bodiless or not body:
            return [b"".join(head)]
        if isinstance(body, bytes):
            return [b"".join(head), body]
        return [b"".join(head), *body]
