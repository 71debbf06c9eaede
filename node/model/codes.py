"""Every `EXN-…` code: its kind, HTTP status, what it says and the cure, in one table per room.

Rule 1: a code is never renamed, reused or removed once released.
Rule 2: a sentence names fields, ids and numbers, never content.
"""

from __future__ import annotations

from node.model.sentence import Sentence
from node.model.trouble import Code, Kind

_R, _H, _L = Kind.REFUSED, Kind.HOLD, Kind.RETRY
TABLE: dict[str, Code] = {}


def _code(name: str, kind: Kind, status: int, zh: str, en: str, cure_zh: str, cure_en: str) -> Code:
    code = Code(name, kind, status, Sentence(zh, en), Sentence(cure_zh, cure_en))
    if TABLE.setdefault(name, code) is not code:
        raise ValueError(f"code {name} is defined twice")
    return code


# --- crypto ---------------------------------------------------------------------------------------------------
SELFTEST = _code(
    "EXN-CRYPTO-SELFTEST", _H, 503,
    "密码算法自检未通过：{item}", "Cryptographic self-test failed: {item}",
    "检查密码库的安装；自检通过前节点不会启动", "Mend the installation of the crypto library; the node will not run before",
)
NO_LIBCRYPTO = _code(
    "EXN-CRYPTO-LIBRARY", _H, 503,
    "找不到支持SM2的libcrypto（3.0及以上）", "No libcrypto (3.0 or later) with SM2 was found",
    "安装系统OpenSSL 3，或在配置中给出libcrypto的绝对路径", "Install OpenSSL 3, or configure the absolute path of libcrypto",
)
NO_LIBGCRYPT = _code(
    "EXN-CRYPTO-LIBGCRYPT", _H, 503,
    "配置的libgcrypt无法用于SM4（需1.10及以上）", "The configured libgcrypt cannot do SM4 (1.10 or later is needed)",
    "更正crypto.libgcrypt，或改为auto、none", 'Correct crypto.libgcrypt, or make it "auto" or "none"',
)
KEY_FILE = _code(
    "EXN-KEY-FILE", _H, 503,
    "密钥文件无法使用：{name}（{reason}）", "Key file cannot be used: {name} ({reason})",
    "检查文件、口令和权限（应为0600）", "Check the file, its passphrase and its mode (0600)",
)
KEY_ROLE = _code(
    "EXN-KEY-ROLE", _H, 503,
    "密钥或证书用途不符：{name}需用于{role}", "Key or certificate has the wrong usage: {name} is needed for {role}",
    "签名、加密、TLS各用一对密钥", "Use one key pair each for signing, encryption and TLS",
)
KEY_VALUE = _code(
    "EXN-KEY-VALUE", _R, 422,
    "密钥、公钥或参数的数值或长度无效：{what}", "A key, point or parameter has an invalid value or length: {what}",
    "由提供该值的一方更正", "Whoever supplied the value must correct it",
)
CERT_FORM = _code(
    "EXN-CERT-FORM", _R, 422,
    "证书格式有误", "Malformed certificate",
    "请对方重新提供证书", "Ask the peer for the certificate again",
)
CERT_CHAIN = _code(
    "EXN-CERT-CHAIN", _H, 403,
    "证书{fingerprint}未通过证书链验证", "Certificate {fingerprint} does not chain to a trusted root",
    "安装签发机构证书，或请对方更换证书", "Install the issuing CA's certificate, or have the peer change its own",
)
CERT_TIME = _code(
    "EXN-CERT-TIME", _H, 403,
    "证书{fingerprint}不在有效期内", "Certificate {fingerprint} is not within its validity",
    "更换证书，并检查两端时钟", "Renew the certificate, and check both clocks",
)
CERT_REVOKED = _code(
    "EXN-CERT-REVOKED", _H, 403,
    "证书{fingerprint}已被吊销", "Certificate {fingerprint} is revoked",
    "由对方更换证书", "The peer must use a new certificate",
)
CRL_MISSING = _code(
    "EXN-CRL-MISSING", _H, 503,
    "缺少有效的吊销列表（CRL）", "No current revocation list (CRL)",
    "更新CRL文件", "Update the CRL file",
)
CRL_FORM = _code(
    "EXN-CRL-FORM", _R, 422,
    "吊销列表（CRL）格式有误，或不是已安装的签发机构所签", "Malformed revocation list (CRL), or not signed by an installed CA",
    "重新下载CRL，并安装其签发机构证书", "Fetch the CRL again, and install the certificate of the CA that signs it",
)
CHANNEL = _code(
    "EXN-TLS-CHANNEL", _H, 403,
    "TLS连接不符合要求：{what}", "The TLS connection is not as required: {what}",
    "检查双方的TLS设置和密码库版本", "Check the TLS settings and the crypto library of both ends",
)
TLS_PEER = _code(
    "EXN-TLS-PEER", _H, 403,
    "TLS对端不是所期待的节点：证书{fingerprint}", "The TLS peer is not the node expected: certificate {fingerprint}",
    "核对地址，或登记对端的TLS证书", "Check the address, or register the peer's TLS certificate",
)
CA_EXISTS = _code(
    "EXN-CA-EXISTS", _R, 409,
    "开发用CA已存在于该目录", "There is a development CA in this folder already",
    "使用另一个空目录", "Use another, empty folder",
)
CA_MISSING = _code(
    "EXN-CA-MISSING", _R, 404,
    "该目录没有可用的开发用CA：{name}", "There is no usable development CA in this folder: {name}",
    "先执行 exchange-node ca init", "Run exchange-node ca init first",
)
CA_UNKNOWN = _code(
    "EXN-CA-UNKNOWN", _R, 404,
    "开发用CA未签发过证书{serial}", "The development CA never issued certificate {serial}",
    "检查序列号或证书文件", "Check the serial number or the certificate file",
)
CA_REQUEST = _code(
    "EXN-CA-REQUEST", _R, 422,
    "开发用CA不能如此签发：{field}", "The development CA does not issue this: {field}",
    "修正该项后重试", "Mend this item and try again",
)

