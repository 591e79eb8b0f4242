"""Notes of answers in Chinese: what was not as it should be, as decisions record it in English.

Enters: a recorded note. Leaves: the same in the language asked for. One that it does not know stays
as it was recorded: nothing is left out.
"""

from __future__ import annotations

import re

from features.catalogue import Language

_TARGETS = {"value": "价值", "churn": "流失", "credit": "信用"}
_TARGET = re.compile(r"\b(?:value|churn|credit)\b")
_CHINESE: tuple[tuple[str, str], ...] = (
    (
        r"nothing is known of this customer: no score; check the id",
        "对该客户一无所知，没有评分：请核对客户号",
    ),
    (r"nothing was known of this customer: no score", "当时对该客户一无所知，没有评分"),
    (
        r"the features are (\d+) days old: run `tierline features` and promote",
        "数据已有{0}天未更新：请重新计算并上线",
    ),
    (
        r"the features of (\w+) are (\d+) days old, they count for (\d+)",
        "{0}类数据已有{1}天未更新，有效期为{2}天",
    ),
    (
        r"the source does not say of when its features are: their age is unknown",
        "数据来源未说明数据日期：新旧未知",
    ),
    (
        r"little is known of this customer: neither transactions nor statements",
        "对该客户所知很少：既无交易也无账单",
    ),
    (
        r"verdict failed for (.+); accepted by (.*?): (.*)",
        "模型评审未通过（{0}），由{1}批准使用，理由：{2}",
    ),
    (
        r"no second person approved the model; accepted by (.*?): (.*)",
        "模型未经第二人签署，由{0}批准使用，理由：{1}",
    ),
    (r"the bundle does not say how sure a (\w+) score is", "模型包没有说明{0}评分的把握"),
    (
        r"the bundle holds no population to hold a (\w+) score against",
        "模型包没有可与{0}评分比较的参照人群",
    ),
    (r"the decision before cannot be told from: (.*)", "无法与上一次决策比较：{0}"),
    (r"only one of the decisions has a (\w+) score", "两次决策中只有一次有{0}评分"),
    (
        r"the bundle holds no reference: held against the average",
        "模型包没有参照人群：与平均水平比较",
    ),
    (
        r"ideas that may not be stated weighed more: a person should look at it",
        "不得作为理由告知的方面影响更大：请人工复核",
    ),
    (
        r"no reason may be stated: a person has to decide and to write",
        "没有可以告知的理由：须由人工决定并书面说明",
    ),
)  # fmt: skip


def note(text: str, lang: Language) -> str:
    """A recorded note in a language.

    >>> note("the bundle does not say how sure a churn score is", "zh")
    '模型包没有说明流失评分的把握'
    """
    if lang == "en":
        return text
    for english, chinese in _CHINESE:
        found = re.fullmatch(english, text, re.DOTALL)
        if found is not None:
            first, *others = *found.groups(), ""
            return chinese.format(_TARGET.sub(lambda m: _TARGETS[m[0]], first), *others)
    return text
