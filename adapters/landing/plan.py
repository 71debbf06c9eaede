"""What one `[[adapter.write]]` asks for: its schema, and its parts by name.

    what = { table = "FR_JBXX", columns = { XM = "PersonName", CSRQ = "BirthDate" }, key = ["ZJHM"] }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.contract import Misconfigured

_NAME = {"type": "string", "minLength": 1, "maxLength": 128}
_VALUE = {"type": ["string", "number", "boolean", "null"], "maxLength": 200}

EXTRA = ("now", "origin", "row", "version", "epoch", "n", "resource", "parcel")
"""What may fill a column beside the fields of a record."""

WRITES: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "table": _NAME,
        "schema": _NAME,
        "columns": {
            "type": "object", "minProperties": 1, "maxProperties": 1000,
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 300},
        },
        "absent": {
            "type": "object", "maxProperties": 1000, "additionalProperties": {"type": "string", "maxLength": 200},
        },
        "fields": {"type": "array", "maxItems": 1000, "items": {"type": "string", "maxLength": 300}},
        "key": {"type": "array", "items": _NAME, "minItems": 1, "maxItems": 16},
        "delete": {"enum": ["row", "mark"], "default": "row"},
        "mark": {
            "type": "object", "properties": {"column": _NAME, "value": _VALUE, "live": _VALUE},
            "required": ["column", "value"], "additionalProperties": False,
        },
        "ledger": {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,15}$", "default": "exn"},
        "zone": {"type": "string", "pattern": "^[+-][0-9]{2}:[0-9]{2}$"},
        "extra": {"type": "object", "maxProperties": 50, "additionalProperties": {"enum": list(EXTRA)}},
    },
    "required": ["table"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One `[[adapter.write]]`; `columns` None: those named as the fields."""

    table: str
    schema: str | None
    columns: Mapping[str, str] | None
    absent: Mapping[str, str]
    fields: tuple[str, ...]
    key: tuple[str, ...]
    mark: Mapping[str, Any] | None
    ledger: str
    zone: str
    extra: Mapping[str, str]


def read_plan(what: Mapping[str, Any], zone: str) -> Plan:
    """Return the parts of `what`, which fits the schema; `zone` is the adapter's own."""
    mark = what.get("mark") if what.get("delete", "row") == "mark" else None
    if what.get("delete") == "mark" and mark is None:
        raise Misconfigured("delete为mark时须写mark的列和值", "delete = mark needs the column and value of mark")
    return Plan(
        what["table"], what.get("schema"), what.get("columns"), what.get("absent", {}), tuple(what.get("fields", ())),
        tuple(what.get("key", ())), mark, what.get("ledger", "exn"), what.get("zone", zone), what.get("extra", {}),
    )
