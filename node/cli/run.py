"""`run` and `check`: the node in the foreground, and everything it needs looked at without starting it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from node.cli import exits
from node.cli.grammar import Command, as_json, option
from node.cli.output import described
from node.cli.situation import Situation
from node.model.sentence import Sentence

if TYPE_CHECKING:
    from node.service.check import Finding

GRAVE, NOTE = Sentence("错误", "fault"), Sentence("提醒", "note")
GOOD = Sentence("一切就绪", "Everything is in order")
LIBRARY = Sentence("密码库：{library}", "cryptography: {library}")


@click.command("run", cls=Command, says=Sentence(
    "在前台运行节点，直到收到SIGTERM", "run the node in the foreground until SIGTERM"))
@option("--new-epoch", is_flag=True, says=Sentence(
    "从备份恢复之后：先开启新的节点时期", "after restoring a backup: open a new node epoch first"))
@click.pass_obj
def run(here: Situation, new_epoch: bool) -> int:
    from node.service.run import run as serve

    return serve(here.settings, here.load, new_epoch)


@click.command("check", cls=Command, says=Sentence(
    "检查配置、密钥、证书、权限、磁盘、适配器和密码自检，一次列出全部问题",
    "look at configuration, keys, certificates, modes, disk, adapters and self-test, and tell every fault at once"))
@option("--adapters", "sources", is_flag=True, says=Sentence(
    "还让每个适配器连接其来源系统检查", "also have each adapter connect to its system and look"))
@as_json
@click.pass_obj
def check(here: Situation, sources: bool) -> int:
    from node.service.check import check as look

    found = look(here.settings, here.now(), sources)
    grave = any(one.grave for one in found)
    told = [{"at": one.at, "grave": one.grave, **described(one.met)} for one in found]
    library = None if grave else here.crypto.library
    here.out.show({"good": not grave, "library": library, "findings": told}, lambda: _findings(here, found, library))
    return exits.CONFIG if grave else exits.OK


def _findings(here: Situation, found: Sequence[Finding], library: str | None) -> None:
    """Show each finding with its cure, the grave ones first, and the libraries if the node would run."""
    for one in sorted(found, key=lambda one: not one.grave):
        word = GRAVE if one.grave else NOTE
        here.out.line(f"{here.out.text(word)}  {one.at}  {one.code.name}  {here.out.text(one.met.sentence)}")
        here.out.line(f"    {here.out.text(one.met.cure)}")
    if library is not None:
        here.out.line(LIBRARY.fill(library=library))
    if not found:
        here.out.line(GOOD)
