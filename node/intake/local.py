"""The local API: the department's own systems submit records, ask for their fate, and fetch what was received.

    POST /v1/resources/{resource}/records      submit; Idempotency-Key required, ?stream=backfill&spec=&mapping=
    GET  /v1/submissions/{id}                  its fate, to the final verdicts
    GET  /v1/resources/{resource}/deliveries   what was received, in commit order, ?cursor=&limit=
    GET  /openapi.json                         this, as OpenAPI 3.1

Rule 1: 202 is written after the commit that holds the records, never before.
Rule 2: a body is refused by its length before it costs memory, and by a short disk before it is read.
Rule 3: a key that was answered gets that answer, whatever has changed here since: the stored answer is looked for
        before any refusal is told.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import TypeVar, Unpack

from twisted.internet.defer import Deferred, fail

from node.exchange import overlap
from node.exchange.fate import fate
from node.exchange.submit import Submitted, Supply, submit_all
from node.intake.deliveries import BEGINNING, LIMIT, Page, read_cursor, read_limit
from node.intake.judging import Judged, Judging
from node.intake.openapi import OCTETS
from node.model import codes
from node.model.ids import UUID_FORM
from node.model.record import SpecificationId, Stream
from node.model.registry import Resource
from node.model.spool import Answer
from node.model.trouble import Trouble, trouble
from node.ports import OutboxUnit
from node.spool.shortage import Shortage
from node.validate import Limits, Specification
from node.validate.mapping import SourceMapping
from node.wire.message import JSON_TYPE, Request, Response
from node.wire.problem import PROBLEM_TYPE
from node.wire.routes import Routes
from node.workers import Desk

KEY = 128
"""Most octets of an idempotency key."""

_VERSION = re.compile(r"[a-z][a-z0-9-]{0,63}/[0-9]{1,4}\.[0-9]{1,4}")
_STREAMS = {"live": Stream.LIVE, "backfill": Stream.BACKFILL}
_BEARER = b"bearer "
_JSON, _PROBLEM = (b"Content-Type", JSON_TYPE), (b"Content-Type", PROBLEM_TYPE)
_STORED_IN = (b"Content-Language", b"zh")
_VISIBLE = bytes(range(0x21, 0x7F))

T = TypeVar("T")
_Call = tuple[str, str, bytes, Resource, SpecificationId, Stream]
"""What a `Supply` begins with: caller, key, body, resource, specification, stream."""


class Local:
    """Answers the department's own systems.

    `tokens` are the secrets by the name of who bears them; with `mutual` a TLS certificate is demanded instead, which
    the port has checked against the callers' own CA, and no token will do.
    """

    def __init__(
        self, desk: Desk, tokens: Mapping[str, bytes], limits: Limits = Limits(), mutual: bool = False
    ) -> None:
        self._desk, self._tokens, self._limits, self._mutual = desk, dict(tokens), limits, mutual
        self._judging = Judging(desk, limits)
        self._running: set[tuple[str, str, str]] = set()

    def add_to(self, routes: Routes) -> None:
        """Add the routes."""
        records, deliveries = "/v1/resources/{resource}/records", "/v1/resources/{resource}/deliveries"
        routes.add("POST", records, self.post_records, self._limits.octets, self._early)
        routes.add("GET", "/v1/submissions/{id}", self.get_submission)
        routes.add("GET", deliveries, self.get_deliveries)
        routes.add("GET", "/openapi.json", self.get_openapi)

    def _caller(self, request: Request) -> str:
        """Return who calls: the name of its token, or its certificate; raise Refused(UNAUTHORIZED)."""
        if self._mutual:
            if request.peer.tls_fingerprint:
                return f"tls:{request.peer.tls_fingerprint}"
            raise trouble(codes.UNAUTHORIZED)
        said = request.headers.get(b"authorization", b"")
        if said[:7].lower() == _BEARER:
            for name, token in self._tokens.items():
                if token and hmac.compare_digest(said[7:].strip(b" "), token):
                    return name
        raise trouble(codes.UNAUTHORIZED)

    def _early(self, request: Request) -> None:
        request.caller = self._caller(request)
        self._desk.afford(Shortage.NONE)

    # --- submissions --------------------------------------------------------------------------------------------

    def post_records(self, request: Request) -> Deferred[Response]:
        """Submit the records of one body.

        Nearly every body is judged at once and waits for the commit alone: that needs no coroutine.
        """
        running = (request.caller, request.arguments["resource"], _key(request))
        if running in self._running:
            raise trouble(codes.KEY_RUNNING)
        self._running.add(running)
        answering = self._submit(request, *running)
        answering.addBoth(self._ended, running)
        return answering.addCallback(_told)

    def _ended(self, result: T, running: tuple[str, str, str]) -> T:
        self._running.discard(running)
        return result

    def _submit(self, request: Request, caller: str, code: str, key: str) -> Deferred[Answer]:
        body, said = request.body, request.headers.get
        try:
            version, mapping = self._asked(request, code) if request.query_string else (None, None)
            resource, spec = self._resource(code, version)
            call = (caller, key, body, resource, spec.id, _stream(request))
            reads = mapping or spec
            judged = self._judging.judge(body, said(b"content-type", b""), said(b"content-encoding", b""), reads)
        except Trouble as why:
            return Deferred.fromCoroutine(self._turned_away(why, caller, code, key, body))
        except Exception as bug:
            return fail(bug)
        if isinstance(judged, Judged):
            return self._store(judged, *call)
        return Deferred.fromCoroutine(self._await(judged, *call))

    async def _await(self, judged: Deferred[Judged], *call: Unpack[_Call]) -> Answer:
        caller, key, body, resource, _, _ = call
        try:
            done = await judged
        except Trouble as why:
            return await self._turned_away(why, caller, resource.code, key, body)
        return await self._store(done, *call)

    async def _turned_away(self, why: Trouble, caller: str, code: str, key: str, body: bytes) -> Answer:
        """Return the answer of a key that was answered, raise the reason for another (rule 3)."""
        told = await self._desk.outbox.run(lambda unit: unit.answered(caller, code, key, body))
        if told is None:
            raise why
        return told

    def _store(self, judged: Judged, *call: Unpack[_Call]) -> Deferred[Answer]:
        supply = Supply(*call, *judged)
        put = self._desk.outbox.share(self._put, supply, 1 + len(supply.records))
        return put.addCallback(self._stored, supply)

    def _put(self, unit: OutboxUnit, supplies: Sequence[Supply]) -> Sequence[Submitted]:
        means = self._desk.means
        here = means.identity
        return submit_all(unit, supplies, here.domain, here.node, self._desk.now(), means.chance)

    def _stored(self, submitted: Submitted, supply: Supply) -> Answer:
        answer, new = submitted
        if isinstance(answer, Trouble):
            raise answer
        if new:
            counter, resource = self._desk.counter, supply.resource
            if supply.records:
                counter.count("records_accepted", len(supply.records), resource=resource.code)
                self._desk.bell.ring(*[f"outbox:{receiver}" for receiver in resource.receivers])
            if supply.refusals:
                counter.count("records_rejected", len(supply.refusals), resource=resource.code, reason="rule")
        return answer

    def _resource(self, code: str, version: str | None) -> tuple[Resource, Specification]:
        means = self._desk.means
        resource = means.registry.resource(code)
        if resource is None or not resource.receivers:
            raise trouble(codes.RESOURCE, resource=_shown(code))
        name = resource.specification
        if version is not None or resource.versions:
            name = overlap.choose(resource, _named(version), self._desk.now())
        specification = means.specifications.get(name)
        if specification is None:
            raise trouble(codes.UNKNOWN_SPECIFICATION, spec=name)
        return resource, specification

    async def get_submission(self, request: Request) -> Response:
        """Tell a submission's fate to whoever submitted it."""
        caller, id = self._caller(request), request.arguments["id"]
        if not UUID_FORM.fullmatch(id):
            raise trouble(codes.NOT_FOUND)
        found = await self._desk.outbox.run(lambda unit: fate(unit, id, caller))
        if found is None:
            raise trouble(codes.NOT_FOUND)
        return Response.json(found)

    def _asked(self, request: Request, code: str) -> tuple[str | None, SourceMapping | None]:
        """Return the version and the mapping asked for; a mapping is to one version, which need not be named.

        Raises Refused(MAPPING) for a mapping that the resource does not have, or that is to another version.
        """
        version, name = request.query.get("spec"), request.query.get("mapping")
        if name is None:
            return version, None
        found = self._desk.means.mappings.get((code, name))
        if found is None or version not in (None, str(found.id)):
            self._resource(code, None)  # for a resource that is none, that is what is told
            raise trouble(codes.MAPPING, resource=code)
        return str(found.id), found

    # --- deliveries ---------------------------------------------------------------------------------------------

    async def get_deliveries(self, request: Request) -> Response:
        """Return a page of what was received, with the cursor of the next."""
        self._caller(request)
        desk, code = self._desk, request.arguments["resource"]
        if desk.means.registry.resource(code) is None:
            raise trouble(codes.RESOURCE, resource=_shown(code))
        limit = read_limit(request.query.get("limit", LIMIT))
        page = Page(*read_cursor(request.query.get("cursor", BEGINNING)), limit)
        while page.wants:
            after, most = page.asks
            page.take(await desk.warehouse.run(lambda unit: unit.history(code, after, most)))
        headers = []
        if page.more:
            link = f'</v1/resources/{code}/deliveries?cursor={page.cursor}&limit={limit}>; rel="next"'
            headers.append((b"Link", link.encode("ascii")))
        return Response(200, page.body(), ((b"Content-Type", JSON_TYPE), *headers))

    def get_openapi(self, request: Request) -> Response:
        """Return the description of this API."""
        return Response(200, OCTETS, (_JSON,))


