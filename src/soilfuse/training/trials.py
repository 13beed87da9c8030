"""One trial of a sweep: fine-tuned on some folds with its values, scored on their inner blocks."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from soilfuse import config, names
from soilfuse.config.searching import DROPOUT
from soilfuse.training.architectures import Architectures
from soilfuse.training.fields import Fields
from soilfuse.training.folds import fold_of
from soilfuse.training.loop import DivergedError, OnEpoch, fit
from soilfuse.training.plan import Plan, plan_with
from soilfuse.training.players import assemble
from soilfuse.training.run import Record
from soilfuse.training.space import Values, with_network

if TYPE_CHECKING:
    import optuna

STATE = "state"  # of a trial: how it ended, which Optuna's own state does not tell apart
COMPLETE, PRUNED, DIVERGED = "complete", "pruned", "diverged"


@dataclass(frozen=True)
class Task:
    """What every trial of a sweep needs.

    fields: one a fold; fixed: fine-tuning's numbers of what is not searched, by flat name;
    architectures: where trials of different ones begin, None where `pretrained` fits them all.
    """

    params: config.Params
    fields: Sequence[Fields]
    pretrained: Mapping[str, Tensor]
    device: torch.device
    precision: str
    fixed: Values
    architectures: Architectures | None = None


class GivenUpError(Exception):
    """The pruner gave the trial up; `rmse` is what it had reached: a fold's, or folds' mean."""

    def __init__(self, rmse: float) -> None:
        super().__init__("the pruner gave this trial up")
        self.rmse = rmse


def run(study: "optuna.Study", trial: "optuna.Trial", task: Task, values: Values) -> float:
    """Score one trial and tell the study how it ended; NaN where it has no score.

    Raises optuna.exceptions.UpdateFinishedTrialError where another process ended it meanwhile.
    """
    from optuna.trial import TrialState

    try:
        rmse = _score(task, {**task.fixed, **values}, trial)
    except DivergedError:
        trial.set_user_attr(STATE, DIVERGED)
        study.tell(trial, state=TrialState.PRUNED)
        return math.nan
    except GivenUpError as given_up:
        trial.set_user_attr(STATE, PRUNED)
        if task.params.sweep.pruner == names.WILCOXON:  # Optuna's advice: a mean over folds counts
            study.tell(trial, given_up.rmse)
        else:
            study.tell(trial, state=TrialState.PRUNED)
        return given_up.rmse
    trial.set_user_attr(STATE, COMPLETE)
    study.tell(trial, rmse)
    return rmse


def state_of(trial: "optuna.trial.FrozenTrial") -> str:
    """Return how a finished trial ended."""
    return str(trial.user_attrs.get(STATE, trial.state.name.lower()))


def rmse_of(trial: "optuna.trial.FrozenTrial") -> float:
    """Return the inner RMSE that a trial ended with or had reached; NaN where it diverged."""
    diverged = trial.user_attrs.get(STATE) == DIVERGED
    return math.nan if diverged or trial.value is None else trial.value


def _score(task: Task, values: Values, trial: "optuna.Trial") -> float:
    """Return the mean inner RMSE of the folds in m3 m-3 after fine-tuning with these values."""
    params = with_network(task.params, values)
    pretrained = task.pretrained
    if task.architectures is not None:
        # Dropout is fine-tuning's here: else the first trial's would be in all later ones' weights.
        architecture = {name: value for name, value in values.items() if name != DROPOUT}
        begun = with_network(task.params, architecture)
        pretrained = task.architectures.beginning(begun, task.device)
    found: list[float] = []
    for index in range(params.sweep.folds):
        fields = task.fields[index]
        plan = _plan(task, index, values)
        protocol, seed = params.finetune.protocol, params.seed
        fold = fold_of(protocol, index, seed, fields.target.time, fields.target.name)
        train = fields.training(fold.train, task.device)
        inner = fields.validation(fold.inner, task.device)
        players = assemble(params, plan, train, pretrained, fields.static)
        heard = _listener(task.params.sweep, trial, index)
        found.append(fit(players, train, inner, plan, on_epoch=heard).rmse)
        _judge_folds(task.params.sweep, trial, found)
    return sum(found) / len(found)


def _plan(task: Task, fold: int, values: Values) -> Plan:
    plan = plan_with(task.params, fold, values, task.precision)
    # what was not trained says nothing of the values, so that it must not stand for a trial
    return replace(
        plan,
        name=f"sweep fold {fold}",
        epochs=task.params.sweep.epochs,
        counts_untrained=False,
    )


def _listener(section: config.Sweep, trial: "optuna.Trial", fold: int) -> OnEpoch | None:
    """Return what tells Hyperband of each epoch, counted over all folds, and gives up when told.

    A fold's least RMSE so far is reported: it is what the fold would be scored with.
    """
    if section.pruner != names.HYPERBAND:
        return None
    least, last = math.inf, section.folds * section.epochs

    def heard(record: Record) -> None:
        nonlocal least
        least = min(least, record["validation_rmse"], key=lambda rmse: (math.isnan(rmse), rmse))
        step = fold * section.epochs + int(record["epoch"])
        trial.report(least, step)
        if step < last and trial.should_prune():
            raise GivenUpError(least)

    return heard


def _judge_folds(section: config.Sweep, trial: "optuna.Trial", found: Sequence[float]) -> None:
    """Tell the Wilcoxon pruner of the last fold, and give up when told."""
    if section.pruner != names.WILCOXON:
        return
    trial.report(found[-1], step=len(found) - 1)
    if len(found) < section.folds and trial.should_prune():
        raise GivenUpError(sum(found) / len(found))