# --- envelope -------------------------------------------------------------------------------------------------
STATEMENT = _code(
    "EXN-STATEMENT", _R, 422,
    "声明不符合规范：{reason}", "The statement breaks its form: {reason}",
    "由发送方修正程序", "The sender's program must be mended",
)
CMS_FORM = _code(
    "EXN-CMS-FORM", _R, 422,
    "签名或信封结构不符合GB/T 35275规定的写法：{reason}", "The CMS structure is outside our GB/T 35275 profile: {reason}",
    "由发送方修正程序", "The sender's program must be mended",
)
SIGNATURE = _code(
    "EXN-SIGNATURE", _R, 403,
    "签名验证失败", "The signature does not verify",
    "由发送方检查签名密钥与证书是否一致", "The sender must check that its signing key and certificate agree",
)
TOO_LARGE = _code(
    "EXN-TOO-LARGE", _R, 413,
    "超出大小限制：{what}，上限{limit}", "Too large: {what}, the limit is {limit}",
    "减小后重新提交", "Send less at once",
)
OPEN = _code(
    "EXN-OPEN", _R, 422,
    "数据包无法打开", "The parcel cannot be opened",
    "核对接收方证书后重新封装；原因见接收方本地日志", "Seal again to the receiver's present certificate; the cause is in the receiver's log",
)
DIGEST = _code(
    "EXN-DIGEST", _R, 422,
    "信封与装箱单的摘要或长度不一致", "The envelope's digest or size is not the manifest's",
    "重新发送", "Send again",
)
PROOF = _code(
    "EXN-PROOF", _R, 422,
    "证明不成立：{reason}", "The proof does not hold: {reason}",
    "向出具证明的一方索取新的证明", "Ask whoever gave the proof for a new one",
)
FRAME = _code(
    "EXN-FRAME", _R, 422,
    "数据包的外层格式有误：{reason}", "The parcel's frame is broken: {reason}",
    "重新发送；如重复出现，由发送方修正程序", "Send again; if it repeats, the sender's program must be mended",
)
CMS_UNREADABLE = _code(
    "EXN-CMS-UNREADABLE", _R, 422,
    "文件不是可识别的CMS消息：{reason}", "The file is not a CMS message that can be read: {reason}",
    "请提供DER、PEM或Base64形式的GB/T 35275消息", "Give a GB/T 35275 message in DER, PEM or base64",
)
CMS_STATEMENT = _code(
    "EXN-CMS-STATEMENT", _R, 422,
    "拒绝签名：内容以交换声明的前缀开头", "Not signed: the content begins like a statement of the exchange",
    "交换声明只能由节点自己签署", "Statements of the exchange are signed by the node alone",
)

