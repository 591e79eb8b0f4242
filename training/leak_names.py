"""Columns that are called like an outcome, in English, Chinese, German, Spanish and French.

Enters: the name of a feature or column. Leaves: whether it tells what is predicted or what follows
from it, and whether it says itself that it tells the past. It looks at no value.
"""

from __future__ import annotations

import re
import unicodedata

_OUTCOME = (
    "default", "churn", "attrit", "isbad", "badflag", "target", "label", "outcome", "closed",
    "closure", "chargeoff", "chargedoff", "chgoff", "writeoff", "writtenoff", "wrtoff", "recover",
    "exited", "dropout", "cancelled", "canceled", "cancellation", "terminated", "foreclos",
    "bankrupt", "settlement", "postoutcome", "afterloan", "nextmonth", "predict", "propensity",
    "statusfinal", "finalstatus", "delinquencynext",
    "ausfall", "gekundigt", "kundigung", "abgewandert", "abwanderung", "uneinbringlich", "inkasso",
    "incumplim", "moroso", "impago", "cancelad", "abandono", "quebranto",
    "defaillan", "impaye", "resiliation", "cloture", "contentieux", "attritionclient",
    "违约", "流失", "销户", "坏账", "坏客户", "核销", "标签", "是否离开", "结果", "注销", "未来",
    "逾期后", "下月", "次月",
)  # fmt: skip
_WORDS = frozenset(
    {"y", "bad", "lost", "npl", "post", "after", "future", "prob", "fwd", "baja",
     "fuga", "cible", "objetivo"}
)  # fmt: skip
_PAST = frozenset(
    {"prior", "previous", "prev", "past", "history", "hist", "historical", "ever", "before",
     "fruher", "anterior", "precedent"}
)  # fmt: skip
_PAST_ZH = ("历史", "以往", "过去", "此前")


def names_outcome(name: str) -> bool:
    """Whether a column is called like what is predicted, or like what follows from it.

    >>> [names_outcome(n) for n in ("Attrition_Prob", "charge-off", "是否违约", "income")]
    [True, True, True, False]
    """
    parts = _parts(name)
    joined = "".join(parts)
    return any(w in joined for w in _OUTCOME) or not _WORDS.isdisjoint(parts)


def tells_the_past(name: str) -> bool:
    """Whether the name says that it tells what came before as_of.

    >>> tells_the_past("previous_defaults"), tells_the_past("default_flag")
    (True, False)
    """
    return not _PAST.isdisjoint(_parts(name)) or any(w in name for w in _PAST_ZH)


def _parts(name: str) -> list[str]:
    """The words of a name, in small letters and without accents."""
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", unicodedata.normalize("NFKD", name))
    plain = "".join(c for c in split if not unicodedata.combining(c))
    return re.findall(r"[a-z]+|[^\W\d_a-z]+", plain.lower())
