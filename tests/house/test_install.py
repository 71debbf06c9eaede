"""The wheel holds everything: installed elsewhere, without the checkout, the node finds its data by path."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.house.plan import ROOT

PROBE = """
import importlib.metadata, json, pathlib, node
beside = pathlib.Path(node.__file__).resolve().parents[1]
files = {top: sorted(str(path.relative_to(beside)) for path in (beside / top).rglob("*") if path.is_file())
         for top in ("node", "xsd", "config", "systemd", "tests", "keys")}
scripts = [entry.value for entry in importlib.metadata.entry_points(group="console_scripts", name="exchange-node")]
print(json.dumps({"beside": str(beside), "files": files, "scripts": scripts}))
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh environment with the wheel installed; the packages it needs are those of this one."""
    folder = tmp_path_factory.mktemp("install")
    copy = folder / "source"
    copy.mkdir()
    for path in ROOT.iterdir():
        if path.name in ("node", "adapters", "xsd", "keys", "config", "systemd", "tests"):
            shutil.copytree(path, copy / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        elif path.name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(path, copy / path.name)
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder / "dist"), str(copy))
    (wheel,) = (folder / "dist").glob("exchange_node-*.whl")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv/bin/python"
    (site,) = (folder / "venv/lib").glob("python*/site-packages")
    _run(sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    (site / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv"


def _run(*command: str, cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=250, env={"LC_ALL": "C.UTF-8"})
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_data_is_found_by_path_beside_the_node(elsewhere: Path) -> None:
    told = json.loads(_run(str(elsewhere / "bin/python"), "-c", PROBE, cwd=elsewhere))
    assert told["beside"].startswith(str(elsewhere))
    files = told["files"]
    assert "config/department.toml" in files["config"] and "config/central.toml" in files["config"]
    assert "systemd/exchange-node@.service" in files["systemd"]
    assert {name.rpartition("/")[2] for name in files["node"]} >= {"DECISIONS.md", "NEWS.md", "codes.py"}
    published = {str(path.relative_to(ROOT)) for path in (ROOT / "xsd").rglob("*") if path.is_file()}
    assert {name for name in published if name.endswith((".xsd", ".tsv"))} <= set(files["xsd"])
    assert not files["tests"] and not files["keys"]


def test_the_command_is_there_and_runs(elsewhere: Path) -> None:
    told = json.loads(_run(str(elsewhere / "bin/python"), "-c", PROBE, cwd=elsewhere))
    assert told["scripts"][0] == "node.__main__:main"
    assert "run" in _run(str(elsewhere / "bin/exchange-node"), "--help", cwd=elsewhere)


def test_a_new_adapter_is_laid_out_of_the_wheel_and_held_to_its_contract(elsewhere: Path, tmp_path: Path) -> None:
    command = str(elsewhere / "bin/exchange-node")
    told = json.loads(_run(command, "adapter", "new", "hukou", "--kind", "file", "--json", cwd=tmp_path))
    assert len(told["files"]) == 7
    told = _run(str(elsewhere / "bin/python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path / "hukou")
    assert "incremental" in told and " failed" not in told