# --- validate -------------------------------------------------------------------------------------------------
MALFORMED = _code(
    "EXN-DOCUMENT", _R, 400,
    "文档无法解析：{reason}，第{line}行", "The document cannot be read: {reason}, line {line}",
    "检查格式、字符集和结束标记后重新提交；不得含DTD、重复的名称或字节顺序标记",
    "Mend its syntax and charset and submit again; no DTD, no repeated names, no byte order mark",
)
LINE = _code(
    "EXN-LINE", _R, 422,
    "数据包中的记录行不符合规范：{reason}", "A record line of a parcel breaks its form: {reason}",
    "由发送方修正程序", "The sender's program must be mended",
)
SPECIFICATION_FORM = _code(
    "EXN-SPECIFICATION-FORM", _H, 503,
    "接口规范{name}不可用（{where}）：{reason}", "Specification {name} cannot be used ({where}): {reason}",
    "按xsd/README.md修正该文件；已发布的版本不得修改，应发布新版本",
    "Mend the file by xsd/README.md; a published version is never edited, publish a new one",
)
MAPPING_FORM = _code(
    "EXN-MAPPING-FORM", _H, 503,
    "字段映射{name}有{count}处错误，首处：第{line}行 {key}", "Mapping {name} has {count} faults, the first at line {line}: {key}",
    "运行 exchange-node validate --mapping 查看每一处错误，按xsd/README.md修正",
    "exchange-node validate --mapping tells every fault; mend them by xsd/README.md",
)
BETWEEN_FORM = _code(
    "EXN-BETWEEN-FORM", _H, 503,
    "记录间规则{name}有{count}处错误，首处：第{line}行 {key}",
    "The rules between records {name} have {count} faults, the first at line {line}: {key}",
    "按xsd/README.md中的“Rules between records”一节修正每一处错误；已发布的版本不再修改，请发布新版本",
    "Mend each fault by the section \"Rules between records\" of xsd/README.md; a published version is never edited",
)
DISAGREE = _code(
    "EXN-VALIDATE-DISAGREE", _H, 500,
    "校验程序自相矛盾：接口规范{spec}，第{index}条", "Two readings of specification {spec} disagree on record {index}",
    "这是本程序的缺陷，请把此代码与接口规范名称交给开发方", "This is a fault of the program; report this code and the specification's name",
)

