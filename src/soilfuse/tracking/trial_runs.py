"""Runs of a sweep's trials, under the run of the stage that tells of them."""

from datetime import datetime

from soilfuse.tracking.facts import SCORE
from soilfuse.tracking.recording import PARENT_TAG, StageRun, failing
from soilfuse.training.finished import Finished
from soilfuse.training.trials import DIVERGED


def log_trial(stage: StageRun, trial: Finished) -> None:
    """Make the run of a finished trial, with the times at which it was begun and ended.

    A trial that was given up is FINISHED as a complete one is, and one that diverged FAILED; the
    tag soilfuse.state tells all three apart.
    """
    from mlflow.entities import Metric, Param

    begun, ended = _milliseconds(trial.begun), _milliseconds(trial.ended)
    tags = {
        "soilfuse.kind": "child",
        "soilfuse.trial": str(trial.place),
        "soilfuse.state": trial.state,
        "soilfuse.origin": trial.origin,
        PARENT_TAG: stage.run_id,
    }
    client, name = stage.client, f"trial {trial.place}"
    made = client.create_run(stage.experiment_id, start_time=begun, tags=tags, run_name=name)
    run = StageRun(client, stage.experiment_id, made.info.run_id)
    with failing(run):
        client.log_batch(
            run.run_id,
            metrics=[Metric(SCORE, trial.inner_rmse, ended, 0)],
            params=[Param(name, str(value)) for name, value in trial.values.items()],
        )
        status = "FAILED" if trial.state == DIVERGED else "FINISHED"
        client.set_terminated(run.run_id, status, end_time=ended)


def _milliseconds(time: datetime) -> int:
    return round(time.timestamp() * 1000)
