"""The pages over real sockets, on both loopbacks, and promtool on what a scrape gets."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as running
from twisted.internet.threads import deferToThread

from node.model import codes
from node.model.trouble import trouble
from node.observe import Health, Metrics, add_pages
from node.wire.problem import Faults
from node.wire.routes import Routes
from node.wire.server import Server

reactor: Any = running
state: dict[str, bool] = {}


def _disk() -> None:
    if state["red"]:
        raise trouble(codes.DISK_SYNC)


@pytest.fixture(params=["127.0.0.1", "::1"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve the pages and return their address."""
    state["red"] = False
    metrics = Metrics()
    routes = Routes(metrics.answered)
    health = Health({"disk": _disk}, reactor, lambda level, event, **fields: None, metrics, fresh=0)
    add_pages(routes, health, metrics)
    server = Server(routes, reactor, Faults(lambda number, place: None, lambda n: b"0" * n))
    port = reactor.listenTCP(0, server, interface=request.param)
    host = f"[{request.param}]" if ":" in request.param else request.param
    yield f"http://{host}:{port.getHost().port}"
    pytest_twisted.blockon(port.stopListening())
    pytest_twisted.blockon(server.drain(1.0))


async def _get(url: str) -> tuple[int, bytes]:
    def fetch() -> tuple[int, bytes]:
        request = urllib.request.Request(url, headers={"Connection": "close"})
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    answered: tuple[int, bytes] = await deferToThread(fetch)
    return answered


@pytest_twisted.ensureDeferred
async def test_readiness_turns_red_and_green_while_liveness_stays(address: str) -> None:
    assert await _get(address + "/readyz") == (200, b"ok\n")
    state["red"] = True
    status, body = await _get(address + "/readyz?verbose")
    assert status == 503 and b"EXN-DISK-SYNC" in body
    assert (await _get(address + "/livez"))[0] == 200
    state["red"] = False
    assert (await _get(address + "/readyz"))[0] == 200


@pytest_twisted.ensureDeferred
async def test_what_prometheus_scrapes_is_what_promtool_accepts(
    address: str, server: Callable[[str, str], str]
) -> None:
    await _get(address + "/nowhere")
    status, body = await _get(address + "/metrics")
    assert status == 200 and b'exnode_http_requests_total{code="404",endpoint="-",method="GET"} 1.0' in body
    promtool = server("prometheus", "promtool")
    told = await deferToThread(subprocess.run, [promtool, "check", "metrics"], input=body, capture_output=True)
    assert told.returncode == 0, told.stdout.decode() + told.stderr.decode()
