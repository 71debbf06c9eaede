"""`status` and `trace`: how the node stands, and where one thing is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import click

from node.cli.control_client import consult
from node.cli.grammar import Command, argument, as_json
from node.cli.output import Cell, yes
from node.cli.situation import Situation
from node.model.sentence import Sentence

LANE, HELD = Sentence("通道", "Lane"), Sentence("暂停原因", "Held because")
PARCEL, STATE = Sentence("数据包", "Parcel"), Sentence("状态", "State")
RECORDS, REFUSED = Sentence("记录", "Records"), Sentence("退回", "Refused")
AT, STEP = Sentence("时间", "At"), Sentence("步骤", "Step")

STATES = {
    "waiting": Sentence("待封装", "waiting"), "sealed": Sentence("已封装", "sealed"), "sent": Sentence("已发送", "sent"),
    "accepted": Sentence("对端已收妥", "accepted"), "done": Sentence("已完成", "done"),
    "parked": Sentence("待人工处理", "parked"), "voided": Sentence("已作废", "voided"),
    "stored": Sentence("已存储", "stored"), "judged": Sentence("已校验", "judged"), "held": Sentence("暂停", "held"),
    "processed": Sentence("已处理", "processed"), "refused": Sentence("已退回", "refused"),
}
STEPS = {
    "supplied": Sentence("提交入列", "supplied"), "accepted": Sentence("收妥", "accepted"),
    "processed": Sentence("处理完毕", "processed"), "refused": Sentence("退回", "refused"),
    "delivered": Sentence("交付", "delivered"), "voided": Sentence("作废", "voided"),
    "discarded": Sentence("丢弃", "discarded"), "reissued": Sentence("重签", "reissued"),
    "forked": Sentence("分叉", "forked"),
}
_WAITING = (Sentence("待封装", "Waiting"), Sentence("最早", "Oldest"), Sentence("未收妥", "Unaccepted"))
_PEERS = (
    Sentence("对端", "Peer"), Sentence("最近联系", "Heard"), Sentence("连续失败", "Failures"),
    Sentence("休息至", "Rests until"), Sentence("复本", "Cloned"),
)


def cause(said: dict[str, str] | None) -> Cell:
    """Return a code with its sentence."""
    if said is None:
        return None
    return Sentence(f"{said['code']} {said['zh']}", f"{said['code']} {said['en']}")


def state(name: str) -> Cell:
    """Return a state's word."""
    return STATES.get(name, name)


def step(name: str) -> Cell:
    """Return a ledger step's words; who did it may follow a colon."""
    word, colon, who = name.partition(":")
    said = STEPS.get(word, Sentence(word, word))
    return Sentence(said.zh + colon + who, said.en + colon + who)


@click.command("status", cls=Command, says=Sentence(
    "节点现状：各通道、各队列、各对端", "how the node stands: lanes, queues, peers"))
@as_json
@click.pass_obj
def status(here: Situation) -> None:
    told = consult(here, "status")
    here.out.show(told, lambda: _status(here, told))


def _status(here: Situation, told: dict[str, Any]) -> None:
    out = here.out
    counted = [
        (Sentence("节点", "Node"), f"{told['node']} ({told['domain']})"), (Sentence("时期", "Epoch"), told["epoch"]),
        (Sentence("待封装记录", "Records waiting"), told["waiting"]),
        *((_both(Sentence("发件箱", "Outbox"), name), count) for name, count in told["outbox"].items() if count),
        *((_both(Sentence("收件箱", "Inbox"), name), count) for name, count in told["inbox"].items() if count),
    ]
    out.facts(counted)
    if told["sending"]:
        out.line(Sentence("发送通道", "Sending lanes"))
        out.table((LANE, *_WAITING, Sentence("位置", "Place"), HELD), (
            (one["lane"], one["waiting"], one["oldest"], one["unaccepted"], f"{one['epoch']}/{one['seq']}",
             cause(one["held"])) for one in told["sending"]
        ))
    if told["receiving"]:
        out.line(Sentence("接收通道", "Receiving lanes"))
        out.table((LANE, Sentence("位置", "Place"), HELD), (
            (one["lane"], f"{one['epoch']}/{one['seq']}", cause(one["held"])) for one in told["receiving"]
        ))
    if told["peers"]:
        out.line(Sentence("对端", "Peers"))
        out.table(_PEERS, (
            (one["peer"], one["heard"], one["failures"], one["rests_until"], yes(one["cloned"]))
            for one in told["peers"]
        ))


