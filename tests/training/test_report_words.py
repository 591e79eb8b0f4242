"""Every word has both texts, and gates read whole in Chinese."""

from __future__ import annotations

import re

import pytest

from training.report_words import called, gate_text, word, words


@pytest.mark.parametrize("key", words())
def test_every_word_has_both_texts(key):
    zh, en = words()[key]
    assert en.strip()
    assert not re.search(r"[一-鿿]", en)
    assert re.search(r"[一-鿿]|^[A-Z-]+[0-9]*$|^SHA-256$", zh)


def test_a_name_of_the_source_is_its_own_text_and_a_key_must_be_one():
    assert called("somebody's column", "zh") == "somebody's column"
    assert called("gender", "zh") == word("gender", "zh") == "性别"
    with pytest.raises(KeyError):
        word("somebody's column", "zh")


def test_no_english_is_left_of_the_gates_of_a_training(trained):
    """But groups that are too small, which are called as the data calls them."""
    for result in trained.result.targets.values():
        for name, _, figure in result.verdict.gates:
            assert gate_text(figure, "en") == figure
            left = re.sub(r"RFM|PSI|AUC|auc|Spearman|spearman", "", gate_text(name, "zh"))
            assert not re.search(r"[A-Za-z]", left), left
            left = re.sub(r"PSI|auc|spearman|(?<=无法评判: ).*", "", gate_text(figure, "zh"))
            assert not re.search(r"[A-Za-z]", left), left
