"""Who is one person: by the plan's columns, by nothing else, and the same for ever."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from domain.errors import InputError
from domain.plan import TargetPlan
from tests.training.label_world import Row, at, buys, dataset_of, event, plan_of
from training.matrix import labelled
from training.people import persons, profile
from training.splits import split

BORN = (date(1980, 1, 1), date(1981, 2, 2))


def told(customer: str, day: float, born: date | None, gender: str | None, **what) -> Row:
    return event(customer, day, birth_on=born, gender=gender, **what)


def world(root, rows, columns=("birth_on", "gender"), **tables):
    plan = plan_of((100,), (250,), churn=TargetPlan(horizon_days=90, active_days=200))
    plan = plan.model_copy(update={"person_columns": columns})
    return dataset_of(root, {"customers": rows, **tables}, plan)


def test_ids_with_the_same_values_are_one_person_and_a_missing_value_makes_none(tmp_path):
    rows = [
        told("a", 1, BORN[0], "female"),
        told("b", 5, BORN[0], "female"),
        told("c", 1, BORN[0], "male"),
        told("d", 1, BORN[1], "female"),
        told("e", 1, None, "female"),
        told("f", 1, None, "female"),
    ]
    asked = [*"fabcdea", "nobody"]
    found = dict(zip(asked, persons(world(tmp_path, rows), asked), strict=True))
    assert found["a"] == found["b"]
    assert len({*found.values()}) == 7 - 1
    assert {c: found[c] for c in ("e", "f", "nobody")} == {c: c for c in ("e", "f", "nobody")}


def test_the_first_version_tells_the_person_whatever_is_learnt_later(tmp_path):
    rows = [told("a", 1, BORN[0], "male"), told("b", 1, BORN[0], "male")]
    before = persons(world(tmp_path / "one", rows), ["a", "b"])
    later = [rows[0], told("a", 30, BORN[1], "male"), rows[1]]
    assert persons(world(tmp_path / "two", later), ["a", "b"]) == before
    assert before[0] == before[1]


def test_without_columns_every_id_is_a_person_and_an_unknown_column_is_refused(tmp_path):
    rows = [told("a", 1, BORN[0], "male"), told("b", 1, BORN[0], "male")]
    assert persons(world(tmp_path, rows, ()), ["a", "b"]) == ["a", "b"]
    with pytest.raises(InputError, match=r"by passport: there are.*birth_on"):
        persons(world(tmp_path, rows, ("birth_on", "passport")), ["a"])


def test_a_profile_has_one_row_a_customer_and_no_clock(tmp_path):
    rows = [told("a", 1, BORN[0], "male", income=1.0), told("a", 9, BORN[0], "male", income=2.0),
            told("b", 1, BORN[1], "male", income=3.0)]  # fmt: skip
    found = profile(world(tmp_path, rows))
    assert found["customer_id"].to_pylist() == ["a", "b"]
    assert found["income"].to_pylist() == [1.0, 3.0]
    assert not {"happened_at", "known_at", "superseded_at"} & {*found.column_names}


def test_no_person_stands_on_two_sides_although_every_id_is_another(tmp_path):
    """Three ids a person; by ids most persons would be on two sides, by persons none is."""
    rng = np.random.default_rng(3)
    people = [date.fromordinal(int(o)) for o in 720_000 + rng.permutation(4000)[:200]]
    ids = [(f"{p:03d}-{i}", born) for p, born in enumerate(people) for i in range(3)]
    rows = [told(c, 1, born, "male") for c, born in ids]
    buying = [
        buys(c, day)
        for k, (c, _) in enumerate(ids)
        for day in (90, 240, *([150, 300] * (k % 3 > 0)))
    ]
    dataset = world(tmp_path, rows, transactions=sorted(buying, key=lambda r: r["customer_id"]))
    table = labelled(dataset)[0]["churn"]
    ids_of = table["customer_id"].to_pylist()

    def shared(who: list[str]) -> int:
        parted = table.set_column(0, "customer_id", [who])
        found = split(parted, dataset.plan, 90, at(250), 1)
        people_of = [c.split("-")[0] for c in ids_of]
        learnt = {people_of[r] for r in (*found.fit, *found.calibration)}
        return len(learnt & {people_of[r] for r in (*found.test_unseen, *found.earlier_unseen)})

    assert shared(ids_of) > 50
    assert shared(persons(dataset, ids_of)) == 0