# --- exchange -------------------------------------------------------------------------------------------------
UNREGISTERED = _code(
    "EXN-UNREGISTERED", _H, 403,
    "未登记的证书或节点", "The certificate or node is not registered here",
    "请中心登记该证书", "Have the certificate registered",
)
NOT_ALLOWED = _code(
    "EXN-NOT-ALLOWED", _H, 403,
    "对端{peer}无权进行此项操作：{what}", "Peer {peer} may not do this: {what}",
    "请管理方授权", "Have it granted",
)
SUSPENDED = _code(
    "EXN-SUSPENDED", _H, 403,
    "对端{peer}已被停用", "Peer {peer} is suspended",
    "恢复该对端后自动继续", "It goes on by itself when the peer is reinstated",
)
MISADDRESSED = _code(
    "EXN-MISADDRESSED", _R, 422,
    "声明不是发给本节点的，或属于其他交换域", "The statement is for another node or another domain",
    "检查双方的域和节点代码", "Check the domain and node codes of both ends",
)
UNKNOWN_SPECIFICATION = _code(
    "EXN-SPECIFICATION", _H, 409,
    "接口规范{spec}在接收方不可用或内容不同", "Specification {spec} is not held by the receiver, or differs",
    "双方安装同一版本的接口规范", "Install the same version of the specification at both ends",
)
VERSION_EARLY = _code(
    "EXN-VERSION-EARLY", _R, 422,
    "接口规范{spec}自{since}起才接受，现行版本为{right}", "Specification {spec} is taken from {since} on; now it is {right}",
    "现在按{right}提交，或在该时间之后再提交", "Submit under {right} now, or later under this one",
)
VERSION_ENDED = _code(
    "EXN-VERSION-ENDED", _R, 422,
    "接口规范{spec}自{until}起不再接受，现行版本为{right}", "Specification {spec} is not taken since {until}; now it is {right}",
    "按{right}修正后重新提交", "Mend the records by {right} and submit them again",
)
VERSION_OTHER = _code(
    "EXN-VERSION-OTHER", _R, 422,
    "信息资源{resource}不接受接口规范{spec}，现行版本为{right}",
    "Resource {resource} does not take specification {spec}; now it is {right}",
    "按{right}提交", "Submit under {right}",
)
UNSUPPORTED = _code(
    "EXN-UNSUPPORTED", _R, 422,
    "不支持的数据包类型：{kind}", "Unsupported kind of parcel: {kind}",
    "升级接收方，或不再发送该类型", "Upgrade the receiver, or send no such parcel",
)
BEHIND = _code(
    "EXN-BEHIND", _L, 409,
    "通道尚缺之前的数据包", "Parcels before this one are missing",
    "发送方自动从断点续发", "The sender rewinds by itself",
)
FORK = _code(
    "EXN-FORK", _H, 409,
    "同一位置出现两个不同的数据包（分叉）", "Two different parcels claim one place (a fork)",
    "核实发送方是否从旧备份恢复或被复制", "Find out whether the sender was restored or cloned",
)
PURGED = _code(
    "EXN-PURGED", _L, 409,
    "该数据包的回执已按期清理", "The receipt of this parcel was purged by retention",
    "发送方自动开启新的通道时期", "The sender opens a new lane epoch by itself",
)
SUPERSEDED = _code(
    "EXN-SUPERSEDED", _H, 409,
    "发送方使用了已作废的时期", "The sender speaks from a superseded epoch",
    "停止旧副本，仅保留一个节点运行", "Stop the old copy; run one node only",
)
GREET = _code(
    "EXN-GREET", _L, 409,
    "请先发送问候（hello）", "Say hello first",
    "对端程序自动处理", "The peer's program does so by itself",
)
CLONED = _code(
    "EXN-CLONED", _H, 409,
    "对端{peer}同时有两个副本在运行", "Peer {peer} is running twice",
    "停止其中一个副本，并在另一个上执行恢复", "Stop one copy, and run restore on the other",
)
ORIGIN = _code(
    "EXN-ORIGIN", _R, 422,
    "来源节点与发送方不符，且未获准转送", "The record's origin is not the sender, and it may not pass it on",
    "由来源节点直接报送，或登记转送权限", "Send from the origin, or have the relay registered",
)
HELD = _code(
    "EXN-HELD", _H, 409,
    "已由人工暂停", "Held by a person",
    "由有权限的人员恢复", "Whoever held it lets it go on",
)
LANE_BUSY = _code(
    "EXN-LANE-BUSY", _L, 409,
    "通道正在发送", "The lane is sending just now",
    "稍后再试", "Try again in a moment",
)
GRANT = _code(
    "EXN-GRANT", _H, 403,
    "授权{grant}不存在或已到期", "Grant {grant} does not exist or has ended",
    "续期或重新授权后自动继续", "It goes on by itself when the grant is renewed",
)
CLOCK = _code(
    "EXN-CLOCK", _H, 403,
    "对端时间与本机相差超过限度", "The peer's clock differs from ours beyond the limit",
    "校准两端时钟", "Set both clocks",
)
DISK = _code(
    "EXN-DISK", _L, 507,
    "磁盘空间不足，暂停接收：{what}", "Disk space is short, intake is closed: {what}",
    "清理或扩容磁盘，恢复后自动继续", "Free or add disk; it goes on by itself",
)
QUOTA = _code(
    "EXN-QUOTA", _L, 429,
    "对端{peer}超出配额", "Peer {peer} is over its quota",
    "稍后自动重试", "It is tried again by itself",
)
DRAINING = _code(
    "EXN-DRAINING", _L, 503,
    "节点正在停止，不再接收", "The node is stopping and takes nothing new",
    "稍后重试", "Try again later",
)
PEER_SAID = _code(
    "EXN-PEER-SAID", _L, 503,
    "对端{peer}答复{status}（{said}）", "Peer {peer} answered {status} ({said})",
    "按其代码处理；多数情况自动继续", "See its code; mostly it goes on by itself",
)
PEER_DOWN = _code(
    "EXN-PEER-DOWN", _L, 503,
    "对端{peer}暂时无法到达", "Peer {peer} cannot be reached",
    "自动重试，无需处理", "It is tried again by itself",
)

