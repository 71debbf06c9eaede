"""The kinds of value a key may hold, each read by one function that says which kind was wanted.

Rule 1: durations and sizes are texts with a unit (`"30d"`, `"2GiB"`), counts are integers; nothing else has a unit.
Rule 2: inside the program a duration is milliseconds, as `Instant`, and a size is octets.
Rule 3: a relative path is below the folder of the main file; `credential:NAME` is a file systemd hands over.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainValidator, Strict, ValidationInfo
from pydantic_core import PydanticCustomError

from node.model.instant import Instant
from node.model.source import DAY_MINUTES, Hours
from node.model.spool import GROUP_RECORDS

_DURATION = re.compile(r"(0|[1-9][0-9]{0,8})(ms|s|m|h|d)")
_SIZE = re.compile(r"([1-9][0-9]{0,8})(B|KiB|MiB|GiB|TiB)")
_PERCENT = re.compile(r"([1-9]?[0-9])%")
_PLACE = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.%]{2,64})\]|(?P<host>[A-Za-z0-9._-]{0,253})):(?P<port>[0-9]{1,5})")
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_OCTETS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
_CREDENTIAL = "credential:"
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_SHARE = re.compile(r"(100|[1-9]?[0-9](?:\.[0-9]{1,3})?)%")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port; an empty host listens on every address, IPv6 and IPv4."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host.partition("%")[0]).is_loopback
        except ValueError:
            return self.host == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a disk must stay free: octets, or a percentage of the file system."""

    octets: int = 0
    percent: int = 0

    def of(self, total: int) -> int:
        """Return the octets that must stay free on a file system of `total` octets."""
        return self.octets or total * self.percent // 100

    def __str__(self) -> str:
        return f"{self.percent}%" if self.percent else f"{self.octets}B"


