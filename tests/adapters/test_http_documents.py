"""The examples in the guide fit the schemas of the adapters they are of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import Adapter
from adapters.http_poll import HttpPoll
from adapters.http_push import HttpPush
from adapters.schema import fit

GUIDE = Path(__file__).resolve().parents[2] / "adapters" / "README.md"


@pytest.mark.parametrize(("name", "kind"), [("http_poll", HttpPoll), ("http_push", HttpPush)])
def test_the_example_is_accepted(name: str, kind: type[Adapter]) -> None:
    found = re.search(rf"^### {name}$.*?```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"the guide has no example of {name}"
    (one,) = tomllib.loads(found[1])["adapter"]
    given: dict[str, Any] = {**one["settings"], **dict.fromkeys(one["secrets"], "x")}
    fit(kind.settings, given, "settings", "settings")
    for read in one.get("read", ()):
        fit(kind.reads, read["what"], "what", "what")
    for write in one.get("write", ()):
        fit(kind.writes, write["what"], "what", "what")
    given.pop("ca", None)
    kind(given).close()
