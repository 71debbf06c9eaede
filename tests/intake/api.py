"""The local API of one node on the stage, spoken to in HTTP; every answer is held against openapi.json."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator
from twisted.internet.task import Clock

from node.intake.local import Local
from node.intake.openapi import DOCUMENT
from node.model.parcel import Lane
from node.model.record import Stream
from node.validate import Limits
from node.validate.made.samples import sample, to_json
from tests.stage.desk import CENTRE, DOMAIN, Staged, set_up, specifications
from tests.stage.joined import House
from tests.wire.talk import Heard

TOKENS = {"erp": b"e" * 43, "oa": b"o" * 43}
SPEC = specifications().get("population-basic/1.0")
assert SPEC is not None
RECORDS = "/v1/resources/population/records"
DELIVERIES = "/v1/resources/population/deliveries"


def twin(index: int, seed: int = 1, **given: Any) -> dict[str, Any]:
    """Return a valid twin of `population-basic`."""
    assert SPEC is not None
    return sample(SPEC, seed, index, **given)


def broken(index: int, seed: int = 1) -> dict[str, Any]:
    """Return a twin with two faults: an empty name and an unknown member."""
    return twin(index, seed) | {"PersonName": "", "Unheard": "x"}


def xml(twins: Sequence[dict[str, Any]], *, single: bool = False, charset: str = "") -> bytes:
    """Return an XML body; with a charset, encoded and declared so."""
    def element(name: str, value: Any) -> str:
        if isinstance(value, dict):
            return f"<{name}>{''.join(element(*pair) for pair in value.items())}</{name}>"
        if isinstance(value, list):
            return "".join(element(name, one) for one in value)
        return f"<{name}>{value.replace('&', '&amp;').replace('<', '&lt;')}</{name}>"

    namespace = ' xmlns="urn:exn:population-basic:1"'
    if single:
        text = element("PopulationBasic", twins[0]).replace("<PopulationBasic>", f"<PopulationBasic{namespace}>", 1)
    else:
        inner = "".join(element("PopulationBasic", one) for one in twins)
        text = f"<PopulationBasicList{namespace}>{inner}</PopulationBasicList>"
    front = f'<?xml version="1.0" encoding="{charset}"?>' if charset else ""
    return (front + text).encode(charset or "utf-8")


def ndjson(twins: Sequence[dict[str, Any]]) -> bytes:
    """Return an NDJSON body."""
    return b"\n".join(map(to_json, twins)) + b"\n"


@dataclass
class Api:
    """A node's local API; `caller` is who speaks when nobody else is named."""

    staged: Staged
    limits: Limits = Limits()
    mutual: bool = False
    house: House = field(init=False)

    def __post_init__(self) -> None:
        self.house = House(self.staged, Local(self.staged.desk, TOKENS, self.limits, self.mutual).add_to)

    @classmethod
    def at(cls, folder: Path | None = None, clock: Clock | None = None, **given: Any) -> Api:
        """Return the API of dept-a, its stores in the folder or in memory."""
        return cls(set_up("dept-a", stores=folder, clock=clock), **given)

    def crash(self) -> Api:
        """Return the API of the same node after a crash."""
        return Api(self.staged.crash(), self.limits, self.mutual)

    def request(
        self, method: str, path: str, body: bytes = b"", *, caller: str | None = "erp", **headers: str | None
    ) -> bytes:
        """Return the octets of a request; a header whose value is None is left out."""
        lines = [f"{method} {path} HTTP/1.1", "Host: node"]
        if caller is not None:
            lines.append(f"Authorization: Bearer {TOKENS[caller].decode()}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items() if value is not None]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def post(
        self, body: bytes, key: str | None = "k-1", media: str | None = "application/json", path: str = RECORDS,
        **given: Any,
    ) -> Heard:
        """Submit a body."""
        return self.said("POST", path, self.request(
            "POST", path, body, Idempotency_Key=key, Content_Type=media, **given
        ))

    def get(self, path: str, **given: Any) -> Heard:
        """Ask for a path."""
        return self.said("GET", path, self.request("GET", path, **given))

    def said(self, method: str, path: str, request: bytes) -> Heard:
        """Return the answer to a request, found true to the description."""
        heard = self.house.answer(request)
        assert not self.house.faults, self.house.faults
        check(method, path, heard)
        return heard

    def submitted(self, *twins: dict[str, Any], key: str = "k-1", path: str = RECORDS) -> Heard:
        """Submit good twins."""
        heard = self.post(ndjson(twins), key, "application/x-ndjson", path)
        assert heard.status == 202 and heard.json["accepted"] == len(twins), heard.json
        return heard

    def waiting(self, stream: Stream = Stream.LIVE) -> int:
        """Return how many records of `population` wait for the centre."""
        with self.staged.stores.outbox.unit() as unit:
            state = unit.lane(Lane(DOMAIN, "dept-a", CENTRE, "population", stream))
            return state.waiting if state else 0

    def close(self) -> None:
        """Close the stores."""
        self.staged.close()


@cache
def validator(operation: str, status: str, media: str) -> Draft202012Validator:
    """Return the validator of a described answer; raise KeyError if it is not described."""
    return Draft202012Validator({
        "$ref": f"#/x/{operation}/{status}/{media.replace('/', '~1')}", "components": DOCUMENT["components"],
        "x": {operation: {status: {media: response_of(operation, status)["content"][media]["schema"]}}},
    })


def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Return (method, template, description) of every operation by its id."""
    return {
        one["operationId"]: (method.upper(), template, one)
        for template, methods in DOCUMENT["paths"].items()
        for method, one in methods.items()
    }


def response_of(operation: str, status: str) -> dict[str, Any]:
    """Return the description of an answer."""
    found: dict[str, Any] = operations()[operation][2]["responses"][status]
    if "$ref" in found:
        found = DOCUMENT["components"]["responses"][found["$ref"].rpartition("/")[2]]
    return found


def operation_of(method: str, path: str) -> str | None:
    """Return the id of the operation a request leads to."""
    for name, (verb, template, _) in operations().items():
        form = "[^/]+".join(map(re.escape, re.split(r"\{[a-z]+\}", template)))
        if verb == method and re.fullmatch(form, path.partition("?")[0]):
            return name
    return None


def check(method: str, path: str, heard: Heard) -> None:
    """Assert that an answer is one the description tells of, with its headers and schema."""
    operation = operation_of(method, path)
    assert operation is not None, (method, path)
    status = str(heard.status)
    described = response_of(operation, status)  # by its own status: a test relies on no default
    media = heard.headers["content-type"]
    gate = validator(operation, status, media)
    assert gate.is_valid(heard.json), [error.message for error in gate.iter_errors(heard.json)]
    wanted = {name.lower() for name in described.get("headers", {})}
    optional = {"link", "retry-after", "allow"}
    assert wanted - optional <= set(heard.headers), (status, wanted, heard.headers)
    if heard.status in (408, 503, 507):
        assert "retry-after" in heard.headers
