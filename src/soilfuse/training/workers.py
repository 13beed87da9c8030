"""Several processes of this machine that share one sweep; the first waits, tells and ends them."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse.errors import EXIT_INTERRUPTED, UserError, one_line_errors, sigterm_interrupts
from soilfuse.training.searching import clock, search
from soilfuse.training.storage import reachable
from soilfuse.training.study import fail_dead, finished_trials, open_study
from soilfuse.training.trials import Task

if TYPE_CHECKING:
    import optuna

LOOK = 0.2  # seconds between two looks at the workers
LAST = 20.0  # seconds that a worker may take to fail its trial when it is told to end
PRELOADED = [  # by the server that the workers are forked from, so that they start at once
    *("soilfuse.training.searching", "soilfuse.training.journal"),
    *("optuna", "optuna.samplers", "pandas", "safetensors.torch", "torch._dynamo"),
]


def search_beside(
    study: "optuna.Study",
    task: Task,
    journal: Path,
    url: str | None,
    until: float,
    tell: Callable[[], None],
) -> None:
    """Have params.sweep.workers processes search, and call `tell` here while they do.

    The study's tables or file are there already: processes that create them together collide.
    Raises UserError where all of them ended before the trials were finished or the time was over.
    """
    section = task.params.sweep
    if len(finished_trials(study)) >= section.trials:
        return
    processes = _started(min(section.workers, section.trials), (task, journal, url, until))
    try:
        while any(process.is_alive() for process in processes):
            tell()
            time.sleep(LOOK)
    finally:
        _end(processes)
    fail_dead(study)
    tell()
    finished = len(finished_trials(study))
    if finished < section.trials and not (finished and clock() >= until):
        codes = ", ".join(str(process.exitcode) for process in processes)
        raise UserError(
            f"{finished} of {section.trials} trials are finished and all {len(processes)} workers "
            f"of the sweep ended (exit codes {codes}, below 0 a signal's, -9 often for want of "
            "memory); their own lines, if any, say why: mend that, or lower "
            "params.yaml:sweep.workers, and the same command goes on"
        )


def _started(count: int, given: tuple[Task, Path, str | None, float]) -> list[ForkServerProcess]:
    task = given[0]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    # As arrays: tensors would travel through shared memory, of which containers have little.
    arrays = {name: weight.cpu().numpy() for name, weight in task.pretrained.items()}
    plain = replace(task, pretrained={})
    processes = [
        context.Process(target=_work, args=(plain, arrays, *given[1:]), daemon=True)
        for _ in range(count)
    ]
    for process in processes:
        process.start()
    return processes


def _end(processes: Sequence[ForkServerProcess]) -> None:
    for process in processes:
        if process.is_alive():
            process.terminate()
    for process in processes:
        process.join(LAST)
        if process.is_alive():
            process.kill()
            process.join()


def _work(task: Task, arrays: dict, journal: Path, url: str | None, until: float) -> None:  # type: ignore[type-arg]
    """Search in a process of its own, which ends with the first one."""
    import torch

    from soilfuse.training.device import computing

    threading.Thread(target=_leave_with_first, daemon=True).start()
    with one_line_errors():
        try:
            with sigterm_interrupts(), reachable(url):
                computing(task.params.compute.model_copy(update={"threads": 1}), together=False)
                pretrained = {name: torch.from_numpy(array) for name, array in arrays.items()}
                study = open_study(journal, url, mends=False)
                search(study, replace(task, pretrained=pretrained), until)
        except KeyboardInterrupt:  # the first process tells
            raise SystemExit(1) from None


def _leave_with_first() -> None:
    first = multiprocessing.parent_process()
    assert first is not None
    first.join()
    os._exit(EXIT_INTERRUPTED)
