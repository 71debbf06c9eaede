"""What a line says whose event is no trouble: dotted names, with a sentence each."""

from __future__ import annotations

from collections.abc import Mapping

from node.model.sentence import Sentence

EVENTS: Mapping[str, Sentence] = {
    "node.starting": Sentence("节点正在启动", "The node is starting"),
    "node.started": Sentence("节点已就绪", "The node is ready"),
    "node.draining": Sentence("节点正在停止，先完成手头的工作", "The node is stopping and finishes what it began"),
    "node.stopped": Sentence("节点已停止", "The node has stopped"),
    "node.listening": Sentence("监听{address}", "Listening on {address}"),
    "config.loaded": Sentence("配置已读取", "The configuration was read"),
    "config.reloaded": Sentence("配置已重新读取", "The configuration was read again"),
    "config.restart": Sentence("以下各节的改动在重启后生效：{tables}", "Changes of these tables need a restart: {tables}"),
    "crypto.fallback": Sentence("改用较慢的密码实现", "A slower cryptographic library is used instead"),
    "crypto.opened": Sentence("密码库已自检：{library}", "Cryptographic libraries, self-tested: {library}"),
    "health.red": Sentence("就绪检查未通过：{check}", "The readiness check {check} is red"),
    "health.green": Sentence("就绪检查已恢复：{check}", "The readiness check {check} is green again"),
    "peer.up": Sentence("对端{peer}已连通", "Peer {peer} is reached"),
    "peer.refused": Sentence("拒绝了一个连接", "A connection was turned away"),
    "store.purged": Sentence("已按保留期清理{count}项", "{count} finished item(s) were purged by retention"),
    "receipts.reissued": Sentence("{count}份回执因密钥被吊销而重签", "{count} receipt(s) were signed anew, their key was revoked"),
    "parcels.resupplied": Sentence(
        "{count}个数据包因对方更换加密证书而重新装包", "{count} parcel(s) go again: the peer has another encryption certificate"),
    "finding.opened": Sentence("记录间规则{rule}：打开核对发现{finding}", "Rule between records {rule}: finding {finding} opened"),
    "finding.closed": Sentence("记录间规则{rule}：核对发现{finding}已消除", "Rule between records {rule}: finding {finding} closed"),
    "control.retry": Sentence("{who}要求{queue}立即重试", "{who} has the {queue} try again now"),
    "control.hold": Sentence("{who}暂停了通道{lane}", "{who} held the lane {lane}"),
    "control.release": Sentence("{who}恢复了通道{lane}", "{who} released the lane {lane}"),
    "control.resend": Sentence("{who}要求重新发送数据包{parcel}的记录", "{who} has the records of {parcel} sent again"),
    "control.recheck": Sentence("{who}要求重新核对全部办件", "{who} has every case looked at again"),
    "control.read": Sentence("{who}要求立即读取来源{source}", "{who} has the source {source} read now"),
    "control.reset": Sentence("{who}要求从头读取来源{source}", "{who} has the source {source} read from its start"),
    "control.reread": Sentence("{who}要求重新读取来源{source}", "{who} has the source {source} read once more"),
    "control.purge": Sentence("{who}放弃了数据包{parcel}", "{who} gave up the parcel {parcel}"),
    "adapter.told": Sentence("适配器{adapter}：{say}", "Adapter {adapter} says something"),
    "source.again": Sentence("来源{source}已恢复读取", "Source {source} is read again"),
    "python.warning": Sentence("运行库给出警告", "A library warned"),
    "python.log": Sentence("运行库写了一条日志", "A library logged something"),
    "twisted.log": Sentence("网络库写了一条日志", "The network library logged something"),
}
