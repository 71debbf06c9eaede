"""The local API: whole requests as callers send them, held against openapi.json."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator
from typing import Any

from node.model.trouble import Trouble
from tests.fuzz.mutate import any_of, http, in_body, json_text, octets, xml
from tests.fuzz.target import MARKER, Target, hidden
from tests.fuzz.targets.document import NAMED
from tests.intake.api import DELIVERIES, RECORDS, TOKENS, Api, broken, check, ndjson, operation_of, twin
from tests.intake.api import xml as xml_body
from tests.wire.talk import Heard

AGAIN = 200
"""Requests after which the node is set up anew, so that what it keeps does not count as growth."""
BEARER = f"Bearer {TOKENS['erp'].decode()}"


class Stage:
    """A node whose stores are in memory, set up anew now and then."""

    def __init__(self) -> None:
        self._api: Api | None = None
        self._left = 0

    def api(self) -> Api:
        """Return the API to ask next."""
        if self._api is None or self._left == 0:
            self._api, self._left = Api.at(), AGAIN
            self._api.submitted(twin(900), key="seed")
        self._left -= 1
        return self._api


STAGE = Stage()


def _request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: node", f"Authorization: {BEARER}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def seeds() -> Iterator[bytes]:
    """Yield requests to every route, and bodies of every kind."""
    hidden_one = twin(5) | {"PersonName": MARKER.decode()}
    bodies = (
        ("application/json", json.dumps(twin(1)).encode()), ("application/json", json.dumps(hidden_one).encode()),
        ("application/x-ndjson", ndjson([twin(2), broken(3), hidden_one | {"BirthDate": MARKER.decode()}])),
        ("application/xml", xml_body([twin(3), broken(4)])), ("application/xml", xml_body([hidden_one], single=True)),
        ("application/xml; charset=gb18030", xml_body([twin(6)], charset="gb18030")),
    )
    for number, (media, body) in enumerate(bodies):
        yield _request("POST", RECORDS, body, Idempotency_Key=f"k-{number}", Content_Type=media)
    yield _request("POST", RECORDS + "?stream=backfill", bodies[0][1], Idempotency_Key="k", Content_Type=bodies[0][0])
    yield _request("POST", "/v1/resources/unheard/records", b"{}", Idempotency_Key="k", Content_Type="application/json")
    for path in (DELIVERIES, DELIVERIES + "?cursor=1.2&limit=10", "/openapi.json", "/openapi/json", "/v1/submissions/x",
                 "/v1/submissions/01a206c0-7316-73f6-aa3e-76256c39168a"):
        yield _request("GET", path, Accept_Language="en")
    yield _request("GET", DELIVERIES).replace(TOKENS["erp"], MARKER)


def run(data: bytes) -> Hashable:
    """Ask; every answer is one that openapi.json tells of, a repeated request is answered alike, nothing leaks."""
    api = STAGE.api()
    answers = api.house.say(data)
    assert not api.house.faults, api.house.faults
    first = data.split(b"\r\n", 1)[0].split(b" ")
    method, path = first[0].decode("latin-1"), first[1].decode("latin-1") if len(first) > 1 else ""
    for number, heard in enumerate(answers if b"HEAD" not in data else ()):
        assert heard.status < 500 or heard.status in (503, 507), heard.body
        if number == 0 and operation_of(method, path):
            check(method, path, heard)
        if MARKER not in b" ".join(first) and not NAMED.search(data) and DELIVERIES.encode() not in data:
            _hides(heard)
    if len(answers) == 1 and answers[0].status == 202:
        again = api.house.say(data)
        assert [one.body for one in again] == [answers[0].body], "the same request has another answer"
    _quiet(api)
    if b"HEAD" in data:  # whoever does not remember that it asked by HEAD misreads what follows
        return "HEAD"
    return tuple((one.status, one.json.get("code") if one.status >= 400 and one.body else "") for one in answers[:3])


def _hides(heard: Heard) -> None:
    """Assert that an answer holds no content; a row id returns, since it is the caller's own name of the row."""
    hidden(heard.headers)
    if MARKER not in heard.body:
        return
    told: Any = heard.json
    for one in told.get("refused", ()):
        one.pop("key", None)
    hidden(json.dumps(told, ensure_ascii=False))


def _quiet(api: Api) -> None:
    """Assert that the journal and the metrics hold no content."""
    journal, tally = api.staged.journal, api.staged.tally
    for level, event, fields in journal.events:
        assert event != "EXN-FAULT", fields
        hidden(event, level, *(str(value) for value in fields.values() if not isinstance(value, Trouble)))
    hidden(*tally.counts)
    journal.events.clear()


TARGET = Target("api", "requests of the local API", seeds, run,
                any_of(http, http, octets, in_body(json_text), in_body(xml)), most=128 << 10, rounds=120)