def _both(where: Sentence, name: str) -> Sentence:
    said = STATES[name]
    return Sentence(f"{where.zh}·{said.zh}", f"{where.en}, {said.en}")


@click.command("trace", cls=Command, says=Sentence(
    "按提交号、记录标识或数据包号追踪：每一步、每张回执及其核验",
    "follow a submission, record or parcel by its id: every step, every receipt and what verifies of it"))
@argument("id", metavar="ID", says=Sentence("提交号、记录标识或数据包号", "a submission, record or parcel id"))
@as_json
@click.pass_obj
def trace(here: Situation, id: str) -> None:
    told = consult(here, "trace", id=id)
    here.out.show(told, lambda: _trace(here, told))


def _trace(here: Situation, told: dict[str, Any]) -> None:
    out, submission, record = here.out, told["submission"], told["record"]
    if submission is not None:
        out.facts([
            (Sentence("提交", "Submission"), submission["submission"]),
            (Sentence("信息资源", "Resource"), f"{submission['resource']} ({submission['stream']})"),
            (Sentence("接受", "Accepted"), submission["accepted"]), (REFUSED, len(submission["refused"])),
            (Sentence("终局", "Final"), yes(submission["final"])),
        ])
        out.table((Sentence("接收方", "Receiver"), STATE, RECORDS), (
            (name, state(word), count)
            for name, each in submission["receivers"].items() for word, count in each["states"].items()
        ))
    if record is not None:
        out.facts([
            (Sentence("记录", "Record"), record["record"]), (Sentence("来源记录号", "Row id"), record["key"]),
            (Sentence("来源节点", "Origin"), record["origin"]),
            (Sentence("版本", "Version"), "/".join(map(str, record["version"]))),
        ])
        out.table((Sentence("所在", "Where"), LANE, PARCEL, Sentence("序号", "Leaf")), (
            (spot["store"], spot["lane"], spot["parcel"], spot["leaf"]) for spot in record["at"]
        ))
    for each in told["parcels"]:
        _parcel(here, each)
    if told["more"]:
        out.line(Sentence(f"另有{told['more']}个数据包未列出", f"{told['more']} more parcels are not shown"))


def _parcel(here: Situation, told: dict[str, Any]) -> None:
    out = here.out
    out.line(Sentence(f"数据包 {told['parcel']}", f"Parcel {told['parcel']}"))
    for side in (told["outbox"], told["inbox"]):
        if side is not None:
            show_parcel(here, side)
    if told["warehouse"] is not None:
        outcomes = ", ".join(f"{name} {count}" for name, count in told["warehouse"]["outcomes"].items())
        out.facts([(Sentence("归集库", "Warehouse"), outcomes)])
        show_ledger(here, told["warehouse"]["ledger"])


def show_parcel(here: Situation, side: dict[str, Any]) -> None:
    """Show what one queue knows of a parcel."""
    out, one = here.out, side.get("entry") or side.get("arrival")
    if one is not None:
        out.facts([
            (LANE, one["lane"]), (STATE, state(one["state"])),
            (Sentence("位置", "Place"), f"{one['epoch']}/{one['seq']}"),
            (RECORDS, one["records"]), (REFUSED, one["refused"]), (Sentence("原因", "Cause"), cause(one["cause"])),
        ])
    if side["receipts"]:
        out.table(
            (Sentence("回执", "Receipt"), Sentence("签发", "From"), AT, Sentence("签名有效", "Signature good"),
             Sentence("证书已登记", "Registered"), Sentence("证书现状", "Certificate now")),
            (_receipt(each) for each in side["receipts"]),
        )
    if side["refused"]:
        out.table((Sentence("来源记录号", "Row id"), Sentence("字段", "Field"), Sentence("规则", "Rule")), (
            (each.get("key") or f"#{each['leaf']}", each["field"], each["rule"]) for each in side["refused"]
        ))
    show_ledger(here, side["ledger"])


def _receipt(told: dict[str, Any]) -> Sequence[Cell]:
    if not told["readable"]:
        return (cause(told["cause"]), None, None, yes(False), None, None)
    good = Sentence("有效", "good")
    return (
        state(told["stage"]), told["from"], told["received"], yes(told["signature"]), yes(told["registered"]),
        cause(told["distrust"]) or good,
    )


def show_ledger(here: Situation, steps: Iterable[dict[str, Any]]) -> None:
    """Show the steps of a ledger."""
    told = list(steps)
    if told:
        here.out.table((AT, Sentence("账本", "Ledger"), STEP, RECORDS, Sentence("对象", "Subject")), (
            (one["at"], one["store"], step(one["step"]), one["records"], one["subject"]) for one in told
        ))
