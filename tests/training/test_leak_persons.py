"""Persons under several ids are found by what they did, and ids that tell the outcome are told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.training.label_world import buys, event
from tests.training.leak_world import ASKED, book, bought, source
from training.leak_persons import same_person, told_by_id
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


def phoned(root, copies: int, **told):
    """600 strangers with a phone each, and so many ids more that share nothing but the phone."""
    rows = [{**r, "person_id": f"h{i % 600:08x}"} for i, r in enumerate(book(600 + copies))]
    rows = [{**r, **told} if i % 3 == 0 else r for i, r in enumerate(rows)]
    rng = np.random.default_rng(4)
    spent = [{**r, "amount": float(rng.integers(1, 90_000)) / 100}
             for r in bought([r["customer_id"] for r in rows])]  # fmt: skip
    return rows, source(root, rows, spent)


@pytest.mark.parametrize(("copies", "sure"), [(0, None), (30, True)])
def test_ids_of_one_phone_are_found_told_and_parted_once_the_plan_says_so(tmp_path, copies, sure):
    rows, dataset = phoned(tmp_path, copies)
    rows = [{k: v for k, v in r.items() if k in ("customer_id", "person_id")} for r in rows]
    is_asked = {
        r["customer_id"]: percents(ASKED.split_key, [r["customer_id"]])[0] < ASKED.test_percent
        for r in rows
    }
    across = {
        a["customer_id"] for a in rows for b in rows
        if a["person_id"] == b["person_id"] and is_asked[a["customer_id"]] and
        not is_asked[b["customer_id"]]
    }  # fmt: skip
    targets = labelled(dataset)[0]
    found, figures = same_person(dataset, targets)
    assert [f.is_sure for f in found] == ([] if sure is None else [sure])
    assert figures["by_person_id"] == figures["also_learnt_from"] == len(across)
    assert all('say person_columns = ["person_id"]' in f.said for f in found)
    by_person = dataset.plan.model_copy(update={"person_columns": ("person_id",)})
    found, figures = same_person(replace(dataset, plan=by_person), targets)
    assert (found, figures["also_learnt_from"]) == ([], 0)


def test_a_phone_of_many_or_of_nobody_links_nobody_and_the_crowd_is_told(tmp_path):
    _, dataset = phoned(tmp_path / "crowd", 0, person_id="unknown")
    found, figures = same_person(dataset, labelled(dataset)[0])
    assert [(f.where, f.is_sure, f.figure) for f in found] == [("person_id", False, 200.0)]
    assert figures["by_person_id"] == 0
    _, dataset = phoned(tmp_path / "none", 0, person_id=None)
    found, figures = same_person(dataset, labelled(dataset)[0])
    assert (found, figures["by_person_id"]) == ([], 0)


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


def asked_and_learnt() -> tuple[list[str], list[str]]:
    """Ids that test, and ids that are learnt from."""
    ids = [f"k{i:04d}" for i in range(900)]
    asked = percents(ASKED.split_key, ids) < ASKED.test_percent
    return [c for c, a in zip(ids, asked, strict=True) if a], [
        c for c, a in zip(ids, asked, strict=True) if not a
    ]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a day later", ("customer_id", True)),
        ("other amounts at the same instants", ("customer_id", True)),
        ("half of the other's", ("histories", False)),
        ("strangers", None),
    ],
)
def test_a_history_is_known_again_by_its_amounts_or_its_instants(tmp_path, kind, said):
    asked, learnt = asked_and_learnt()
    rng = np.random.default_rng(5)

    def history(customer: str) -> list[dict[str, object]]:
        days = np.concatenate([rng.uniform(20, 99, 8), rng.uniform(240, 249, 4)])
        return [buys(customer, float(d), float(rng.integers(1, 90_000)) / 100) for d in days]

    rows = {c: history(c) for c in sorted((*asked, *learnt))}
    day = 86_400_000_000
    for twin, of in zip(asked[:20], learnt, strict=False):
        copy = [{**r, "customer_id": twin} for r in rows[of]]
        if kind == "a day later":
            copy = [{**r, **{k: r[k] - day for k in ("happened_at", "known_at")}} for r in copy]
        elif kind == "other amounts at the same instants":
            copy = [{**r, "amount": round(r["amount"] * 1.013, 2)} for r in copy]
        elif kind == "half of the other's":
            copy = [*copy[:7], *rows[twin][7:]]
        rows[twin] = rows[twin] if kind == "strangers" else copy
    dataset = source(tmp_path, [], [r for c in sorted(rows) for r in rows[c]])
    found, figures = same_person(dataset, labelled(dataset)[0])
    assert [(f.where, f.is_sure) for f in found] == ([said] if said else [])
    told = figures["also_learnt_from"] if said and said[1] else figures["alike"]
    assert told == (20 if said else 0)


@pytest.mark.parametrize("is_later", [False, True])
def test_the_same_statements_stop_and_in_other_months_are_told(tmp_path, is_later):
    asked, learnt = asked_and_learnt()
    rng = np.random.default_rng(6)
    bills = {c: rng.integers(1_000, 90_000, 7) for c in sorted((*asked, *learnt))}
    for twin, of in zip(asked[:20], learnt, strict=False):
        bills[twin] = np.append(bills[of][1:], 7) if is_later else bills[of]
    statements = [
        event(c, 30.0 * month + 5, account_id=c, status="unused", days_past_due=0.0,
              bill=float(bill))
        for c, months in bills.items() for month, bill in enumerate(months)
    ]  # fmt: skip
    dataset = source(tmp_path, [], bought([*bills]), statements)
    found = same_person(dataset, labelled(dataset)[0])[0]
    said = ("histories", False) if is_later else ("customer_id", True)
    assert [(f.where, f.is_sure) for f in found] == [said]


def test_ids_that_were_given_by_outcome_are_told_and_others_are_not():
    rng = np.random.default_rng(7)
    y = (rng.random(3000) < 0.3).astype(float)
    order = rng.permutation(3000)
    by_chance = pa.table({"customer_id": [f"c{i}" for i in order], "y": y})
    assert told_by_id("churn", by_chance) is None
    place = np.empty(3000, dtype=int)
    place[np.argsort(y, kind="stable")] = np.arange(3000)
    found = told_by_id("churn", pa.table({"customer_id": [f"c{i}" for i in place], "y": y}))
    assert found is not None
    assert (found.figure, found.is_sure) == (1.0, False)
    letters = [f"{'b' if bad else 'a'}{i}" for i, bad in zip(order, y == 0, strict=True)]
    found = told_by_id("churn", pa.table({"customer_id": letters, "y": y}))
    assert found is not None
    assert found.where == "churn, customer_id"
