"""What README has a new user do: the trial runs as it stands there, from nothing to a record's last receipt."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from node.cli.demo.site import free_ports
from tests.house.plan import ROOT


def _five_ports() -> int:
    """Return the first of five free ports in a row."""
    while True:
        (first,) = free_ports(1)
        if first < 65_000 and not any(_taken(port) for port in range(first, first + 5)):
            return first


def _taken(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def test_the_trial_leads_a_new_user_to_a_receipt(tmp_path: Path) -> None:
    (tmp_path / "exchange-node").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m node "$@"\n', encoding="utf-8")
    (tmp_path / "exchange-node").chmod(0o755)
    environ = {
        **os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "LC_ALL": "en_US.UTF-8",
    }
    ran = subprocess.run(
        ["bash", "config/trial.sh", str(tmp_path / "trial"), str(_five_ports())], cwd=ROOT, env=environ,
        capture_output=True, text=True, timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.count("Everything is in order") == 2
    assert "1 accepted, 0 refused" in ran.stdout
    (line,) = [line for line in ran.stdout.splitlines() if "centre/regions/live" in line and " done " in line]
    assert line.split()[3:6] == ["done", "1", "0"], line


def test_the_readme_names_the_trial() -> None:
    for name in ("README.md", "README.zh-CN.md"):
        assert "bash config/trial.sh" in (ROOT / name).read_text(encoding="utf-8")
