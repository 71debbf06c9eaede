"""The local API: the department's own systems submit records, ask for their fate, and fetch what was received.

    POST /v1/resources/{resource}/records      submit; Idempotency-Key required, ?stream=backfill
    GET  /v1/submissions/{id}                  its fate, to the final verdicts
    GET  /v1/resources/{resource}/deliveries   what was received, in commit order, ?cursor=&limit=
    GET  /openapi.json                         this, as OpenAPI 3.1

Rule 1: 202 is written after the commit that holds the records, never before.
Rule 2: a body is refused by its length before it costs memory, and by a short disk before it is read.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from node.exchange.fate import fate
from node.exchange.submit import Supply, submit
from node.intake.deliveries import page, read_cursor
from node.intake.openapi import OCTETS
from node.model import codes
from node.model.ids import UUID_FORM
from node.model.record import Record, Refusal, Stream
from node.model.registry import Resource
from node.model.spool import Answer
from node.model.trouble import trouble
from node.spool.shortage import Shortage
from node.validate import Limits, Media, Specification, read_drafts
from node.wire.message import JSON_TYPE, Request, Response
from node.wire.problem import PROBLEM_TYPE
from node.wire.routes import Routes
from node.workers import Desk

_STREAMS = {"live": Stream.LIVE, "backfill": Stream.BACKFILL}


class Local:
    """Answers the department's own systems; each bears the token of the token file, or a certificate of its own."""

    def __init__(self, desk: Desk, tokens: dict[str, bytes], limits: Limits = Limits(), mutual: bool = False) -> None:
        self._desk, self._tokens, self._limits, self._mutual = desk, tokens, limits, mutual
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
        if self._mutual and request.peer.tls_fingerprint:
            return f"tls:{request.peer.tls_fingerprint}"
        said = request.headers.get(b"authorization", b"")
        if said[:7].lower() == b"bearer ":
            for name, token in self._tokens.items():
                if hmac.compare_digest(said[7:].strip(), token):
                    return name
        raise trouble(codes.UNAUTHORIZED)

    def _early(self, request: Request) -> None:
        self._caller(request)
        self._desk.afford(Shortage.NONE)

    async def post_records(self, request: Request) -> Response:
        """Submit the records of one body."""
        caller = self._caller(request)
        resource, specification = self._resource(request)
        key = self._key(request)
        stream = _STREAMS.get(request.query.get("stream", "live"))
        if stream is None:
            raise trouble(codes.BAD_REQUEST, reason="stream")
        running = (caller, resource.code, key)
        if running in self._running:
            raise trouble(codes.KEY_RUNNING)
        self._running.add(running)
        try:
            answer = await self._submit(request, caller, key, resource, specification, stream)
        finally:
            self._running.discard(running)
        media = JSON_TYPE if answer.status < 400 else PROBLEM_TYPE
        place = f"/v1/submissions/{answer.submission}".encode("ascii")
        return Response(answer.status, answer.body, [(b"Content-Type", media), (b"Location", place)])

    async def _submit(
        self, request: Request, caller: str, key: str, resource: Resource, spec: Specification, stream: Stream
    ) -> Answer:
        desk = self._desk
        media = Media.parse(request.headers.get(b"content-type", b"").decode("latin-1"))
        drafts = read_drafts(request.body, media, spec, self._limits)
        today = datetime.fromtimestamp(desk.now() / 1000).date()
        records: list[Record] = []
        refusals: list[Refusal] = []
        for judged in spec.judge_all(drafts, today):
            if isinstance(judged, Record):
                records.append(judged)
            else:
                refusals.append(judged)
        supply = Supply(caller, key, request.body, resource, spec.id, stream, records, refusals)
        here = desk.means.identity
        answer = await desk.outbox.run(
            lambda unit: submit(unit, supply, here.domain, here.node, desk.now(), desk.means.chance)
        )
        desk.counter.count("records_accepted", len(records), resource=resource.code)
        desk.counter.count("records_rejected", len(refusals), resource=resource.code, reason="rule")
        desk.bell.ring(*(f"outbox:{receiver}" for receiver in resource.receivers))
        return answer

    def _resource(self, request: Request) -> tuple[Resource, Specification]:
        resource = self._desk.means.registry.resource(request.arguments["resource"])
        if resource is None or not resource.receivers:
            raise trouble(codes.RESOURCE, resource=request.arguments["resource"][:64])
        specification = self._desk.means.specifications.get(resource.specification)
        if specification is None:
            raise trouble(codes.UNKNOWN_SPECIFICATION, spec=resource.specification)
        return resource, specification

    def _key(self, request: Request) -> str:
        key = request.headers.get(b"idempotency-key", b"")
        if not key:
            raise trouble(codes.KEY_MISSING)
        if len(key) > 128 or not all(33 <= octet <= 126 for octet in key):
            raise trouble(codes.BAD_REQUEST, reason="Idempotency-Key")
        return key.decode("ascii")

    async def get_submission(self, request: Request) -> Response:
        """Tell a submission's fate to whoever submitted it."""
        caller, id = self._caller(request), request.arguments["id"]
        if not UUID_FORM.fullmatch(id):
            raise trouble(codes.NOT_FOUND)
        found = await self._desk.outbox.run(lambda unit: fate(unit, id, caller))
        if found is None:
            raise trouble(codes.NOT_FOUND)
        return Response.json(found)

    async def get_deliveries(self, request: Request) -> Response:
        """Return a page of what was received, with the cursor of the next."""
        self._caller(request)
        desk, code = self._desk, request.arguments["resource"]
        if desk.means.registry.resource(code) is None:
            raise trouble(codes.RESOURCE, resource=code[:64])
        limit = request.query.get("limit", "100")
        if not limit.isascii() or not limit.isdigit() or len(limit) > 4 or not 1 <= int(limit) <= 1000:
            raise trouble(codes.BAD_REQUEST, reason="limit")
        block, index = read_cursor(request.query.get("cursor", ""))
        blocks = await desk.warehouse.run(lambda unit: unit.history(code, max(0, block - 1), 1 + int(limit)))
        body, link = page(blocks, block, index, int(limit))
        headers = []
        if link:
            headers.append((b"Link", f'</v1/resources/{code}/deliveries?cursor={link}>; rel="next"'.encode("ascii")))
        return Response.json(body, headers=headers)

    def get_openapi(self, request: Request) -> Response:
        """Return the description of this API."""
        return Response.json(OCTETS)
