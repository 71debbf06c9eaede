"""Finding, reading and judging a configuration: all its faults at once, or settings that can be relied on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from node.config.crosscheck import findings
from node.config.faults import Fault, Misconfigured
from node.config.sentences import fault
from node.config.settings import Settings
from node.config.source import Joined, Source, read
from node.model.spots import Key

DEFAULT = Path("/etc/exchange-node/node.toml")
VARIABLE = "EXCHANGE_NODE_CONFIG"


def find(given: Path | None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the main file: the one given, else that of EXCHANGE_NODE_CONFIG, else /etc/exchange-node/node.toml."""
    return given or Path(environ.get(VARIABLE) or DEFAULT)


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of `path` and of conf.d/*.toml beside it; raise Misconfigured with every fault.

    Three looks, each complete: can every file be read as TOML, is every key of its kind, do the keys agree.
    """
    path = path.absolute()
    sources = [read(file) for file in (path, *sorted(path.parent.glob("conf.d/*.toml")))]
    _judge([source for source in sources if isinstance(source, Fault)])
    joined = Joined(path)
    for source in sources:
        if isinstance(source, Source):
            joined.add(source)
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    context = {"folder": path.parent, "credentials": Path(credentials) if credentials else None}
    try:
        settings = Settings.model_validate(joined.tree, context=context)
    except ValidationError as error:
        told = error.errors(include_url=False, include_input=False)
        raise Misconfigured([_fault(joined, one["loc"], one["type"], one.get("ctx", {})) for one in told]) from None
    _judge([_fault(joined, key, rule, marks) for key, rule, marks in findings(settings)])
    return settings


def absent(settings: Settings, path: Path) -> list[Fault]:
    """Return a fault for every file the settings name that is missing or cannot be read; for `check`."""
    return [
        fault(path, None, _written(key), "absent") for key, file in _files(settings, ())
        if key not in (("node", "state"), ("log", "file"), ("api", "token")) and not os.access(file, os.R_OK)
    ]


def _files(value: Any, key: Key) -> Iterator[tuple[Key, Path]]:
    if isinstance(value, Path):
        yield key, value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _files(getattr(value, name), (*key, name))
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _files(item, (*key, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _files(item, (*key, index))


def _judge(faults: list[Fault]) -> None:
    if faults:
        raise Misconfigured(faults)


def _fault(joined: Joined, key: Key, rule: str, marks: Mapping[str, Any]) -> Fault:
    file, line = joined.place(key)
    return fault(file, line, _written(key), rule, **marks)


def _written(key: Key) -> str:
    """Return a key as a person writes it, tables and members of lists counted from 1."""
    text = ""
    for part in key:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
