"""The tracking benchmark at a small size: that it counts what the tracker takes."""

import time
from pathlib import Path

import pytest
from benchmarks import tracking
from benchmarks.tracking import Taken

from soilfuse.tracking import store


@pytest.fixture
def case():
    case = tracking.demo(epochs=2)
    changes = {"network": {"width": 2, "depth": 1}, "finetune": {"batch": 48}}
    case = case.with_sections(changes)
    return type(case)(case.params, case.device, shape=(8, 8))


def test_seconds_inside_calls_add_up():
    taken = Taken()
    assert taken.by(lambda seconds: time.sleep(seconds) or "made", 0.05) == "made"
    with taken.counted():
        time.sleep(0.05)
    assert 0.1 <= taken.seconds < 1


@pytest.mark.slow
def test_tracker_and_training_are_told_apart(case, tmp_path, monkeypatch):
    monkeypatch.chdir(Path(tracking.ROOT))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    for name in ("MLFLOW_RUN_ID", "SOILFUSE_PARENT_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    whole, account, requests = tracking.compare(case, 1, tmp_path)
    assert whole.ours == account.ours
    assert 0 < account.baseline < account.ours
    assert account.floor is None, "a training this short is held to nothing"
    assert requests.ours < requests.baseline
    runs = store.open_client().search_runs(["1"], "tags.`soilfuse.item` = '0'")
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert runs[0].data.metrics["weights"] > 0