def _told(answer: Answer) -> Response:
    place = (b"Location", b"/v1/submissions/" + answer.submission.encode("ascii"))
    if answer.status < 400:
        return Response(answer.status, answer.body, (_JSON, place))
    return Response(answer.status, answer.body, (_PROBLEM, _STORED_IN, place))


def _stream(request: Request) -> Stream:
    """Return the stream asked for; raise Refused(BAD_REQUEST) for one that callers cannot choose."""
    stream = _STREAMS.get(request.query.get("stream", "live") if request.query_string else "live")
    if stream is None:
        raise trouble(codes.BAD_REQUEST, reason="stream")
    return stream


def _named(version: str | None) -> str | None:
    """Return the version a caller names; raise Refused(BAD_REQUEST) for what is no name of one."""
    if version is not None and not _VERSION.fullmatch(version):
        raise trouble(codes.BAD_REQUEST, reason="spec")
    return version


def _key(request: Request) -> str:
    """Return the idempotency key; raise Refused: KEY_MISSING, BAD_REQUEST."""
    key = request.headers.get(b"idempotency-key", b"")
    if not key:
        raise trouble(codes.KEY_MISSING)
    if len(key) > KEY or key.translate(None, _VISIBLE):
        raise trouble(codes.BAD_REQUEST, reason="Idempotency-Key")
    return key.decode("ascii")


def _shown(code: str) -> str:
    """Return a path's resource code as an answer may repeat it: a code is ASCII and short."""
    return code if len(code) <= 64 and code.isascii() and code.isprintable() else "?"
