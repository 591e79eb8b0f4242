"""What every learner must hold, the product among them; and each peer against its own library."""

from __future__ import annotations

import ast

import lightgbm as lgb
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression

from cli import main
from domain.errors import InputError, NotFoundError
from scoring.buy_till_die import BgNbd, GammaGamma
from scoring.rfm import RFM_FEATURES
from scoring.segments import BUYING_FEATURES, Fitted
from tests.conftest import required
from tests.house.tree import ROOMS, modules
from training import learners, metrics
from training.baselines import USUAL
from training.kept import Budget
from training.learners import Learner, Learnt, Task, chosen
from training.segments import fit_rfm
from training.splits import percents
from training.tune import Problem, Search, fit_booster, inner_folds, make_study, tune

ROWS, TESTED = 900, 600
SIGN = {"purchase_recency_days": -1, "days_past_due_last": -1}
"""Features of which less is good; of all others that are planted, more."""


def _product(task: Task, seed: int) -> Learnt:
    """The tuned, monotone LightGBM, after one trial."""
    signs = tuple(SIGN.get(n, 0) for n in task.names)
    problem = Problem(task.X, task.y, tuple(task.names), signs, task.is_amount)
    places = percents("learners", [str(i) for i in range(len(task.y))])
    search = Search(Budget(1), seed)
    kept = make_study("learners", None, search, is_amount=task.is_amount)
    best = tune(problem, inner_folds(places, np.arange(len(task.y))), kept, search)
    booster = fit_booster(problem, np.arange(len(task.y)), best, seed)
    return Learnt(lambda Z: np.asarray(booster.predict(Z, raw_score=True, num_threads=1)))


EVERY = [
    (learner, target)
    for learner in (Learner("product", _product), *USUAL, *learners.PEERS.values())
    for target in learner.targets
]


def world(learner: Learner, target: str, seed: int) -> Task:
    """Rows whose truth follows one column that the learner reads; a tenth of it is missing.

    Histories of buying are whole: who bought more often buys again.
    """
    rng = np.random.default_rng(seed)
    names = learner.needs or ("signal", "other", "purchase_recency_days")
    n = ROWS + TESTED
    signal = rng.normal(size=n)
    X = rng.normal(size=(n, len(names)))
    for i, name in enumerate(names[: len(RFM_FEATURES)]):
        X[:, i] = SIGN.get(name, 1) * signal
    X[rng.random(X.shape) < 0.1] = np.nan
    if names == BUYING_FEATURES:
        days = np.clip(np.round(np.exp(signal + 1)), 1, 150)
        span = np.floor(300 * (days - 1) / days)
        X = np.column_stack([days, span, np.full(n, 300.0), days * 10])
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * signal))).astype(float)
    if target == "value":
        y *= np.exp(3 + signal)
    fitted = Fitted(
        90, "GBP", fit_rfm(X[:, :3]) if names == RFM_FEATURES else None,
        buying=BgNbd(0.7, 60, 0.8, 3), spending=GammaGamma(2, 3.7, 500),
    )  # fmt: skip
    return Task(target, X, y, names, fitted)


def halves(task: Task) -> tuple[Task, np.ndarray, np.ndarray]:
    learn = Task(task.target, task.X[:ROWS], task.y[:ROWS], task.names, task.fitted)
    return learn, task.X[ROWS:], task.y[ROWS:]


@pytest.fixture(scope="module", params=EVERY, ids=lambda p: f"{p[0].name}, {p[1]}")
def learnt(request):
    """A learner fitted on a world, its task, and the rows that it did not see."""
    learner, target = request.param
    if learner.library:
        required(learner.library)
    learn, X, y = halves(world(learner, target, 1))
    assert learner.can(learn)
    return learner, learn, X, y, learner.fit(learn, 5)


def test_the_planted_signal_is_ranked_and_higher_is_better(learnt):
    _, task, X, y, found = learnt
    measure = metrics.spearman if task.is_amount else metrics.auc
    low = 0.3 if task.is_amount else 0.72
    assert measure(y, found.score(X))(np.ones(len(y))) > low


def test_the_same_seed_gives_the_same_bits(learnt):
    learner, task, X, _, found = learnt
    assert learner.fit(task, 5).score(X).tolist() == found.score(X).tolist()


def test_a_row_has_one_finite_score_alone_or_in_a_batch_even_where_all_is_missing(learnt):
    _, _, X, _, found = learnt
    asked = np.vstack([X[:20], np.full((1, X.shape[1]), np.nan)])
    together = found.score(asked)
    assert together.shape == (21,)
    assert together.dtype == np.float64
    assert np.isfinite(together).all()
    alone = [float(found.score(asked[i : i + 1])[0]) for i in range(21)]
    assert together.tolist() == pytest.approx(alone, abs=1e-6)


