"""The processes of one training: the first starts the others, and none outlives it.

The first process records and writes, the others only compute, so they may be killed at any moment.
Where a launcher (torchrun) started the processes, it ends them.
"""

import _thread
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import distributed

from soilfuse.errors import UserError

FIRST = "SOILFUSE_FIRST_PROCESS"  # tells a process who started it
LOOK = 1.0  # seconds between two looks at the others
GRACE = 10.0  # seconds in which the first process learns by itself that another one ended
LAST = 60.0  # seconds that others may take to end, and the first one to record that it failed

_others: list[subprocess.Popen[bytes]] = []
_leaving = threading.Event()
_given_up = threading.Event()


def start_others(devices: int) -> bool:
    """Start this very command `devices` - 1 times, and describe all processes by torch's variables.

    Returns whether the processes are ours; False where a launcher described them (LOCAL_RANK).
    """
    if FIRST in os.environ:
        _beside(_leave_with_first)
        return True
    if "LOCAL_RANK" in os.environ:
        return False
    described = {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(_free_port()),
        "NODE_RANK": "0",
        "LOCAL_RANK": "0",
        "WORLD_SIZE": str(devices),
    }
    os.environ.update(described)
    command = [sys.executable, *sys.orig_argv[1:]]
    for place in range(1, devices):
        told = {"LOCAL_RANK": str(place), FIRST: str(os.getpid())}
        _others.append(subprocess.Popen(command, env={**os.environ, **told}))
    _beside(_watch_others)
    return True


@contextmanager
def ended_together() -> Iterator[None]:
    """Let no other process live on as the block ends.

    Raises UserError where another process ended, and this one can therefore not go on.
    """
    try:
        yield
    except BaseException as error:
        _leaving.set()
        if _given_up.is_set() or _lost(error):
            _refuse_to_go_on_alone(error)
        raise
    else:
        _leaving.set()
        if distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()
        _wait_for_others(LAST)
    finally:
        for other in _others:
            other.kill()
            other.wait()


def _lost(error: BaseException) -> bool:
    """Return whether an error says that another process no longer answers."""
    known = isinstance(error, distributed.DistError)
    return known or (isinstance(error, RuntimeError) and "gloo" in str(error).lower())


def _refuse_to_go_on_alone(error: BaseException) -> None:
    if FIRST in os.environ:
        raise SystemExit(1) from None  # the first process tells
    _wait_for_others(LOOK * 5)
    failed = [(place, code) for place, code in enumerate(_codes(), start=1) if code]
    if _others and not failed:
        return
    ended = [f"the process of rank {place} ended with exit code {code}" for place, code in failed]
    raise UserError(
        f"{', '.join(ended) or 'another process ended'}, and training needs all of them; its own "
        "lines, if any, say why: mend that, and the same command goes on"
    ) from error


def _wait_for_others(seconds: float) -> None:
    end = time.monotonic() + seconds
    while None in _codes() and time.monotonic() < end:
        time.sleep(0.05)


def _codes() -> list[int | None]:
    return [other.poll() for other in _others]


def _watch_others() -> None:
    """End the first process where it waits for one that is no more, first kindly, then at once."""
    while not any(_codes()):
        if _leaving.wait(LOOK):
            return
    if _leaving.wait(GRACE):
        return
    _given_up.set()
    _thread.interrupt_main()
    if not _leaving.wait(LAST):
        sys.stderr.write("soilfuse: error: another process of this training ended\n")
        for other in _others:
            other.kill()
        os._exit(2)


def _leave_with_first() -> None:
    """End this process when the first one is no more, wherever it waits for it."""
    while os.getppid() == int(os.environ[FIRST]):
        time.sleep(LOOK)
    os._exit(1)


def _beside(function: Callable[[], None]) -> None:
    threading.Thread(target=function, daemon=True).start()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
