"""Learning on a cluster: the winner's parameters fitted by LightGBM over Dask workers.

Enters: a Dask client, one target's problem, the winner of its study. Leaves: a native booster whose
directions are proved on the trees, as `training.tune.fit_booster` gives it on one machine. Needs
the extra `dask`; nothing else in Tierline imports this module.

Each worker holds a part of the rows and finds the histograms of its own; LightGBM adds them up over
sockets between the workers. It is another booster than one machine's: bins are found on the parts,
sums are rounded in another order, and the only method of directions is `basic`. Nor are the bits
those of the next run (the order of the workers is Dask's), so that I11 holds for one machine only;
verdict, proof and bundle are as strict.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

import lightgbm as lgb
import numpy as np

from domain.errors import BundleError, InputError, TierlineError
from scoring.booster import booster_text, open_booster
from scoring.monotone import violations
from training.categories import encoded
from training.tune import Best, Fit, Index, Problem

if TYPE_CHECKING:
    from distributed import Client

SECONDS = 10
"""How long a scheduler may take to answer."""
LOOK = 1.0
"""How many seconds pass between two looks at the workers while they learn."""
_TAKEN = ("objective", "metric", "num_threads", "verbosity")
"""Fixed parameters that the class, or Dask, sets itself."""


def fit_on_dask(
    client: Client, problem: Problem, rows: Index, best: Best, seed: int
) -> lgb.Booster:
    """The booster of the winner on the rows given, learnt by every worker of the client's cluster.

    Raises:
        InputError: the cluster has no worker, fewer rows than workers, or a worker that is busy.
        BundleError: a direction is broken.
    """
    problem = encoded(problem, rows)
    workers = sorted(_alive(client))
    if not workers or len(rows) < len(workers):
        raise InputError(
            f"{len(workers)} workers for {len(rows)} rows: start workers, and give each a row"
        )
    _free(client, workers)
    params = {**problem.fixed(seed), **best.params, "monotone_constraints_method": "basic"}
    params = {name: value for name, value in params.items() if name not in _TAKEN}
    kind = lgb.DaskLGBMRegressor if problem.is_amount else lgb.DaskLGBMClassifier
    model = kind(
        client=client, n_estimators=best.trees, tree_learner="data", verbosity=-1, **params
    )
    X, y = (_parted(client, a[rows], workers) for a in (problem.X, problem.learnt))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Parameter")  # Dask sets threads and machines
        model.fit(X, y, feature_name=list(problem.names))
    booster = open_booster(booster_text(model.booster_))
    broken = violations(booster_text(booster), problem.monotone)
    if broken:
        raise BundleError(f"learnt on the cluster, {broken[0]}: free some features")
    return booster


def on_dask(address: str) -> Fit:
    """What learns on the workers of the scheduler at an address, for `RunOptions.fit`.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError:
        raise InputError("Dask is not installed: pip install 'tierline[dask]'") from None
    try:
        Client(address, timeout=SECONDS).close()
    except (OSError, ValueError) as e:
        raise InputError(
            f"no Dask scheduler answers at {address}: start one, or learn without --dask"
        ) from e
    return partial(fit_at_scheduler, address)


def fit_at_scheduler(
    address: str, problem: Problem, rows: Index, best: Best, seed: int
) -> lgb.Booster:
    """`fit_on_dask` with a client of its own, ended when a worker or the scheduler is lost.

    What only the lost worker could do is cancelled by Dask or waited for without end, by moment.
    So this thread watches while another learns; closing the client ends that one's wait.

    Raises:
        InputError: a worker or the scheduler was lost, or LightGBM failed on a worker.
    """
    from distributed import Client

    with ThreadPoolExecutor(1) as pool, Client(address, timeout=SECONDS) as client:
        before = _alive(client)
        learnt = pool.submit(fit_on_dask, client, problem, rows, best, seed)
        while not learnt.done() and before <= _alive(client):
            wait([learnt], LOOK)
        if not learnt.done():
            client.close()
        try:
            return learnt.result()
        except TierlineError:
            raise
        except Exception as e:
            raise InputError(
                f"the workers of {address} did not learn to the end ({type(e).__name__}): start "
                "all workers anew and train again, which takes up the trials that are "
                "done, or learn without --dask"
            ) from e


def _alive(client: Client) -> set[str]:
    """The addresses of the workers; none where the scheduler is gone."""
    try:
        return set(client.scheduler_info(n_workers=-1)["workers"])
    except OSError:
        return set()


def _free(client: Client, workers: list[str]) -> None:
    """Raise unless every worker does a task of nothing at once.

    LightGBM waits two hours for a lost worker, in a thread of the others that nobody can end.
    """
    from distributed import wait

    try:
        wait([client.submit(int, workers=[w], pure=False) for w in workers], timeout=SECONDS)
    except TimeoutError as e:
        raise InputError(
            f"a worker did nothing for {SECONDS} s: it has other work, or waits for a worker that "
            "was lost: start it anew, or learn without --dask"
        ) from e


def _parted(client: Client, values: np.ndarray[Any, Any], workers: list[str]) -> Any:
    """The rows as one Dask array, an equal part in the memory of each worker."""
    import dask
    import dask.array as da

    parts = np.array_split(values, len(workers))
    held = [
        client.scatter(part, workers=[worker], hash=False)
        for part, worker in zip(parts, workers, strict=True)
    ]
    arrays = [
        da.from_delayed(dask.delayed(future), part.shape, part.dtype)
        for future, part in zip(held, parts, strict=True)
    ]
    return da.concatenate(arrays)
