"""The loop of one process that takes part in a sweep."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from soilfuse.progress import progress
from soilfuse.training import trials
from soilfuse.training.samplers import pruner_of
from soilfuse.training.signs_of_life import beating
from soilfuse.training.space import Values
from soilfuse.training.study import fail_dead, finished_trials, propose
from soilfuse.training.trials import Task

if TYPE_CHECKING:
    import optuna

LOOK = 0.5  # seconds between two looks at trials of other processes
clock = time.monotonic  # the same for all processes of a machine


def search(
    study: "optuna.Study", task: Task, until: float, tell: Callable[[], None] = lambda: None
) -> None:
    """Run trials in this process until all are finished, by whomever, or `until` has passed.

    until: seconds of `clock`; the first trial of a study is begun whatever the time is;
    tell: called between trials.
    """
    wanted = task.params.sweep.trials
    study.pruner = pruner_of(study, task.params)
    with progress(range(wanted), "sweep") as bar:
        while (finished := len(finished_trials(study))) < wanted:
            bar.update(finished - bar.n)
            tell()
            if finished and clock() >= until:
                break
            fail_dead(study)
            proposed = propose(study, task.params)
            if proposed is None:  # the rest runs elsewhere, and may yet fail there
                time.sleep(LOOK)
                continue
            _one_trial(study, task, *proposed)


def _one_trial(study: "optuna.Study", task: Task, trial: "optuna.Trial", values: Values) -> None:
    from optuna.exceptions import UpdateFinishedTrialError

    # Another process took this one for dead: the trial is run again, and counts there.
    with suppress(UpdateFinishedTrialError), _failed_on_exception(study, trial), beating(trial):
        trials.run(study, trial, task, values)


@contextmanager
def _failed_on_exception(study: "optuna.Study", trial: "optuna.Trial") -> Iterator[None]:
    """Leave no trial running behind an interruption: its place would not be free."""
    from optuna.trial import TrialState

    try:
        yield
    except BaseException:
        study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
        raise
