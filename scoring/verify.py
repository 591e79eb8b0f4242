"""The throw-away process: opens boosters that nobody vouches for, so that a crash kills only it.

`rehearse` runs in the process that serves; it starts `python -m scoring.verify`, hands it the very
bytes it has hashed, and reads which file it opened last. `main` is that process: it limits its own
memory and time, opens every booster and repeats the golden predictions. Bytes that passed are not
tried again by the process that saw it: promoting asks for one bundle several times.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from domain.errors import BundleError, TierlineError

SECONDS = 120
MEGABYTES = 4096
_UNUSED = ("pandas", "sklearn", "matplotlib", "graphviz", "dask", "pyarrow", "polars", "cffi")
_PASSED: set[str] = set()
"""The hashes of what this process saw pass, limits and all."""
_KEEP = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "SYSTEMROOT")


def rehearse(
    scorers: Mapping[str, Mapping[str, Any]], *, seconds: int = SECONDS, megabytes: int = MEGABYTES
) -> None:
    """Nothing, where a throw-away process opened every booster and repeated its golden answers.

    `scorers` maps a file name to `{"text": the file's text, "scorer": the scorer's fields,
    "golden": its golden answers}`.

    Raises:
        BundleError: the process died, ran too long, refused a file, or answered differently; the
            message names the file.
    """
    job = json.dumps({"scorers": scorers, "seconds": seconds, "megabytes": megabytes}).encode()
    sha256 = hashlib.sha256(job).hexdigest()
    if sha256 in _PASSED:
        return
    command = [sys.executable, "-P", "-m", "scoring.verify"]
    try:
        done = subprocess.run(
            command, input=job, capture_output=True, timeout=seconds, env=_environment()
        )
        said, code = done.stdout, done.returncode
    except subprocess.TimeoutExpired as e:
        raise BundleError(
            f"{_last_file(e.stdout)} did not open within {seconds} s: it is damaged or foreign; "
            "use another bundle"
        ) from None
    lines = said.decode("utf-8", "replace").splitlines()
    wrong = next((line.removeprefix("wrong ") for line in lines if line.startswith("wrong ")), None)
    if wrong is not None:
        raise BundleError(wrong)
    if code != 0 or lines[-1:] != ["all the same"]:
        raise BundleError(
            f"{_last_file(said)} ended the process that tried it ({_ending(code)}): "
            "it is damaged or foreign; use another bundle"
        )
    _PASSED.add(sha256)


def main() -> None:
    """Tries the scorers given on standard input; speaks in lines on standard output."""
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    job = json.loads(sys.stdin.buffer.read())
    _limit(job["seconds"], job["megabytes"])
    for name in _UNUSED:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # opens in 0.3 s, not in 2 s
    for file, given in job["scorers"].items():
        answers.write(f"open {file}\n")
        fault = _try(given)
        if fault is not None:
            answers.write(f"wrong {file}: {fault}\n")
            return
    answers.write("all the same\n")


def _try(given: Mapping[str, Any]) -> str | None:
    from scoring.golden import REASONS, SCORES, first_difference
    from scoring.scorer import scorer_from

    try:
        scorer = scorer_from(given["scorer"], given["text"])
        ours = scorer.explainer == "tree_shap"  # it opens nothing: `load_bundle` asks it
        what = SCORES if ours else (*SCORES, *REASONS)
        difference = first_difference(scorer, given["golden"], what)
    except TierlineError as e:
        return " ".join(str(e).split())
    if difference is None:
        return None
    return f"its golden predictions are not repeated ({difference}): use another bundle"


def _limit(seconds: int, megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # not on Windows: there the parent's time-out is the only limit
        return
    wanted = {
        resource.RLIMIT_AS: megabytes * 1024 * 1024,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in wanted.items():
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _environment() -> dict[str, str]:
    """What the process needs to import this package and no more: no secret of the parent's."""
    kept = {name: os.environ[name] for name in _KEEP if name in os.environ}
    root = str(Path(__file__).resolve().parents[1])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _last_file(said: bytes | None) -> str:
    lines = (said or b"").decode("utf-8", "replace").splitlines()
    opened = [line.removeprefix("open ") for line in lines if line.startswith("open ")]
    return opened[-1] if opened else "the bundle"


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"


if __name__ == "__main__":
    main()
