"""The sweep's Optuna study in a journal file, which outlives its processes."""

import os
import socket
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import config
from soilfuse.files import lives
from soilfuse.progress import note
from soilfuse.seeding import derive_seed

if TYPE_CHECKING:
    import optuna

Values = dict[str, float]
STUDY = "finetune"
WORKER = "worker"
PLACE = "place"
# What optuna raises on lines that are not its own: it checks none of them.
DAMAGES = (ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError)


def open_study(journal: Path) -> "optuna.Study":
    """Open or create the study, and fail the trials of processes that are no more.

    A damaged journal is set aside with one line, and the search begins again. Raises UserError
    where the journal cannot be written.
    """
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = _opened(journal)
    except DAMAGES:
        aside = journal.with_suffix(".damaged")
        journal.replace(aside)
        note(f"the sweep's journal '{journal}' is damaged, now '{aside}'; the search begins again")
        study = _opened(journal)
    # A journal has no heartbeat: what a killed process left running would stay so for ever.
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if not _alive(trial.user_attrs.get(WORKER, "")):
            with suppress(optuna.exceptions.UpdateFinishedTrialError):  # another did so just now
                study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    return study


def _opened(journal: Path) -> "optuna.Study":
    import optuna

    from soilfuse.training.journal import Journal

    storage = optuna.storages.JournalStorage(Journal(journal))
    return optuna.create_study(
        storage=storage, study_name=STUDY, direction="minimize", load_if_exists=True
    )


def finished_trials(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """Return the trials that were scored or diverged, in the order of their places."""
    from optuna.trial import TrialState

    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    return sorted(finished, key=place_of)


def place_of(trial: "optuna.trial.FrozenTrial | optuna.Trial") -> int:
    """Return a trial's place: its number, had no trial before it failed."""
    return int(trial.user_attrs[PLACE])


def propose(study: "optuna.Study", params: config.Params) -> "tuple[optuna.Trial, Values]":
    """Begin a trial whose values depend on the seed, its place and the finished trials alone."""
    import optuna

    settings = params.sweep
    trial = _asked(study)
    place = _free_place(study, trial)
    trial.set_user_attr(PLACE, place)
    # Seeded after asking: two processes that start together hold different places by then.
    study.sampler = optuna.samplers.TPESampler(
        seed=derive_seed(params.seed, "sweep", place),
        n_startup_trials=max(2, min(10, settings.trials // 2)),
    )
    values = {
        name: trial.suggest_float(name, bounds.low, bounds.high, log=True)
        for name, bounds in sorted(settings.search.items())
    }
    return trial, values


def _asked(study: "optuna.Study") -> "optuna.Trial":
    """Begin a trial with the name of this process.

    One that has no name yet is taken for a dead process's by another that opens the study then.
    """
    import optuna

    while True:
        trial = study.ask()
        with suppress(optuna.exceptions.UpdateFinishedTrialError):
            trial.set_user_attr(WORKER, _worker(os.getpid()))
            return trial


def discard(journal: Path) -> None:
    """Delete the journal of a finished search, unless another process has a trial in it still."""
    from optuna.trial import TrialState

    if not open_study(journal).get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        journal.unlink()


def _free_place(study: "optuna.Study", trial: "optuna.Trial") -> int:
    """Return the first place that no other trial holds or, begun before this one, will take.

    A failed trial gives its place free, so that an interrupted search goes on as if it had not.
    """
    from optuna.trial import TrialState

    others = [
        other
        for other in study.get_trials(deepcopy=False)
        if other.number != trial.number and other.state != TrialState.FAIL
    ]
    held = {place_of(other) for other in others if PLACE in other.user_attrs}
    before = sum(PLACE not in t.user_attrs for t in others if t.number < trial.number)
    return next(islice((place for place in count() if place not in held), before, None))


def _worker(process: int) -> str:
    """Name a process of this machine; its start tells it from a later one of the same number.

    A container that is killed and started again gives its process the number it had.
    """
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # no such process, or not Linux
        return f"{socket.gethostname()}:{process}:"
    return f"{socket.gethostname()}:{process}:{told.rpartition(')')[2].split()[19]}"


def _alive(worker: str) -> bool:
    """Return whether a trial's process may still run; another machine's is given the benefit."""
    host, _, rest = worker.partition(":")
    process = rest.partition(":")[0]
    if not process:
        return False
    if host != socket.gethostname():
        return True
    return lives(int(process)) and worker == _worker(int(process))
