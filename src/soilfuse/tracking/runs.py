"""Runs of the pipeline in MLflow: one tree a pipeline, and all that a stage tells of itself.

The tree is pipeline run > stage runs; a stage of several items (folds, experiments) is a group run
with the items under it; trials lie under their stage. Inside `mlflow run` the given run stands in
the pipeline run's place.
"""

import getpass
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse import config, layout
from soilfuse.errors import UserError, shortened
from soilfuse.files import mending, read_mapping, sha256_of_content
from soilfuse.processes import process_name
from soilfuse.tracking import lineage, store
from soilfuse.tracking.datasets import hashes_of, input_tags, log_inputs
from soilfuse.tracking.endings import (
    PROCESS_TAG,
    TOP_TAG,
    end_killed,
    matching,
    parents_ended,
)
from soilfuse.tracking.recording import PARENT_TAG, StageRun, ended, failing
from soilfuse.tracking.store import tracking_uri
from soilfuse.tracking.system_metrics import sampled

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

__all__ = ["PARENT_VARIABLE", "StageRun", "join", "stage_run", "stages_run", "tracking_uri"]

PARENT_VARIABLE = "SOILFUSE_PARENT_RUN_ID"


@contextmanager
def stage_run(
    stage: str,
    params: config.Params,
    sections: Sequence[str],
    inputs: Sequence[Path],
    item: str | None = None,
) -> Iterator[StageRun]:
    """Open the run of one stage, or of one item of it, and end it as the block ends.

    It carries the leaf params of `sections` (dotted names allowed), params.yaml as artifact, and as
    tags the commit, whether the code differs from it, the world, and the DVC hash of every input;
    inputs are its datasets too. System metrics are sampled while it runs. An exception marks it
    FAILED and goes on; its parents end with the last run below them. The parent is the run in
    SOILFUSE_PARENT_RUN_ID, else the one that `mlflow run` gave, else this pipeline's (same
    parameters, same parent).

    Raises UserError when the store cannot be used, then or while the block logs, or an input is
    missing.
    """
    hashes = hashes_of(inputs)
    tags = _tags(stage, params, item) | input_tags(hashes)
    client = store.open_client()
    with store.store_errors(tracking_uri()):
        ancestors = _ancestors(client, params, _called(stage) if item is not None else None)
        parent = ancestors[-1]
        name = _called(stage) if item is None else f"{_called(stage)}@{item}"
        tags |= {PARENT_TAG: parent.run_id, TOP_TAG: ancestors[0].run_id}
        end_killed(client, parent.experiment_id, tags)
        made = client.create_run(parent.experiment_id, tags=tags, run_name=name)
        run = StageRun(client, parent.experiment_id, made.info.run_id)
        # A run that `mlflow run` opened is its own to end.
        ours = [above for above in ancestors if above.run_id not in _given()]
        with parents_ended(ancestors[0], ours), ended(run), sampled(run):
            run.log_params({name: _section(params, name) for name in sections})
            run.log_text(_params_text(params), "params.yaml")
            log_inputs(run, hashes)
            yield run


def join(run_id: str) -> StageRun:
    """Return an existing run to log into, without ending it.

    Raises UserError when the store has no such run.
    """
    from mlflow.exceptions import MlflowException

    client = store.open_client()
    try:
        found = client.get_run(run_id)
    except MlflowException:
        raise UserError(
            f"no run {run_id} in {tracking_uri()}, where {PARENT_VARIABLE} or MLFLOW_RUN_ID says "
            "it is: unset them, or set MLFLOW_TRACKING_URI to its store"
        ) from None
    return StageRun(client, found.info.experiment_id, run_id)


def stages_run(run: StageRun) -> set[str]:
    """Return the names (stage or stage@item) of the stages that ran under a topmost run."""
    query = matching({TOP_TAG: run.run_id, "soilfuse.kind": "stage"})
    return {found.info.run_name for found in run.client.search_runs([run.experiment_id], query)}


