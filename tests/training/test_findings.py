"""Findings become JSON, tags and a refusal."""

from __future__ import annotations

import json

import pytest

from domain.errors import InputError
from training.findings import Finding, Leaks


def test_findings_are_plain_json_and_only_sure_ones_stop():
    sure = Finding("overlap", "churn, fold 1", "3 customers", 3.0, is_sure=True)
    told = Finding("single_feature", "churn, x", "alone", 0.95, is_sure=False)
    best = {"churn": {"highest_single_auc": {"feature": "x", "auc": 0.95}}}
    found = Leaks((sure,), {"a": 1}) + Leaks((told,), best)
    said = json.loads(json.dumps(found.to_dict()))
    assert [f["check"] for f in said["alarms"]] == ["overlap"]
    assert [f["check"] for f in said["told"]] == ["single_feature"]
    assert said["figures"] == {"a": 1, **best}
    assert found.tags("churn") == {
        "leakage.alarms": "overlap", "leakage.told": "single_feature",
        "leakage.highest_single_auc": "0.9500 x",
    }  # fmt: skip
    assert found.check(accepted=True) is found
    assert Leaks((told,)).check(accepted=False).alarms == ()
    with pytest.raises(InputError, match="3 customers"):
        found.check(accepted=False)
