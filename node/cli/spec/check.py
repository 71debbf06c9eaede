"""`spec check`: all that is wrong with an integrator's own XSD, each fault with its line and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from node.cli import exits
from node.cli.grammar import Command, argument, as_json, file
from node.cli.situation import Situation
from node.cli.spec.held import own
from node.model.sentence import Sentence
from node.validate import Fault, compile_specification, examine

MOST = 10
"""Most faults of one file that a person is told, with their cures one screen; a program is told all."""

GOOD = Sentence("{file}：符合要求，{name}，SM3 {digest}", "{file}: good, {name}, SM3 {digest}")
BAD = Sentence("{file}：{count}处问题", "{file}: {count} faults")
MORE = Sentence("……另有{count}处，先改正以上各处", "… and {count} more; mend these first")
CURE = Sentence("    改法：{cure}", "    mend: {cure}")


@click.command("check", cls=Command, says=Sentence(
    "检查自编的带注释XSD：哪一行、什么问题、怎样改", "check your own annotated XSD: the line, the fault, how to mend it"))
@argument("paths", nargs=-1, required=True, **file(), says=Sentence("XSD文件，- 为标准输入", "XSD files, - for standard input"))
@as_json
@click.pass_obj
def check(here: Situation, paths: tuple[Path, ...]) -> int:
    told = [_examined(here, path) for path in paths]
    count = sum(len(one["faults"]) for one in told)
    if here.out.json:
        here.out.data({"files": told, "faults": count})
    return exits.DATA if count else exits.OK


def _examined(here: Situation, path: Path) -> dict[str, Any]:
    name, content, files = own(path)
    faults = examine(name, content, files.fetch, files.table)
    digest = None if faults else compile_specification(name, files, here.crypto.sm3).id.digest
    if faults:
        _tell(here, path, faults)
    else:
        here.out.line(GOOD.fill(file=path, name=name, digest=digest))
    return {"file": str(path), "name": name or None, "digest": digest, "faults": [_fault(one) for one in faults]}


def _tell(here: Situation, path: Path, faults: Sequence[Fault]) -> None:
    out = here.out
    out.line(BAD.fill(file=path, count=len(faults)))
    for fault in faults[:MOST]:
        place = f"{fault.file or path.name}:{fault.line}"
        out.line(f"  {place}  {out.text(fault.says)}")
        out.line(CURE.fill(cure=fault.wrong.cure))
    if len(faults) > MOST:
        out.line(MORE.fill(count=len(faults) - MOST))


def _fault(fault: Fault) -> dict[str, Any]:
    says, cure = fault.says, fault.wrong.cure
    return {
        "line": fault.line, "included": fault.file or None, "rule": fault.wrong.name, "zh": says.zh, "en": says.en,
        "cure": {"zh": cure.zh, "en": cure.en},
    }
