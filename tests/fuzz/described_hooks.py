"""What schemathesis must be told: how NDJSON is written."""

from __future__ import annotations

import json
from typing import Any

import schemathesis


@schemathesis.serializer("application/x-ndjson")  # type: ignore[untyped-decorator]  # schemathesis types it loosely
def ndjson(context: Any, value: Any) -> bytes:
    """Return lines: a text as it is, anything else as JSON."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return b"\n".join(json.dumps(one).encode() for one in (value if isinstance(value, list) else [value]))