def test_neither_the_rows_nor_the_truth_are_changed(learnt):
    learner, task, X, _, found = learnt
    fresh, Z, _ = halves(world(learner, task.target, 1))
    found.score(X)
    np.testing.assert_array_equal(task.X, fresh.X)
    np.testing.assert_array_equal(task.y, fresh.y)
    np.testing.assert_array_equal(X, Z)


def test_contributions_and_the_mean_add_up_to_the_score(learnt):
    _, _, X, _, found = learnt
    if found.explain is None:
        assert found.size is None, "who tells its size explains itself"
        return
    gap = found.score(X[:50]) - found.explain(X[:50]).sum(axis=1)
    assert np.ptp(gap) == pytest.approx(0.0, abs=1e-4)
    assert found.size is not None
    assert found.size > 0


def test_lightgbm_is_the_librarys_own_with_nothing_changed():
    task, X, _ = halves(world(learners.PEERS["lightgbm"], "churn", 2))
    plain = lgb.LGBMClassifier(random_state=1, n_jobs=1, verbosity=-1).fit(task.X, task.y)
    found = learners.PEERS["lightgbm"].fit(task, 1).score(X)
    assert 1 / (1 + np.exp(-found)) == pytest.approx(plain.predict_proba(X)[:, 1], abs=1e-9)


@pytest.mark.parametrize("name", ["xgboost", "catboost"])
def test_boosting_is_what_the_librarys_estimators_say(name):
    library = required(name)
    task, X, _ = halves(world(learners.PEERS[name], "churn", 2))
    if name == "xgboost":
        plain = library.XGBClassifier(
            n_estimators=300, learning_rate=0.05, max_depth=4, min_child_weight=5, subsample=0.8,
            colsample_bytree=0.5, n_jobs=1, random_state=1,
        )  # fmt: skip
    else:
        plain = library.CatBoostClassifier(
            random_seed=1, thread_count=1, allow_writing_files=False, silent=True
        )
    said = plain.fit(task.X, task.y).predict_proba(X)[:, 1]
    found = learners.PEERS[name].fit(task, 1).score(X)
    assert 1 / (1 + np.exp(-found)) == pytest.approx(said, abs=1e-5)


def test_woe_is_a_regression_on_the_log_of_the_odds_of_each_bin():
    """The cuts are the library's, the weights counted again here; missing is a bin, the last."""
    optbinning = required("optbinning")
    rng = np.random.default_rng(3)
    x = rng.normal(size=1000)
    y = (rng.random(1000) < 1 / (1 + np.exp(-2 * x))).astype(float)
    x[rng.random(1000) < np.where(y > 0, 0.1, 0.3)] = np.nan
    cuts = optbinning.OptimalBinning(name="x").fit(x, y).splits
    place = np.where(np.isnan(x), len(cuts) + 1, np.searchsorted(cuts, x, side="right"))
    odds = [np.log((y[place == b] == 0).sum() / (y[place == b] == 1).sum()) for b in set(place)]
    woe = np.array(odds)[place] - np.log((y == 0).sum() / (y == 1).sum())
    expected = LogisticRegression(C=0.1, max_iter=2000).fit(woe[:, None], y)
    task = Task("churn", x[:, None], y, ("x",))
    found = learners.PEERS["woe"].fit(task, 1)
    assert found.score(x[:, None]) == pytest.approx(
        expected.decision_function(woe[:, None]), abs=1e-6
    )


def test_a_column_without_values_or_with_one_value_is_no_harm():
    required("optbinning")
    task, X, y = halves(world(learners.PEERS["woe"], "credit", 1))
    for column in (np.nan, 3.0):
        wide = np.column_stack([task.X, np.full(len(task.X), column)])
        found = learners.PEERS["woe"].fit(Task("credit", wide, task.y, (*task.names, "same")), 1)
        score = found.score(np.column_stack([X, np.full(len(X), column)]))
        assert metrics.auc(y, score)(np.ones(len(y))) > 0.72


def test_a_name_that_no_peer_has_is_refused_with_those_that_there_are():
    assert [learner.name for learner in chosen(["lightgbm", "lightgbm"])] == ["lightgbm"]
    with pytest.raises(InputError, match=r"\['forest'\].*lightgbm.*xgboost"):
        chosen(["lightgbm", "forest"])


def test_a_library_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(learners, "find_spec", lambda name: None if name == "catboost" else True)
    with pytest.raises(NotFoundError, match=r"\['catboost'\].*pip install '\.\[peers\]'"):
        chosen(["lightgbm", "catboost"])


def test_the_command_refuses_an_unknown_peer_before_it_does_anything(tmp_path):
    words = ["--home", str(tmp_path), "train", "--source", "bank", "--baselines", "forest"]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "no baseline is called ['forest']: choose from ['lightgbm'" in done.output
    assert not list(tmp_path.iterdir())


def test_no_room_imports_an_extra_by_itself():
    extras = {"xgboost", "catboost", "optbinning", "flaml"}
    for path in (path for room in ROOMS for path in modules(room)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {n.split(".")[0] for n in names} & extras, path.name
