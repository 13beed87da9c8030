"""Whether the process of a running trial still lives, on this machine or another one."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from soilfuse.processes import is_dead, machine, process_name

if TYPE_CHECKING:
    import optuna

WORKER, BEAT = "worker", "beat"
BEATS = 30.0  # seconds between two signs of life
DEAD = 300.0  # seconds without one, after which another machine's process counts as dead


def named(trial: "optuna.Trial") -> None:
    """Give a trial the name of this process and the first sign of life."""
    # In this order: killed in between, a name without a sign would live for ever on other machines.
    trial.set_user_attr(BEAT, time.time())
    trial.set_user_attr(WORKER, process_name())


@contextmanager
def beating(trial: "optuna.Trial") -> Iterator[None]:
    """Give signs of life for a trial as long as the block lasts.

    No storage but databases has any of its own, and those want Optuna to run the trial.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(BEATS):
            with suppress(Exception):  # the trial's own end tells of a storage that is gone
                trial.set_user_attr(BEAT, time.time())

    beater = threading.Thread(target=beat, daemon=True)
    beater.start()
    try:
        yield
    finally:
        over.set()
        beater.join(BEATS)


def may_live(attributes: Mapping[str, Any]) -> bool:
    """Return whether the process of a trial with these attributes may still run it."""
    worker = str(attributes.get(WORKER, ""))
    host, _, rest = worker.partition(":")
    process = rest.partition(":")[0]
    if not process:
        return False
    if host != machine():
        return time.time() - attributes.get(BEAT, 0.0) < DEAD
    return not is_dead(worker)
