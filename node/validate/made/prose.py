"""Made-up wording of fields by their names, so that samples read like what offices send; all of it invented."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from node.validate.made.dice import Dice

OFFICES = (
    "市场监督管理局 自然资源局 生态环境局 住房和城乡建设局 交通运输局 农业农村局 卫生健康局 应急管理局 城市管理和综合执法局 "
    "文化广电旅游体育局 民政局 水利局"
).split()
PLACES = "清远市 清城区 清新区 英德市 连州市 佛冈县 阳山县".split()
ITEMS = (
    "食品经营许可 药品经营许可 危险化学品经营许可 道路运输经营许可 排污许可 取水许可 建设工程规划许可 建筑工程施工许可 "
    "医疗机构执业登记 公共场所卫生许可 林木采伐许可 烟草专卖零售许可"
).split()
VIOLATIONS = (
    "未取得许可从事经营活动 超标排放污染物 销售不合格产品 未按规定公示年度报告 违反安全生产管理规定 擅自改变建筑用途 "
    "发布虚假广告 未按规定处置危险废物"
).split()
INDICATORS = (
    "地区生产总值 规模以上工业增加值 固定资产投资 社会消费品零售总额 一般公共预算收入 居民人均可支配收入 城镇登记失业率 "
    "外贸进出口总额 常住人口 商品房销售面积"
).split()
LISTS = (
    "失信被执行人 重大税收违法失信主体 严重违法失信企业 拖欠农民工工资失信主体 安全生产失信主体 纳税信用A级纳税人 海关高级认证企业"
).split()
TOPICS = (
    "优化营商环境 政务信息资源共享 深化放管服改革 规范行政执法 促进民营经济发展 加强社会信用体系建设 国土空间规划 污染防治"
).split()
LAWS = "中华人民共和国食品安全法 中华人民共和国广告法 中华人民共和国水污染防治法 中华人民共和国安全生产法".split()
PENALTIES = (
    "警告 罚款 没收违法所得、没收非法财物 责令停产停业 暂扣许可证 吊销许可证 警告、罚款 罚款、没收违法所得 其他-通报"
).split()


def document_number(dice: Dice, kinds: Sequence[str]) -> str:
    """Return the number of an official document, `清市监许〔2018〕123号`."""
    office = dice.pick(["清市监", "清环", "英住建", "连交", "佛卫健", "阳农", "清应急", "清城综执"])
    return f"{office}{dice.pick(kinds)}〔{2014 + dice.below(5)}〕{1 + dice.below(99999)}号"


def identity_document(dice: Dice) -> str:
    """Return the number of a travel document."""
    return f"{dice.pick('EGHM')}{dice.below(10**8):08d}"


def _office(dice: Dice) -> str:
    return dice.pick(PLACES) + dice.pick(OFFICES)


def _decision(dice: Dice) -> str:
    return document_number(dice, ["许", "许准", "罚", "罚决", "处", "认"])


WORDING: Mapping[str, Callable[[Dice], str]] = {
    "DocumentNumber": _decision,
    "AuthorityName": _office,
    "SourceOrgName": _office,
    "DocumentName": lambda dice: f"准予{dice.pick(ITEMS)}决定书",
    "ItemName": lambda dice: dice.pick(ITEMS),
    "PermitCategory": lambda dice: dice.pick(["普通", "特许", "认可", "核准", "登记", "其他-备案"]),
    "CertificateName": lambda dice: f"{dice.pick(ITEMS)}证",
    "CertificateNumber": lambda dice: f"粤{dice.pick(['清', '英', '连'])}{dice.below(10**10):010d}",
    "SubjectIdNumber": identity_document,
    "LegalRepIdNumber": identity_document,
    "ListName": lambda dice: dice.pick(LISTS),
    "ListReason": lambda dice: f"{dice.pick(VIOLATIONS)}，依法列入名单",
    "BasisDocumentNumber": _decision,
    "ExitReason": lambda dice: dice.pick(["已履行义务，信用修复", "列入期限届满", "认定决定被撤销"]),
    "Title": lambda dice: f"关于{dice.pick(TOPICS)}的{dice.pick(['通知', '意见', '实施办法', '实施方案'])}",
    "FileName": lambda dice: f"{dice.pick(TOPICS)}-{dice.below(1000):03d}.{dice.pick(['pdf', 'ofd', 'docx'])}",
    "MediaType": lambda dice: dice.pick(["application/pdf", "application/ofd", "application/msword", "image/tiff"]),
    "IssuerName": lambda dice: f"{dice.pick(PLACES)}人民政府",
    "IndicatorCode": lambda dice: f"{dice.pick('ABCDEF')}{1 + dice.below(20):02d}{1 + dice.below(900):03d}",
    "IndicatorName": lambda dice: dice.pick(INDICATORS),
    "Unit": lambda dice: dice.pick(["亿元", "万元", "万人", "%", "万平方米", "家"]),
    "RevisionReason": lambda dice: dice.pick(["年报数据修订", "普查后修订", "基期调整", "单位漏报补报"]),
    "ProviderName": _office,
    "PermitContent": lambda dice: f"准予从事{dice.pick(ITEMS).removesuffix('许可')}，地点以许可证书所载为准",
    "PenaltyContent": lambda dice: f"{dice.pick(PENALTIES)}，自收到决定书之日起{7 + dice.below(9)}日内履行",
    "ViolationType": lambda dice: dice.pick(VIOLATIONS),
    "ViolationFact": lambda dice: f"经查，当事人{dice.pick(VIOLATIONS)}，事实清楚，证据确凿",
    "PenaltyBasis": lambda dice: f"《{dice.pick(LAWS)}》第{1 + dice.below(120)}条第{1 + dice.below(4)}款",
    "PenaltyCategory": lambda dice: dice.pick(PENALTIES),
    "RevokedCertificate": lambda dice: f"{dice.pick(ITEMS)}证，编号{dice.below(10**8):08d}",
}
"""What is written in fields of these names."""

NAMED_BY: Mapping[str, tuple[str, str]] = {"SubjectName": ("SubjectKindCode", "1")}
"""Fields that name a natural person if another field has a value, and an organisation otherwise."""
