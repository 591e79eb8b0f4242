"""The words of a report in Chinese and English: one line a key, nothing else.

Enters: a key and a language. Leaves: a text. A key without both texts cannot stand here.
"""

from __future__ import annotations

from features.catalogue import Language

WORDS: dict[str, tuple[str, str]] = {
    "title": ("模型卡与验证报告", "Model card and validation report"),
    "about": (
        "同一模型包永远生成同样的字节；第二人签署的是本文件的SHA-256。",
        "The same bundle always makes the same bytes; a second person signs this file's SHA-256.",
    ),
    "source": ("数据源", "source"),
    "bundle": ("模型包", "bundle"),
    "tierline": ("软件版本", "Tierline"),
    "catalogue": ("特征目录", "catalogue of features"),
    "policy": ("评判所依政策", "policy that judged"),
    "seed": ("随机种子", "seed"),
    "lock": ("环境锁文件", "lock of the environment"),
    "none": ("无", "none"),
    "accepted": ("未通过仍被接受，接受人", "failed and accepted all the same, by"),
    "unapproved": ("无第二人签署仍被接受，接受人", "approved by no second person, accepted by"),
    "skipped": ("未建模的目标", "targets without a model"),
    "passed": ("通过", "passed"),
    "failed": ("未通过", "failed"),
    "value": ("客户价值", "Value"),
    "churn": ("流失风险", "Churn"),
    "credit": ("信用", "Credit"),
    "lineage": ("数据来源", "Data lineage"),
    "table": ("数据表", "table"),
    "hash": ("SHA-256", "SHA-256"),
    "plan": ("研究计划", "study plan"),
    "leakage": ("防泄漏证明", "Proof against leakage"),
    "leak_how": (
        "特征只用as_of之前已知的事件，标签只用其后的期限；各组客户由编号哈希划分，下表应全为零。",
        "Features use only events known by as_of, labels only the horizon after it; customers are "
        "parted by a hash of their id, so every number of this table must be zero.",
    ),
    "shared": ("同时在两组中的客户数", "customers in two parts at once"),
    "gap": (
        "最后一个训练日期到首个测试日期的天数",
        "days from the last training date to the first test date",
    ),
    "label": ("标签定义", "Definition of the label"),
    "horizon": ("期限（天）", "horizon, days"),
    "active": ("活跃期（天）", "active within, days"),
    "past_due": ("坏客户的逾期天数", "days past due that are bad"),
    "by_events": ("由事件计算", "computed from events"),
    "by_outcomes": ("数据源自带的标签", "the source's own label"),
    "def_value": ("期限内的消费额，不低于零", "spend over the horizon, not below zero"),
    "def_churn": (
        "此前活跃的客户在期限内没有任何消费",
        "no purchase in the horizon, among customers active before",
    ),
    "def_credit": (
        "期限内达到所定逾期天数，或数据源自带的违约标签",
        "reaches the days past due in the horizon, or the source's own default label",
    ),
    "split": ("谁学习，谁测试", "Who learns, who tests"),
    "fit": ("学习", "learn"),
    "calibration": ("校准", "calibrate"),
    "test": ("测试", "test"),
    "test_unseen": ("测试（全新客户）", "test, unseen customers"),
    "folds": ("分折", "folds"),
    "rows": ("行", "rows"),
    "customers": ("客户", "customers"),
    "dates": ("日期数", "dates"),
    "gates": ("门槛", "Gates"),
    "gate": ("门槛", "gate"),
    "figure": ("数值", "figure"),
    "result": ("结果", "result"),
    "parity": (
        "线上线下特征一致的证书在上线时检查。",
        "The certificate that online and offline features are equal is asked for at promotion.",
    ),
    "approval": (
        "上线前须由第二人签署本报告。",
        "A second person must sign this report before promotion.",
    ),
    "no_approval": ("政策不要求第二人签署。", "The policy asks for no second signature."),
    "discrimination": ("区分能力", "Discrimination"),
    "measure": ("指标", "measure"),
    "interval": ("95%区间", "95% interval"),
    "noise": ("三种子波动", "three seeds"),
    "noise_note": (
        "区间：按客户重抽样500次。三种子波动：同一参数换种子训练三次的最大差；小于它的改进不算改进。",
        "Interval: 500 resamples of whole customers. Three seeds: the largest difference between "
        "fits that differ in their seed only; a gain below it is none.",
    ),
    "compared": ("与谁比较", "Compared with"),
    "baseline": ("对照", "baseline"),
    "difference": ("我们减对照", "ours minus it"),
    "champion": ("在用模型包", "the live bundle"),
    "no_champion": (
        "训练时没有其他模型在用。",
        "No other model was live when this one was trained.",
    ),
    "gains": ("前若干成客户捕获的比例", "Captured among the first customers"),
    "gains_x": ("客户比例", "share of customers"),
    "gains_y": ("捕获", "captured"),
    "decile": ("十分组", "tenth"),
    "mean": ("均值", "mean"),
    "lift": ("提升度", "lift"),
    "profit": ("利润曲线（政策中的成本）", "Profit with the policy's costs"),
    "profit_y": ("每客户利润", "profit a customer"),
    "profit_best": ("最佳处理比例", "best share to act on"),
    "tiers": ("价值分层", "Value tiers"),
    "policy_cuts": ("政策切点", "the policy's cuts"),
    "suggested_cuts": ("建议切点", "suggested cuts"),
    "tiers_note": (
        "行为真实层级，列为预测层级。",
        "Rows are true tiers, columns predicted ones.",
    ),
    "calibrated": ("校准", "Calibration"),
    "predicted": ("预测", "predicted"),
    "seen": ("实际", "seen"),
    "floor": ("随机下限", "floor of chance"),
    "error": ("误差", "error"),
    "monotone": ("单调性证明", "Proof of directions"),
    "monotone_note": (
        "逐树遍历所有叶节点对得出，不是抽样；零违反即为证明。",
        "By a walk over all pairs of leaves of every tree, not by sampling: zero is a proof.",
    ),
    "trees": ("树", "trees"),
    "broken": ("违反", "violations"),
    "directed": ("有方向的特征", "features with a direction"),
    "stability": ("稳定性", "Stability"),
    "stability_note": (
        "PSI：得分由校准客户到测试客户，特征由学习行到测试行。0.1以下稳定，0.25以上明显漂移。",
        "PSI: scores from the customers that calibrate to the test, features from the rows that "
        "learn to the test. Below 0.1 is stable, above 0.25 a shift.",
    ),
    "no_stability": (
        "分折时学习与测试为同一批行，没有漂移可言。",
        "With folds the rows that learn and test are the same: there is no shift to tell.",
    ),
    "score": ("得分", "score"),
    "feature": ("特征", "feature"),
    "groups": ("分组", "Groups"),
    "groups_note": (
        "受保护属性只用于描述，从不进入评分。少于50行或任一结果不足10行的组样本过少，无法评判。",
        "Protected attributes describe and never score. A group of fewer than 50 rows, or 10 of "
        "either outcome, is too small to judge.",
    ),
    "too_small": ("样本过少，无法评判", "too small to judge"),
    "no_groups": (
        "数据源没有可用的分组。",
        "The source has no two groups that can be told.",
    ),
    "group": ("组", "group"),
    "predicted_to_seen": ("预测与实际之比", "predicted to seen"),
    "favourable": ("有利比例", "favourable"),
    "largest_difference": ("最大差", "difference"),
    "least_ratio": ("最小比", "ratio"),
    "thin_file": ("档案厚薄", "thin file"),
    "thin": ("档案薄", "thin"),
    "known": ("有记录", "known"),
    "gender": ("性别", "gender"),
    "marital": ("婚姻状况", "marital status"),
    "birth_on": ("年龄", "age"),
    "dependants": ("受抚养人数", "dependants"),
    "coverage": ("区间实际覆盖率", "Coverage of the intervals of scores"),
    "reasons": ("原因总览", "Reasons over all customers"),
    "importance": ("各主题的平均影响（分）", "Mean size of each idea, in points"),
    "dependence": ("特征值与分数", "Points by the value of a feature"),
    "points": ("分", "points"),
    "bands": ("各分数段的主要原因", "Reasons most often among the first three, by band of points"),
    "band": ("分数段", "points from"),
    "no_reasons": (
        "行数太少，总览会暴露个人，故从略。",
        "Too few rows to hide a customer, so there is none.",
    ),
    "limits": ("局限", "Limits"),
    "limit_time": (
        "数值只说明测试日期；此后的变化由监控发现。",
        "The figures tell of the test dates; what changes after them is for monitoring to see.",
    ),
    "limit_cohort": (
        "只对标签定义中的客户群有效；档案薄的客户分数更不确定。",
        "They hold for the cohort of the label only; the score of a thin file is less sure.",
    ),
    "limit_cause": (
        "原因说明模型如何得出分数，不说明因果；行动是否有效须另行试验。",
        "Reasons say how the model came to a score, not what causes what; whether an action works "
        "is for an experiment to say.",
    ),
    "limit_group": (
        "组内行数少时差异主要是偶然；门槛只在整个区间越限时才判未通过。",
        "Between small groups a difference is mostly chance: a gate fails only where the whole "
        "interval lies beyond its limit.",
    ),
    "limit_profit": (
        "利润曲线取决于政策中填写的成本，不是承诺。",
        "The profit curve stands on the costs written into the policy and promises nothing.",
    ),
    "from_to": ("起止", "from, to"),
    "events": ("事件", "events"),
    "auc": ("AUC", "AUC"),
    "gini": ("基尼系数", "Gini"),
    "pr_auc": ("PR-AUC", "PR-AUC"),
    "ks": ("KS", "KS"),
    "brier": ("Brier分数", "Brier score"),
    "log_loss": ("对数损失", "log-loss"),
    "base_rate": ("坏客户占比", "share of bad outcomes"),
    "mean_predicted": ("平均预测", "mean predicted"),
    "calibration_error": ("校准误差", "calibration error"),
    "calibration_floor": ("校准误差的随机下限", "floor of the calibration error"),
    "spearman": ("Spearman秩相关", "Spearman"),
    "mae": ("平均绝对误差", "mean absolute error"),
    "sum_ratio": ("预测总额与实际之比", "predicted to true sum"),
    "macro_f1": ("宏平均F1", "macro-F1"),
    "quadratic_kappa": ("二次加权kappa", "quadratic weighted kappa"),
    "high_for_low": ("把低价值当高价值", "high for low"),
    "low_for_high": ("把高价值当低价值", "low for high"),
    "captured": ("累计捕获", "captured"),
    "unsure": ("不确定比例", "unsure"),
    "RFM tier": ("RFM分层", "RFM tier"),
    "recency": ("距上次消费时间", "recency"),
    "last period": ("上期消费", "last period"),
    "days past due now": ("当前逾期天数", "days past due now"),
    "lowest balance": ("最低余额", "lowest balance"),
    "regression": ("回归模型", "regression"),
    "buying model": ("购买模型", "buying model"),
    "parts": ("测试各部分", "Parts of the test"),
    "details": ("明细", "In detail"),
}


