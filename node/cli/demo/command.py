"""`demo`: the whole exchange on one machine, from nothing; exit 0 only if every figure is exact."""

from __future__ import annotations

from pathlib import Path

import click

from node.cli import exits
from node.cli.demo.cargo import KINDS
from node.cli.demo.play import Play
from node.cli.demo.report import show
from node.cli.demo.site import Site
from node.cli.grammar import Command, as_json, file, option
from node.cli.situation import Situation
from node.model.sentence import Sentence


@click.command("demo", cls=Command, says=Sentence(
    "演示：在本机建立中心和两个部门，收发、强杀、重启、核对", "a demonstration: a centre and two departments on this machine"))
@option("--records", type=click.IntRange(100, 1_000_000), default=10_000, show_default=True, says=Sentence(
    "有效记录数", "how many valid records"))
@option("--keep", is_flag=True, says=Sentence("完成后保持运行并显示地址", "stay up afterwards and show the addresses"))
@option("--folder", **file(metavar="FOLDER"), says=Sentence("工作目录；默认临时目录", "where to work; else a temporary folder"))
@as_json
@click.pass_obj
def demo(here: Situation, records: int, keep: bool, folder: Path | None) -> int:
    what = Sentence("提交", "submitting")
    whole = records + max(len(KINDS), records // 50)
    with here.out.progress(what, whole, counted=True) as advance:
        done = 0

        def step(now: int, whole: int) -> None:
            nonlocal done
            advance(now - done)
            done = now

        play = Play(records, here.out.note, step, folder)
        outcome = play.perform((lambda site: _stay(here, site)) if keep else None)
    show(outcome, here.out)
    if folder is None and outcome.exact:
        play.sweep_up()
    else:
        here.out.note(Sentence(f"工作目录：{play.folder}", f"Folder: {play.folder}"))
    return exits.OK if outcome.exact else exits.DATA


def _stay(here: Situation, site: Site) -> None:
    """Show where everything is, and wait for the reader."""
    for seat in site.seats.values():
        here.out.note(Sentence(
            f"{seat.node}：接口 http://127.0.0.1:{seat.api}  指标 http://127.0.0.1:{seat.admin}/metrics  令牌 {seat.token}",
            f"{seat.node}: API http://127.0.0.1:{seat.api}  metrics http://127.0.0.1:{seat.admin}/metrics  "
            f"token {seat.token}",
        ))
    here.out.note(Sentence("按回车键停止", "Press Enter to stop"))
    try:
        input()
    except (EOFError, KeyboardInterrupt):
        pass
