"""What a verb of the control socket answers, without the socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.task import Clock

from node.service.control import Control
from node.workers import Desk
from tests.stage.desk import finish


class Asked(Protocol):
    """A node on the stage."""

    @property
    def desk(self) -> Desk:
        """Its desk."""

    @property
    def clock(self) -> Clock:
        """Its clock."""


def answer(asked: Asked, verb: str, **given: Any) -> dict[str, Any]:
    """Return the control's answer as it goes over the socket."""
    control = Control(asked.desk, Path("unused"))
    told = finish(control.answer(json.dumps({"verb": verb, **given}).encode(), 1000), asked.clock, 5000)
    found: dict[str, Any] = json.loads(json.dumps(told))
    return found


def told(asked: Asked, verb: str, **given: Any) -> dict[str, Any]:
    """Return what a verb that must succeed answers."""
    found = answer(asked, verb, **given)
    assert found["ok"], found
    result: dict[str, Any] = found["answer"]
    return result
