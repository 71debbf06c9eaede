"""18: every key of the configuration with a wrong type, empty, or misspelt: `check` names file, line and key.

X-Road's guide to its parameters: "The value of the parameter is not validated … setting the port number to a
non-numeric value in the configuration will cause the system to crash" (PEERS §11.18).  The keys come from the model of
the configuration itself, so one that is added is tested from the first day.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from node.cli.exits import CONFIG
from node.config import Settings
from tests.cli.shell import Shell
from tests.config.example import write

SECRET = "not-to-be-repeated"
FREE = {("adapter", "settings"), ("adapter.read", "what"), ("adapter.write", "what")}
"""Tables in the words of an adapter: its process holds them against its own schema."""
WRONG = {"a wrong type": f'{{ x = ["{SECRET}"] }}', "an empty value": '""'}


def sections(kind: Any) -> tuple[type[BaseModel] | None, bool]:
    """Return the section a field holds, and whether it holds several."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind, False
    several = get_origin(kind) is tuple
    if several or get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            found, _ = sections(part)
            if found is not None:
                return found, several
    return None, False


def keys(section: type[BaseModel], front: str = "", head: str = "") -> Iterator[tuple[str, str]]:
    """Yield (the lines of TOML that open the table a key stands in, the key) for every key that is no table.

    A table is opened under its parents: `[[peer]]` and then `[peer.quota]`.
    """
    for field, info in section.model_fields.items():
        name = info.alias or field
        inner, several = sections(info.annotation)
        if inner is None:
            yield head, name
            continue
        dotted = f"{front}{name}"
        yield from keys(inner, f"{dotted}.", head + (f"[[{dotted}]]\n" if several else f"[{dotted}]\n"))


KEYS = list(keys(Settings))


def named(told: str, file: Path, line: int, key: str) -> bool:
    """Return whether one line of what was told names all three."""
    return any(f"{file}:{line}" in one and key in one for one in told.splitlines())


def faulty(shell: Shell, folder: Path, head: str, text: str) -> tuple[str, Path, int]:
    """Return what `check` says of a key in a file of conf.d, which counts last."""
    table = head.rpartition("[[peer]]\n")[1] + head.rpartition("[[peer]]\n")[2] if "[[peer]]" in head else head
    # Tables above the innermost are opened by it; only the heads of lists must stand.
    opened = [one for one in table.splitlines() if one.startswith("[[")] + table.splitlines()[-1:]
    lines = [*dict.fromkeys(opened), text]
    file = write(folder / "conf.d", "\n".join(lines) + "\n", "99-last.toml")
    answer = shell("-c", folder / "node.toml", "check")
    assert answer.status == CONFIG, (lines, answer)
    return answer.out + answer.err, file, len(lines)


def test_a_key_that_is_wrong_empty_or_misspelt_is_named_with_its_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    shells, missed = [Shell(tmp_path, capsys, language) for language in ("zh", "en")], []
    write(tmp_path)
    for number, (head, key) in enumerate(KEYS):
        tried = {what: (key, f"{key} = {value}") for what, value in WRONG.items()}
        if (head.strip().rpartition("\n")[2].strip("[]"), key) in FREE:
            del tried["a wrong type"]
        tried["a misspelt key"] = (f"{key}_x", f'{key}_x = "{SECRET}"')
        for what, (shown, text) in tried.items():
            told, file, line = faulty(shells[number % 2], tmp_path, head, text)
            if not named(told, file, line, shown) or SECRET in told:
                missed.append((head, text, what))
    assert not missed, missed


def test_every_section_of_the_configuration_is_among_the_keys() -> None:
    tables = {head.splitlines()[-1].strip("[]") for head, _ in KEYS}
    assert {"node", "keys", "keys.sign", "api", "api.tls", "gateway", "admin", "disk", "retention", "clock", "timers",
            "log", "peer", "peer.certificates", "peer.quota", "resource", "grant", "crypto", "keys.old"} <= tables
    assert len(KEYS) > 70


def test_an_unknown_table_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path)
    told, file, line = faulty(Shell(tmp_path, capsys), tmp_path, "[timer]\n", 'poll = "1s"')
    assert named(told, file, line - 1, "timer") or named(told, file, line, "timer"), told
