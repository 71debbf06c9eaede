"""What free texts of made-up records are made of: words of the field that a name stands for, in Chinese.

A text of a field in `WORDS` is one of these; all are inventions, and no person, body or case is meant.
"""

from __future__ import annotations

TASKS = (
    "企业设立登记 食品经营许可 建筑工程施工许可证核发 不动产登记 道路运输经营许可 医疗机构执业登记 个体工商户变更登记 "
    "公共场所卫生许可 城镇污水排入排水管网许可 内资企业注销登记 社会保障卡补办 取水许可 林木采伐许可证核发 教师资格认定"
).split()
LICENCES = "营业执照 食品经营许可证 建筑工程施工许可证 不动产权证书 道路运输经营许可证 取水许可证 教师资格证书".split()
MATERIALS = "申请表 身份证明 法定代表人授权委托书 场所使用证明 平面布局图 章程 验资报告 健康证明 环境影响评价文件".split()
OPINIONS = (
    "材料齐全，符合法定形式，同意受理。 经审查符合条件，同意。 请补充场所使用证明后再报。 情况属实，拟同意，报领导审批。 "
    "不符合规定条件，不予许可。 现场核查合格，同意发证。"
).split()
BODIES = "市场监督管理局 住房和城乡建设局 自然资源局 交通运输局 卫生健康局 水利局 林业局 教育局 政务服务数据管理局".split()
SUPPLIES = ("缺少场所使用证明 申请表未签名 身份证明已过期 平面图与现场不符").split()
REASONS = (
    "不属于本机关职权范围 申请材料不符合法定形式 经告知补正后逾期未补正 依法需组织专家评审 依法需听证 申请人书面申请延期"
).split()

WORDS: dict[str, tuple[str, ...]] = {
    "TaskName": tuple(TASKS),
    "ProjectName": tuple(f"关于{task}的申请" for task in TASKS),
    "LicenceName": tuple(LICENCES),
    "LicenceTypeName": tuple(LICENCES),
    "LicenceValidity": ("长期", "三年", "五年", "自发证之日起一年"),
    "MaterialName": tuple(MATERIALS),
    "AttachName": tuple(f"{material}.pdf" for material in MATERIALS),
    "FileRef": tuple(f"files/2018/{number:06d}.pdf" for number in range(101, 140)),
    "HolderCodeType": ("证件号码",),
    "EntryName": ("KZ_ZZMS", "KZ_JYFW", "住所", "经营范围", "备注"),
    "RelatedItemName": tuple(TASKS),
    "SealName": tuple(f"{body}电子证照专用章" for body in BODIES),
    "StatusReason": ("信息变更", "持证人申请注销", "有效期届满", "依法撤销"),
    "ByLaw": ("《中华人民共和国水法》第四十八条", "《中华人民共和国食品安全法》第三十五条", "《不动产登记暂行条例》第十四条"),
    "Opinion": tuple(OPINIONS),
    "Content": tuple(REASONS),
    "Result": tuple(OPINIONS),
    "ResultDesc": tuple(OPINIONS),
    "RejectReason": tuple(REASONS),
    "VoidReason": tuple(REASONS),
    "Reason": tuple(REASONS),
    "SupplyReason": tuple(SUPPLIES),
    "StepName": ("收件", "受理", "承办", "审核", "批准", "制证", "送达"),
    "Action": ("通过", "退回", "转办", "其他"),
    "ReceiveMode": ("窗口收取", "邮寄", "网上提交", "免提交"),
    "SpecialTypeName": ("延长审批", "专家鉴定", "听证", "招标", "拍卖", "检验", "检测", "检疫", "公示", "现场验收", "其它"),
}
"""Texts by the name of the field."""

PERSONS = (
    "PersonName", "RepName", "ApplicantName", "ContactName", "HolderName", "ReceiverName", "SignerName", "LegalRep",
    "Handler", "Approver", "Applicant",
)
"""How names of fields end that hold a natural person's name."""

OFFICES = ("IssuerName", "OrgName", "ImplementOrg")
"""How names of fields end that hold a public body's name."""
