"""The finished trials of a sweep, as its table and its runs tell of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from soilfuse import config
from soilfuse.training import trials
from soilfuse.training.space import Values, origin_of
from soilfuse.training.study import finished_trials, place_of

if TYPE_CHECKING:
    import optuna


@dataclass(frozen=True)
class Finished:
    """A trial that was scored, given up or diverged: `state` says which.

    place: its number, had no trial before it failed; inner_rmse: in m3 m-3, what a trial that was
    given up had reached, NaN where it diverged; begun, ended: local times of who ran it.
    """

    place: int
    state: str
    origin: str
    inner_rmse: float
    values: Values
    begun: datetime
    ended: datetime


OnFinish = Callable[[Finished], None]


def finished_of(study: "optuna.Study", params: config.Params) -> list[Finished]:
    """Return the finished trials that count, whoever ran them, in the order of their places."""
    counted = finished_trials(study)[: params.sweep.trials]
    return [_finished(trial, params) for trial in counted]


def _finished(trial: "optuna.trial.FrozenTrial", params: config.Params) -> Finished:
    assert trial.datetime_start and trial.datetime_complete
    place = place_of(trial)
    return Finished(
        place=place,
        state=trials.state_of(trial),
        origin=origin_of(params, place),
        inner_rmse=trials.rmse_of(trial),
        values=dict(sorted(trial.params.items())),
        begun=trial.datetime_start,
        ended=trial.datetime_complete,
    )


def teller(
    study: "optuna.Study", params: config.Params, on_finish: OnFinish | None
) -> Callable[[], None]:
    """Return what calls on_finish for each trial that finished since it was called last."""
    told: set[int] = set()

    def tell() -> None:
        if on_finish is None:
            return
        for trial in finished_of(study, params):
            if trial.place not in told:
                told.add(trial.place)
                on_finish(trial)

    return tell
