"""Which MLflow run made what a step made, and which registered version holds an ensemble."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.tracking import store
from soilfuse.tracking.datasets import INPUT
from soilfuse.tracking.endings import matching
from soilfuse.tracking.graph import Graph, Step, covers
from soilfuse.tracking.packing import WEIGHTS
from soilfuse.tracking.recording import leaves

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

PAGE = 100  # runs a request
INPUTS_ASKED = 3  # each makes the database's search longer


@dataclass(frozen=True)
class Run:
    """The run that made a step's outputs: code, user and time (UTC); alike: runs that fit as well.

    dirty: whether the code differed from the commit.
    """

    run_id: str
    commit: str
    dirty: bool
    user: str
    started: str
    alike: int = 1


@dataclass(frozen=True)
class Version:
    """A registered version of a model, and the aliases that point to it."""

    name: str
    version: int
    aliases: tuple[str, ...]
    run_id: str | None


def has_store() -> bool:
    """Return whether there is a store to ask; none is made for that."""
    uri = store.tracking_uri()
    return not uri.startswith(store.SQLITE) or Path(uri.removeprefix(store.SQLITE)).is_file()


def runs_of(steps: Collection[Step], graph: Graph) -> dict[str, Run]:
    """Return the finished run that made the outputs of some steps, the latest where several fit.

    graph: the whole one. A run fits when its stage, item, inputs' hashes and parameters are those
    that dvc.lock recorded.
    Steps without an entry were restored from DVC's cache. Raises UserError when the store refuses.
    """
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        experiment = client.get_experiment_by_name(store.EXPERIMENT)
        if experiment is None:
            return {}
        place = experiment.experiment_id
        fitting = {step.name: _fitting(client, place, step, graph) for step in steps}
    return {name: _run(runs[0], len(runs)) for name, runs in fitting.items() if runs}


def _fitting(client: "MlflowClient", experiment_id: str, step: Step, graph: Graph) -> list[Any]:
    """Return the latest runs that fit a step, latest first; the store leaves out most others."""
    token: str | None = ""
    while token is not None:
        page = client.search_runs(
            [experiment_id],
            f"{matching(_asked(step, graph))} and attributes.status = 'FINISHED'",
            max_results=PAGE,
            order_by=["attributes.start_time DESC"],
            page_token=token or None,
        )
        if fitting := [run for run in page if _fits(run, step, graph)]:
            return fitting
        token = page.token or None
    return []


def _asked(step: Step, graph: Graph) -> dict[str, str]:
    """Return tags of every run that fits a step: its name, and the hashes of some of its inputs."""
    tags = {"soilfuse.kind": "stage", "soilfuse.stage": step.stage}
    if step.item is not None:
        tags["soilfuse.item"] = step.item
    hashes = {path: _hashes(path, step, graph) for path in step.data}
    sure = [(f"{INPUT}{path}", min(md5)) for path, md5 in hashes.items() if len(md5) == 1]
    return tags | dict(sure[:INPUTS_ASKED])


def versions_of(weights_sha256: str) -> list[Version]:
    """Return the registered versions that hold these weights, of every model's name."""
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        found = client.search_model_versions(f"tags.{WEIGHTS} = '{weights_sha256}'")
        aliases = {v.name: client.get_registered_model(v.name).aliases for v in found}
    versions = [
        Version(v.name, int(v.version), _pointing(aliases[v.name], int(v.version)), v.run_id)
        for v in found
    ]
    return sorted(versions, key=lambda each: (each.name, each.version))


def run_named(run_id: str) -> Run | None:
    """Return a run by its id, None where the store has it no more."""
    from mlflow.exceptions import MlflowException

    try:
        return _run(store.open_client().get_run(run_id), 1)
    except MlflowException:
        return None


def _pointing(aliases: Mapping[str, Any], version: int) -> tuple[str, ...]:
    return tuple(sorted(alias for alias, to in aliases.items() if int(to) == version))


def _fits(run: Any, step: Step, graph: Graph) -> bool:
    """Return whether a run had the inputs and parameters of a step."""
    given = {
        key.removeprefix(INPUT): md5 for key, md5 in run.data.tags.items() if key.startswith(INPUT)
    }
    return (
        set(given) == set(step.data)
        and all(md5 in _hashes(path, step, graph) for path, md5 in given.items())
        and _same_params(run.data.params, step.params)
    )


def _hashes(path: str, step: Step, graph: Graph) -> set[str]:
    """Return the md5 of an input, and of recorded folders that hold it: a run tags either."""
    holding = {f.md5 for other, f in graph.files.items() if other != path and covers(other, path)}
    return {step.used[path].md5, *holding}


def _same_params(logged: Mapping[str, str], recorded: Mapping[str, Any]) -> bool:
    values = {k: v for file in recorded.values() for k, v in leaves(file, ".")}
    return all(_equal(logged[name], value) for name, value in values.items() if name in logged)


def _equal(logged: str, value: Any) -> bool:
    """Compare a value that MLflow keeps as text with one of YAML; 1 equals 1.0."""
    if str(value) == logged:
        return True
    try:
        other = ast.literal_eval(logged)
        return bool(other == value) or float(other) == float(value)
    except (ValueError, SyntaxError, TypeError):
        return False


def _run(found: Any, alike: int) -> Run:
    tags = found.data.tags
    started = datetime.fromtimestamp(found.info.start_time / 1000, tz=UTC)
    return Run(
        run_id=found.info.run_id,
        commit=tags.get("mlflow.source.git.commit", "unknown"),
        dirty=tags.get("soilfuse.dirty") == "true",
        user=tags.get("mlflow.user", "unknown"),
        started=started.strftime("%Y-%m-%d %H:%M"),
        alike=alike,
    )
