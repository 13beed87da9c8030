"""The sweep's Optuna study, which outlives its processes: places, proposals, and who holds them.

A place is what a trial's number would be, had no trial before it failed. A trial that fails gives
its place free with its values: the next trial there has the same.
"""

import time
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import config
from soilfuse.training.samplers import PLACE, sampler_of
from soilfuse.training.signs_of_life import WORKER, may_live, named
from soilfuse.training.space import Values, distributions, hand_tried, suggest
from soilfuse.training.storage import load_study

if TYPE_CHECKING:
    import optuna

NAMING = 0.5  # seconds that a process may take to name a trial that it has begun


def open_study(journal: Path, url: str | None = None, mends: bool = True) -> "optuna.Study":
    """Open or create the study, and fail the trials of processes that are no more.

    mends: whether a damaged journal may be set aside. Raises UserError as `load_study` does.
    """
    study = load_study(journal, url, mends)
    fail_dead(study)
    return study


def fail_dead(study: "optuna.Study") -> None:
    """Fail the trials of processes that are no more: left running, they would stay so for ever."""
    import optuna
    from optuna.trial import TrialState

    running = (TrialState.RUNNING,)
    if any(WORKER not in trial.user_attrs for trial in study.get_trials(False, running)):
        time.sleep(NAMING)  # another process has just begun it
    for trial in study.get_trials(deepcopy=False, states=running):
        if not may_live(trial.user_attrs):
            with suppress(optuna.exceptions.UpdateFinishedTrialError):  # another did so just now
                study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def finished_trials(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Return the trials that were scored, given up or diverged, in the order of their places."""
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return sorted(finished, key=place_of)


def place_of(trial: "optuna.trial.FrozenTrial | optuna.Trial") -> int:
    """Return a trial's place: its number, had no trial before it failed."""
    return int(trial.user_attrs[PLACE])


def propose(study: "optuna.Study", params: config.Params) -> "tuple[optuna.Trial, Values] | None":
    """Begin a trial at a free place, or return None where other trials hold all of them.

    Its values are those of a failed trial of the place, or the paper's, or depend on the seed, the
    place and the finished trials alone.
    """
    import optuna

    while _places_left(study, params):
        # Another process that looked at a trial without its name yet may still take it for dead.
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            return _proposed(study, params)
    return None


def _proposed(study: "optuna.Study", params: config.Params) -> "tuple[optuna.Trial, Values] | None":
    trial = _placed(study, params)
    if trial is None:
        return None
    # Seeded after asking: two processes that start together hold different places by then.
    study.sampler = sampler_of(params, place_of(trial), _given(study, params, place_of(trial)))
    return trial, _suggested(trial, params)


def _places_left(study: "optuna.Study", params: config.Params) -> int:
    from optuna.trial import TrialState

    trials = study.get_trials(deepcopy=False)
    return max(0, params.sweep.trials - sum(t.state != TrialState.FAIL for t in trials))


def _placed(study: "optuna.Study", params: config.Params) -> "optuna.Trial | None":
    """Begin a trial at a place that no other holds; None where that is beyond the last one."""
    from optuna.trial import TrialState

    while True:
        trial = _asked(study)
        place = _free_place(study, trial)
        if place < params.sweep.trials:
            trial.set_user_attr(PLACE, place)
            if not _held_twice(study, trial):
                return trial
        study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
        if place >= params.sweep.trials:
            return None


def _asked(study: "optuna.Study") -> "optuna.Trial":
    """Begin a trial with the name of this process.

    One that has no name yet is taken for a dead process's by another that looks at the study then.
    """
    import optuna

    while True:
        trial = study.ask()
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            named(trial)
            return trial


def _held_twice(study: "optuna.Study", trial: "optuna.Trial") -> bool:
    """Return whether another process took the same place, seeing fewer or more failed trials."""
    return any(
        other.number != trial.number and other.user_attrs.get(PLACE) == place_of(trial)
        for other in _not_failed(study)
    )


def _free_place(study: "optuna.Study", trial: "optuna.Trial") -> int:
    """Return the first place that no other trial holds or, begun before this one, will take.

    A failed trial gives its place free, so that an interrupted search goes on as if it had not.
    """
    others = [other for other in _not_failed(study) if other.number != trial.number]
    held = {place_of(other) for other in others if PLACE in other.user_attrs}
    before = sum(PLACE not in t.user_attrs for t in others if t.number < trial.number)
    return next(islice((place for place in count() if place not in held), before, None))


def _not_failed(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    from optuna.trial import TrialState

    return [t for t in study.get_trials(deepcopy=False) if t.state != TrialState.FAIL]


def _given(study: "optuna.Study", params: config.Params, place: int) -> Values:
    """Return the values that a place has already: a failed trial's, or the paper's."""
    from optuna.trial import TrialState

    for trial in reversed(study.get_trials(deepcopy=False, states=(TrialState.FAIL,))):
        whole = set(trial.params) == set(params.sweep.search)
        if trial.user_attrs.get(PLACE) == place and whole:
            return dict(trial.params)
    tried = hand_tried(params)
    return tried[place] if place < len(tried) else {}


def _suggested(trial: "optuna.Trial", params: config.Params) -> Values:
    """Have the study's sampler propose a value for each searched parameter."""
    from threadpoolctl import threadpool_limits

    # Several threads only get in each other's way over a few dozen trials (Gaussian processes).
    with threadpool_limits(limits=1):
        return {name: suggest(trial, name, space) for name, space in distributions(params).items()}
