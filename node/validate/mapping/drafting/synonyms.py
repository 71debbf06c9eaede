"""What legacy tables call the things that our labels name; the label itself, and its pinyin, need not stand here.

Before `|` stand words that mean just this, behind it words that mean it only where nothing else in the table does.
"""

from __future__ import annotations

from collections.abc import Mapping

_SAID = """
来源记录号: 记录号 记录编号 主键 流水号 RECORD_ID ROW_ID | 序号 编号 ID XH BH LSH GUID UUID
同步类型: 操作类型 操作标识 操作标志 变更类型 数据操作 同步标识 OPERATION OPT_TYPE OP_TYPE OPER_TYPE | 操作 OP
业务产生时间: 更新时间 最后更新时间 修改时间 最后修改时间 数据更新时间 变更时间 更新日期 修改日期 时间戳
  UPDATE_TIME UPDATED_AT UPDATE_DATE UPDATETIME MODIFY_TIME MODIFIED_AT MODIFY_DATE LAST_MODIFIED LAST_UPDATE
  LAST_UPDATE_TIME GMT_MODIFIED | 创建时间 录入时间 入库时间 登记时间 采集时间 CREATE_TIME CREATED_AT GMT_CREATE
备注: 备注信息 备注说明 REMARK REMARKS | 说明 附注 MEMO NOTE
来源系统: 系统来源 数据来源系统 来源系统名称
数据来源单位: 数据来源 来源单位 数据提供单位 | 提供单位
数据来源单位统一社会信用代码: 数据来源单位代码 来源单位代码 数据提供单位代码
姓名: 公民姓名 人员姓名 姓名全称 REAL_NAME PERSON_NAME XINGMING | 名字 NAME
公民身份号码: 身份证号 身份证号码 身份证 公民身份证号码 公民身份证号 居民身份证号 居民身份证号码 身份号码 身份证件号码
  ID_CARD IDCARD ID_CARD_NO IDCARDNO SFZ SFZHM GMSFHM | 证件号码 证件号 ID_NO ID_NUMBER
证件类型: 证件类别 证件种类
性别: GENDER SEX XINGBIE
民族: NATION ETHNIC ETHNICITY MINZU | 族别
出生日期: 出生年月日 出生时间 BIRTHDAY BIRTH_DATE BIRTHDATE DOB | 出生年月 生日 出生
出生地行政区划: 出生地区划 出生地代码 | 出生地
籍贯行政区划: 籍贯代码 籍贯区划 | 籍贯
户籍地行政区划: 户籍区划 户籍地区划 户籍行政区划 户口所在地区划 户籍所在地区划 | 行政区划 区划 区划代码 所属区划 户籍地 XZQH QHDM
户籍详细地址: 户籍地址 户籍地详细地址 户籍所在地 户口所在地 户籍住址 户口地址 户籍地详址 户籍地详细住址 | 住址 地址 家庭住址 详细地址 ADDRESS ADDR
居住地行政区划: 居住地区划 现居住地区划 现住地区划 | 居住地
居住地详细地址: 居住地址 现住址 现住地址 现居住地址 现居住地 常住地址 居住地详址 实际居住地址 实际居住地 | 住所
户号: 户口号 户籍号 户口簿号 户编号 户口本号 | 家庭编号
与户主关系: 户主关系 与户主的关系 家庭关系
婚姻状况: 婚姻 婚姻状态 婚姻情况 MARRIAGE MARITAL MARITAL_STATUS | 婚否
学历: 文化程度 教育程度 受教育程度 最高学历 EDUCATION
移动电话: 手机 手机号 手机号码 移动电话号码 MOBILE MOBILE_PHONE CELLPHONE SJ SJH SJHM | 联系电话 电话 联系方式 电话号码 本人电话 PHONE TEL TELEPHONE LXDH
人员状态: 人口状态 户籍状态 人员现状 生存状态 | 状态 STATUS
死亡日期: 死亡时间 死亡年月日 DEATH_DATE
证件有效期起始日期: 证件有效期起 有效期起始日期 有效期限起始日期 有效期起 证件起始日期 有效期限起 身份证有效期起 | 签发日期 发证日期
证件有效期截止日期: 证件有效期止 有效期截止日期 有效期限截止日期 有效期止 证件截止日期 有效期限止 有效期至 身份证有效期止 | 有效期 失效日期
统一社会信用代码: 统一信用代码 社会信用代码 信用代码 统一代码 社会信用码 统一社会信用码 统一社会信用代码证号 USCC CREDIT_CODE UNISCID TYSHXYDM SHXYDM TYDM | 机构代码
机构名称: 单位名称 企业名称 公司名称 法人名称 主体名称 法人单位名称 组织名称 机构全称 ORG_NAME ENT_NAME ENTNAME COMPANY_NAME | 名称 单位 企业 字号 MC
机构类型: 机构类别 企业类型 法人类型 单位类型 主体类型 组织类型 机构种类 ENT_TYPE ORG_TYPE | 类型 类别
机构状态: 企业状态 经营状态 登记状态 存续状态 法人状态 单位状态 ENT_STATUS ORG_STATUS | 状态 STATUS
法定代表人姓名: 法定代表人 法人代表 法人代表姓名 法人姓名 法定代表人名称 FDDBR FRDB FRXM FDDBRXM LEGAL_PERSON LEGAL_REP | 负责人 法人 负责人姓名
法定代表人证件类型: 法人证件类型 法人代表证件类型 法定代表人证件种类 FRZJLX
法定代表人证件号码: 法人身份证号 法人证件号码 法人证件号 法人代表证件号码 法定代表人身份证号 法定代表人身份证号码 法定代表人身份证 法人身份证 法定代表人证件号 FRSFZ FRZJHM FRZJH
注册地址: 住所 登记地址 企业住所 单位住所 机构地址 注册地 企业地址 单位地址 机构住所 DOM | 地址 经营地址 办公地址 ADDRESS ADDR
行政区划: 区划代码 区划 所属区划 所在区划 登记区划 行政区划编码 XZQH QHDM | 所属地区 地区 REGION AREA_CODE
登记管理机关: 登记机关 注册机关 登记机构 登记单位 登记管理机构 REG_ORG REGORG | 管理机关 发证机关
登记管理机关统一社会信用代码: 登记机关代码 登记管理机关代码 登记机关信用代码
成立日期: 成立时间 设立日期 注册日期 设立时间 注册时间 登记日期 开业日期 EST_DATE ESTDATE | 成立
核准日期: 核准时间 批准日期 APPR_DATE
注册资本: 注册资金 认缴出资额 REG_CAP REGCAP REG_CAPITAL
开办资金: 举办资金
币种: 货币种类 注册资本币种 币种类型 CURRENCY REGCAPCUR
经营范围: 业务范围 经营业务范围 许可经营项目 OP_SCOPE OPSCOPE BUSINESS_SCOPE
行业: 行业类别 行业门类 所属行业 国民经济行业 行业分类 INDUSTRY
证照有效期起始日期: 营业期限起 营业期限自 经营期限自 经营期限起 有效期起 有效期自 证书有效期起 证照有效期起 OP_FROM OPFROM | 营业开始日期
证照有效期截止日期: 营业期限止 营业期限至 经营期限至 经营期限止 有效期止 有效期至 证书有效期止 证照有效期止 OP_TO OPTO | 营业结束日期
原工商注册号: 工商注册号 注册号 营业执照号 营业执照注册号 企业注册号 REG_NO REGNO
注销日期: 注销时间 CANCEL_DATE
经济类型: 经济性质 所有制形式
批准机关: 审批机关 批准机构
经费来源: 资金来源
举办单位: 主办单位
宗旨和业务范围: 宗旨业务范围 宗旨
社会组织类型: 社团类型
业务主管单位: 主管单位 主管部门
行政相对人名称: 相对人名称 行政相对人 相对人 当事人 当事人名称 被处罚人 被处罚人名称 被处罚单位 被处罚对象 申请人名称 被许可人 被许可人名称 | 名称 单位名称 企业名称
行政相对人类别: 相对人类别 相对人类型 当事人类别 当事人类型 | 主体类型
自然人证件类型: 相对人证件类型 当事人证件类型 证件类型
自然人证件号码: 相对人证件号码 当事人证件号码 自然人身份证号 居民身份证号 相对人身份证号 自然人身份证 身份证号 证件号码
工商注册号: 工商登记码 工商登记号 工商注册码 注册号
组织机构代码: 机构代码 组织机构码 组织代码
税务登记号: 税务登记证号 纳税人识别号 税号
事业单位证书号: 事业单位法人证书号 事业单位证号
社会组织登记证号: 社会组织证书号
行政处罚决定书文号: 处罚决定书文号 决定书文号 处罚文号 行政处罚文号 处罚决定文号 处罚决定书号 行政处罚决定书号 案号 | 文号 文书号 WSH
行政许可决定文书号: 许可决定书文号 许可文号 许可决定文书号 行政许可文号 | 文号 文书号 WSH
违法行为类型: 违法类型 违法行为 违法行为类别
违法事实: 主要违法事实 处罚事由 违法事由 案由 | 事由
处罚依据: 法律依据 处罚法律依据 | 依据
处罚类别: 处罚种类 处罚类型 行政处罚种类 行政处罚类别
处罚内容: 处罚结果 处罚决定内容 行政处罚内容
罚款金额: 罚款 罚款数额 罚没金额 罚金
没收违法所得: 没收金额 违法所得金额 没收非法财物的金额 没收违法所得金额
暂扣或吊销证照名称及编号: 暂扣或吊销证照 吊销证照 暂扣吊销证照名称
处罚决定日期: 决定日期 处罚日期 处罚时间 作出处罚日期 处罚决定书日期 处罚决定时间 决定时间 作出处罚决定日期 | 日期
许可决定日期: 决定日期 许可日期 许可时间 | 日期
处罚有效期: 处罚有效期至 处罚期限 | 有效期
公示截止期: 公示截止日期 公示期限 公示截止时间 公示期至
处罚机关: 处罚单位 执法单位 执法机关 作出处罚机关 处罚部门 处罚机关名称 作出处罚决定机关 作出处罚决定的机关 | 机关名称
处罚机关统一社会信用代码: 处罚机关代码 处罚单位代码 执法单位代码 处罚机关信用代码 处罚机关编码
许可机关: 审批机关 审批部门 发证机关 许可单位
许可机关统一社会信用代码: 许可机关代码 审批机关代码
许可项目名称: 项目名称 许可事项
许可类别: 审批类别 许可类型
许可编号: 许可证号 许可证编号 证书编号
有效期自: 许可有效期自 有效期起 许可有效期起 许可生效期
有效期至: 许可有效期至 许可截止期 有效期止
当前状态: 状态 许可状态
"""


def _read() -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    found = {}
    for line in _SAID.strip().replace("\n  ", " ").splitlines():
        label, _, said = line.partition(": ")
        just, _, loose = said.partition("|")
        found[label] = tuple(just.split()), tuple(loose.split())
    return found


SYNONYMS = _read()
"""By a label without 代码: words that mean just this, and words that may mean it."""

OTHERS = ("父亲", "母亲", "父", "母", "配偶", "监护人", "经办", "审核", "审批人", "操作人", "操作员", "创建", "录入", "联系人", "曾用", "代理", "收养",
          "前妻", "前夫", "承办", "办案", "领取", "拼音", "英文", "简称", "旧", "备用")
"""Words that make a column another person's, or another name, than the field whose label stands in it."""

UPDATED = frozenset(SYNONYMS["业务产生时间"][0])
"""What a column is called that changes with every change of its row."""
