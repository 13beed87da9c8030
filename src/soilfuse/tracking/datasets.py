"""The data that a run read and wrote: MLflow datasets and tags, named by path and DVC hash."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from soilfuse import layout
from soilfuse.tracking import lineage
from soilfuse.tracking.recording import StageRun

INPUT = "soilfuse.input/"
OUTPUT = "soilfuse.output/"


def hashes_of(paths: Sequence[Path]) -> dict[str, str]:
    """Return {path from the current folder: DVC hash} of a stage's inputs, dvc.lock read once.

    Raises UserError where there is nothing at a path.
    """
    root = Path.cwd()
    outs = lineage.dvc_outs(root)
    return {_relative(path): lineage.hash_of(path, root, outs) for path in paths}


def input_tags(hashes: Mapping[str, str]) -> dict[str, str]:
    """Return the tags by which runs that read a file or folder are found."""
    return {f"{INPUT}{path}": digest for path, digest in hashes.items()}


def log_inputs(run: StageRun, hashes: Mapping[str, str]) -> None:
    """Log what a stage read as MLflow datasets, in one request: name is the path, digest the hash.

    A hash of DVC's is at most 36 characters, which is also the most that MLflow takes. Paths are
    relative, so that a store that people share says nothing of anybody's machine.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    if not hashes:
        return
    context = [InputTag(MLFLOW_DATASET_CONTEXT, "input")]
    datasets = [
        DatasetInput(Dataset(path, digest, "local", json.dumps({"uri": path})), context)
        for path, digest in hashes.items()
    ]
    run.client.log_inputs(run.run_id, datasets)


def log_outputs(run: StageRun, paths: Sequence[Path]) -> None:
    """Tag a run with the hash of everything it wrote; MLflow's own outputs are models only.

    The files themselves are hashed, since dvc.lock still holds those of before. What is not there
    is left out: DVC says so itself.
    """
    there = [Path(path) for path in paths if Path(path).exists()]
    run.set_tags({f"{OUTPUT}{_relative(path)}": lineage.content_hash(path) for path in there})


def _relative(path: Path) -> str:
    # From the root, also in a study's folder, whose files may have names of the main pipeline's.
    place = Path(layout.STUDIES) / layout.study() if layout.study() else Path()
    relative = place / (os.path.relpath(path) if Path(path).is_absolute() else path)
    return Path(os.path.normpath(relative)).as_posix()
