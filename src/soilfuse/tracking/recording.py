"""What a run records: numbers, parameters, tags and files, in as few requests as MLflow allows."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import without_passwords

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

PARENT_TAG = "mlflow.parentRunId"
PER_BATCH = 100  # MLflow's limit on parameters and tags in one request
METRICS_PER_BATCH = 1000
EVERY = 3.0  # seconds: epochs that end sooner after the last request wait for the next


@dataclass(frozen=True)
class StageRun:
    """An open run: the stage or one of its trials logs through it."""

    client: "MlflowClient"
    experiment_id: str
    run_id: str

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log numbers in one request; nested mappings become names joined by slashes.

        A value that is not a number (None, text, a list) is left out; NaN and infinity stay what
        they are, since a diverged loss must show.
        """
        self._send(_metrics(metrics, step or 0))

    @contextmanager
    def epochs(self) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Yield the call that logs an epoch's numbers, at the step that its `epoch` says.

        Epochs shorter than EVERY share a request; what still waits goes out as the block ends,
        however it ends.
        """
        waiting: list[Metric] = []
        sent = time.monotonic()

        def send() -> None:
            nonlocal sent
            self._send(waiting)
            waiting.clear()
            sent = time.monotonic()

        def log(record: Mapping[str, Any]) -> None:
            values = {key: value for key, value in record.items() if key != "epoch"}
            waiting.extend(_metrics(values, int(record["epoch"])))
            if time.monotonic() - sent >= EVERY:
                send()

        try:
            yield log
        except BaseException:
            with suppress(Exception):  # the first error is the one to tell
                send()
            raise
        send()

    def log_params(self, values: Mapping[str, Any]) -> None:
        """Log parameters of this run, each once; nested ones by dotted names."""
        from mlflow.entities import Param

        logged = [Param(key, str(value)) for key, value in leaves(values, ".")]
        for start in range(0, len(logged), PER_BATCH):
            self.client.log_batch(self.run_id, params=logged[start : start + PER_BATCH])

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags in one request."""
        from mlflow.entities import RunTag

        pairs = [RunTag(key, str(value)) for key, value in tags.items()]
        for start in range(0, len(pairs), PER_BATCH):
            self.client.log_batch(self.run_id, tags=pairs[start : start + PER_BATCH])

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Copy a file, or a folder with all it holds, into the run's artifacts."""
        if Path(path).is_dir():
            place = f"{folder}/{Path(path).name}" if folder else Path(path).name
            self.client.log_artifacts(self.run_id, str(path), place)
        else:
            self.client.log_artifact(self.run_id, str(path), folder)

    def log_text(self, text: str, name: str) -> None:
        """Write text as an artifact."""
        self.client.log_text(self.run_id, text, name)

    def log_figure(self, figure: "Figure", name: str) -> None:
        """Write a figure as an artifact in the format of its name's ending."""
        self.client.log_figure(self.run_id, figure, name)

    def _send(self, metrics: "Sequence[Metric]") -> None:
        for start in range(0, len(metrics), METRICS_PER_BATCH):
            self.client.log_batch(self.run_id, metrics=metrics[start : start + METRICS_PER_BATCH])


@contextmanager
def ended(run: StageRun, *above: StageRun) -> Iterator[None]:
    """End a run, and those above it, as the block ends: FAILED when it raises, else FINISHED."""
    with failing(run, *above):
        yield
    for each in (run, *above):
        each.client.set_terminated(each.run_id, "FINISHED")


@contextmanager
def failing(run: StageRun, *above: StageRun) -> Iterator[None]:
    """Mark a run, and those above it, FAILED when the block raises; else they go on."""
    from mlflow.exceptions import MlflowException

    try:
        yield
    except BaseException as error:
        # Where the store refuses this too, the first error is still the one to tell.
        with suppress(MlflowException):
            for each in (run, *above):
                each.client.set_terminated(each.run_id, "FAILED")
            if isinstance(error, Exception):
                told = without_passwords(f"{type(error).__name__}: {error}")
                run.set_tags({"soilfuse.error": told[:500]})
        raise


def leaves(values: Mapping[str, Any], joint: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings by their names, joined by `joint`."""
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from leaves(value, joint, f"{prefix}{key}{joint}")
        else:
            yield f"{prefix}{key}", value


def _metrics(values: Mapping[str, Any], step: int) -> "list[Metric]":
    import numpy as np
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [
        Metric(key, float(value), now, step)
        for key, value in leaves(values, "/")
        if isinstance(value, int | float | np.number | np.bool_)
    ]