# --- store ----------------------------------------------------------------------------------------------------
STORE_NEWER = _code(
    "EXN-STORE-NEWER", _H, 503,
    "数据库{name}由更新版本的程序创建", "Store {name} was written by a newer version of the program",
    "安装新版本程序，或从备份恢复", "Install the newer version, or restore a backup",
)
STORE_TAKEN = _code(
    "EXN-STORE-TAKEN", _L, 503,
    "数据库{name}正由另一个节点进程使用", "Another node process is using store {name}",
    "一个状态目录只能运行一个节点；先停止另一个，或更改node.state", "One state folder has one node: stop the other, or change node.state",
)
STORE_BUSY = _code(
    "EXN-STORE-BUSY", _L, 503,
    "数据库{name}暂时不可写", "Store {name} cannot be written now",
    "稍后自动重试", "It is tried again by itself",
)
STORE_GONE = _code(
    "EXN-STORE-GONE", _L, 503,
    "数据库{name}的文件已不在原处", "The file of store {name} is not in its place any more",
    "放回原文件后自动恢复；若已删除，停止节点并从备份恢复", "Put the file back and it goes on; if it was deleted, stop the node and restore",
)
STORE_CORRUPT = _code(
    "EXN-STORE-CORRUPT", _H, 503,
    "本地存储的数据包{parcel}与入库时不一致", "Parcel {parcel} in our store is not what was stored",
    "检查磁盘，从备份恢复后重新接收", "Check the disk, restore, and receive it again",
)
STORE_DAMAGED = _code(
    "EXN-STORE-DAMAGED", _H, 503,
    "数据库{name}的内容已损坏", "Store {name} is damaged",
    "检查磁盘，从备份恢复", "Check the disk, and restore a backup",
)
STATE = _code(
    "EXN-STATE", _R, 409,
    "数据包{parcel}处于状态{state}，不能进行此操作", "Parcel {parcel} is in the state {state}, which does not allow this",
    "查询数据包的当前状态后再操作", "Look at the parcel's present state first",
)
FENCED = _code(
    "EXN-FENCED", _L, 409,
    "租约已失效，结果未采用", "The claim is void, its result was not taken",
    "由新的持有者继续", "Whoever holds the new claim goes on",
)

