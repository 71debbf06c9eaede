"""A scaffolded package, laid out as pip would install it, and its own contract run in a process of its own."""

from __future__ import annotations

import configparser
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.kit.scaffold import lay_out

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Scaffolded:
    """Where the package of a new adapter lies."""

    folder: Path
    name: str

    @property
    def adapter(self) -> Path:
        """The file of the adapter."""
        return self.folder / f"{self.name}_adapter" / "adapter.py"

    def spoil(self, before: str, after: str) -> None:
        """Change the adapter in one place."""
        text = self.adapter.read_text(encoding="utf-8")
        assert text.count(before) == 1, before
        self.adapter.write_text(text.replace(before, after), encoding="utf-8")

    def tested(self, *only: str) -> dict[str, Any]:
        """Return the report of all checks, run as an integrator runs them; or of some, without other plugins."""
        into = self.folder / "report.json"
        picked = ("-k", " or ".join(only), "-p", "adapters.kit.plugin") if only else ()
        alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"} if only else {}
        command = (
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir",
            str(self.folder), "--adapter-report", str(into), *picked, f"{self.name}_adapter/test_contract.py")
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment() | alone, capture_output=True, text=True, timeout=120)
        assert into.exists(), done.stdout + done.stderr
        (told,) = json.loads(into.read_text(encoding="utf-8"))
        into.unlink()
        assert (done.returncode == 0) == (told["failed"] == 0), done.stdout + done.stderr
        return {**told, "printed": done.stdout}

    def environment(self) -> dict[str, str]:
        """Return an environment in which it is installed."""
        return {**os.environ, "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}


def scaffolded(folder: Path, kind: str, name: str = "hukou") -> Scaffolded:
    """Scaffold an adapter below `folder`, and lay down what pip would of its `setup.cfg`."""
    lay_out(name, kind, str(folder))
    made = Scaffolded(folder / name, name)
    setup = configparser.ConfigParser()
    setup.read(made.folder / "setup.cfg", encoding="utf-8")
    points = setup["options.entry_points"]
    about = made.folder / f"{setup['metadata']['name']}-{setup['metadata']['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {setup['metadata']['name']}\nVersion: 0.1.0\n")
    (about / "entry_points.txt").write_text("\n".join(f"[{group}]{lines}" for group, lines in points.items()))
    return made