def _given() -> tuple[str, ...]:
    """Return the ids of runs that others opened and will end: ours first, then MLflow's."""
    names = (PARENT_VARIABLE, "MLFLOW_RUN_ID")
    return tuple(os.environ[name] for name in names if os.environ.get(name))


def _ancestors(client: "MlflowClient", params: config.Params, group: str | None) -> list[StageRun]:
    """Return the runs above a stage's, topmost first; make those that do not exist."""
    content = params.model_dump(mode="json")
    key = sha256_of_content(content)
    with store.locked(tracking_uri()):
        if _given():
            top = join(_given()[0])
        else:
            kind = {"soilfuse.kind": "pipeline", "soilfuse.pipeline": key}
            experiment = store.experiment_id(client)
            top, fresh = _found_or_made(
                client, experiment, kind, f"{_called(params.profile)} {key[:8]}"
            )
            if fresh:
                with failing(top):
                    top.set_tags({"soilfuse.profile": params.profile})
                    top.log_params(content)
                    top.log_text(_params_text(params), "params.yaml")
        if group is None:
            return [top]
        kind = {"soilfuse.kind": "group", "soilfuse.stage": group, PARENT_TAG: top.run_id}
        return [top, _found_or_made(client, top.experiment_id, kind, group)[0]]


def _found_or_made(
    client: "MlflowClient", experiment_id: str, tags: dict[str, str], name: str
) -> tuple[StageRun, bool]:
    found = client.search_runs(
        [experiment_id], matching(tags), max_results=1, order_by=["attributes.start_time ASC"]
    )
    info = (found[0] if found else client.create_run(experiment_id, tags=tags, run_name=name)).info
    return StageRun(client, experiment_id, info.run_id), not found


def _tags(stage: str, params: config.Params, item: str | None) -> dict[str, str]:
    commit, dirty = lineage.git_state(Path.cwd())
    tags = {
        "soilfuse.kind": "stage",
        "soilfuse.stage": _called(stage),
        "soilfuse.profile": params.profile,
        "soilfuse.world": world_of(params),
        "soilfuse.dirty": str(dirty).lower(),
        "mlflow.source.git.commit": commit,
        "mlflow.source.name": _script(stage),
        "mlflow.source.type": "PROJECT",
        "mlflow.user": _user(),
        PROCESS_TAG: process_name(),
    }
    if item is not None:
        tags["soilfuse.item"] = str(item)
    return tags


def _called(name: str) -> str:
    """Return the name of a stage or profile, after the name of its study and a slash in one's."""
    return f"{layout.study()}/{name}" if layout.study() else name


def _script(stage: str) -> str:
    """Return a stage's script from the root: a study's own, where it has one of this name."""
    own = f"{stage}.py"
    if layout.study() and Path(own).exists():
        return f"{layout.STUDIES}/{layout.study()}/{own}"
    return f"pipelines/{own}"


def world_of(params: config.Params) -> str:
    """Return the version and seed of the raw files' pseudo-reality, or `real`.

    Raises UserError where its world.json is broken, or tells no version and seed.
    """
    raw = Path(params.raw_root)
    path = raw / "world.json"
    if not path.exists():
        return "real" if raw.is_dir() else f"seed {params.world.seed}"
    content = read_mapping(path, ("version", "seed"))
    version, seed = content["version"], content["seed"]
    if type(version) is not int or type(seed) is not int:
        raise UserError(
            f"{path} has version {shortened(version, 40)} and seed {shortened(seed, 40)}; expected "
            f"whole numbers: {mending(path)}"
        )
    return f"v{version} seed {seed}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _section(params: config.Params, name: str) -> Any:
    value: Any = params
    for part in name.split("."):
        value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _params_text(params: config.Params) -> str:
    if config.PARAMS_FILE.exists():
        return config.PARAMS_FILE.read_text(encoding="utf-8")
    from ruamel.yaml import YAML

    stream = io.StringIO()
    YAML().dump(params.model_dump(mode="json"), stream)
    return stream.getvalue()
