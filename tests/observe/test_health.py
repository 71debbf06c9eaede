"""Checks are capped, never doubled, told of when they change; the pages show them honestly."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from node.crypto.openssl import OpenSslCrypto
from node.model import codes
from node.model.trouble import trouble
from node.observe import Check, Health, Metrics, Report, add_pages, opening, signing, syncing
from node.wire.message import Link, Request, Response
from node.wire.routes import Routes


class Ward:
    """A health with checks that the test steers."""

    def __init__(self, **checks: Check) -> None:
        self.clock = Clock()
        self.told: list[tuple[str, str]] = []
        self.metrics = Metrics()
        self.health = Health(checks, self.clock, self._log, self.metrics)

    def _log(self, level: str, event: str, **fields: object) -> None:
        self.told.append((event, str(fields.get("check", fields.get("at")))))

    def probe(self) -> list[Report]:
        """Start a probe; the list gets its report."""
        seen: list[Report] = []
        self.health.probe().addCallback(seen.append)
        return seen

    def now(self) -> Report:
        """Return the report of a probe that ends at once."""
        (report,) = self.probe()
        return report


def _red() -> None:
    raise trouble(codes.DISK_SYNC)


async def _later() -> None:
    return None


def test_all_green_is_ready() -> None:
    report = Ward(sign=lambda: None, disk=_later).now()
    assert report.ready and {finding.name for finding in report.findings} == {"sign", "disk"}


def test_one_red_check_is_not_ready_and_says_why() -> None:
    ward = Ward(sign=lambda: None, disk=_red)
    report = ward.now()
    assert not report.ready
    assert [finding.red.code for finding in report.findings if finding.red] == [codes.DISK_SYNC]
    assert b'exnode_ready{check="disk"} 0.0' in ward.metrics.page()
    assert b'exnode_ready{check="sign"} 1.0' in ward.metrics.page()


def test_a_bug_in_a_check_is_red_and_loud() -> None:
    def broken() -> None:
        raise KeyError("secret")

    ward = Ward(odd=broken)
    report = ward.now()
    assert report.findings[0].red is not None and report.findings[0].red.code is codes.FAULT
    assert ("EXN-FAULT", "check odd") in ward.told


def test_a_check_that_hangs_is_red_after_five_seconds_and_is_not_started_again() -> None:
    started: list[Deferred[None]] = []

    def hang() -> Deferred[None]:
        started.append(Deferred())
        return started[-1]

    ward = Ward(disk=hang)
    first = ward.probe()
    ward.clock.advance(4.9)
    assert not first
    ward.clock.advance(0.1)
    assert first[0].findings[0].red is not None and first[0].findings[0].red.code is codes.CHECK_SLOW
    assert first[0].findings[0].seconds == 5.0
    assert not ward.now().ready and len(started) == 1
    started[0].callback(None)
    again = ward.probe()
    assert len(started) == 2 and not again
    started[1].callback(None)
    assert again[0].ready


def test_green_is_remembered_for_a_moment_and_red_is_not() -> None:
    ran: list[int] = []
    state: list[Exception] = []

    def check() -> None:
        ran.append(1)
        if state:
            raise state[0]

    ward = Ward(disk=check)
    assert ward.now().ready and ward.now().ready and len(ran) == 1
    ward.clock.advance(2.0)
    state.append(trouble(codes.DISK_SYNC))
    assert not ward.now().ready and not ward.now().ready and len(ran) == 3
    state.clear()
    assert ward.now().ready
    assert ward.told == [("health.red", "disk"), ("health.green", "disk")]


def test_many_who_ask_at_once_share_one_probe() -> None:
    started: list[Deferred[None]] = []

    def check() -> Deferred[None]:
        started.append(Deferred())
        return started[-1]

    ward = Ward(disk=check)
    seen = [ward.probe() for _ in range(10)]
    given_up = ward.health.probe()
    given_up.addErrback(lambda failure: None)
    given_up.cancel()
    started[0].callback(None)
    assert len(started) == 1 and all(reports[0].ready for reports in seen)


def test_a_byte_is_really_written_and_a_lost_folder_is_red(tmp_path: Path) -> None:
    check = syncing(tmp_path)
    check()
    assert (tmp_path / ".probe").read_bytes() == b"1"
    with pytest.raises(type(trouble(codes.DISK_SYNC))) as raised:
        syncing(tmp_path / "gone")()
    assert raised.value.code is codes.DISK_SYNC


def test_signing_really_verifies() -> None:
    crypto = OpenSslCrypto()
    ours, other = crypto.sm2_generate(), crypto.sm2_generate()

    class Signer:
        def __init__(self, public: bytes) -> None:
            self.signing: Any = type("Held", (), {"public": public})

        def sign(self, data: bytes) -> bytes:
            return ours.sign(data)

    good: Any = Signer(ours.public)
    signing(good, crypto, lambda n: b"x" * n)()
    bad: Any = Signer(other.public)
    with pytest.raises(type(trouble(codes.SELFTEST, item=""))):
        signing(bad, crypto, lambda n: b"x" * n)()


def test_opening_enters_and_leaves_a_transaction() -> None:
    seen: list[str] = []

    class Store:
        @contextmanager
        def unit(self, durable: bool = True) -> Iterator[None]:
            seen.append("open")
            yield
            seen.append("closed")

        def close(self) -> None:
            seen.append("gone")

    opening(Store())()
    assert seen == ["open", "closed"]


# --- pages ------------------------------------------------------------------------------------------------------------


def _get(ward: Ward, path: str, before: tuple[Check, ...] = (), **headers: bytes) -> Response:
    routes = Routes(ward.metrics.answered)
    add_pages(routes, ward.health, ward.metrics, before)
    bare, _, query = path.partition("?")
    found = routes.find(bare)
    assert found is not None
    route = found[0].route("GET")
    assert route is not None
    said = {b"accept-language": headers.get("language", b"")}
    reply = route.action(Request("GET", bare, query.encode(), said, Link()))
    if isinstance(reply, Response):
        return reply
    seen: list[Response] = []
    (reply if isinstance(reply, Deferred) else Deferred.fromCoroutine(reply)).addCallback(seen.append)
    return seen[0]


def _body(response: Response) -> bytes:
    return response.body if isinstance(response.body, bytes) else b"".join(response.body)


def test_livez_answers_even_when_everything_is_red() -> None:
    assert _get(Ward(disk=_red), "/livez").status == 200


def test_readyz_is_short_unless_asked() -> None:
    ward = Ward(disk=_later, sign=lambda: None)
    assert (_get(ward, "/readyz").status, _body(_get(ward, "/readyz"))) == (200, b"ok\n")
    told = json.loads(_body(_get(ward, "/readyz?verbose")))
    assert told["ready"] is True and {check["check"] for check in told["checks"]} == {"disk", "sign"}
    assert all(check["ready"] and "seconds" in check for check in told["checks"])


def test_a_red_readyz_is_a_problem_that_names_the_check_and_its_cure() -> None:
    ward = Ward(disk=_red, sign=lambda: None)
    response = _get(ward, "/readyz", language=b"en")
    told = json.loads(_body(response))
    assert response.status == 503 and told["code"] == "EXN-NOT-READY"
    (check,) = told["checks"]
    assert (check["check"], check["code"], check["ready"]) == ("disk", "EXN-DISK-SYNC", False)
    assert "state folder" in check["detail"] and check["cure"]
    assert len(json.loads(_body(_get(ward, "/readyz?verbose")))["checks"]) == 2


def test_metrics_are_refreshed_before_they_are_shown() -> None:
    ward = Ward()

    async def census() -> None:
        ward.metrics.gauge("queue_parcels", 7, queue="outbox", state="sealed")

    response = _get(ward, "/metrics", (census,))
    assert b'exnode_queue_parcels{queue="outbox",state="sealed"} 7.0' in _body(response)
    assert dict(response.headers)[b"Content-Type"].startswith(b"text/plain; version=0.0.4")
