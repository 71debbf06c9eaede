"""Adapters looked at without running them: kinds, secrets and settings, and, if wanted, what they find themselves.

Rule 1: a process is started for each adapter and asked what it is; only with `sources` does it go to its system.
Rule 2: an adapter that a person must mend is a grave finding; one whose system does not answer now is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node.config import Settings
from node.config.adapters import AdapterSection
from node.crypto import keyfile
from node.hosts import Child, Limits
from node.model import codes
from node.model.sentence import Sentence
from node.model.source import Instance
from node.model.trouble import Kind, Trouble, trouble
from node.service.adapters import read_adapter
from node.validate.fitting import misfit

GOOD, WARNING, FAULT = "good", "warning", "fault"
_NO_USE = {"read": Sentence("此适配器不能读取", "this adapter reads nothing"),
           "write": Sentence("此适配器不能写入", "this adapter writes nothing")}

Found = tuple[str, Trouble, bool]
"""The key of the settings, what is the matter, and whether it is grave."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an adapter said of itself (`of` its name) or of one read or write (`adapter/read`)."""

    of: str
    level: str
    says: Sentence


def child_of(instance: Instance) -> Child:
    """Return a process of a configured adapter; raise Hold(ADAPTER) if its folder is none."""
    limits = Limits(silence=instance.silence / 1000, memory=instance.memory)
    return Child(instance.kind, instance.settings, limits, folder=instance.folder, shown=instance.name)


def check_adapters(settings: Settings, sources: bool) -> Iterator[Found]:
    """Yield what is the matter with the configured adapters, in their order."""
    for index, section in enumerate(settings.adapter, 1):
        at = f"adapter[{index}]"
        broken = list(_secrets(at, section))
        yield from broken
        if not broken:
            yield from _adapter(at, section, sources)


def _secrets(at: str, section: AdapterSection) -> Iterator[Found]:
    for name, path in section.secrets.items():
        try:
            keyfile.read(path)
        except Trouble as met:
            yield f"{at}.secrets.{name}", met, True


def _adapter(at: str, section: AdapterSection, sources: bool) -> Iterator[Found]:
    try:
        child = child_of(read_adapter(section).instance)
    except Trouble as met:
        yield at, met, _grave(met)
        return
    try:
        said = child.ask("describe")
        misfits = list(_misfits(at, section, said if isinstance(said, dict) else {}))
        yield from misfits
        if sources and not misfits:
            yield from (_found(at, section.name, one) for one in look(child, section) if one.level != GOOD)
    except Trouble as met:
        yield at, met, _grave(met)
    finally:
        child.close()


def _found(at: str, name: str, one: Seen) -> Found:
    return at, trouble(codes.ADAPTER, name=one.of or name, reason=one.says), one.level == FAULT


def _grave(met: Trouble) -> bool:
    return met.code.kind is not Kind.RETRY


def _misfits(at: str, section: AdapterSection, said: Mapping[str, Any]) -> Iterator[Found]:
    reads = [(one.name, one.what) for one in section.sources()]
    writes = [(f"{section.name}/{one.resource}", one.what) for one in section.targets()]
    for kind, tables in (("read", reads), ("write", writes)):
        schema = said.get(f"{kind}s")
        for index, (name, what) in enumerate(tables, 1):
            reason = _NO_USE[kind] if schema is None else misfit(schema, what)
            if reason is not None:
                yield f"{at}.{kind}[{index}].what", trouble(codes.ADAPTER, name=name, reason=reason), True


def look(child: Child, section: AdapterSection, only: str | None = None) -> Iterator[Seen]:
    """Yield what an adapter finds about its system, then about each read and write, or one `adapter/read` alone.

    Raises the troubles of `node.hosts`, but for what is amiss with one read or write, which is a fault seen.
    """
    if only is None:
        yield from seen(section.name, child.ask("check"))
    for source in section.sources():
        if only in (None, source.name):
            yield from _surveyed(child, source.name, source.what, False)
    for target in section.targets():
        if only is None:
            yield from _surveyed(child, f"{section.name}/{target.resource}", target.what, True)


def _surveyed(child: Child, of: str, what: Mapping[str, Any], write: bool) -> Iterator[Seen]:
    try:
        yield from seen(of, child.ask("survey", what=dict(what), write=write))
    except Trouble as met:
        if met.code is not codes.ADAPTER:
            raise
        reason = met.details.get("reason")
        yield Seen(of, FAULT, reason if isinstance(reason, Sentence) else met.sentence)


def seen(of: str, told: Any) -> Iterator[Seen]:
    """Yield the findings that an adapter answered with."""
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict):
            zh, en = (_line(str(one.get(language, ""))) for language in ("zh", "en"))
            yield Seen(of, str(one.get("level", "")), Sentence(zh, en))


def _line(said: str) -> str:
    """Return a finding as one line: of a script, which one line would spoil, its head, and how to have it whole."""
    head, more, _ = said.strip().partition("\n")
    return " ".join(head.split()) + (" exchange-node adapter script" if more else "")
