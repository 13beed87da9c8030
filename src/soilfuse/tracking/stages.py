"""The run of a stage, told from dvc.yaml: which parameters it uses and which files it reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soilfuse import config
from soilfuse.errors import UserError, unknown
from soilfuse.tracking.datasets import log_outputs
from soilfuse.tracking.graph import is_code
from soilfuse.tracking.lineage import PIPELINE, read_yaml
from soilfuse.tracking.recording import StageRun
from soilfuse.tracking.runs import stage_run


@contextmanager
def declared_run(stage: str, params: config.Params, item: str | None = None) -> Iterator[StageRun]:
    """Open the MLflow run of a stage with the params and data deps that dvc.yaml declares for it.

    As the block ends well, the run is tagged with the hashes of the declared outs. item: of a
    `foreach` stage. Raises UserError as `runs.stage_run` does, and for a stage that
    dvc.yaml does not have.
    """
    sections, inputs = declared(stage, params, item)
    with stage_run(stage, params, sections, inputs, item) as run:
        yield run
        log_outputs(run, outs(stage, item))


def declared(
    stage: str, params: config.Params, item: str | None = None
) -> tuple[list[str], list[Path]]:
    """Return the names of a stage's params, dotted where they are, and its deps but for code."""
    body = _body(stage)
    deps = [
        str(dep).replace("${item}", item or "").replace("${raw_root}", params.raw_root)
        for dep in body.get("deps", ())
    ]
    data = dict.fromkeys(dep for dep in deps if not is_code(dep))
    return list(body.get("params", ())), [Path(dep) for dep in data]


def outs(stage: str, item: str | None = None) -> list[Path]:
    """Return everything that dvc.yaml says the stage writes: outs and metrics."""
    body = _body(stage)
    listed = [*body.get("outs", ()), *body.get("metrics", ())]
    named = [next(iter(out)) if isinstance(out, dict) else out for out in listed]
    return [Path(str(name).replace("${item}", item or "")) for name in named]


def _body(stage: str) -> dict[str, Any]:
    """Return what dvc.yaml says of a stage, `foreach` or not."""
    stages: dict[str, Any] = read_yaml(Path(PIPELINE)).get("stages") or {}
    if stage not in stages:
        raise UserError(unknown("stage", stage, stages, PIPELINE))
    return dict(stages[stage].get("do", stages[stage]))
