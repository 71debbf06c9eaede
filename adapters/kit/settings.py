"""Checks of what an adapter says of itself: schemas, findings, what can be read; none changes or needs a source's rows.

Rule: nothing here needs a hook, so that it can be made against anybody's source.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError, meta

from adapters.contract import Finding, Misconfigured, Mode, Unavailable
from adapters.kit.judged import broken, check, must, unmade
from adapters.kit.rounds import Kept, crashed, words
from adapters.kit.subject import Subject
from adapters.schema import fit

_CHINESE = re.compile("[\u3400-\u9fff]")
_SECRET = re.compile("passw|pwd|secret|token|credential|passphrase|private|api_?key|口令|密码|密钥", re.IGNORECASE)
_WRONG: Mapping[str, Any] = {"string": 7, "integer": "七", "number": "七", "boolean": "是", "array": 7, "object": 7}
UNKNOWN = "no_such_setting"


class SettingsChecks(Subject):
    """Basic: whoever configures it is told rightly what is wrong."""

    @check("basic", "设置和读写参数是合格的JSON Schema，口令类设置标有x-secret",
           "settings, reads and writes are JSON Schemas, and what is secret is marked x-secret", essential=True)
    def test_schemas(self) -> None:
        for name in ("settings", "reads", "writes"):
            schema = getattr(self._kind, name)
            if schema is None and name != "settings":
                continue
            _schema(name, schema)
        must(self._kind.reads is not None or self._kind.writes is not None, "既不读也不写", "it neither reads nor writes")
        for name, member in self._kind.settings.get("properties", {}).items():
            secret = member.get("x-secret") is True
            must(secret or not _SECRET.search(name), f"设置{name}像是口令，未标x-secret",
                 f"the setting {name} looks like a secret and is not marked x-secret")

    @check("basic", "正确的设置被接受", "good settings are accepted", essential=True)
    def test_good_settings(self) -> None:
        for schema, given, name in (
            (self._kind.settings, self.settings, "settings"), (self._kind.reads, self.read, "read"),
            (self._kind.writes, self.write, "write"),
        ):
            try:
                if given is not None and schema is not None:
                    fit(schema, given, name, name)
            except Misconfigured as why:
                broken(f"所给{name}不合schema：{why.zh}", f"the {name} given does not fit: {why.en}")
        try:
            with self._opened():
                pass
        except (Misconfigured, Unavailable) as why:
            broken(f"设置被拒绝：{why.zh}", f"the settings are refused: {why.en}", why)
        except Exception as error:
            crashed(error)

    @check("basic", "错误的设置被拒绝，并用两种语言说明", "bad settings are refused, with a sentence in both languages",
           essential=True)
    def test_bad_settings(self) -> None:
        for what, given in _spoilt(self._kind.settings, self.settings):
            must(_refuses(self._kind.settings, given), f"settings里{what}未被拒绝", f"settings with {what} are accepted")
        for schema, whole in ((self._kind.reads, self.read), (self._kind.writes, self.write)):
            if schema is not None and whole is not None:
                for what, given in _spoilt(schema, whole):
                    must(_refuses(schema, given), f"what里{what}未被拒绝", f"a table `what` with {what} is accepted")
        for number, wrong in enumerate(self.bad):
            self._refused(wrong, f"bad[{number}]")

    def _refused(self, given: Mapping[str, Any], name: str) -> None:
        try:
            fit(self._kind.settings, given, "settings", "settings")
            with self._opened(given) as adapter:
                found = list(adapter.check())
                if self._kind.reads is not None and self.read is not None:
                    Kept().take(words(adapter, self._order(limit=1)), Mode.NEW)
        except Misconfigured as why:
            both(why.zh, why.en)
        except Unavailable:
            broken(f"{name}：应为Misconfigured，实为Unavailable", f"{name}: Unavailable was said instead of Misconfigured")
        except Exception as error:
            crashed(error)
        else:
            must(any(one.level == "fault" for one in found), f"{name}未被拒绝", f"{name} is accepted")

    @check("basic", "check给出两种语言的结论，没有错误", "`check` gives findings in both languages, and no fault",
           essential=True)
    def test_check(self) -> None:
        with self._opened() as adapter:
            found = _told(adapter.check)
        must(found, "check没有给出任何结论", "`check` found nothing to say")
        _findings(found)
        faults = [one for one in found if one.level == "fault"]
        must(not faults, f"check报告{len(faults)}个错误", f"`check` tells {len(faults)} fault(s)")

    @check("basic", "survey的结论用两种语言", "`survey` gives findings in both languages")
    def test_survey(self) -> None:
        for what, write in ((self.read, False), (self.write, True)):
            if what is not None:
                with self._opened() as adapter:
                    _findings(_told(partial(adapter.survey, what, write)))

    @check("basic", "discover列出read所读之物的列", "`discover` gives the columns of what `read` names", "read")
    def test_discover(self) -> None:
        if self._has("insert"):
            self.insert(self._rows(2))
        with self._opened() as adapter:
            tables = _told(adapter.discover)
            if not tables:
                raise unmade("discover没有列出任何表", "`discover` lists nothing")
            named = [one for one in tables if one.name in _texts(self.read)] or (tables if len(tables) == 1 else [])
            must(named, "discover没有列出read所读之物", "`discover` does not list what `read` names")
            kept = Kept()
            with closing(words(adapter, self._order(limit=1))) as said:
                kept.take(said, Mode.NEW)
        for row in kept.rows[:1]:
            lacking = set(row) - {column.name for table in named for column in table.columns}
            must(not lacking, f"discover没有列出{len(lacking)}列", f"`discover` does not list {len(lacking)} column(s)")


def _schema(name: str, schema: Any) -> None:
    try:
        meta.validate(dict(schema))
        Draft202012Validator(dict(schema))
    except (ValidationError, ValueError, TypeError) as error:
        broken(f"{name}不是合格的JSON Schema", f"{name} is no valid JSON Schema", error)
    must(schema.get("type") == "object", f"{name}的type应为object", f"the type of {name} is not object")


def _spoilt(schema: Mapping[str, Any], good: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield settings that are wrong in one way each, and which."""
    for name in schema.get("required", ()):
        yield f"-{name}", {each: value for each, value in good.items() if each != name}
    for name, member in schema.get("properties", {}).items():
        if isinstance(member.get("type"), str) and member["type"] in _WRONG:
            yield f"{name}={_WRONG[member['type']]}", {**good, name: _WRONG[member["type"]]}
    yield f"+{UNKNOWN}", {**good, UNKNOWN: 1}


def _refuses(schema: Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    try:
        fit(schema, given, "settings", "settings")
    except Misconfigured:
        return True
    return False


def _told(ask: Any) -> list[Any]:
    __tracebackhide__ = True
    try:
        return list(ask())
    except (Misconfigured, Unavailable) as why:
        broken(why.zh, why.en, why)
    except Exception as error:
        crashed(error)
    return []


def _findings(found: Iterable[Finding]) -> None:
    for one in found:
        must(one.level in ("good", "warning", "fault"), f"没有这一级：{one.level}", f"there is no level {one.level}")
        if one.zh != one.en or not one.zh.endswith(";"):  # a statement for the source is in no language of people
            both(one.zh, one.en)


def both(zh: str, en: str) -> None:
    """Say that the contract is not kept unless a sentence stands in both languages."""
    __tracebackhide__ = True
    must(isinstance(zh, str) and _CHINESE.search(zh), "一句话没有中文", "a sentence has no Chinese")
    must(isinstance(en, str) and en.strip() and en != zh, "一句话没有英文", "a sentence has no English")


def _texts(value: Any) -> set[str]:
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()
    return {text for one in inner for text in _texts(one)}
