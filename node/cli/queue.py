"""`queue`: the parcels of outbox and inbox, and what a named person may do with them."""

from __future__ import annotations

from typing import Any

import click

from node.cli.control_client import change, consult
from node.cli.grammar import F, Group, argument, as_json, misused, option
from node.cli.look import LANE, PARCEL, RECORDS, REFUSED, STATE, cause, show_parcel, state
from node.cli.person import named, who_decides
from node.cli.situation import Situation
from node.model.sentence import Sentence
from node.model.spool import ArrivalState, EntryState

QUEUE = "queue"
SIDES = ("outbox", "inbox")
HEADS = (
    PARCEL, LANE, Sentence("位置", "Place"), STATE, RECORDS, REFUSED, Sentence("时间", "At"), Sentence("原因", "Cause"),
)
STATES = sorted({each.value for kind in (EntryState, ArrivalState) for each in kind})


def _side(function: F) -> F:
    """Declare --outbox and --inbox, which may stand before or after the command's word."""

    def heed(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        if value is not None:
            ctx.meta[QUEUE] = value

    outbox = option("--outbox", "side", flag_value="outbox", expose_value=False, callback=heed, says=Sentence(
        "发件箱（默认）", "the outbox (by default)"))
    inbox = option("--inbox", "side", flag_value="inbox", expose_value=False, callback=heed, says=Sentence(
        "收件箱", "the inbox"))
    return outbox(inbox(function))


def _which() -> str:
    return str(click.get_current_context().meta.get(QUEUE, SIDES[0]))


@click.group(QUEUE, cls=Group, says=Sentence(
    "查看发件箱和收件箱；重试、暂停、恢复、放弃", "look into outbox and inbox; retry, hold, release, purge"))
@_side
def queue() -> None:
    pass


@queue.command("list", says=Sentence("列出数据包", "list parcels"))
@_side
@option("--state", "wanted", type=click.Choice(STATES), says=Sentence("仅此状态", "of this state only"))
@option("--after", metavar="ID", says=Sentence("从此数据包之后起", "after this parcel"))
@option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, says=Sentence(
    "最多几个", "how many at most"))
@as_json
@click.pass_obj
def listed(here: Situation, wanted: str | None, after: str | None, limit: int) -> None:
    told = consult(here, "queue.list", queue=_which(), state=wanted, after=after, limit=limit)
    here.out.show(told, lambda: here.out.table(HEADS, (
        (one["parcel"], one["lane"], f"{one['epoch']}/{one['seq']}", state(one["state"]), one["records"],
         one["refused"], one.get("created") or one.get("received"), cause(one["cause"])) for one in told["parcels"]
    )))


@queue.command("show", says=Sentence("查看一个数据包：回执、退回、账本", "tell one parcel: receipts, refusals, ledger"))
@argument("id", metavar="ID", says=Sentence("数据包号", "the parcel's id"))
@_side
@as_json
@click.pass_obj
def show(here: Situation, id: str) -> None:
    told = consult(here, "queue.show", queue=_which(), id=id)
    here.out.show(told, lambda: show_parcel(here, told))


@queue.command("retry", says=Sentence(
    "立即重试一个数据包，或一个对端的全部", "try one parcel now, or all of a peer"))
@argument("id", metavar="ID", required=False, says=Sentence("数据包号", "the parcel's id"))
@option("--peer", metavar="NODE", says=Sentence("对端的节点代码", "the peer's node code"))
@_side
@who_decides
@as_json
@click.pass_obj
def retry(here: Situation, id: str | None, peer: str | None, who: str | None) -> None:
    if (id is None) == (peer is None):
        raise misused("请给出数据包号或 --peer", "Give a parcel's id, or --peer")
    one = {"id": id} if id is not None else {"peer": peer}
    told = change(here, "queue.retry", queue=_which(), who=named(who), **one)
    here.out.show(told, lambda: here.out.line(
        Sentence(f"已要求对端{told['peer']}立即重试，恢复通道或数据包{told['released']}个",
                 f"Trying again with {told['peer']} now; {told['released']} lane(s) or parcel(s) released")))


_lane = argument("lane", metavar="LANE", says=Sentence(
    "通道：对端/信息资源[/流]", "the lane: peer/resource[/stream]"))


@queue.command("hold", says=Sentence("暂停一个通道，直到人工恢复", "hold a lane until a person releases it"))
@_lane
@_side
@who_decides
@as_json
@click.pass_obj
def hold(here: Situation, lane: str, who: str | None) -> None:
    told = change(here, "queue.hold", queue=_which(), lane=lane, who=named(who))
    here.out.show(told, lambda: here.out.line(Sentence(f"已暂停 {told['lane']}", f"Held {told['lane']}")))


@queue.command("release", says=Sentence("恢复一个通道，无论因何暂停", "let a lane go on, whatever held it"))
@_lane
@_side
@who_decides
@as_json
@click.pass_obj
def release(here: Situation, lane: str, who: str | None) -> None:
    told = change(here, "queue.release", queue=_which(), lane=lane, who=named(who))
    here.out.show(told, lambda: here.out.line(Sentence(f"已恢复 {told['lane']}", f"Released {told['lane']}")))


@queue.command("resend", says=Sentence(
    "原因已排除：将待处理数据包的记录重新装包发送", "the cause is mended: send a parked parcel's records in a new one"))
@argument("id", metavar="ID", says=Sentence("数据包号", "the parcel's id"))
@who_decides
@as_json
@click.pass_obj
def resend(here: Situation, id: str, who: str | None) -> None:
    told = change(here, "queue.resend", id=id, who=named(who))
    here.out.show(told, lambda: here.out.line(Sentence(
        f"{id} 的{told['records']}条记录已重新排队", f"The {told['records']} record(s) of {id} wait again")))


@queue.command("purge", says=Sentence(
    "放弃一个对端未收妥的数据包，或丢弃一个待处理的；记入账本",
    "give up a parcel the peer has not accepted, or throw a parked one away; the ledger says who"))
@argument("id", metavar="ID", says=Sentence("数据包号", "the parcel's id"))
@_side
@who_decides
@as_json
@click.pass_obj
def purge(here: Situation, id: str, who: str | None) -> None:
    told: dict[str, Any] = change(here, "queue.purge", queue=_which(), id=id, who=named(who))
    done = {"voided": Sentence("已作废", "Voided"), "discarded": Sentence("已丢弃", "Discarded")}[told["what"]]
    here.out.show(told, lambda: here.out.line(Sentence(f"{done.zh} {id}", f"{done.en} {id}")))
