"""How runs end that no block of their own ends: parents of several stages, and killed stages."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from soilfuse.processes import is_dead
from soilfuse.tracking.recording import PARENT_TAG, StageRun

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

TOP_TAG = "soilfuse.pipeline_run"  # the topmost run, whatever lies between
PROCESS_TAG = "soilfuse.process"
ERROR_TAG = "soilfuse.error"
SAME = (PARENT_TAG, "soilfuse.kind", "soilfuse.stage", "soilfuse.item")
LATEST = 100  # of a pipeline's runs these tell how it stands; each costs a millisecond


def matching(tags: Mapping[str, str]) -> str:
    """Return the query for runs that have all of some tags."""
    return " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())


@contextmanager
def parents_ended(top: StageRun, above: Iterable[StageRun]) -> Iterator[None]:
    """End the parents of a stage's run after it, however the block ends.

    top: the topmost run; above: those of the runs above the stage's that are ours to end. A parent
    below which something still runs is left to whoever ends last; it is FAILED where the latest run
    of one of its items is, else FINISHED.
    """
    from mlflow.exceptions import MlflowException

    try:
        yield
    except BaseException:
        with suppress(MlflowException):  # the first error is the one to tell
            _end_parents(top, list(above))
        raise
    _end_parents(top, list(above))


def end_killed(client: "MlflowClient", experiment_id: str, tags: Mapping[str, str]) -> None:
    """Mark as FAILED what killed processes of this machine left of the run that is to begin.

    tags: of that run; its parent, stage and item are those of the ones looked for.
    """
    same = matching({key: tags[key] for key in SAME if key in tags})
    for run in client.search_runs([experiment_id], f"{same} and attributes.status = 'RUNNING'"):
        _status(client, run)


def _end_parents(top: StageRun, above: list[StageRun]) -> None:
    if not above:
        return
    query = matching({TOP_TAG: top.run_id, "soilfuse.kind": "stage"})
    order = ["attributes.start_time DESC"]
    found = top.client.search_runs([top.experiment_id], query, max_results=LATEST, order_by=order)
    told = [(run, _status(top.client, run)) for run in found]
    for parent in above:
        below = [
            (run.info.run_name, status)
            for run, status in told
            if parent is top or run.data.tags.get(PARENT_TAG) == parent.run_id
        ]
        if "RUNNING" not in (status for _, status in below):
            latest = dict(reversed(below)).values()
            status = "FAILED" if "FAILED" in latest else "FINISHED"
            parent.client.set_terminated(parent.run_id, status)


def _status(client: "MlflowClient", run: "Run") -> str:
    """Return how a run stands; one whose process was killed becomes FAILED now."""
    status = str(run.info.status)
    if status != "RUNNING" or not is_dead(run.data.tags.get(PROCESS_TAG, "")):
        return status
    client.set_tag(run.info.run_id, ERROR_TAG, "killed")
    client.set_terminated(run.info.run_id, "FAILED")
    return "FAILED"
