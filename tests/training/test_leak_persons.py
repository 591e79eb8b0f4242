"""Persons under several ids are found by what they did, and ids that tell the outcome are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.training.leak_world import ASKED, book, bought, source
from training.leak_persons import same_person
from training.matrix import labelled
from training.splits import percents


def test_persons_under_new_ids_stop_and_do_not_once_splits_go_by_person(tmp_path):
    rows = book(500)
    again = [{**r, "customer_id": f"x{r['customer_id']}", "dependants": 3.0} for r in rows[:150]]
    both = [*rows, *again]
    dataset = source(tmp_path, both, bought([r["customer_id"] for r in both]))
    targets = labelled(dataset)[0]
    found, figures = same_person(dataset, targets)
    assert [(f.check, f.is_sure) for f in found] == [("same_person", True)]
    assert figures["also_learnt_from"] > 20
    plan = dataset.plan.model_copy(update={"person_columns": ("birth_on", "income")})
    found, figures = same_person(replace(dataset, plan=plan), targets)
    assert found == []
    assert figures["also_learnt_from"] == 0


def test_the_very_same_transactions_under_another_id_are_one_person(tmp_path):
    rows = bought([f"c{i:03d}" for i in range(300)])
    copies = [{**r, "customer_id": f"x{r['customer_id']}"} for r in rows[:400]]
    plain = source(tmp_path / "plain", [], rows)
    assert same_person(plain, labelled(plain)[0])[0] == []
    copied = source(tmp_path / "copied", [], [*rows, *copies])
    found, figures = same_person(copied, labelled(copied)[0])
    assert [f.check for f in found] == ["same_person"]
    assert 10 < figures["also_learnt_from"] <= 80


@pytest.mark.parametrize(("copies", "sure"), [(0, None), (1, False), (60, True)])
def test_one_id_written_in_two_ways_is_one_person(tmp_path, copies, sure):
    plain = [f"c{i:04d}" for i in range(1, 1201)]
    asked = percents(ASKED.split_key, plain) < ASKED.test_percent
    learnt = [c for c, is_asked in zip(plain, asked, strict=True) if not is_asked]
    again = [w for c in learnt for w in (f"C-{c[1:]} ", f"C{int(c[1:])}", f" c {int(c[1:])}")]
    is_across = percents(ASKED.split_key, again) < ASKED.test_percent
    again = [w for w, is_asked in zip(again, is_across, strict=True) if is_asked][:copies]
    dataset = source(tmp_path, [], bought([*plain, *again]))
    found, figures = same_person(dataset, labelled(dataset)[0])
    assert [f.is_sure for f in found] == ([] if sure is None else [sure])
    assert figures["by_id"] == figures["also_learnt_from"] == copies
    assert all("write each one way" in f.said for f in found)
