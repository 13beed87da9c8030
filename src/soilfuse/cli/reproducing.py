"""`dvc repro` from a command: in this interpreter's environment, into the store in use."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from soilfuse import config, layout
from soilfuse.errors import UserError, shortened
from soilfuse.tracking import lineage
from soilfuse.tracking.registry import require_champion
from soilfuse.tracking.store import tracking_uri

NAMED_PROBLEMS = 4
LENGTH = 200  # of each, which may name many files
LOST_LOCK = f"there is no {lineage.LOCK}: where git has one, `git checkout {lineage.LOCK}`; else "
CLOSED = (-signal.SIGPIPE, 128 + signal.SIGPIPE)  # exit codes of what writes to a closed pipe
PATIENCE = 60.0  # seconds that a stage may take to end, after which it is killed


def refuse_unready(targets: Sequence[str], then: str = "") -> None:
    """Raise UserError where stages shall run alone and something above them is not as they need it.

    That is a stale or missing upstream, and for infer an alias `champion` that was moved by hand:
    the stage itself would ask only after DVC has taken its product away, and not at all where that
    is up to date. then: what a user does after mending it.
    """
    _refuse_stale_upstream(targets, then)
    infers = any(target.split("@")[0] == "infer" for target in targets)
    if infers and layout.CHAMPION.exists():
        require_champion(layout.CHAMPION, config.load().promote.registered_model)


def _refuse_stale_upstream(targets: Sequence[str], then: str) -> None:
    problems = lineage.upstream_problems(Path.cwd(), targets)
    if problems:
        more = len(problems) - NAMED_PROBLEMS
        told = "; ".join(_named(problem) for problem in problems[:NAMED_PROBLEMS])
        told += f"; and {more} more" if more > 0 else ""
        back = "" if Path(lineage.LOCK).is_file() else LOST_LOCK
        raise UserError(
            f"what {targets[0]} is made from is stale or missing: {told}: {back}run "
            f"`dvc repro {' '.join(targets)}`, which makes that too{then}"
        )


def _named(problem: str) -> str:
    told = shortened(problem, LENGTH)
    return told if len(told) == len(problem) else f"{told})"


def reproduce(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run `dvc repro` with these arguments; raise UserError where it fails.

    An interruption ends DVC and its stage too, before it goes on.
    """
    given = {**environment, "MLFLOW_TRACKING_URI": tracking_uri(), "DVC_NO_ANALYTICS": "true"}
    command = ["dvc", "repro", *arguments]
    # A group of its own: DVC that is killed alone would leave its stage running.
    started = subprocess.Popen([sys.executable, "-m", *command], env=given, start_new_session=True)
    try:
        code = started.wait()
    except BaseException:
        _end(started)
        raise
    if code in CLOSED:
        raise UserError(
            f"`{' '.join(command)}` ended, since what reads its output closed the pipe: run it "
            "again, without a pipe or into a file"
        )
    if code != 0:
        raise UserError(
            f"`{' '.join(command)}` failed with exit code {code}: its own lines above say why"
        )


def _end(leader: "subprocess.Popen[bytes]") -> None:
    """Ask a group of processes to end, and wait until none of them is left."""
    asked = time.monotonic()
    with suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGTERM)
        while True:
            leader.poll()
            late = time.monotonic() - asked > PATIENCE
            os.killpg(leader.pid, signal.SIGKILL if late else 0)
            time.sleep(0.05)
