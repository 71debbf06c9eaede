"""The pages of 127.0.0.1:8701: `/livez`, `/readyz`, `/metrics`."""

from __future__ import annotations

from collections.abc import Sequence

from node.model import codes
from node.model.trouble import trouble
from node.observe.health import Check, Health, Report, run
from node.observe.metrics import Metrics
from node.wire.message import Request, Response
from node.wire.problem import language, problem
from node.wire.routes import Routes

TEXT = ((b"Content-Type", b"text/plain; charset=utf-8"), (b"Cache-Control", b"no-store"))
PROMETHEUS = ((b"Content-Type", b"text/plain; version=0.0.4; charset=utf-8"),)


def add_pages(routes: Routes, health: Health, metrics: Metrics, before: Sequence[Check] = ()) -> None:
    """Add the pages; `before` are run ahead of each `/metrics`, to set gauges that are counted on demand."""

    def livez(request: Request) -> Response:
        # That this runs is the proof: the reactor took the request and answers it.
        return Response(200, b"ok\n", TEXT)

    async def readyz(request: Request) -> Response:
        report = await health.probe()
        verbose = "verbose" in request.query
        accept = request.headers.get(b"accept-language", b"")
        red = sum(finding.red is not None for finding in report.findings)
        if red:
            checks = _told(report, language(accept), verbose)
            return problem(trouble(codes.NOT_READY, count=red), accept, checks=checks)
        if not verbose:
            return Response(200, b"ok\n", TEXT)
        return Response.json({"ready": True, "checks": _told(report, language(accept), True)}, headers=TEXT[1:])

    async def shown(request: Request) -> Response:
        for refresh in before:
            await run(refresh)
        return Response(200, metrics.page(), PROMETHEUS)

    routes.add("GET", "/livez", livez)
    routes.add("GET", "/readyz", readyz)
    routes.add("GET", "/metrics", shown)


def _told(report: Report, tongue: str, green: bool) -> list[dict[str, object]]:
    """Return each finding with its result and seconds; the green ones only when asked for."""
    return [
        {"check": finding.name, "ready": finding.red is None, "seconds": round(finding.seconds, 3)} | (
            {} if finding.red is None else {
                "code": finding.red.code.name,
                "detail": finding.red.sentence.into(tongue), "cure": finding.red.cure.into(tongue),
            }
        )
        for finding in report.findings if green or finding.red is not None
    ]
