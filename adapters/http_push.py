"""A department's HTTP service to which records that arrived are brought.

    [[adapter]]
    name = "shebao"
    kind = "http_push"
    settings = { url = "https://10.9.0.7/ws", ca = "shebao-ca.pem", auth = { kind = "header", name = "X-Api-Key" } }
    secrets = { secret = "shebao.key" }
      [[adapter.write]]
      resource = "legal"
      [adapter.write.what]
      path = "/legal/batch"
      results = { path = "results", leaf = "leaf", fate = "status", applied = ["ok"], older = ["stale"],
                  refused = ["bad"], reason = "code", field = "field" }

What is promised: at least once.  A record comes again after a timeout, a kill or a break, and may come after a newer
one; the service decides by its `version` (of one origin and key the greater is the newer), and by `token`, which only
grows for a lane: whoever comes with a smaller one is late and must not write.  Every request has an `Idempotency-Key`,
the parcel's id, with the range of leaves if it brings a part of it alone; the same request has the same key.  What
comes twice has the same outcome if the service keeps to that, and only then.

Rule 1: records go to the origin of the settings and to no other, redirects included; by https, or by plain http to a
        loopback or private address where `plain = true` says so.
Rule 2: a status of 408, 425, 429 or 5xx, a timeout and a break are Unavailable; one that speaks of the endpoint (401,
        403, 404 and such) is Misconfigured; another 4xx refuses the record, where one alone was sent, and of several
        it is found out which.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.contract import Adapter, Batch, Finding, Misconfigured, Result, fault, good, warning
from adapters.web.delivery import OCTETS, RECORDS, Delivery
from adapters.web.fill import marks
from adapters.web.service import PATH, SETTINGS, Service
from adapters.web.verdict import SUCCESS

_PLACE = {"type": "string", "maxLength": 500}
_VALUES = {"type": "array", "items": {"type": "string", "maxLength": 100}, "maxItems": 50}
_TEMPLATE = {"type": "string", "maxLength": 100_000}


class HttpPush(Adapter):
    """Brings records to an HTTP service."""

    settings = {"type": "object", "properties": dict(SETTINGS), "required": ["url"], "additionalProperties": False}
    writes = {
        "type": "object",
        "properties": {
            "path": PATH, "method": {"enum": ["POST", "PUT"], "default": "POST"},
            "format": {"enum": ["json", "ndjson", "xml"], "default": "json"},
            "answer": {"enum": ["json", "xml"]}, "charset": {"enum": ["utf-8", "gb18030"]},
            "soap": {"enum": ["1.1", "1.2"]}, "action": {"type": "string", "maxLength": 500},
            "envelope": _TEMPLATE, "record": _TEMPLATE,
            "single": {"type": "boolean", "default": False},
            "records": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": RECORDS},
            "octets": {"type": "integer", "minimum": 1, "maximum": 64 << 20, "default": OCTETS},
            "results": {
                "type": "object", "additionalProperties": False, "required": ["path", "leaf", "fate", "applied"],
                "properties": {
                    "path": _PLACE, "leaf": _PLACE, "fate": _PLACE, "reason": _PLACE, "field": _PLACE,
                    "applied": {**_VALUES, "minItems": 1}, "older": _VALUES, "refused": _VALUES, "later": _VALUES,
                },
            },
            "success": SUCCESS, "refuse": _VALUES, "reason": _PLACE,
            "statuses": {
                "type": "object", "maxProperties": 20, "propertyNames": {"pattern": "^(2|4)[0-9][0-9]$"},
                "additionalProperties": {"enum": ["applied", "older", "refused"]},
            },
        },
        "required": ["path"],
        "additionalProperties": False,
    }

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self._service = Service(settings)

    def check(self) -> Iterable[Finding]:
        """Connect, and ask for the probe, if there is one; nothing is sent that could be taken for a record."""
        return self._service.check(None)

    def survey(self, what: Mapping[str, Any], write: bool = False) -> Iterable[Finding]:
        """Say how the records will go, and what is missing; nothing is sent."""
        Delivery(self._service, what)
        yield good(f"记录将以{what.get('method', 'POST')}送往{what['path']}",
                   f"records will go to {what['path']} by {what.get('method', 'POST')}")
        if "soap" in what and "envelope" not in what:
            yield fault("SOAP须给出envelope（信封模板）", "SOAP needs `envelope`, its template")
        if "envelope" in what and "records" not in marks(what["envelope"]):
            yield fault("envelope里没有{records}：不会送出记录", "`envelope` has no {records}: it would bring none")
        if "record" in what and not {"epoch", "n"} <= marks(what["record"]):
            yield warning("record里没有{epoch}和{n}：服务无法按版本取舍",
                          "`record` lacks {epoch} and {n}: the service cannot decide by version")
        if "results" not in what and not what.get("single"):
            yield warning("未给出results：2xx即视为一次请求里的记录都已写入",
                          "no `results` is given: with 2xx all records of a request count as applied")

    def apply(self, batch: Batch) -> Iterable[Result]:
        """Bring the records, and return what became of each."""
        what = batch.what
        if "soap" in what and "envelope" not in what or "envelope" in what and "records" not in marks(what["envelope"]):
            raise Misconfigured("须给出含{records}的envelope", "`envelope` is needed, with {records} in it")
        return list(Delivery(self._service, what).bring(batch))

    def close(self) -> None:
        """Let go of the connection."""
        self._service.close()
