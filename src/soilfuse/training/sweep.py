"""The search over learning rates and loss weights, on inner validation blocks only (Optuna).

The study lives in a journal file, so that an interrupted sweep goes on, and several processes may
share one. Each trial's proposal depends on the seed, its place and the trials finished before it; a
sweep in one process therefore ends with the same trials whether it was interrupted or not.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.progress import progress
from soilfuse.training.device import precision_of
from soilfuse.training.fields import Fields
from soilfuse.training.folds import fold_of
from soilfuse.training.loop import DivergedError, fit
from soilfuse.training.plan import Plan, plan_with, swept_values
from soilfuse.training.players import assemble
from soilfuse.training.study import Values, finished_trials, open_study, place_of, propose

if TYPE_CHECKING:
    import optuna
    import pandas as pd

OnFinish = Callable[[int, Values, float], None]


@dataclass(frozen=True)
class Swept:
    """The best values by flat name, their mean inner RMSE in m3 m-3, and a row a trial."""

    best: Values
    rmse: float
    trials: "pd.DataFrame"


@dataclass(frozen=True)
class _Task:
    """What every trial of a sweep needs."""

    params: config.Params
    fields: Sequence[Fields]
    pretrained: Mapping[str, Tensor]
    device: torch.device
    precision: str


def sweep(
    params: config.Params,
    fields: Sequence[Fields],
    pretrained: Mapping[str, Tensor],
    journal: Path,
    device: torch.device,
    on_finish: OnFinish | None = None,
) -> Swept:
    """Run trials until params.sweep.trials are finished; finished ones are never repeated.

    fields: one a fold, the first params.sweep.folds are used; journal: the study's file, named by
    a hash of params and inputs; on_finish(trial, values, rmse): called after each trial run now,
    rmse NaN for one that diverged. Every key of params.sweep.search is searched, whatever
    params.finetune says of it; the others are params.finetune's numbers.
    Raises UserError where those are no numbers, or every trial diverged.
    """
    fixed = fixed_values(params)
    precision = precision_of(params.finetune.precision, device)
    task = _Task(params, fields, pretrained, device, precision)
    study = open_study(journal)
    for _ in progress(range(len(finished_trials(study)), params.sweep.trials), "sweep"):
        if len(finished_trials(study)) >= params.sweep.trials:  # other processes did the rest
            break
        trial, values = propose(study, params)
        with _failed_on_exception(study, trial):
            rmse = _run(study, trial, task, {**fixed, **values})
        if on_finish:
            on_finish(place_of(trial), values, rmse)
    return _result(study, params)


@contextmanager
def _failed_on_exception(study: "optuna.Study", trial: "optuna.Trial") -> Iterator[None]:
    """Leave no trial running behind an interruption: it would count in later proposals."""
    from optuna.trial import TrialState

    try:
        yield
    except BaseException:
        study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
        raise


def _run(study: "optuna.Study", trial: "optuna.Trial", task: _Task, values: Values) -> float:
    """Score one trial and tell the study; NaN and the state `pruned` where it diverged."""
    from optuna.trial import TrialState

    try:
        rmse = _score(task, values)
    except DivergedError:
        study.tell(trial, state=TrialState.PRUNED)
        return math.nan
    study.tell(trial, rmse)
    return rmse


def _score(task: _Task, values: Values) -> float:
    """Return the mean inner RMSE of the folds in m3 m-3 after fine-tuning with these values."""
    found = []
    for index in range(task.params.sweep.folds):
        fields = task.fields[index]
        plan = _plan(task, index, values)
        protocol, seed = task.params.finetune.protocol, task.params.seed
        fold = fold_of(protocol, index, seed, fields.target.time, fields.target.name)
        train = fields.training(fold.train, task.device)
        inner = fields.validation(fold.inner, task.device)
        players = assemble(task.params, plan, train, task.pretrained, fields.static)
        found.append(fit(players, train, inner, plan).rmse)
    return sum(found) / len(found)


def _plan(task: _Task, fold: int, values: Values) -> Plan:
    plan = plan_with(task.params, fold, values, task.precision)
    # what was not trained says nothing of the values, so that it must not stand for a trial
    return replace(
        plan,
        name=f"sweep fold {fold}",
        epochs=task.params.sweep.epochs,
        counts_untrained=False,
    )


def fixed_values(params: config.Params) -> Values:
    """Return fine-tuning's numbers for what this sweep does not search, by flat name.

    Raises UserError where one of them is no number.
    """
    search = params.sweep.search
    fixed = {n: value for n, value in swept_values(params.finetune).items() if n not in search}
    problems = [
        f"finetune.{name} is 'sweep' but is not searched; write a number, or add it to "
        "params.yaml:sweep.search"
        for name, value in fixed.items()
        if value == names.SWEEP
    ]
    if problems:
        raise UserError(*problems)
    return {name: float(value) for name, value in fixed.items()}


def _result(study: "optuna.Study", params: config.Params) -> Swept:
    import pandas as pd

    finished = finished_trials(study)[: params.sweep.trials]
    rows = [
        {
            "trial": place_of(trial),
            "state": trial.state.name.lower(),
            "inner_rmse": math.nan if trial.value is None else trial.value,
            **dict(sorted(trial.params.items())),
        }
        for trial in finished
    ]
    scored = [trial for trial in finished if trial.value is not None]
    if not scored:
        raise UserError(
            "every trial of the sweep diverged; expected a finite error of one: lower the bounds "
            "in params.yaml:sweep.search"
        )
    best = min(scored, key=lambda trial: trial.value or math.inf)
    return Swept(dict(sorted(best.params.items())), float(best.value or 0.0), pd.DataFrame(rows))
