"""The unit is sound and tight; users and folders come out as the unit expects them."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

from tests.house.plan import ROOT

UNIT = ROOT / "systemd" / "exchange-node@.service"
INSTALLED = "/opt/exchange-node/bin/exchange-node"
Server = Callable[[str, str], str]


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_systemd_accepts_the_unit(server: Server, tmp_path: Path) -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert f"ExecStart={INSTALLED} " in text
    # The program is not installed here: another one that exists stands for it, and nothing else may be said.
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace(INSTALLED, sys.executable), encoding="utf-8")
    assert _run(server("systemd", "systemd-analyze"), "verify", str(unit)) == ""


def test_the_unit_exposes_little(server: Server) -> None:
    _run(server("systemd", "systemd-analyze"), "security", "--offline=true", "--threshold=20", str(UNIT))


def test_the_unit_watches_the_node_and_keeps_its_secret_out_of_the_configuration() -> None:
    unit = ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # the documented way to keep capitals
    unit.read(UNIT, encoding="utf-8")
    service = unit["Service"]
    assert service["Type"] == "notify" and int(service["WatchdogSec"]) == 30
    assert service["LoadCredential"].startswith("passphrase:")
    assert int(service["TimeoutStopSec"]) > 25, "the node drains for timers.drain first"


def test_users_and_folders_are_made(server: Server, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    sysusers = ROOT / "systemd" / "sysusers.d" / "exchange-node.conf"
    _run(server("systemd", "systemd-sysusers"), f"--root={tmp_path}", str(sysusers))
    assert "exchange-node:" in (tmp_path / "etc/passwd").read_text(encoding="utf-8")
    assert "/usr/sbin/nologin" in (tmp_path / "etc/passwd").read_text(encoding="utf-8")
    tmpfiles = ROOT / "systemd" / "tmpfiles.d" / "exchange-node.conf"
    _run(server("systemd", "systemd-tmpfiles"), "--create", f"--root={tmp_path}", str(tmpfiles))
    modes = {name: stat.S_IMODE((tmp_path / name).stat().st_mode)
             for name in ("etc/exchange-node", "var/lib/exchange-node", "var/log/exchange-node")}
    assert modes == {"etc/exchange-node": 0o750, "var/lib/exchange-node": 0o700, "var/log/exchange-node": 0o750}
