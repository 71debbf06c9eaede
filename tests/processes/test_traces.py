"""The demonstration as a user runs it, and what it leaves on the disk: no number and no name of a person in clear."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import xsd
from node.cli.demo.cargo import Cargo
from node.validate import Specifications
from tests.house.scan import PRINTED, is_identity, scan
from tests.processes.exchange import CRYPTO

RECORDS = 300


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder of a demonstration that ran, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "node", "--lang", "en", "demo", "--records", f"{RECORDS}", "--json", "--folder"]
    ran = subprocess.run([*command, str(folder / "site")], capture_output=True, timeout=150)
    (folder / "stderr").write_bytes(ran.stderr)
    (folder / "stdout").write_bytes(ran.stdout)
    assert ran.returncode == 0, ran.stderr.decode("utf-8", "replace")[-2000:]
    yield folder, ran.stdout.decode("utf-8")


@pytest.fixture(scope="module")
def people() -> list[dict[str, str]]:
    """The current rows the demonstration sent, as its client had them."""
    cargo = Cargo(Specifications.load(xsd.FOLDER, CRYPTO.sm3), RECORDS)
    for _ in cargo.bodies():
        pass
    return [json.loads(twin) for twin in cargo.truth.rows["population"].values() if twin is not None]


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def test_the_demonstration_is_exact(left: tuple[Path, str]) -> None:
    told = json.loads(left[1])
    assert told["exact"] is True
    found = {one["name"]: (one["expected"], one["found"]) for one in told["figures"]}
    assert all(expected == got for expected, got in found.values())
    assert found["submitted"][0] > RECORDS and found["one record proved offline against its origin"] == (1, 1)
    assert len([name for name in found if name.startswith("refused by rule: ")]) == 10


def test_it_leaves_no_identity_number_in_clear(left: tuple[Path, str]) -> None:
    names = {path.name for path in _files(left[0])}
    assert {"outbox.db", "inbox.db", "warehouse.db", "log.jsonl", "api.token", "stderr", "stdout"} <= names
    found = scan([left[0]], PRINTED)
    assert not found, f"identity numbers in clear: {found}"


def test_it_leaves_no_name_in_clear(left: tuple[Path, str], people: list[dict[str, str]]) -> None:
    names = sorted({one["PersonName"] for one in people if len(one["PersonName"]) >= 2})[::7]
    assert len(names) > 20
    wanted = {form: name for name in names for form in (name.encode("utf-8"), name.encode("utf-16-le"))}
    for path in _files(left[0]):
        data = path.read_bytes()
        shown = [form for form in wanted if form in data]
        assert not shown, f"{path} shows {len(shown)} name(s)"


def test_the_scan_would_find_what_the_client_sent(people: list[dict[str, str]], tmp_path: Path) -> None:
    """The search is worth something: the same records in clear are found, and so are their names."""
    one = next(each for each in people if is_identity(each.get("CitizenId", each.get("IdNumber", "")).encode()))
    (tmp_path / "payload.json").write_text(json.dumps(one, ensure_ascii=False), encoding="utf-8")
    assert scan([tmp_path], PRINTED)
    assert one["PersonName"].encode("utf-8") in (tmp_path / "payload.json").read_bytes()
    (tmp_path / "payload.json").unlink()
