"""The published specifications, loaded once, and short ways to judge."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes

from node.model.record import Draft, Record, Refusal
from node.validate import Media, Specification, Specifications, document, read_drafts, to_json, to_xml
from xsd import FOLDER

TODAY = date(2024, 6, 1)
NAMES = (
    "admin-penalty/1.0",
    "admin-permit/1.0",
    "case-acceptance/1.0",
    "case-application/1.0",
    "case-completion/1.0",
    "case-material/1.0",
    "case-special-procedure/1.0",
    "case-step/1.0",
    "credit-list/1.0",
    "document/1.0",
    "e-licence/1.0",
    "legal-entity-basic/1.0",
    "macro-indicator/1.0",
    "population-basic/1.0",
    "region-code/1.0",
    "service-item/1.0",
)


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


@cache
def held() -> Specifications:
    """Return all published specifications."""
    return Specifications.load(FOLDER, sm3)


def spec(name: str = "population-basic/1.0") -> Specification:
    """Return one of them."""
    found = held().get(name)
    assert found is not None
    return found


def by_json(of: Specification, twin: Any) -> Record | Refusal:
    """Judge a twin that came as JSON."""
    return by_bytes(of, to_json(twin))


def by_bytes(of: Specification, content: bytes) -> Record | Refusal:
    """Judge the first draft of an NDJSON body."""
    return of.judge(read_drafts(content, Media("ndjson"), of)[0], TODAY)


def by_xml(of: Specification, twin: Any, single: bool = False) -> Record | Refusal:
    """Judge a twin that came as XML."""
    return by_document(of, to_xml(of, [twin], single))


def by_document(of: Specification, content: bytes) -> Record | Refusal:
    """Judge the first record of an XML body: as it comes, and by the parser though it be plain; both tell the same."""
    judged = of.judge(read_drafts(content, Media("xml"), of)[0], TODAY)
    assert of.judge(document.read_drafts(content, Media("xml"), of.shape)[0], TODAY) == judged
    return judged


def found(judged: Record | Refusal) -> list[tuple[str, str]]:
    """Return (field, rule) of each problem; nothing of a record."""
    return [] if isinstance(judged, Record) else [(one.field, one.rule) for one in judged.problems]


def draft(twin: Any) -> Draft:
    """Return a draft as an adapter makes one."""
    return Draft(0, "json", twin)
