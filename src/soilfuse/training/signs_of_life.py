"""Whether the process of a running trial still lives, on this machine or another one."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.files import lives

if TYPE_CHECKING:
    import optuna

WORKER, BEAT = "worker", "beat"
IDENTITY = Path("/etc/machine-id")
BEATS = 30.0  # seconds between two signs of life
DEAD = 300.0  # seconds without one, after which another machine's process counts as dead


def named(trial: "optuna.Trial") -> None:
    """Give a trial the name of this process and the first sign of life."""
    # In this order: killed in between, a name without a sign would live for ever on other machines.
    trial.set_user_attr(BEAT, time.time())
    trial.set_user_attr(WORKER, worker_of(os.getpid()))


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
    return lives(int(process)) and worker == worker_of(int(process))


def worker_of(process: int) -> str:
    """Name a process of this machine; its start tells it from a later one of the same number.

    A container that is killed and started again gives its process the number it had.
    """
    try:
        told = Path(f"/proc/{process}/stat").read_text()
    except OSError:  # no such process, or not Linux
        return f"{machine()}:{process}:"
    return f"{machine()}:{process}:{told.rpartition(')')[2].split()[19]}"


def machine() -> str:
    """Name this machine: images and clusters give one host name to several.

    A hash, since systemd asks that the identity itself be told to nobody.
    """
    host = socket.gethostname()
    try:
        identity = IDENTITY.read_bytes().strip()
    except OSError:
        return host
    return f"{host}-{hashlib.sha256(identity).hexdigest()[:8]}" if identity else host
