"""`adapter new` and `adapter test`: a package to begin with, and what an adapter's contract came to.

Rule 1: an adapter is never loaded here: `python -m adapters.kit` has it done, in a process of its own.
Rule 2: settings are given to that process on its standard input; nothing it prints is shown, for it may print a row.
Rule 3: with `--settings` the source is somebody's: what would change it is not made, and said to be not made.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from node.cli import exits, files
from node.cli.grammar import Command, argument, as_json, file, misused, option, told
from node.cli.situation import Situation
from node.crypto import keyfile
from node.model.sentence import Sentence

KIT = (sys.executable, "-P", "-m", "adapters.kit")
KINDS, FORMS = ("sql", "file", "http"), ("html", "json")
LARGEST = 1 << 20
"""Octets of a file of settings."""

CHECK, RESULT, REASON = Sentence("检查", "Check"), Sentence("结果", "Result"), Sentence("原因", "Reason")
GROUP = Sentence("级别", "Level")
RESULTS = {
    "passed": Sentence("通过", "passed"), "failed": Sentence("未通过", "failed"), "skipped": Sentence("未做", "not made"),
}
GROUPS = {
    "basic": Sentence("基础", "basic"), "incremental": Sentence("增量", "incremental"),
    "capture": Sentence("变更捕获", "change capture"), "writing": Sentence("写入", "writing"),
}
COUNTS = Sentence("通过{passed}项，未通过{failed}项，未做{skipped}项", "{passed} passed, {failed} failed, {skipped} not made")
NEXT = Sentence("接下来：读README.md，改adapter.py，运行python -m pytest",
                "next: read README.md, change adapter.py, run python -m pytest")
BROKEN = Sentence("检查没有结果：其进程状态{status}", "the checks came to nothing: their process ended with {status}")

with_name = argument("name", metavar="NAME", says=Sentence("适配器的名称", "the name of the adapter"))


@click.command("new", cls=Command, says=Sentence(
    "生成一个适配器的程序包：能运行，带合同检查", "lay out the package of an adapter that works, with its contract"))
@with_name
@option("--kind", type=click.Choice(KINDS), required=True, says=Sentence(
    "来源的种类：数据库表、CSV文件、HTTP接口", "what it reads: a table, files of CSV, an HTTP service"))
@option("--folder", default=Path("."), type=click.Path(path_type=Path), metavar="DIR", says=Sentence(
    "在此文件夹里新建以名称命名的文件夹；默认当前", "the folder below which one of that name is made; else here"))
@as_json
@click.pass_obj
def new(here: Situation, name: str, kind: str, folder: Path) -> None:
    answer = _asked({"do": "new", "name": name, "kind": kind, "folder": str(folder)}, exits.USAGE)
    here.out.show(answer, lambda: here.out.lines([*answer["files"], here.out.text(NEXT)]))


@click.command("test", cls=Command, says=Sentence(
    "检查一个适配器是否守合同，给出级别", "hold an adapter to its contract, and tell the level it reached"))
@with_name
@option("--settings", "given", **file(), says=Sentence(
    "含[[adapter]]一段的配置：检查真实来源，只读不写；不给出则用适配器自带的检查",
    "a configuration with its [[adapter]]: the source is real and only read; else the checks that the adapter brings"))
@option("--resource", metavar="CODE", says=Sentence(
    "检查读取此资源的[[adapter.read]]；默认第一个", "the [[adapter.read]] of this resource; else the first"))
@option("--report", nargs=2, type=(click.Choice(FORMS), click.Path(path_type=Path)), metavar="html|json FILE",
        says=Sentence("把报告写入新文件", "write the report into a new file"))
@as_json
@click.pass_obj
def test(
    here: Situation, name: str, given: Path | None, resource: str | None, report: tuple[str, Path] | None
) -> int:
    asked: dict[str, Any] = {"do": "test", "name": name, "html": report is not None and report[0] == "html"}
    folder = Path(".")
    if given is not None:
        asked["given"], folder = _given(given, name, resource)
    answer = _asked(asked, exits.CONFIG, folder)
    found = answer["report"]
    if report is not None:
        text = answer["page"] or json.dumps(found, ensure_ascii=False, indent=2) + "\n"
        files.write(report[1], text.encode())
    here.out.show(found, lambda: _people(here, found))
    return exits.DATA if found["failed"] or not (found["level"] or found["writing"]) else exits.OK


def _people(here: Situation, found: Mapping[str, Any]) -> None:
    shown = [one for one in found["checks"] if found["writes"] or one["group"] != "writing"]
    here.out.table((GROUP, CHECK, RESULT, REASON), (
        (GROUPS[one["group"]], Sentence(one["zh"], one["en"]), RESULTS[one["result"]],
         Sentence(**one["reason"]) if one["reason"] else "") for one in shown))
    here.out.line("")
    here.out.line(COUNTS.fill(passed=found["passed"], failed=found["failed"],
                              skipped=sum(one["result"] == "skipped" for one in shown)))
    here.out.facts([(Sentence("级别", "Level"), Sentence(found["badge"]["zh"], found["badge"]["en"]))])


def _asked(request: Mapping[str, Any], status: int, folder: Path = Path(".")) -> dict[str, Any]:
    """Return the kit's answer; raise an error of the command line for what it refuses."""
    done = subprocess.run(
        KIT, input=json.dumps(request).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder,
        check=False)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise told(BROKEN.fill(status=done.returncode), exits.INTERNAL) from None
    if "error" in answer:
        raise told(Sentence(answer["error"]["zh"], answer["error"]["en"]), status)
    return answer


def _given(path: Path, name: str, resource: str | None) -> tuple[dict[str, Any], Path]:
    """Return settings, `read` and `write` of an adapter in a configuration, and the folder where its paths start."""
    try:
        said = tomllib.loads(files.read(path, LARGEST).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        raise misused(f"文件 {path} 不是TOML", f"The file {path} is no TOML") from None
    tables = said.get("adapter")
    named = [one for one in _tables(tables) if name in (one.get("name"), one.get("kind"))]
    if not named:
        raise misused(f"文件 {path} 里没有[[adapter]] {name}", f"There is no [[adapter]] {name} in {path}")
    found = next((one for one in named if one.get("name") == name), named[0])
    settings, secrets = found.get("settings", {}), found.get("secrets", {})
    if not isinstance(settings, dict) or not isinstance(secrets, dict):
        raise misused("settings和secrets应为表", "settings and secrets are tables")
    return {
        "settings": {**settings, **{one: _secret(path, str(at)) for one, at in secrets.items()}},
        "read": _what(found.get("read"), resource), "write": _what(found.get("write"), resource),
    }, path.parent / str(found.get("folder", "."))


def _secret(path: Path, at: str) -> str:
    if at.startswith("credential:"):
        raise misused("在此请用文件给出口令", "Give the secret as a file here")
    return keyfile.read(path.parent / at).strip().decode("utf-8", "replace")


def _what(said: Any, resource: str | None) -> dict[str, Any] | None:
    """Return the table `what` of the resource, or of the first; None if there is none."""
    found = next((one for one in _tables(said) if resource in (None, one.get("resource"))), None)
    what = None if found is None else found.get("what", {})
    return what if isinstance(what, dict) else None


def _tables(said: Any) -> Sequence[dict[str, Any]]:
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


COMMANDS: Sequence[click.Command] = (new, test)
