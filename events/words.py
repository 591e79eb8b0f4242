"""What others call our tables, columns and codes, in English, Chinese and German: data.

Names are compared without case, blanks and punctuation; ours always belong to their own list.
"""

from __future__ import annotations

import re

from events.schema import TABLES

TABLE_WORDS = {
    "customers": "customer client clients people members users kunden 客户 客户表 客户信息 "
    "会员 用户",
    "transactions": "transaction trans bookings orders invoices purchases payments sales "
    "retail buchungen 交易 交易流水 流水 订单 消费 交易明细",
    "statements": "statement bills billing cardstatements 账单 对账单 月结单",
    "loans": "loan credits kredite 贷款 借据 放款",
    "interactions": "interaction contacts complaints campaigns service 互动 投诉 客服 营销",
    "outcomes": "outcome labels defaults 标签 结果 违约",
}
COLUMN_WORDS = {
    "customer_id": "customer custid custno customerno customernumber client clientid "
    "clientnum clientno cif userid user memberid member kunde kundennummer kundennr "
    "客户号 客户编号 客户id 客户 会员号 会员编号 会员id 用户id 用户编号 用户 客户代码",
    "happened_at": "date datetime time timestamp invoicedate orderdate transactiondate "
    "txdate transdate tradedate bookingdate valuedate postingdate createdat eventtime "
    "eventat buchung buchungsdatum datum statementdate closingdate billdate issuedate "
    "granteddate disbursedon since openedat signupdate 交易时间 交易日期 发生时间 "
    "发生日期 下单时间 订单日期 日期 时间 记账日期 入账日期 账单日 账单日期 出账日期 "
    "放款日期 发放日期 注册时间 注册日期 开户日期",
    "known_at": "loadedat insertedat updatedat ingestedat recordedat receivedat loaddate "
    "入库时间 更新时间 记录时间 录入时间",
    "event_id": "transactionid txid transid orderid orderno ordernumber invoice invoiceno "
    "invoiceid bookingid contactid id reference nr no 流水号 交易流水号 交易编号 "
    "交易号 订单号 订单编号 编号",
    "kind": "type transactiontype txtype transtype direction drcr art 类型 交易类型 收支 "
    "收支类型 借贷标志 方向",
    "amount": "value sum total betrag amt transactionamount spend principal 金额 交易金额 "
    "消费金额 订单金额 放款金额 贷款金额 本金",
    "channel": "via 渠道 交易渠道",
    "category": "mcc merchantcategory productcategory 类别 商户类别 品类 分类",
    "items": "itemcount 件数 商品数",
    "balance": "saldo balanceafter accountbalance 余额 账户余额",
    "account_id": "account accountno accountnumber cardid cardno cardnumber konto 账户 "
    "账号 账户号 卡号",
    "status": "state 状态 账户状态",
    "days_past_due": "dpd pastduedays overduedays dayslate 逾期天数",
    "linked_days_past_due": "linkeddpd linkedpastdue 关联逾期天数 关联账户逾期天数",
    "bill": "billed billamount statementbalance 账单金额 应还金额",
    "paid": "paidamount paymentamount 还款金额 已还金额 实还金额",
    "limit": "creditlimit limitbal creditline 信用额度 额度 授信额度",
    "loan_id": "loan loanno loannumber 贷款号 贷款编号 借据号",
    "term_months": "term termmonth duration 期限 贷款期限 期数",
    "payment": "installment instalment monthlypayment 月供 每期还款",
    "score": "satisfaction rating stars 评分 满意度",
    "campaign_id": "campaign 活动编号 活动id",
    "decided_at": "decisiondate asof 决策时间 观察点",
    "is_bad": "bad default defaulted isdefault 是否违约 违约",
    "joined_at": "joined joindate opened openedon membersince 入会时间 开户时间",
    "birth_on": "birthdate birthday dob dateofbirth birth geburtsdatum 出生日期 生日",
    "gender": "sex geschlecht 性别",
    "marital": "maritalstatus familienstand 婚姻状况 婚姻",
    "dependants": "dependents children kids kinder 子女数 抚养人数",
    "education": "educationlevel 教育程度 学历",
    "income": "annualincome yearlyincome salary einkommen 年收入 收入",
    "employed_since": "jobsince hiredate 入职时间 入职日期",
    "owns_home": "homeowner ownsrealty 是否有房",
    "owns_car": "carowner 是否有车",
    "region": "country city state province area land 地区 城市 国家 省份",
    "person_id": "personkey personhash phonehash mobilehash emailhash dochash documenthash "
    "idcardhash addresshash deviceid household householdid 手机号哈希 证件号哈希 家庭编号 设备号",
    "products": "productcount productsheld 产品数 持有产品数",
}
CODE_WORDS = {
    "purchase": "buy sale sales order k kauf spend pos card 消费 购买 支付 付款 下单",
    "refund": "return returned chargeback r rückgabe 退款 退货",
    "inflow": "credit cr deposit salary transferin incoming in prijem 转入 存款 入账 收入 工资 贷",
    "outflow": "debit dr withdrawal transferout outgoing out vydaj vyber 转出 取款 支出 借",
    "fee": "fees charge charges gebühr 手续费 年费",
    "interest": "zins 利息",
    "unused": "inactive nouse 未使用",
    "paid_in_full": "paid full settled transactor 全额还款 已还清 结清",
    "revolving": "revolver minimum partial 循环 最低还款 部分还款",
    "past_due": "overdue late delinquent 逾期",
    "contact": "call visit email 联系 来电",
    "complaint": "complaints 投诉",
    "satisfaction": "survey nps 满意度调查",
    "app_session": "app login session 登录",
    "campaign": "offer mailing 营销",
    "response": "answered clicked 响应",
}
QUANTITY = "quantity qty pieces units menge anzahl 数量"
PRICE = "price unitprice preis stückpreis 单价 价格"
ARTICLE = "stockcode sku article productid itemid product artikel 商品编号 商品id 商品"


def plain(name: str) -> str:
    """A name without case, blanks and punctuation.

    >>> plain("Customer ID"), plain("交易_金额")
    ('customerid', '交易金额')
    """
    return re.sub(r"[\W_]+", "", name).lower()


def split(words: str) -> frozenset[str]:
    """The words of a list, plain."""
    return frozenset(plain(w) for w in words.split())


def names_table(name: str, table: str) -> bool:
    """Whether others call this table of ours so."""
    return plain(name) in split(TABLE_WORDS[table]) | {plain(table)}


def likeness(name: str, column: str) -> int:
    """How surely a name means a column of ours: 3 our own, 2 a known word, 1 ends like one, 0."""
    ours, theirs = plain(column), plain(name)
    if theirs == ours:
        return 3
    known = split(COLUMN_WORDS.get(column, ""))
    if theirs in known:
        return 2
    return int(any(len(w) >= 4 and theirs.endswith(w) for w in known | {ours}))


def code_of(text: str, allowed: tuple[str, ...]) -> str | None:
    """Which of our codes a text of theirs means, None where it is not known."""
    theirs = plain(text)
    found = [c for c in allowed if theirs in split(CODE_WORDS.get(c, "")) | {plain(c)}]
    return found[0] if len(found) == 1 else None


def known_columns() -> frozenset[str]:
    """Every column that has words here."""
    return frozenset(c.name for t in TABLES.values() for c in t.columns) & set(COLUMN_WORDS)
