"""The entry points of MLproject: DVC makes what is stale, the run of `mlflow run` records it."""

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from soilfuse import config
from soilfuse.cli.reproducing import refuse_unready, reproduce
from soilfuse.errors import UserError, unknown
from soilfuse.tracking import lineage
from soilfuse.tracking.recording import StageRun
from soilfuse.tracking.runs import PARENT_VARIABLE, join, stages_run, tracking_uri
from soilfuse.tracking.store import store_errors

TARGETS = {
    "main": (),
    "sweep": ("sweep",),
    "train": ("finetune",),
    "infer": ("infer@{ssp}", "trends@{ssp}", "page@{ssp}"),
    "trends": ("trends@{ssp}", "page@{ssp}"),
    "report": ("map", "report"),
}
SINGLE_ITEM = ("infer", "trends", "report")  # these make their targets only, on what is there
SMALL = (".html", ".csv", ".json", ".yaml")  # copied into the run; the rest is logged by its hash


def run_entry_point(name: str, ssp: str | None = None) -> None:
    """Run one entry point of MLproject, and log every output of its stages into the given run.

    ssp: the experiment, for infer and trends. One printed line an output says whether it was made
    now, restored from DVC's cache, or up to date, with its md5. Raises UserError for an unknown
    name or experiment, outside `mlflow run`, on a stale upstream, for an alias `champion` that was
    moved by hand, and when DVC fails.
    """
    targets = _targets(name, ssp)
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if not run_id:
        raise UserError(f"entry point {name!r} runs inside `mlflow run . -e {name}`: use that")
    run = join(run_id)
    root = Path.cwd()
    if name in SINGLE_ITEM:
        refuse_unready(targets, ", then this again to log it")
    before = {path: md5 for path, md5 in lineage.dvc_outs(root).items() if (root / path).exists()}
    _reproduce(targets, name in SINGLE_ITEM, run_id)
    with store_errors(tracking_uri()):
        _record(run, root, targets, before)


def _targets(name: str, ssp: str | None) -> list[str]:
    if name not in TARGETS:
        raise UserError(unknown("entry point", name, TARGETS, "the -e of `mlflow run`"))
    params = config.load()
    if any("{ssp}" in target for target in TARGETS[name]):
        ssp = config.item_of(
            ssp or "", params.experiments, "experiment", "params.yaml:experiments, or -P ssp=..."
        )
    return [target.format(ssp=ssp) for target in TARGETS[name]]


def _reproduce(targets: Sequence[str], single_item: bool, run_id: str) -> None:
    # MLflow would have every stage join the given run as if it were its own: it goes by another
    # name, under which stages become its children.
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_RUN_ID"}
    environment[PARENT_VARIABLE] = run_id
    reproduce([*(["--single-item"] if single_item else []), *targets], environment)


def _record(run: StageRun, root: Path, targets: Sequence[str], before: dict[str, str]) -> None:
    ran = stages_run(run)
    hashes = {}
    stages = lineage.stage_outs(root)
    for stage in _chosen(stages, targets):
        for path, md5 in stages[stage].items():
            state = "restored from DVC's cache" if before.get(path) != md5 else "up to date"
            state = "made now" if stage in ran else state
            hashes[f"soilfuse.output/{path}"] = md5
            if Path(path).suffix in SMALL and (root / path).is_file():
                folder = Path(path).parent.as_posix()
                run.log_artifact(root / path, None if folder == "." else folder)
            sys.stdout.write(f"{path}: {state}, md5 {md5}\n")
    run.set_tags(hashes)


def _chosen(stages: Iterable[str], targets: Sequence[str]) -> list[str]:
    """Return the stages that targets name, in their order; a group's name is all its items."""
    names = sorted(stages)
    if not targets:
        return names
    return [name for target in targets for name in names if target in (name, name.split("@")[0])]
