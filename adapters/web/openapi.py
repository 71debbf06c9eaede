"""The paths of an OpenAPI document, and the columns of what they give, as far as it says; bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from adapters.contract import Column, Misconfigured, Table
from adapters.web import charset
from adapters.web.client import Answer
from adapters.web.trees import MISSING, dotted, read_json
from adapters.web.verdict import judge

PATHS = 500
COLUMNS = 500
_DEPTH = 8
_LONGEST = 200


def tables(answer: Answer) -> Iterator[Table]:
    """Yield each path that can be asked with GET or POST; raise Misconfigured for what is no such document."""
    judge(answer)
    document = read_json(charset.text(answer.body, answer.headers.get("Content-Type", "")))
    paths = dotted(document, "paths")
    if not isinstance(paths, Mapping):
        raise Misconfigured("openapi所指的不是JSON的OpenAPI文档", "what `openapi` names is no OpenAPI document in JSON")
    for path, methods in list(paths.items())[:PATHS]:
        for method in ("get", "post"):
            asked = methods.get(method) if isinstance(methods, Mapping) else None
            if isinstance(asked, Mapping):
                columns = tuple(_columns(document, asked))
                yield Table(f"{method.upper()} {_short(path)}", columns, _short(asked.get("summary")))


def _short(said: Any) -> str:
    return said[:_LONGEST] if isinstance(said, str) and said.isprintable() else ""


def _columns(document: Any, asked: Mapping[str, Any]) -> Iterator[Column]:
    schema: Any = MISSING
    responses = asked.get("responses")
    good = _local(document, responses.get("200")) if isinstance(responses, Mapping) else None
    if isinstance(good, Mapping):
        content = good.get("content")
        json = content.get("application/json") if isinstance(content, Mapping) else good  # OpenAPI 2 has it here
        schema = json.get("schema") if isinstance(json, Mapping) else None
    item = _row(document, schema)
    properties = item.get("properties") if item else None
    for name, member in list(properties.items())[:COLUMNS] if isinstance(properties, Mapping) else ():
        found = _local(document, member)
        told = found if isinstance(found, Mapping) else {}
        kind = told.get("type")
        yield Column(_short(name), kind if isinstance(kind, str) else "", _short(told.get("description")))


def _row(document: Any, schema: Any) -> Mapping[str, Any] | None:
    """Return the schema of the first list's items that is found, nearest to the top."""
    left = [schema]
    for _ in range(COLUMNS):
        found = _local(document, left.pop(0)) if left else None
        if not isinstance(found, Mapping):
            continue
        if "items" in found:
            item = _local(document, found["items"])
            return item if isinstance(item, Mapping) else None
        properties = found.get("properties")
        left += list(properties.values())[:COLUMNS] if isinstance(properties, Mapping) else []
    return None


def _local(document: Any, schema: Any) -> Any:
    """Return what a reference within the document leads to, and what is none as it is."""
    for _ in range(_DEPTH):
        if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str):
            return schema
        if not schema["$ref"].startswith("#/"):
            return None
        here = document
        for step in schema["$ref"][2:].split("/")[:20]:
            here = here.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(here, Mapping) else None
        schema = here
    return None