class Section(BaseModel):
    """One table of the configuration: frozen, and unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def wrong(rule: str) -> PydanticCustomError:
    """Return the error of one of our own rules; what it says is in `sentences`."""
    return PydanticCustomError(rule, "see node.config.sentences")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong("text")
    if not value.strip():
        raise wrong("empty")
    return value


def shaped(rule: str, pattern: str) -> Any:
    """Return the validator of a text that matches the whole pattern."""
    form = re.compile(pattern)

    def read(value: Any) -> str:
        if not form.fullmatch(_text(value)):
            raise wrong(rule)
        return str(value)

    return PlainValidator(read)


def _duration(value: Any) -> Instant:
    match = _DURATION.fullmatch(_text(value))
    if match is None:
        raise wrong("duration")
    return int(match[1]) * _MILLISECONDS[match[2]]


def _size(value: Any) -> int:
    match = _SIZE.fullmatch(_text(value))
    if match is None:
        raise wrong("size")
    return int(match[1]) * _OCTETS[match[2]]


def _room(value: Any) -> Room:
    percent = _PERCENT.fullmatch(_text(value))
    if percent is None and _SIZE.fullmatch(value) is None:
        raise wrong("room")
    return Room(percent=int(percent[1])) if percent else Room(octets=_size(value))


def _hours(value: Any) -> Hours:
    match = _HOURS.fullmatch(_text(value))
    if match is None:
        raise wrong("hours")
    begin = int(match[1]) * 60 + int(match[2])
    end = int(match[3]) * 60 + int(match[4]) if match[3] else DAY_MINUTES
    if begin == end:
        raise wrong("hours")
    return Hours(begin, end)


def _share(value: Any) -> float:
    match = _SHARE.fullmatch(_text(value))
    if match is None:
        raise wrong("share")
    return float(match[1])


def _endpoint(value: Any, rule: str) -> Endpoint:
    match = _PLACE.fullmatch(_text(value))
    if match is None or not 0 < int(match["port"]) < 65536:
        raise wrong(rule)
    return Endpoint(match["six"] or match["host"] or "", int(match["port"]))


def _listen(value: Any) -> Endpoint:
    return _endpoint(value, "listen")


def _address(value: Any) -> Endpoint:
    place = _endpoint(value, "address")
    if not place.host:
        raise wrong("address")
    return place


def _path(value: Any, info: ValidationInfo) -> Path:
    text = _text(value)
    if "\0" in text or "\n" in text:
        raise wrong("path")
    return Path((info.context or {}).get("folder", Path()), text)


def _folder(value: Any, info: ValidationInfo) -> Path:
    # The default, which is no text, is the folder of the main file.
    return Path((info.context or {}).get("folder", value)) if isinstance(value, Path) else _path(value, info)


def _file(value: Any, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value.startswith(_CREDENTIAL):
        return _path(value, info)
    name, folder = value[len(_CREDENTIAL):], (info.context or {}).get("credentials")
    if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,200}", name):
        raise wrong("path")
    if folder is None:
        raise wrong("credential")
    return Path(folder, name)


def _secret(value: Any, info: ValidationInfo) -> Path:
    # A word without a slash is far more often the secret itself than a file beside the configuration.
    if isinstance(value, str) and value.strip() and "/" not in value and not value.startswith(_CREDENTIAL):
        raise wrong("inline")
    return _file(value, info)


def _library(value: Any, info: ValidationInfo) -> Path | str:
    return value if value in ("auto", "none") else _path(value, info)


def several(least: int = 0) -> Any:
    """Return the metadata of a list that is kept as a tuple, with at least so many members."""
    return Field(min_length=least, strict=False)


def bounded(kind: Callable[[Any], int], rule: str, least: int, most: int) -> Any:
    """Return the validator of a duration or size within bounds."""

    def read(value: Any) -> int:
        measured = kind(value)
        if not least <= measured <= most:
            raise wrong(rule)
        return measured

    return PlainValidator(read)


Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Flag = Annotated[bool, Strict()]
Priority = Annotated[int, Strict(), Field(ge=0, le=9)]
ParcelRecords = Annotated[int, Strict(), Field(ge=1, le=GROUP_RECORDS)]
Moment = Annotated[AwareDatetime, Strict()]

NodeCode = Annotated[str, shaped("node_code", r"[a-z0-9][a-z0-9-]{0,31}")]
OrgCode = Annotated[str, shaped("org_code", r"[0-9ABCDEFGHJKLMNPQRTUWXY]{18}")]
Code = Annotated[str, shaped("code", r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
CodeOrAll = Annotated[str, shaped("code", r"\*|[A-Za-z0-9][A-Za-z0-9._-]{0,63}")]
_NUMBER = "(0|[1-9][0-9]{0,3})"
SpecificationName = Annotated[str, shaped("specification", rf"[a-z][a-z0-9-]{{0,63}}/{_NUMBER}\.{_NUMBER}")]

MappingName = Annotated[str, shaped("mapping_name", r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9\u4e00-\u9fff._-]{0,63}")]

Duration = Annotated[Instant, PlainValidator(_duration)]
Wait = Annotated[Instant, bounded(_duration, "wait", 1, 3_600_000)]
Every = Annotated[Instant, bounded(_duration, "every", 100, 31 * 86_400_000)]
HoursOfDay = Annotated[Hours, PlainValidator(_hours)]
Share = Annotated[float, PlainValidator(_share)]
Kind = Annotated[str, shaped("adapter_kind", r"[a-z][a-z0-9_]{0,63}")]
Age = Annotated[Instant, bounded(_duration, "age", 3_600_000, 100 * 366 * 86_400_000)]
Size = Annotated[int, PlainValidator(_size)]
FreeRoom = Annotated[Room, PlainValidator(_room)]
Listen = Annotated[Endpoint, PlainValidator(_listen)]
Address = Annotated[Endpoint, PlainValidator(_address)]
Place = Annotated[Path, PlainValidator(_path)]
Here = Annotated[Path, PlainValidator(_folder), Field(validate_default=True)]
Library = Annotated[Path | Literal["auto", "none"], PlainValidator(_library)]
File = Annotated[Path, PlainValidator(_file)]
SecretFile = Annotated[Path, PlainValidator(_secret)]