# --- local API ------------------------------------------------------------------------------------------------
KEY_MISSING = _code(
    "EXN-API-KEY-MISSING", _R, 400,
    "缺少请求头 Idempotency-Key", "The header Idempotency-Key is missing",
    "为每次提交生成一个唯一值，重试时使用同一值", "Send one unique value per submission, the same on each retry",
)
KEY_RUNNING = _code(
    "EXN-API-KEY-RUNNING", _L, 409,
    "相同 Idempotency-Key 的提交正在处理", "A submission with this Idempotency-Key is running",
    "稍后用同一值重试", "Try again later with the same value",
)
KEY_REUSED = _code(
    "EXN-API-KEY-REUSED", _R, 422,
    "相同 Idempotency-Key 已用于不同的内容", "This Idempotency-Key was used with another body",
    "内容不同时请使用新的值", "Use a new value for new content",
)
RESOURCE = _code(
    "EXN-API-RESOURCE", _R, 404,
    "未配置的信息资源：{resource}", "Unknown resource: {resource}",
    "检查路径中的资源代码", "Check the resource code in the path",
)
MEDIA = _code(
    "EXN-API-MEDIA", _R, 415,
    "不支持的内容类型或字符集", "Unsupported content type or charset",
    "使用 application/json、application/x-ndjson 或 application/xml，UTF-8 或 GB18030；text/csv 须用 ?mapping= 指明字段映射",
    "Use application/json, application/x-ndjson or application/xml, in UTF-8 or GB18030; text/csv needs a ?mapping=",
)
MAPPING = _code(
    "EXN-API-MAPPING", _R, 422,
    "信息资源{resource}没有此字段映射，或映射用于另一版本", "Resource {resource} has no such mapping, or it is to another version",
    "检查mapping参数和该信息资源的配置mappings", "Check the parameter mapping, and mappings in the resource's configuration",
)
NOT_FOUND = _code(
    "EXN-API-NOT-FOUND", _R, 404, "没有此对象", "There is no such thing", "检查编号", "Check the id",
)
BAD_REQUEST = _code(
    "EXN-API-REQUEST", _R, 400, "请求有误：{reason}", "Bad request: {reason}", "修正请求", "Mend the request",
)
UNAUTHORIZED = _code(
    "EXN-API-UNAUTHORIZED", _R, 401, "未通过身份验证", "Not authenticated",
    "使用令牌文件中的令牌", "Use the token in the token file",
)
ALL_REFUSED = _code(
    "EXN-API-ALL-REFUSED", _R, 422, "没有一条记录通过校验", "No record passed its specification",
    "按所列问题修正后重新提交", "Mend what is listed and submit again",
)
METHOD = _code(
    "EXN-API-METHOD", _R, 405, "不支持的方法", "Method not allowed", "检查请求方法", "Check the method",
)
FAULT = _code(
    "EXN-FAULT", _L, 500, "节点内部故障，编号{fault}", "Internal fault {fault}",
    "稍后重试；如重复出现，请把编号交给运维人员", "Try again; if it repeats, give the number to operations",
)

# --- wire -----------------------------------------------------------------------------------------------------
HEAD_LIMIT = _code(
    "EXN-API-HEAD", _R, 431, "请求头过多或过长", "The request's head is too large", "减少请求头", "Send fewer or shorter headers",
)
TOO_SLOW = _code(
    "EXN-API-SLOW", _L, 408, "请求在限定时间内未到齐", "The request did not arrive in time", "重新提交", "Send it again",
)
CROWDED = _code(
    "EXN-API-CROWDED", _L, 503, "同时进行的请求过多", "Too many requests at once", "稍后自动重试", "Try again later",
)
PEER_ANSWER = _code(
    "EXN-PEER-ANSWER", _L, 502,
    "对端{peer}的应答不符合协议：{reason}", "The answer of peer {peer} breaks the protocol: {reason}",
    "自动重试；如持续出现，请对端检查其程序或中间设备", "It is tried again; if it stays, have the peer and what stands between checked",
)

# --- adapters -------------------------------------------------------------------------------------------------
ADAPTER_FRAME = _code(
    "EXN-ADAPTER-FRAME", _R, 502,
    "适配器进程的输出不是约定的帧：{reason}", "What the adapter's process says is no frame: {reason}",
    "由适配器的作者更正；适配器不得写标准输出", "The adapter's author must mend it; it must not write to standard output",
)
ADAPTER = _code(
    "EXN-ADAPTER", _H, 503,
    "适配器{name}：{reason}", "Adapter {name}: {reason}",
    "按所述修正来源系统或配置，再用 exchange-node adapter check 复查",
    "Mend the source or the configuration as it says, then run exchange-node adapter check",
)
ADAPTER_DOWN = _code(
    "EXN-ADAPTER-DOWN", _L, 503,
    "适配器{name}暂时无法工作：{reason}", "Adapter {name} cannot work now: {reason}",
    "自动重试；如持续出现，检查来源系统和网络", "It is tried again; if it stays, look at the source and the network",
)
ADAPTER_FAULT = _code(
    "EXN-ADAPTER-FAULT", _L, 502,
    "适配器{name}出错：{reason}", "Adapter {name} failed: {reason}",
    "自动重试；如持续出现，请适配器的作者检查", "It is tried again; if it stays, have its author look",
)
ADAPTER_ENDED = _code(
    "EXN-ADAPTER-ENDED", _L, 503,
    "适配器{name}的进程已结束：{reason}", "The process of adapter {name} ended: {reason}",
    "自动重新启动；如持续出现，检查其内存和时间限制", "It is started again; if it stays, look at its limits of memory and time",
)
ADAPTER_ERRORS = _code(
    "EXN-ADAPTER-ERRORS", _H, 503,
    "来源{source}的一次读取中，{rows}行里有{refused}行不合格，超过上限",
    "Of {rows} rows in one read of {source}, {refused} were refused: too many",
    "用 exchange-node adapter dirty 查看原因，修正映射、来源或 error_limit 后重新加载",
    "See why with exchange-node adapter dirty, mend the mapping, the source or error_limit, and reload",
)
ADAPTER_BOUNDLESS = _code(
    "EXN-ADAPTER-BOUNDLESS", _H, 503,
    "来源{source}在{rows}行内没有给出断点", "Source {source} gave no bookmark within {rows} rows",
    "由适配器的作者更正：断点应隔几千行给出一次", "Its author must mend it: a bookmark is due every few thousand rows",
)

