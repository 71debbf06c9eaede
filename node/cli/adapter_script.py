"""`adapter script`: what an operator reviews and runs at a source before it is read, or to undo that; we never run it.

Rule: standard output holds the script alone, so that it can be kept as a file and given to the database's own client.
"""

from __future__ import annotations

import click

from node.cli import exits
from node.cli.adapter_source import Asked, is_url
from node.cli.grammar import Command, argument, as_json, misused, option
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.model.source import Source

REVIEW = Sentence(
    "请数据库管理员审阅后用数据库自己的客户端执行；节点从不执行它",
    "Have whoever looks after the database review it and run it with the database's own client; the node never does")
DROPS = Sentence(
    "请先停止读取或改用别的读取方式，再由数据库管理员审阅后执行",
    "Stop reading, or read in another way, first; then have whoever looks after the database review and run it")


@click.command("script", cls=Command, says=Sentence(
    "输出须在来源执行的脚本（变更日志的表和触发器），供审阅",
    "print the script that the source needs (the journal's table and triggers), for review"))
@argument("name", metavar="NAME", says=Sentence("配置中的适配器，或 适配器/读取项", "a configured adapter, or ADAPTER/READ"))
@argument("resource", metavar="RESOURCE", required=False, says=Sentence(
    "信息资源或读取项；默认全部", "a resource, or the name of a read; else all"))
@option("--drop", is_flag=True, says=Sentence("输出撤销的脚本", "the script that undoes it"))
@as_json
@click.pass_obj
def script(here: Situation, name: str, resource: str | None, drop: bool) -> int:
    if is_url(name):
        raise misused("请给出配置中的适配器的名称，不是地址", "Name a configured adapter, not a URL")
    with Asked(here, name, None) as asked:
        told = [{"source": one.name, "script": str(asked.child.ask("script", what=dict(one.what), drop=drop))}
                for one in _wanted(asked, resource)]
    here.out.show(told, lambda: here.out.raw("\n".join(one["script"] for one in told)))
    here.out.note(DROPS if drop else REVIEW)
    return exits.OK


def _wanted(asked: Asked, resource: str | None) -> list[Source]:
    """Return the reads that are meant: the one of this name, else all of this resource."""
    assert asked.section is not None, "no URL comes here"
    sources = [asked.read] if asked.read is not None else list(asked.section.sources())
    named = [one for one in sources if one.name.partition("/")[2] == resource]
    found = named or [one for one in sources if resource in (None, one.resource)]
    if not found:
        names = ", ".join(one.name for one in sources) or "-"
        raise misused(f"没有这样的读取项；现有：{names}", f"There is no such read; there are: {names}")
    return found
