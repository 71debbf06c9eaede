"""The control socket: how commands on this machine look into the running node, and change its queues.

One request per connection, one line of JSON each way, over a Unix socket of mode 0600 in the state folder:

    → {"verb": "queue.purge", "queue": "outbox", "id": "0190…", "who": "li"}
    ← {"ok": true, "answer": {…}}      or      {"ok": false, "code": "EXN-…", "details": {…}}

Rule 1: who may open the socket is decided by the folder's and the socket's modes; there is no other door.
Rule 2: a request is bounded in size and time, connections in number; an answer is bounded by its verb.
Rule 3: a fault of a verb is told by its number and logged; the connection ends either way.
"""

from __future__ import annotations

import os
import socket
import stat
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall, IListeningPort, IReactorUNIX
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from node.model import codes
from node.model.trouble import Trouble, trouble
from node.service.control_acts import ACTS, Actor
from node.service.control_findings import findings_list, findings_show
from node.service.control_read import Answer, Arguments, queue_list, queue_show, status, text
from node.service.control_sources import ACTS as SOURCE_ACTS
from node.service.control_sources import live, sources_dirty, sources_state
from node.service.control_steps import Reading, drive
from node.service.control_trace import trace
from node.service.control_view import View, view_of
from node.workers import Desk

REQUEST = 64 << 10
WITHIN = 10.0
AT_ONCE = 16

READINGS: dict[str, Callable[[View, Arguments], Reading[Answer]]] = {
    "status": status, "queue.list": queue_list, "queue.show": queue_show, "trace": trace,
    "findings.list": findings_list, "findings.show": findings_show, "sources.state": sources_state,
    "sources.dirty": sources_dirty,
}
"""The verbs that change nothing; they serve the running node and files opened read-only alike."""
_ACTS = ACTS | SOURCE_ACTS


class Control:
    """The socket of one running node; `facts` adds to the answer of `status` what only the process knows."""

    def __init__(self, desk: Desk, path: Path, facts: Callable[[], Answer] = dict) -> None:
        self.desk, self._path, self._facts = desk, path, facts
        self.factory = _Lines(self)
        self._port: IListeningPort | None = None

    def start(self, reactor: IReactorUNIX) -> None:
        """Listen; a socket left behind by a process that died is taken away, for the outbox's lock is ours.

        Raises Hold(LISTEN).
        """
        if self._path.exists() and stat.S_ISSOCK(self._path.lstat().st_mode):
            self._path.unlink()
        # Born with the mode it keeps: no moment in which others could connect.
        before = os.umask(0o177)
        try:
            self._port = reactor.listenUNIX(str(self._path), self.factory, backlog=AT_ONCE, mode=0o600)
        except CannotListenError:  # the path is too long for a socket, or something else stands there
            raise trouble(codes.LISTEN, address=self._path.name) from None
        finally:
            os.umask(before)

    def stop(self) -> Deferred[None]:
        """Stop listening and drop whoever is connected; the socket's file goes with the port."""
        self.factory.drop()
        stopped: Deferred[None] = Deferred()
        if self._port is None:
            stopped.callback(None)
            return stopped
        done: Any = self._port.stopListening()
        if isinstance(done, Deferred):
            done.addBoth(lambda _: stopped.callback(None))
        else:
            stopped.callback(None)
        self._port = None
        return stopped

    async def answer(self, request: bytes, uid: int | None) -> Answer:
        """Return the answer to a request; never raises."""
        try:
            given = _read(request)
            return {"ok": True, "answer": await self._do(given, uid)}
        except Trouble as met:
            return {"ok": False, "code": met.code.name, "details": {k: str(v) for k, v in met.details.items()}}
        except Exception as bug:
            number = self.desk.means.chance(4).hex()
            self.desk.log("error", codes.FAULT.name, fault=number, at="control", bug=bug)
            return {"ok": False, "code": codes.FAULT.name, "details": {"fault": number}}

    async def _do(self, given: Arguments, uid: int | None) -> Answer:
        verb = text(given, "verb")
        if verb in READINGS:
            found = await drive(READINGS[verb](view_of(self.desk.means, self.desk.now), given), self.desk)
            return {**found, **self._own(verb)}
        if verb in _ACTS:
            return await _ACTS[verb](self.desk, given, Actor(text(given, "who", 64), uid))
        raise trouble(codes.BAD_REQUEST, reason="verb")

    def _own(self, verb: str) -> Answer:
        """Return what only the process knows."""
        return self._facts() if verb == "status" else {"live": live(self.desk)} if verb == "sources.state" else {}


def _read(request: bytes) -> Arguments:
    try:
        given = orjson.loads(request)
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise trouble(codes.BAD_REQUEST, reason="JSON")
    return given


class _Lines(Factory):
    """Makes at most `AT_ONCE` conversations."""

    noisy = False

    def __init__(self, control: Control) -> None:
        self.control = control
        self.open: set[_Line] = set()

    def buildProtocol(self, addr: object) -> Protocol | None:
        return _Line(self) if len(self.open) < AT_ONCE else None

    def drop(self) -> None:
        for line in list(self.open):
            line.drop()


class _Line(Protocol):
    """One request and its answer."""

    transport: Any

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines
        self._read = bytearray()
        self._asked = False
        self._late: IDelayedCall | None = None

    def connectionMade(self) -> None:
        self._lines.open.add(self)
        self._late = self._lines.control.desk.reactor.callLater(WITHIN, self.drop)

    def dataReceived(self, data: bytes) -> None:
        if self._asked:
            return
        self._read += data
        end = self._read.find(b"\n")
        if end < 0 and len(self._read) <= REQUEST:
            return
        self._asked = True
        self._calm()
        request = bytes(self._read[:end]) if 0 <= end <= REQUEST else b""
        self._read.clear()
        Deferred.fromCoroutine(self._lines.control.answer(request, _uid(self.transport))).addCallback(self._tell)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._calm()
        self._lines.open.discard(self)

    def drop(self) -> None:
        """End the conversation at once."""
        self.transport.abortConnection()

    def _tell(self, answer: Answer) -> None:
        if self in self._lines.open:
            self.transport.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
            self.transport.loseConnection()

    def _calm(self) -> None:
        if self._late is not None and self._late.active():
            self._late.cancel()


def _uid(transport: Any) -> int | None:
    """Return the account at the other end, as the kernel states it."""
    handle = getattr(transport, "getHandle", lambda: None)()
    if handle is None or not hasattr(socket, "SO_PEERCRED"):
        return None
    said = handle.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", said)[1])