# --- config ---------------------------------------------------------------------------------------------------
CONFIG = _code(
    "EXN-CONFIG", _H, 503,
    "配置有{count}处错误", "The configuration has {count} fault(s)",
    "按所列文件、行号和键逐条修正，再用 exchange-node check 复查",
    "Mend each place listed by file, line and key, then run exchange-node check",
)

# --- observe --------------------------------------------------------------------------------------------------
NOT_READY = _code(
    "EXN-NOT-READY", _L, 503,
    "节点未就绪：{count}项检查未通过", "The node is not ready: {count} check(s) failed",
    "按所列检查逐项处理；恢复后自动转为就绪", "Mend each check listed; it turns ready by itself",
)
CHECK_SLOW = _code(
    "EXN-CHECK-SLOW", _L, 503,
    "检查在{seconds}秒内没有结果", "The check gave no result within {seconds} seconds",
    "检查磁盘和负载", "Look at the disk and the load",
)
LOG_FILE = _code(
    "EXN-LOG-FILE", _H, 503,
    "日志文件{name}无法打开", "The log file {name} cannot be opened",
    "检查其目录和权限", "Check its folder and mode",
)
DISK_SYNC = _code(
    "EXN-DISK-SYNC", _H, 503,
    "状态目录不能写入或同步", "The state folder cannot be written or synced",
    "检查磁盘、挂载和权限", "Check the disk, its mount and its mode",
)

# --- service --------------------------------------------------------------------------------------------------
LISTEN = _code(
    "EXN-LISTEN", _H, 503,
    "无法监听{address}", "Cannot listen on {address}",
    "端口可能被占用，或本机没有该地址；更改配置或停止占用者", "The port may be taken or the address not this machine's; "
    "change the configuration or stop who holds it",
)
STATE_FOLDER = _code(
    "EXN-STATE-FOLDER", _H, 503,
    "状态目录无法使用：{reason}", "The state folder cannot be used: {reason}",
    "检查其存在、属主和权限（应为0700）", "Check that it exists, its owner and its mode (0700)",
)
CERT_ENDS = _code(
    "EXN-CERT-ENDS", _H, 503,
    "证书{fingerprint}将在{days}天内到期", "Certificate {fingerprint} ends within {days} day(s)",
    "尽快更换证书，并请对端登记新证书", "Renew it soon, and have the peers register the new one",
)
CRL_LATE = _code(
    "EXN-CRL-LATE", _H, 503,
    "吊销列表（CRL）{name}已过期，仍在宽限期内", "Revocation list {name} is out of date, within its grace",
    "更新CRL文件后重新加载配置", "Update the CRL file and reload",
)
CLOCK_WRONG = _code(
    "EXN-CLOCK-WRONG", _H, 503,
    "本机时钟不可信：{reason}", "This machine's clock cannot be right: {reason}",
    "校准时钟并启用时间同步", "Set the clock and keep it synchronised",
)
