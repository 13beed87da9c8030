"""A sweep's stage has a run of each of its trials, whoever ran them."""

import pytest
import torch

from soilfuse.tracking import store
from soilfuse.tracking.recording import PARENT_TAG
from soilfuse.tracking.runs import stage_run
from soilfuse.tracking.trial_runs import log_trial
from soilfuse.training import trials
from soilfuse.training.finished import finished_of
from soilfuse.training.loop import DivergedError
from soilfuse.training.study import open_study, place_of, propose
from soilfuse.training.sweep import sweep

SCORES = {0: 0.04, 1: 0.03, 2: DivergedError("too fast"), 3: trials.GivenUpError(0.02), 4: 0.05}


@pytest.fixture
def five(params, monkeypatch):
    """Give params of five trials: three are scored, one diverges, one is given up."""

    def score(_task, _values, trial):
        found = SCORES[place_of(trial)]
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr(trials, "_score", score)
    section = params.sweep.model_copy(update={"trials": 5, "pruner": "wilcoxon"})
    return params.model_copy(update={"sweep": section})


@pytest.fixture
def stage(five, tmp_path):
    """Sweep as the stage does; return its result and the runs below its own, by trial."""

    def run(during=lambda trial: None):
        with stage_run("sweep", five, ["sweep"], []) as run:

            def on_finish(trial):
                log_trial(run, trial)
                during(run)

            journal, cpu = tmp_path / "a.journal", torch.device("cpu")
            swept = sweep(five, [], {}, journal, cpu, on_finish=on_finish)
        return swept, below(run)

    return run


def below(run):
    found = store.open_client().search_runs(
        [run.experiment_id], f"tags.`{PARENT_TAG}` = '{run.run_id}'"
    )
    return sorted(found, key=lambda run: int(run.data.tags["soilfuse.trial"]))


def test_each_row_has_one_run_with_its_times_values_and_state(stage, five, tmp_path):
    swept, runs = stage()
    finished = finished_of(open_study(tmp_path / "a.journal"), five)
    for run, trial, (_, row) in zip(runs, finished, swept.trials.iterrows(), strict=True):
        times = (run.info.start_time / 1000, run.info.end_time / 1000)
        assert times == pytest.approx((trial.begun.timestamp(), trial.ended.timestamp()), abs=1e-3)
        assert run.data.metrics["inner_rmse"] == pytest.approx(row["inner_rmse"], nan_ok=True)
        assert run.data.params == {name: str(value) for name, value in trial.values.items()}
        assert run.data.tags["soilfuse.trial"] == str(row["trial"])
        assert run.data.tags["soilfuse.origin"] == row["origin"]
    states = [run.data.tags["soilfuse.state"] for run in runs]
    assert states == ["complete", "complete", "diverged", "pruned", "complete"]
    ends = [run.info.status for run in runs]
    assert ends == ["FINISHED", "FINISHED", "FAILED", "FINISHED", "FINISHED"]


def test_runs_appear_while_the_sweep_goes_on(stage):
    counts = []
    stage(during=lambda run: counts.append(len(below(run))))
    assert counts == [1, 2, 3, 4, 5]


def test_a_stage_that_finds_its_trials_finished_has_their_runs_too(stage):
    _, first = stage()
    _, second = stage()
    assert [dict(run.data.params) for run in second] == [dict(run.data.params) for run in first]
    assert [run.info.start_time for run in second] == [run.info.start_time for run in first]
    assert not {run.info.run_id for run in first} & {run.info.run_id for run in second}


def test_trials_of_another_command_have_runs_in_this_one_too(stage, five, tmp_path):
    elsewhere = []

    def during(_):
        if not elsewhere:
            study = open_study(tmp_path / "a.journal")
            elsewhere.append(propose(study, five)[0])
            study.tell(elsewhere[0], 0.06)

    swept, runs = stage(during)
    assert [place_of(trial) for trial in elsewhere] == [1]
    assert len(runs) == len(swept.trials) == 5
    assert runs[1].data.metrics["inner_rmse"] == 0.06
