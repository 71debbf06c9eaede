"""The adapter and the contract that `adapters/README.md` shows are true: written down as they stand, they pass."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.adapters.scaffolded import ROOT


def test_what_the_readme_shows_passes_its_contract(tmp_path: Path) -> None:
    section = (ROOT / "adapters" / "README.md").read_text(encoding="utf-8").partition("## Write one\n")[2]
    adapter, contract = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(adapter.splitlines()) < 45
    (tmp_path / "lines_adapter.py").write_text(adapter, encoding="utf-8")
    (tmp_path / "test_lines.py").write_text(contract, encoding="utf-8")
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "adapters.kit.plugin", "-c", os.devnull,
         "--rootdir", str(tmp_path), "--adapter-report", "report.json", "test_lines.py"),
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    (told,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert done.returncode == 0 and told["level"] == "incremental" and told["failed"] == 0, done.stdout
    (shown,) = re.findall(r"^    (Lines：.*)$", section, re.MULTILINE)
    assert shown == f"Lines：{told['badge']['zh']} / {told['badge']['en']}"
