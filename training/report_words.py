"""The words of a report in Chinese and English; `report_words.toml` has one line a key.

Enters: a key, or a name that data or judge gave, and a language. Leaves: a text.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from features.catalogue import Language

_GATES: tuple[tuple[str, str], ...] = (
    ("not worse than the champion", "不劣于在任模型包"),
    ("not worse than ", "不劣于"),
    ("tiers better than ", "分层优于"),
    ("better than ", "优于"),
    ("calibrated", "校准"),
    ("monotone", "单调"),
    ("stable", "稳定"),
    ("groups of ", "分组："),
    (": difference", "，差异"),
    ("too small to judge", "样本过少，无法评判"),
    ("too few rows to tell", "样本太少，无从判断"),
    ("nobody is favoured", "无人获有利结果"),
    (": ratio", "，比率"),
    ("seeds ", "种子波动 "),
    ("sum ratio ", "总额之比 "),
    ("error ", "误差 "),
    ("floor ", "随机误差下限 "),
    (" violations in ", "处违反，共"),
    (" trees", "棵树"),
    (" features directed", "个有方向的特征"),
    ("favourable ", "有利比例 "),
)
_SUBJECTS = (
    "RFM tier", "recency", "last period", "days past due now", "lowest balance", "regression",
    "buying model", "birth_on", "gender", "marital", "dependants",
)  # fmt: skip


@cache
def words() -> Mapping[str, tuple[str, str]]:
    """Every key with its Chinese and English text."""
    text = files("training").joinpath("report_words.toml").read_text(encoding="utf-8")
    return {key: (zh, en) for key, (zh, en) in tomllib.loads(text).items()}


def word(key: str, lang: Language) -> str:
    """The text of a key (KeyError: it has none)."""
    return words()[key][0 if lang == "zh" else 1]


def called(name: str, lang: Language) -> str:
    """The text of a name; one of the source's own (a tier, a column) is its own text."""
    return word(name, lang) if name in words() else name


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
    return word(part, lang) if part in words() else part.removeprefix("test_").replace("_", "-")


def segment(name: str, lang: Language) -> str:
    """What a segment of coverage is called.

    >>> segment("tier high", "zh"), segment("tier B", "en"), segment("not thin", "en")
    ('层级：高', 'tier B', 'not thin')
    """
    tier = name.removeprefix("tier ")
    if tier == name:
        return called(name, lang)
    return f"{'层级：' if lang == 'zh' else 'tier '}{called(tier, lang)}"
