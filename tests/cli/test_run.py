"""`run` and `check`: faults told all at once, statuses that systemd understands, a real process that ends well."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from node.cli import exits
from node.cli.demo.play import PLAN
from node.cli.demo.site import Site, lay_out
from tests.cli.shell import Shell
from tests.processes.exchange import CENTRE, CRYPTO, SOURCE, Exchange, until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return lay_out(tmp_path / "site", PLAN, CRYPTO)


def run(config: Path, *more: str) -> subprocess.CompletedProcess[bytes]:
    """Run `run` as a process that must end by itself."""
    command = [sys.executable, "-m", "node", "--lang", "en", "-c", str(config), "run", *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60)


def test_every_fault_of_a_configuration_is_told_with_file_line_and_cure(site: Site, shell: Shell) -> None:
    config = site.seats[CENTRE].config
    text = config.read_text(encoding="utf-8").replace('domain = "demo-city"', 'domain = "no such domain"')
    config.write_text(text.replace('intake = "64MiB"', 'intake = "lots"') + "\n[nonsense]\nx = 1\n", encoding="utf-8")
    for language in ("en", "zh"):
        answer = shell("--lang", language, "-c", config, "check")
        assert answer.status == exits.CONFIG and answer.err.startswith("EXN-CONFIG")
        assert all(f"{config}:" in line for line in answer.err.splitlines()[1:4]) and "node.domain" in answer.err
    told = json.loads(shell("-c", config, "check", "--json").err)["error"]
    assert {"node.domain", "disk.intake", "nonsense"} == {one["key"] for one in told["faults"]}
    assert all(one["zh"] and one["en"] and one["file"] == str(config) for one in told["faults"])
    assert run(config).returncode == exits.CONFIG


def test_a_missing_configuration_is_a_fault_of_configuration(shell: Shell, tmp_path: Path) -> None:
    assert shell("-c", tmp_path / "none.toml", "check").status == exits.CONFIG
    shell.environ["EXCHANGE_NODE_CONFIG"] = str(tmp_path / "other.toml")
    answer = shell("status")
    assert answer.status == exits.CONFIG and "other.toml" in answer.err


def test_check_finds_what_only_the_machine_can_tell(site: Site, shell: Shell) -> None:
    seat = site.seats[SOURCE]
    assert shell("-c", seat.config, "check").status == 0
    (seat.folder / "keys" / "sign.key").chmod(0o644)
    (seat.folder / "keys" / "tls.crt").unlink()
    for language, word in (("en", "fault"), ("zh", "错误")):
        answer = shell("--lang", language, "-c", seat.config, "check")
        assert answer.status == exits.CONFIG and answer.out.count(word) >= 2, answer
    told = shell("-c", seat.config, "check", "--json").json
    assert not told["good"] and {"EXN-KEY-FILE"} <= {one["code"] for one in told["findings"]}
    assert all(one["cure"]["zh"] and one["at"] for one in told["findings"])


def test_before_its_first_start_a_node_has_nothing_to_look_into(site: Site, shell: Shell, tmp_path: Path) -> None:
    answer = shell("-c", site.seats[SOURCE].config, "status")
    assert answer.status == exits.UNAVAILABLE and "never ran" in answer.err
    proving = ("parcel", "prove", "--parcel", "x", "--index", "0", "--out", tmp_path / "x")
    assert shell("-c", site.seats[SOURCE].config, *proving).status == exits.UNAVAILABLE


def test_a_node_runs_until_it_is_told_to_stop_and_a_second_one_is_turned_away(tmp_path: Path, shell: Shell) -> None:
    exchange = Exchange(tmp_path / "site")
    try:
        exchange.start(SOURCE)
        config = exchange.seat(SOURCE).config
        first = shell.fine("-c", config, "status", "--json").json
        assert first["running"] is True
        assert run(config).returncode in (exits.UNAVAILABLE, exits.TRY_AGAIN)
        assert shell.fine("-c", config, "status", "--json").json["boot"] == first["boot"]
    finally:
        assert exchange.close() == {SOURCE: 0}
    assert not (exchange.seat(SOURCE).state / "control.sock").exists()
    assert shell.fine("-c", config, "status", "--json").json["epoch"] == first["epoch"]


def test_a_restored_node_starts_in_a_new_epoch(tmp_path: Path, shell: Shell) -> None:
    exchange = Exchange(tmp_path / "site")
    config = exchange.seat(SOURCE).config
    try:
        exchange.start(SOURCE)
        before = shell.fine("-c", config, "status", "--json").json["epoch"]
        exchange.crew.kill(SOURCE)
    finally:
        exchange.close()
    command = [sys.executable, "-m", "node", "-c", str(config), "run", "--new-epoch"]
    node = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("the node", lambda: shell.fine("-c", config, "status", "--json").json.get("running"))
        assert shell.fine("-c", config, "status", "--json").json["epoch"] > before
    finally:
        node.send_signal(signal.SIGTERM)
        assert node.wait(30) == 0
