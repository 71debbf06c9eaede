"""Every key that is documented: a wrong type, an empty value and a misspelt name are each found and placed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from node.config import Fault, Misconfigured, Settings, load
from node.config.kinds import Section
from node.config.sentences import SAYS
from tests.config.example import WHOLE, write
from tests.house.plan import modules

NUMBER = 7


def _assignments() -> Iterator[tuple[int, str, str]]:
    """Yield (line number, key, dotted key) of every assignment in the whole example."""
    table = ""
    for number, line in enumerate(WHOLE.splitlines(), 1):
        if header := re.match(r"\[+([a-z._]+)\]+", line):
            table = header[1]
        elif assigned := re.match(r"([a-z_]+) =", line):
            yield number, assigned[1], f"{table}.{assigned[1]}"


ASSIGNMENTS = list(_assignments())
FREE = {"adapter.settings", "adapter.read.what", "adapter.write.what"}
"""Tables in the words of an adapter, which alone knows them."""
IDS = [f"{dotted}@{number}" for number, _, dotted in ASSIGNMENTS]


def _faults(folder: Path, text: str) -> tuple[Fault, ...]:
    with pytest.raises(Misconfigured) as raised:
        load(write(folder, text), {})
    return raised.value.faults


def _replaced(number: int, line: str) -> str:
    lines = WHOLE.splitlines()
    lines[number - 1] = line
    return "\n".join(lines)


def _only(faults: tuple[Fault, ...], folder: Path, number: int, key: str) -> Fault:
    placed = [fault for fault in faults if fault.file == folder / "node.toml" and fault.line == number]
    assert placed, [fault.text("en") for fault in faults]
    assert all(key in fault.key for fault in placed)
    for fault in faults:
        assert fault.rule in SAYS, fault.rule
        assert re.search("[一-鿿]", fault.says.zh) and not re.search("[一-鿿]", fault.says.en)
        assert "{" not in fault.text("zh") + fault.text("en") or fault.rule.endswith("_type")
    return placed[0]


@pytest.mark.parametrize(("number", "key", "dotted"), ASSIGNMENTS, ids=IDS)
@pytest.mark.parametrize("value", ["7.5", "[[]]", "{ secret-thing = 1 }", "2020-01-01"])
def test_a_value_of_the_wrong_type_is_placed(number: int, key: str, dotted: str, value: str, tmp_path: Path) -> None:
    if dotted in FREE and "secret" in value:
        assert load(write(tmp_path, _replaced(number, f"{key} = {value}")), {})
        return
    faults = _faults(tmp_path, _replaced(number, f"{key} = {value}"))
    _only(faults, tmp_path, number, key)
    if "secret" in value:
        assert all("secret-thing" not in fault.says.en + fault.says.zh + fault.hint.en for fault in faults)


@pytest.mark.parametrize(("number", "key", "dotted"), ASSIGNMENTS, ids=IDS)
def test_an_empty_value_is_placed(number: int, key: str, dotted: str, tmp_path: Path) -> None:
    _only(_faults(tmp_path, _replaced(number, f'{key} = ""')), tmp_path, number, key)


@pytest.mark.parametrize(("number", "key", "dotted"), ASSIGNMENTS, ids=IDS)
def test_a_misspelt_key_is_placed(number: int, key: str, dotted: str, tmp_path: Path) -> None:
    text = _replaced(number, WHOLE.splitlines()[number - 1].replace(key, key + "x", 1))
    fault = _only(_faults(tmp_path, text), tmp_path, number, key + "x")
    assert fault.rule == "extra_forbidden"


def test_an_unknown_table_is_placed(tmp_path: Path) -> None:
    (fault,) = _faults(tmp_path, WHOLE + "\n[[peers]]\nnode = 'x'\n")
    assert (fault.key, fault.rule, fault.line) == ("peers", "extra_forbidden", len(WHOLE.splitlines()) + 2)


def test_all_faults_are_told_at_once_with_hints_in_both_languages(tmp_path: Path) -> None:
    text = WHOLE.replace('code = "centre"', 'code = "Centre"').replace("records = 10000", 'records = "many"')
    text = text.replace('node = "beta"', 'node = "b b"').replace("ca = [", "cas = [", 1)
    faults = _faults(tmp_path, text)
    assert {fault.key for fault in faults} == {"node.code", "api.records", "peer[2].node", "keys.ca", "keys.cas"}
    for fault in faults:
        assert fault.hint.zh and fault.hint.en and str(tmp_path) in fault.text("zh")


def test_the_whole_example_names_every_key_there_is() -> None:
    """So that the tests above reach every key: a new one must be added to the example."""
    named = {dotted for _, _, dotted in ASSIGNMENTS}
    inline = {"keys.sign", "keys.encrypt", "keys.tls", "keys.old"}
    for dotted in _keys(Settings, ""):
        above = dotted.rpartition(".")[0]
        assert dotted in named or above in inline or dotted in ("grant.fields", "grant.rows"), dotted


def _keys(section: type[Section], above: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        dotted = f"{above}{field.alias or name}"
        inner = _section(field.annotation)
        if inner is None:
            yield dotted
        else:
            yield from _keys(inner, dotted + ".")


def _section(annotation: Any) -> type[Section] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        if found := _section(inner):
            return found
    return None


def test_every_key_is_read_by_the_program() -> None:
    """A key that changes nothing is a promise broken in silence; `service` is where settings become a node."""
    text = "\n".join(module.text for module in modules() if module.room == "service")
    elsewhere = {"peer.collect", "api.token", "grant.fields", "grant.rows"}  # read through a property, or refused
    as_models = ("resource.", "grant.", "adapter.")
    elsewhere |= {key for key in _keys(Settings, "") if key.startswith(as_models)}
    named = {key: key.rpartition(".")[2] for key in _keys(Settings, "") if key not in elsewhere}
    idle = [key for key, name in named.items() if not re.search(rf"\.{name}\b", text)]
    idle += [] if re.search(r"\bapi\.tls\b", text) else ["api.tls"]
    assert not idle, f"nothing in node/service reads {idle}"
