"""The search over learning rates, loss weights and more, on inner validation blocks only (Optuna).

The study lives in a journal file or a database, so that an interrupted sweep goes on, and several
processes may share one. Each trial's proposal depends on the seed, its place and the trials
finished before it; a sweep in one process therefore ends with the same trials whether it was
interrupted or not.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.training import searching, trials, workers
from soilfuse.training.architectures import Architectures
from soilfuse.training.device import precision_of
from soilfuse.training.fields import Fields
from soilfuse.training.finished import OnFinish, finished_of, teller
from soilfuse.training.plan import swept_values
from soilfuse.training.space import Value, Values, refuse_impossible_networks
from soilfuse.training.storage import reachable, storage_url
from soilfuse.training.study import open_study
from soilfuse.training.trials import Task

if TYPE_CHECKING:
    import optuna
    import pandas as pd


@dataclass(frozen=True)
class Swept:
    """The best values by flat name, their mean inner RMSE in m3 m-3, and a row a trial."""

    best: Values
    rmse: float
    trials: "pd.DataFrame"


def sweep(
    params: config.Params,
    fields: Sequence[Fields],
    pretrained: Mapping[str, Tensor],
    journal: Path,
    device: torch.device,
    on_finish: OnFinish | None = None,
    architectures: Architectures | None = None,
) -> Swept:
    """Run trials until params.sweep.trials are finished; finished ones are never repeated.

    fields: one a fold, the first params.sweep.folds are used; journal: the study's file, named by
    a hash of params and inputs, or its name where params or the environment have a storage's URL;
    on_finish(trial): called once for each row of the result, by whomever and whenever it was
    finished: first for those of before, then for others as they finish;
    architectures: needed where the search has different ones.
    Every key of params.sweep.search is searched, whatever params.finetune says of it; the others
    are params.finetune's numbers. Raises UserError where those are no numbers, the storage cannot
    be used, or every trial diverged.
    """
    fixed = fixed_values(params)
    refuse_impossible_networks(params)
    precision = precision_of(params.finetune.precision, device)
    task = Task(params, fields, pretrained, device, precision, fixed, architectures)
    url = storage_url(params)
    minutes = params.sweep.minutes
    until = math.inf if minutes is None else searching.clock() + 60 * minutes
    with reachable(url):
        study = open_study(journal, url)
        tell = teller(study, params, on_finish)
        tell()
        if params.sweep.workers > 1:
            workers.search_beside(study, task, journal, url, until, tell)
        else:
            searching.search(study, task, until, tell)
        tell()
        return _result(study, params)


def fixed_values(params: config.Params) -> dict[str, Value]:
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

    finished = finished_of(study, params)
    rows = [
        {
            "trial": trial.place,
            "state": trial.state,
            "origin": trial.origin,
            "inner_rmse": trial.inner_rmse,
            **trial.values,
        }
        for trial in finished
    ]
    scored = [trial for trial in finished if trial.state == trials.COMPLETE]
    if not scored:
        raise UserError(
            "every trial of the sweep diverged; expected a finite error of one: lower the bounds "
            "in params.yaml:sweep.search"
        )
    best = min(scored, key=lambda trial: trial.inner_rmse)
    return Swept(best.values, best.inner_rmse, pd.DataFrame(rows))