_GATES: tuple[tuple[str, str], ...] = (
    ("not worse than the live bundle", "不劣于在用模型包"),
    ("not worse than ", "不劣于"),
    ("better than ", "优于"),
    ("calibrated", "校准"),
    ("monotone", "单调"),
    ("stable", "稳定"),
    ("groups of ", "分组："),
    (": difference", "，差异"),
    (": not judged", "，未评判"),
    ("too small to judge", "样本过少，无法评判"),
    (": ratio", "，比率"),
    ("seeds ", "三种子 "),
    ("sum ratio ", "总额之比 "),
    ("error ", "误差 "),
    ("floor ", "下限 "),
    (" violations in ", "处违反，共"),
    (" trees", "棵树"),
    (" features directed", "个有方向的特征"),
    ("favourable ", "有利比例 "),
)
_SUBJECTS = (
    "RFM tier", "recency", "last period", "days past due now", "lowest balance", "regression",
    "buying model", "birth_on", "gender", "marital", "dependants",
)  # fmt: skip


def word(key: str, lang: Language) -> str:
    """The text of a key; a key that is none (a tier, a name of the source) is its own text."""
    found = WORDS.get(key)
    return key if found is None else found[0 if lang == "zh" else 1]


def gate_text(text: str, lang: Language) -> str:
    """The name or the figure of a gate, as the judge writes them in English.

    >>> gate_text("better than recency", "zh"), gate_text("groups of birth_on: ratio", "en")
    ('优于距上次消费时间', 'groups of age: ratio')
    """
    for subject in _SUBJECTS:
        text = text.replace(subject, word(subject, lang))
    for english, chinese in _GATES if lang == "zh" else ():
        text = text.replace(english, chinese)
    return text


def part_name(part: str, lang: Language) -> str:
    """What a part of the test is called: by its date where it has one.

    >>> part_name("test_2026_04_01", "en"), part_name("test", "en")
    ('2026-04-01', 'test')
    """
    return word(part, lang) if part in WORDS else part.removeprefix("test_").replace("_", "-")
