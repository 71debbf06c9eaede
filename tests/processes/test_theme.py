"""A new theme with its own XSD, and a second version of it, join a running exchange by configuration alone."""

from __future__ import annotations

import http.client
import json
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from tests.processes.exchange import CENTRE, SOURCE, Exchange, running, until
from tests.processes.test_reload import reload
from tests.validate.workshop import document

RECORD = {"Operation": "I", "EventTime": "2024-05-01T08:00:00+08:00", "Name": "名称"}
MARGIN = 12.0
"""Seconds until the old version ends: time enough for two reloads and two submissions before."""


def publish(exchange: Exchange, version: str) -> None:
    """Put a version of the theme `workshop` into the own folder of both nodes."""
    for node in (CENTRE, SOURCE):
        folder = exchange.seat(node).folder / "conf.d" / "themes" / "workshop"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{version}.xsd").write_bytes(document().replace(b'version="2.1"', f'version="{version}"'.encode()))


def configure(exchange: Exchange, own: str, versions: str = "") -> None:
    """Exchange `jobs` under the theme, and take the files into use."""
    for node, receivers in ((CENTRE, "[]"), (SOURCE, f'["{CENTRE}"]')):
        exchange.set(node, "60-theme", (
            f'[specifications]\nfolders = ["conf.d/themes"]\n\n[[resource]]\ncode = "jobs"\nspecification = "{own}"\n'
            f"receivers = {receivers}\n{versions}"
        ))
        reload(exchange, node)


def submit(exchange: Exchange, index: int, spec: str) -> tuple[int, dict[str, Any]]:
    """Submit one record under a version; return status and answer."""
    seat = exchange.seat(SOURCE)
    line = http.client.HTTPConnection(seat.host, seat.api, timeout=20)
    body = json.dumps({**RECORD, "RecordId": f"job-{index}", "CaseNo": f"AB{index}0"}, ensure_ascii=False).encode()
    try:
        line.request("POST", f"/v1/resources/jobs/records?spec={spec}", body, {
            "Authorization": f"Bearer {seat.token.read_text().strip()}", "Content-Type": "application/json",
            "Idempotency-Key": str(uuid.uuid4()),
        })
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def test_a_theme_is_added_and_its_versions_overlap_while_the_exchange_runs(tmp_path: Path) -> None:
    with running(tmp_path, CENTRE, SOURCE) as exchange:
        exchange.submit(exchange.people(2))
        assert submit(exchange, 0, "workshop/2.1")[0] == 404, "nobody knows it yet"
        publish(exchange, "2.1")
        config = exchange.seat(CENTRE).config
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace('"population"', '"population", "jobs"', 1), encoding="utf-8")
        configure(exchange, "workshop/2.1")
        assert submit(exchange, 1, "workshop/2.1")[0] == 202
        until("the new theme arrives", lambda: exchange.delivered(CENTRE, "jobs") == 1)
        publish(exchange, "2.2")
        end = datetime.now(timezone.utc) + timedelta(seconds=MARGIN)
        configure(exchange, "workshop/2.2", (
            f'[[resource.versions]]\nspecification = "workshop/2.1"\nuntil = {end.isoformat()}\n'
        ))
        assert [submit(exchange, 2, "workshop/2.1")[0], submit(exchange, 3, "workshop/2.2")[0]] == [202, 202]
        until("both versions arrive", lambda: exchange.delivered(CENTRE, "jobs") == 3)
        status, told = until("the old version ends", lambda: _refused(submit(exchange, 4, "workshop/2.1")))
        assert (status, told["code"]) == (422, "EXN-VERSION-ENDED") and "workshop/2.2" in told["detail"]


def _refused(answer: tuple[int, dict[str, Any]]) -> tuple[int, dict[str, Any]] | None:
    return None if answer[0] == 202 else answer
