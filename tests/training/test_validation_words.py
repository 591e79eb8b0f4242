"""Every word has both texts, and gates read whole in Chinese."""

from __future__ import annotations

import re

import pytest

from training.validation_words import WORDS, gate_text, word


@pytest.mark.parametrize("key", WORDS)
def test_every_word_has_both_texts(key):
    zh, en = WORDS[key]
    assert en.strip()
    assert not re.search(r"[一-鿿]", en)
    assert re.search(r"[一-鿿]|^[A-Z-]+[0-9]*$|^SHA-256$", zh)


def test_what_is_no_key_is_its_own_text():
    assert word("somebody's column", "zh") == "somebody's column"


def test_no_english_is_left_of_the_gates_of_a_training(trained):
    """But groups that are too small, which are called as the data calls them."""
    for result in trained.result.targets.values():
        for name, _, figure in result.verdict.gates:
            assert gate_text(figure, "en") == figure
            left = re.sub(r"RFM|PSI|AUC|auc|Spearman|spearman", "", gate_text(name, "zh"))
            assert not re.search(r"[A-Za-z]", left), left
            left = re.sub(r"PSI|auc|spearman|(?<=无法评判: ).*", "", gate_text(figure, "zh"))
            assert not re.search(r"[A-Za-z]", left), left
