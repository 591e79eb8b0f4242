"""What a run came to, as JSON: see also `test_table.py`."""

from __future__ import annotations

import json


def test_every_gate_has_its_result_and_figure_and_nothing_of_a_target_is_timed(trained):
    for result in trained.result.targets.values():
        told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
        said = [(g["gate"], g["result"], g["figure"]) for g in told["gates"]]
        assert said == [tuple(g) for g in result.verdict.gates]
        assert told["verdict"] == result.verdict.word
        assert "seconds" not in told
