"""The sweep's Optuna study in a journal file, which outlives its processes."""

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import config
from soilfuse.seeding import derive_seed

if TYPE_CHECKING:
    import optuna

Values = dict[str, float]
STUDY = "finetune"
WORKER = "worker"


def open_study(journal: Path) -> "optuna.Study":
    """Open or create the study, and fail the trials of processes that are no more."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    journal.parent.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(
        storage=storage, study_name=STUDY, direction="minimize", load_if_exists=True
    )
    # A journal has no heartbeat: what a killed process left running would stay so for ever.
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,)):
        if not _alive(trial.user_attrs.get(WORKER, "")):
            study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
    return study


def finished_trials(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Return the trials that were scored or diverged, in the order they were begun."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def propose(
    study: "optuna.Study", params: config.Params, number: int
) -> "tuple[optuna.Trial, Values]":
    """Begin a trial whose values depend on the seed, its number and the finished trials alone."""
    import optuna

    settings = params.sweep
    study.sampler = optuna.samplers.TPESampler(
        seed=derive_seed(params.seed, "sweep", number),
        n_startup_trials=max(2, min(10, settings.trials // 2)),
    )
    trial = study.ask()
    trial.set_user_attr(WORKER, f"{socket.gethostname()}:{os.getpid()}")
    values = {
        name: trial.suggest_float(name, bounds.low, bounds.high, log=True)
        for name, bounds in sorted(settings.search.items())
    }
    return trial, values


def _alive(worker: str) -> bool:
    """Return whether a trial's process may still run; another machine's is given the benefit."""
    host, _, process = worker.rpartition(":")
    if not process:
        return False
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
