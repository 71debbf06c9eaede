"""No identity number of a person stands in the repository, and the search for them finds what is there."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.plan import ROOT
from tests.house.scan import CHECKS, PRINTED, WEIGHTS, Find, in_bytes, is_identity, left_in_clear, main, scan


@pytest.fixture(autouse=True)
def wiped(tmp_path: Path) -> Iterator[None]:
    """These tests alone write numbers where none may stand; the search at the session's end must not meet them."""
    yield
    shutil.rmtree(tmp_path)


def _made(chance: random.Random) -> bytes:
    """Return a fictitious number with a right check digit; such numbers are never written into a file here."""
    birth = f"{chance.randrange(1900, 2025)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
    body = f"{chance.randrange(110000, 660000)}{birth}{chance.randrange(1000):03}".encode()
    return body + bytes([CHECKS[sum(w * (d - 48) for w, d in zip(WEIGHTS, body, strict=True)) % 11]])


def test_the_standards_own_examples_are_identity_numbers() -> None:
    assert all(is_identity(number) for number in PRINTED)


def test_a_number_is_found_wherever_it_stands(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for form in (b"%s", b'{"IdNumber":"%s"}', b"\x01\x12%s\xff\xfe", b"<a>%s</a>", b" %s,", "身份证%s号".encode()):
        number = _made(chance)
        path = tmp_path / "file"
        path.write_bytes(form % number)
        assert scan([tmp_path]) == [Find(path, form.index(b"%s"))]
        path.write_bytes(form % number.lower().decode().encode("utf-16-le"))
        assert scan([tmp_path]) == [Find(path, form.index(b"%s"))]


def test_one_across_two_blocks_is_found_once(tmp_path: Path, seed: int) -> None:
    number = _made(random.Random(seed))
    for offset in range((1 << 20) - 20, (1 << 20) + 2):
        (tmp_path / "file").write_bytes(b" " * offset + number + b" " * 100)
        assert [one.offset for one in scan([tmp_path])] == [offset]


def test_one_in_a_name_is_found(tmp_path: Path, seed: int) -> None:
    (tmp_path / f"export-{_made(random.Random(seed)).decode()}.csv").touch()
    assert [one.offset for one in scan([tmp_path])] == [-1]


def test_numbers_that_are_no_persons_are_left_alone(seed: int) -> None:
    chance = random.Random(seed)
    number = _made(chance)
    other = number[:-1] + (b"0" if number[-1:] != b"0" else b"1")
    assert not list(in_bytes(b" ".join([other, b"a" + number, number + b"7", number[:10] + b"99" + number[12:]])))
    assert not list(in_bytes(number, frozenset({number})))


def test_a_clients_payload_may_hold_one_and_nothing_else(tmp_path: Path, seed: int) -> None:
    number = _made(random.Random(seed))
    for name in ("outbox.db", "outbox.db-wal", "log.jsonl", "stderr", "people.json", "people.xml"):
        (tmp_path / name).write_bytes(number)
    (tmp_path / f"{number.decode()}.json").touch()
    found = {one.path.name for one in left_in_clear(tmp_path)}
    assert found == {"outbox.db", "outbox.db-wal", "log.jsonl", "stderr", f"{number.decode()}.json"}


def test_a_session_that_leaves_one_behind_fails(tmp_path: Path) -> None:
    test = tmp_path / "test_leak.py"
    test.write_text(
        "import random\nfrom tests.house.test_scan import _made\n"
        "def test_leak(tmp_path):\n    (tmp_path / 'log').write_bytes(_made(random.Random(7)))\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-c", "setup.cfg", "-p", "tests.conftest"]
    command += ["--basetemp", str(tmp_path / "base"), str(test)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 1 and "identity number" in told.stdout, told.stdout
    test.write_text("def test_nothing(tmp_path):\n    pass\n", encoding="utf-8")
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_the_command_tells_places_and_never_the_number(tmp_path: Path, seed: int) -> None:
    number = _made(random.Random(seed))
    (tmp_path / "log").write_bytes(b"x " + number)
    told = subprocess.run([sys.executable, "-m", "tests.house.scan", str(tmp_path)], cwd=ROOT, capture_output=True)
    assert told.returncode == 1 and told.stdout == f"{tmp_path}/log: 2\n".encode() and number not in told.stderr
    assert main([str(tmp_path / "nothing")]) == 0


def test_the_repository_holds_no_identity_number() -> None:
    kept = [path for path in sorted(ROOT.iterdir()) if path.name not in (".git", ".venv", "build", "dist")]
    assert {"node", "tests", "config", "README.md"} <= {path.name for path in kept}
    found = scan(kept, PRINTED, skip=["__pycache__"])
    assert not found, f"make fictitious numbers at run time: {found}"
