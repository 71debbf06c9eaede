"""A case from its application to its licence: valid records of the six sets and of the e-licence, made to fit."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from node.model.instant import Instant
from node.model.record import Record
from node.validate import sample
from node.validate.between import Standing
from tests.validate.held import by_json, spec

NUMBER = "440100-2024-000001"
TIMES = {
    "case-application": ("ApplyTime", "2024-03-01T09:00:00+08:00"),
    "case-acceptance": ("AcceptTime", "2024-03-02T09:00:00+08:00"),
    "case-step": ("StepStartTime", "2024-03-03T09:00:00+08:00"),
    "case-special-procedure": ("StartTime", "2024-03-04T09:00:00+08:00"),
    "case-completion": ("ResultTime", "2024-03-20T09:00:00+08:00"),
    "case-material": ("ReceiveTime", "2024-03-01T10:00:00+08:00"),
}
WHOLE = tuple(TIMES)
RESOURCES = {interface: interface for interface in (*WHOLE, "e-licence")}
"""Each set is a resource of its own name."""


def twin(interface: str, number: str = NUMBER, index: int = 0, operation: str = "I", **fields: Any) -> dict[str, Any]:
    """Return a valid record of a case; a field given as None is left out."""
    made = sample(spec(f"{interface}/1.0"), 7, index, operation=operation)
    told: dict[str, Any] = {"ProjectNo": number, "RecordId": f"{interface}-{number}-{index}"}
    if interface in TIMES:
        field, at = TIMES[interface]
        told |= {field: at, "EventTime": at}
    if interface == "case-acceptance":
        told |= {"TaskCode": task_code(), "PromiseTime": "2024-04-01T09:00:00+08:00"}
    if interface == "case-application":
        told |= {"TaskCode": task_code()}
    if interface == "case-step":
        told |= {"StepEndTime": "2024-03-10T09:00:00+08:00", "EventTime": "2024-03-10T09:00:00+08:00"}
    if interface == "case-special-procedure":
        told |= {"EndTime": "2024-03-12T09:00:00+08:00", "EventTime": "2024-03-12T09:00:00+08:00"}
    if interface == "case-completion":
        told |= {"LicenceId": licence_id(), "LicenceName": "营业执照", "LicenceNumber": "A1", "ResultTypeCode": "0"}
    made |= told | fields
    return {name: value for name, value in made.items() if value is not None}


def task_code() -> str:
    """Return the task code of the whole case."""
    return str(sample(spec("case-application/1.0"), 7, 0)["TaskCode"])


def licence_id() -> str:
    """Return the identifier of the licence the completion names: that of the first sample."""
    return str(sample(spec("e-licence/1.0"), 7, 0)["LicenceId"])


def at(instant: Instant) -> str:
    """Return an instant as a moment of a record, in China's time."""
    return f"{datetime.fromtimestamp(instant / 1000, timezone(timedelta(hours=8))):%Y-%m-%dT%H:%M:%S+08:00}"


def judged(interface: str, made: dict[str, Any]) -> Record:
    """Return a twin as the record it is; it must be good."""
    found = by_json(spec(f"{interface}/1.0"), made)
    assert isinstance(found, Record), [(one.field, one.rule) for one in found.problems]
    return found


def standing(interface: str, made: dict[str, Any] | None = None, origin: str = "dept-a") -> Standing:
    """Return a record as it stands in the warehouse."""
    body = twin(interface) if made is None else made
    return Standing(interface, RESOURCES[interface], origin, body["RecordId"], body)


def whole() -> list[Standing]:
    """Return the records of a whole case."""
    return [standing(interface) for interface in WHOLE]
