"""Records as they are brought to a service: one JSON document, a line of JSON each, or XML by a template.

JSON:   {"resource": .., "lane": .., "parcel": .., "token": 7, "records": [RECORD, ..]}
NDJSON: a RECORD in each line, with resource, lane, parcel and token in it
RECORD: {"leaf": 0, "origin": "A", "version": [1, 42], "delete": false, "row": "..", "key": [..], "fields": {..}}

XML: `envelope` with `{records}` in it, and `record`, once for each record; both may hold `{resource}`, `{lane}`,
`{parcel}`, `{token}`; `record` also `{leaf}`, `{origin}`, `{epoch}`, `{n}`, `{delete}`, `{row}`, `{key}` (its parts
joined by `/`), `{fields}` (all of them), `{fields.NAME}` and `{fields.GROUP.NAME}`; what a record lacks is empty.

Rule 1: what is filled in is escaped; a record with a sign that XML cannot hold is refused, and the others go.
Rule 2: the same records under the same settings give the same octets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.contract import Batch, Incoming
from adapters.web.fill import Illegal, as_xml, marks

ENVELOPE = ('<batch resource="{resource}" lane="{lane}" parcel="{parcel}" token="{token}">{records}</batch>')
RECORD = ('<record leaf="{leaf}" origin="{origin}" epoch="{epoch}" n="{n}" delete="{delete}" row="{row}" key="{key}">'
          "{fields}</record>")

KINDS = {"json": "application/json", "ndjson": "application/x-ndjson", "xml": "application/xml; charset=utf-8"}


class Writing:
    """How records are written, as a table `what` says."""

    def __init__(self, what: Mapping[str, Any]) -> None:
        self._kind: str = "xml" if "soap" in what else what.get("format", "json")
        self._envelope: str = what.get("envelope", ENVELOPE)
        self._record: str = what.get("record", RECORD)
        self.content_type = KINDS[self._kind]

    def piece(self, batch: Batch, one: Incoming) -> bytes | None:
        """Return what a record adds to a body; None if it has a sign that cannot be written."""
        try:
            if self._kind == "xml":
                return as_xml(self._record, _values(batch, one, self._record), {"fields": _fields(one.fields)}).encode()
            said = {**(_about(batch) if self._kind == "ndjson" else {}), **_record(one)}
            return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
        except (Illegal, UnicodeEncodeError):
            return None

    def body(self, batch: Batch, pieces: Sequence[bytes]) -> bytes:
        """Return the body of a request."""
        if self._kind == "xml":
            about = {name: str(value) for name, value in _about(batch).items()}
            return as_xml(self._envelope, about, {"records": b"".join(pieces).decode()}).encode()
        if self._kind == "ndjson":
            return b"".join(piece + b"\n" for piece in pieces)
        head = json.dumps(_about(batch), ensure_ascii=False, separators=(",", ":")).encode()
        return head[:-1] + b',"records":[' + b",".join(pieces) + b"]}"


def _about(batch: Batch) -> dict[str, Any]:
    return {"resource": batch.resource, "lane": batch.lane, "parcel": batch.parcel, "token": batch.token}


def _record(one: Incoming) -> dict[str, Any]:
    return {"leaf": one.leaf, "origin": one.origin, "version": list(one.version), "delete": one.delete,
            "row": one.row, "key": list(one.key), "fields": one.fields}


def _values(batch: Batch, one: Incoming, template: str) -> dict[str, str]:
    """Return the values of a record's marks."""
    epoch, n = one.version
    values = {
        **{name: str(value) for name, value in _about(batch).items()}, "leaf": str(one.leaf), "origin": one.origin,
        "epoch": str(epoch), "n": str(n), "delete": str(one.delete).lower(), "row": one.row, "key": "/".join(one.key),
    }
    for mark in marks(template):
        if mark.startswith("fields."):
            values[mark] = _text(_member(one.fields, mark.split(".")[1:]))
    return values


def _member(fields: Any, names: Sequence[str]) -> Any:
    for name in names:
        fields = fields.get(name) if isinstance(fields, Mapping) else None
    return fields


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _fields(fields: Any) -> str:
    """Return fields as XML: a `field` of each name, in it a text, other fields, or an `item` of each member."""
    if isinstance(fields, Mapping):
        return "".join(as_xml('<field name="{name}">{inner}</field>', {"name": name}, {"inner": _fields(value)})
                       for name, value in fields.items())
    if isinstance(fields, list | tuple):
        return "".join(f"<item>{_fields(value)}</item>" for value in fields)
    return as_xml("{text}", {"text": _text(fields)})
