"""The description of the local API, OpenAPI 3.1, as `/openapi.json` serves it; written by hand in openapi.json.

Rule: it is true: a test holds routes, answers and examples of a running node against it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

DOCUMENT: dict[str, Any] = orjson.loads(Path(__file__).with_name("openapi.json").read_bytes())

OCTETS = orjson.dumps(DOCUMENT)
"""The document as it is sent."""
