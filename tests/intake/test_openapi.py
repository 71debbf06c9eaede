"""The description of the local API is valid, and says of routes, examples and answers what is so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate

from node.intake.openapi import DOCUMENT
from node.model import codes
from node.model.trouble import trouble
from tests.intake.api import Api, operations, response_of, xml
from tests.stage.desk import specifications
from tests.validate.held import NAMES

DETAILS: dict[tuple[str, str], dict[str, object]] = {
    ("EXN-API-REQUEST", ""): {"reason": "limit"}, ("EXN-API-REQUEST", "default"): {"reason": "http"},
    ("EXN-API-RESOURCE", ""): {"resource": "unknown"}, ("EXN-DISK", ""): {"what": "intake"},
    ("EXN-DOCUMENT", ""): {"reason": "JSON", "line": 1}, ("EXN-FAULT", ""): {"fault": "0a1b2c3d4e5f"},
    ("EXN-SPECIFICATION", ""): {"spec": "region-code/1.0"}, ("EXN-STORE-BUSY", ""): {"name": "outbox"},
    ("EXN-TOO-LARGE", ""): {"what": "body", "limit": 8388608},
}
"""What fills the sentences of the examples, by code and, where they differ, by status."""


def test_it_is_a_valid_openapi_3_1_document() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"] == "3.1.0"


def test_it_describes_exactly_the_routes(api: Api) -> None:
    assert sorted((method, template) for method, template, _ in operations().values()) == api.house.routes.templates()


def test_it_is_served_whole_and_to_anyone(api: Api) -> None:
    heard = api.get("/openapi.json", caller=None)
    assert heard.status == 200 and heard.json == DOCUMENT


@pytest.mark.parametrize("operation", sorted(operations()))
def test_every_operation_has_both_languages_examples_and_the_common_answers(operation: str) -> None:
    method, template, described = operations()[operation]
    assert any("\u4e00" <= sign <= "\u9fff" for sign in described["summary"])
    assert described["description"].isascii() or "…" in described["description"]
    statuses = set(described["responses"])
    assert statuses >= {"400", "405", "408", "413", "431", "500", "503", "default"}
    assert (described.get("security") == []) is ("401" not in statuses)
    for parameter in described.get("parameters", ()):
        gate = Draft202012Validator(parameter["schema"])
        assert gate.is_valid(parameter["example"]), parameter["name"]
    for status in statuses:
        for media in response_of(operation, status)["content"].values():
            assert media["examples"], status


def _examples() -> Iterator[tuple[str, str, str, Any]]:
    for operation in operations():
        for status in operations()[operation][2]["responses"]:
            for media, content in response_of(operation, status)["content"].items():
                for name, example in content["examples"].items():
                    yield operation, status, media, (name, example["value"], content["schema"])


@pytest.mark.parametrize(("operation", "status", "media", "example"), list(_examples()))
def test_every_example_fits_its_schema_and_says_what_the_node_would(
    operation: str, status: str, media: str, example: tuple[str, Any, dict[str, Any]]
) -> None:
    name, value, schema = example
    gate = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    assert gate.is_valid(value), [error.message for error in gate.iter_errors(value)]
    if media == "application/problem+json":
        code = codes.TABLE[name]
        assert value["code"] == name and status in (str(code.status), "default")
        said = trouble(code, **DETAILS.get((name, status), DETAILS.get((name, ""), {}))).members()
        assert {member: value[member] for member in said} == said


def test_the_examples_of_bodies_are_judged_as_they_say(api: Api) -> None:
    content = operations()["submitRecords"][2]["requestBody"]["content"]
    path = "/v1/resources/region-code/records"
    one = content["application/json"]["examples"]["one"]["value"]
    heard = api.post(json.dumps(one).encode(), "a", "application/json", path)
    assert (heard.status, heard.json["accepted"], heard.json["refused"]) == (202, 1, [])
    two = content["application/x-ndjson"]["examples"]["two"]["value"]
    heard = api.post(two.encode(), "b", "application/x-ndjson", path)
    assert heard.json["accepted"] == 1 and heard.json["refused"][0]["index"] == 1
    example = response_of("submitRecords", "202")["content"]["application/json"]["examples"]["some"]["value"]
    assert example["refused"][0]["problems"][0] in heard.json["refused"][0]["problems"]
    heard = api.post(content["application/xml"]["examples"]["one"]["value"].encode(), "c", "application/xml", path)
    assert (heard.status, heard.json["accepted"]) == (202, 1)


def test_xml_of_the_tests_is_xml_of_the_specification() -> None:
    assert specifications().names() == list(NAMES)
    assert xml([{"RecordId": "a&b"}], single=True).count(b"&amp;") == 1
