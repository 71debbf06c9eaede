"""`run` and `check`: the node in the foreground, and everything it needs looked at without starting it."""

from __future__ import annotations

import click

from node.cli.grammar import Command, option
from node.cli.situation import Situation
from node.model.sentence import Sentence


@click.command("run", cls=Command, says=Sentence(
    "在前台运行节点，直到收到SIGTERM", "run the node in the foreground until SIGTERM"))
@option("--new-epoch", is_flag=True, says=Sentence(
    "从备份恢复之后：先开启新的节点时期", "after restoring a backup: open a new node epoch first"))
@click.pass_obj
def run(here: Situation, new_epoch: bool) -> int:
    from node.service.run import run as serve

    return serve(here.settings, here.load, new_epoch)
