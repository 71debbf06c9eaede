"""A department's HTTP service in a thread: persons by REST, whatever a test has it answer, a socket of octets."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CHINA = timezone(timedelta(hours=8))
Row = dict[str, Any]


@dataclass
class Asked:
    """A request as the service got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    port: int = 0
    target: str = ""


@dataclass
class Told:
    """What the service answers."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def octets(self) -> bytes:
        """The body as it goes over the wire."""
        body = self.body if isinstance(self.body, bytes | str) else json.dumps(self.body, ensure_ascii=False)
        return body.encode() if isinstance(body, str) else body


Answers = Callable[[Asked], Told]


class Web:
    """A running server that answers by a function; what it was asked is kept."""

    def __init__(self, answers: Answers, context: ssl.SSLContext | None = None, port: int = 0) -> None:
        self.answers, self.asked = answers, list[Asked]()
        self._sockets: list[socket.socket] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # a peer that went away is no news
        if context is not None:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        web = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                web._sockets.append(self.request)
                super().setup()
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            def do_GET(self) -> None:
                split = urlsplit(self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, split.path, dict(parse_qsl(split.query, keep_blank_values=True)),
                              dict(self.headers.items()), body, web.port, self.path)
                web.asked.append(asked)
                told = web.answers(asked)
                octets = told.octets
                self.send_response(told.status)
                for name, value in {"Content-Length": str(len(octets)), **told.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(octets)

            do_POST = do_PUT = do_GET

            def log_message(self, *said: Any) -> None:
                pass

        return Answering

    def stop(self) -> None:
        """Stop it, and cut every connection."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        for one in self._sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


@contextmanager
def web(answers: Answers, context: ssl.SSLContext | None = None) -> Iterator[Web]:
    """Give a running server."""
    made = Web(answers, context)
    try:
        yield made
    finally:
        made.stop()


@contextmanager
def wire(speak: Callable[[socket.socket], None], context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Give the port of a socket; `speak` has each connection once the head of a request has come."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve(one: socket.socket) -> None:
        try:
            with one:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = one.recv(65536)
                    if not piece:
                        return
                    head += piece
                speak(one)
        except OSError:
            pass

    def accept() -> None:
        while not stopped.is_set():
            try:
                one, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(one,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


# --- certificates ----------------------------------------------------------------------------------------------------

class Authority:
    """A certificate authority made for a test."""

    def __init__(self, folder: Path, name: str = "CA") -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._signed(name, self.key, days=400, ca=True)
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, days: float, ca: bool = False, host: str = "127.0.0.1"
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if ca else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        alternative: x509.GeneralName = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        made = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.SubjectAlternativeName([alternative]), False)
        )
        return made.sign(self.key, hashes.SHA256())

    def issue(self, name: str, days: float = 100, host: str = "127.0.0.1") -> tuple[Path, Path]:
        """Return the files of a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        signed = self._signed(name, key, days, host=host)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate, file

    def context(
        self, name: str = "server", days: float = 100, host: str = "127.0.0.1", clients: bool = False
    ) -> ssl.SSLContext:
        """Return what a server speaks TLS with."""
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*self.issue(name, days, host))
        if clients:
            made.verify_mode = ssl.CERT_REQUIRED
            made.load_verify_locations(self.file)
        return made


# --- persons ---------------------------------------------------------------------------------------------------------

@dataclass
class Persons:
    """A service with persons: sorted by their stamps (or newest first), page by page in every way, in JSON and SOAP."""

    rows: dict[int, Row] = field(default_factory=dict)
    newest_first: bool = False
    most: int = 1000
    """Rows that it gives at most, whatever is asked."""
    before: Callable[[Asked], None] = lambda asked: None
    """Called before each answer, as for somebody who changes rows meanwhile."""

    def put(self, *rows: Row) -> None:
        """Insert or change rows."""
        for row in rows:
            self.rows[row["id"]] = row

    def chosen(self, since: str) -> list[Row]:
        """Return rows that are not older than a stamp, in the order of the service; without a filter those without."""
        found = [one for one in self.rows.values() if not since or (one["gxsj"] or "") >= since]
        return sorted(found, key=lambda one: (one["gxsj"] or "", one["id"]), reverse=self.newest_first)

    def __call__(self, asked: Asked) -> Told:
        self.before(asked)
        query = asked.query
        rows = self.chosen(query.get("since", ""))
        size = min(self.most, int(query.get("limit", self.most)))
        at = int(query.get("offset") or (int(query.get("page") or 1) - 1) * size)
        left = [one for one in rows if _token(one) > query.get("token", "")]
        page = left[at:at + size]
        on = at + size < len(left)
        token = _token(page[-1]) if on else None
        link = f"/persons?since={quote(query.get('since', ''), safe=' :')}&limit={size}&token={quote(token or '')}"
        return Told(
            {"code": 0, "data": {"list": page, "total": len(rows), "more": on, "next": token}},
            headers={"Link": f'<{link}>; rel="next", </persons>; rel="first"'} if on else {})


def _token(row: Row) -> str:
    """Return the place of a row in the order of the service: what moves meanwhile moves behind it."""
    return f"{row['gxsj'] or ''}~{row['id']:09}"


PAGES: Mapping[str, Mapping[str, Any]] = {
    "page": {"query": {"since": "{bookmark}", "page": "{page}", "limit": "{limit}"}, "paging": {"kind": "page"}},
    "page-total": {"query": {"since": "{bookmark}", "page": "{page}", "limit": "{limit}"},
                   "paging": {"kind": "page", "total": "data.total"}},
    "offset": {"query": {"since": "{bookmark}", "offset": "{offset}", "limit": "{limit}"},
               "paging": {"kind": "offset"}},
    "offset-more": {"query": {"since": "{bookmark}", "offset": "{offset}", "limit": "{limit}"},
                    "paging": {"kind": "offset", "more": "data.more"}},
    "next": {"query": {"since": "{bookmark}", "token": "{next}", "limit": "{limit}"},
             "paging": {"kind": "next", "next": "data.next"}},
    "link": {"query": {"since": "{bookmark}", "limit": "{limit}"}, "paging": {"kind": "link"}},
    "sorted-page": {"query": {"since": "{bookmark}", "page": "{page}", "limit": "{limit}"},
                    "paging": {"kind": "page"}, "sorted": True},
    "sorted-offset": {"query": {"since": "{bookmark}", "offset": "{offset}", "limit": "{limit}"},
                      "paging": {"kind": "offset", "total": "data.total"}, "sorted": True},
}
"""Every way in which pages of the service can be read."""

WHAT: Mapping[str, Any] = {"path": "/persons", "rows": "data.list", "cursor": "gxsj", "key": ["id"], "limit": 7}


def what(way: str, **more: Any) -> dict[str, Any]:
    """Return what is read of the service, by one of the ways."""
    return {**WHAT, **PAGES[way], **more}


def settings(port: int, **more: Any) -> dict[str, Any]:
    """Return settings for a server of a test without TLS."""
    return {"url": f"http://127.0.0.1:{port}", "plain": True, **more}


def stamp(ago: float = 0) -> str:
    """Return a time so many seconds ago, as the service writes it."""
    return (datetime.now(CHINA) - timedelta(seconds=ago)).strftime("%Y-%m-%d %H:%M:%S")


def person(number: int, ago: float = 0, **more: Any) -> Row:
    """Return a row."""
    return {"id": number, "xm": f"人{number}", "gxsj": stamp(ago), **more}
