"""Columns that are called like an outcome, in eleven languages and the abbreviations of banks.

Enters: the name of a feature or column. Leaves: whether it tells what is predicted or what follows
from it, and whether it says itself that it tells the past. It looks at no value.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise


def _plain(text: str) -> str:
    """The text in compatible small letters and without accents."""
    found = unicodedata.normalize("NFKD", text)
    return "".join(c for c in found if not unicodedata.combining(c)).lower()


def _words(text: str) -> tuple[str, ...]:
    return tuple(_plain(text).split())


_OUTCOME = _words(
    """
    default dflt churn attrit isbad badflag badind goodbad target label outcome closed closure clsd
    chargeoff chargedoff chgoff writeoff writtenoff wrtoff recover exited dropout dropped cancelled
    canceled cancellation cncl terminated termination foreclos repossess bankrupt insolven
    settlement postoutcome afterloan predict propensity statusfinal finalstatus delinquencynext
    isleft hasleft leftbank leaver lapsed groundtruth ytrue survived writedown nonperform
    ausfall gekundigt kundigung abgewandert abwanderung uneinbringlich inkasso zielvariable
    incumplim moroso impago cancelad cancelacion cancelament abandono quebranto
    defaillan impaye resiliation cloture contentieux insolvab
    inadimpl evasao encerrad encerrament rotulo calote falencia
    sofferenz abbandono chiusura
    дефолт отток ушедш ушел закрыт списанн банкрот расторг взыскан целевая таргет метка неплатеж
    解約 退会 離反 離脱 債務不履行 デフォルト 貸倒 焦付 目的変数 正解 ラベル 破綻 倒産 翌月
    来月 将来 이탈 해지 부도 대손 탈퇴 다음달 미래
    违约 流失 销户 坏账 坏客户 核销 标签 是否离开 结果 注销 未来 逾期后 下月 次月 下期 下季 次期
    呆账 不良 关户 贷后 好坏 目标变量 是否逾期 催收 離開 貸後 違約 銷戶 壞賬 呆帳 核銷 標籤 註銷
    """
)
_WORDS = frozenset(
    _words(
        "y bad lost npl npa lgd fpd wo tgt lbl post after future fut prob fwd exit eventual "
        "subsequent baja fuga cible objetivo alvo perda futuro futur zukunft kunftig будущ"
    )
)
_NEXT = frozenset(_words("next nxt following coming forward naechste nachste proximo proximos "
                         "prox prochain sledujici следующ след"))  # fmt: skip
_SPANS = frozenset(
    _words(
        "d day days tag tage dias jours w wk week weeks m mo mth mths mnth month months monat mes "
        "meses mois мес месяц q qtr quarter trimestre y yr year jahr ano annee period term cycle"
    )
)
_PAST = frozenset(
    _words("prior previous prev past history hist historical ever before fruher anterior precedent")
)
_PAST_ZH = ("历史", "以往", "过去", "此前", "過去")


def names_outcome(name: str) -> bool:
    """Whether a column is called like what is predicted, or like what follows from it.

    >>> [names_outcome(n) for n in ("Attrition_Prob", "charge-off", "是否违约", "income")]
    [True, True, True, False]
    >>> [names_outcome(n) for n in ("spend_next_90d", "FPDFlag", "next_due_amount")]
    [True, True, False]
    """
    parts = _parts(name)
    joined = "".join(parts)
    ahead = any(a.startswith(tuple(_NEXT)) and b in _SPANS for a, b in pairwise(parts))
    return ahead or any(w in joined for w in _OUTCOME) or not _WORDS.isdisjoint(parts)


def tells_the_past(name: str) -> bool:
    """Whether the name says that it tells what came before as_of.

    >>> tells_the_past("previous_defaults"), tells_the_past("default_flag")
    (True, False)
    """
    return not _PAST.isdisjoint(_parts(name)) or any(w in name for w in _PAST_ZH)


def _parts(name: str) -> list[str]:
    """The words of a name, in small letters and without accents."""
    name = unicodedata.normalize("NFKC", name)
    split = re.sub(r"([a-z])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3 \2\4", name)
    return re.findall(r"[a-z]+|[^\W\d_a-z]+", _plain(split))
