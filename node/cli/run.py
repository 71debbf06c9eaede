"""`run`: the node in the foreground, as systemd starts it."""

from __future__ import annotations

import click

from node.cli.grammar import Command, option
from node.cli.situation import Situation
from node.model.sentence import Sentence


@click.command("run", cls=Command, says=Sentence("在前台运行节点", "run the node in the foreground"))
@option("--new-epoch", is_flag=True, says=Sentence(
    "从备份恢复之后首次启动：开启新的节点时期", "the first start after restoring a backup: open a new node epoch"))
@click.pass_obj
def run(here: Situation, new_epoch: bool) -> int:
    from node.service.run import run as serve

    return serve(here.settings, here.load, new_epoch)
