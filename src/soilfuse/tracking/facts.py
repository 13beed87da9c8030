"""What outputs say of themselves: a fold its pre-training, the best values their trial.

Everything is read as far as it can be: an output that is absent or broken says nothing here.
"""

import csv
from collections.abc import Collection, Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.names import SWEEP
from soilfuse.tracking.graph import Graph, Step
from soilfuse.tracking.lineage import content_hash, read_yaml
from soilfuse.tracking.recording import leaves

SCORE = "inner_rmse"  # of a trial, in m3 m-3
Told = dict[str, Any]
TOLD_OF_A_FOLD = (
    "ensemble_hash",
    "pretrained_sha256",
    "weights_sha256",
    "best_epoch",
    "inner_rmse",
)
OF_A_CHAMPION = ("registered_model", "weights_sha256", "ensemble_hash", "world", "method")
OF_A_VERDICT = ("promoted", "pin", "method")
OF_A_RUN = {
    "run": "sf:mlflow_run_id",
    "commit": "sf:git_commit",
    "dirty": "sf:git_dirty",
    "model_version": "sf:model_version",
}


def told_by(root: Path, graph: Graph, foreign: Collection[str] = ()) -> dict[str, Told]:
    """Return, by path, what the files of a graph say of their own origin.

    foreign: records of products that are not believed, see `foreign_records`.
    """
    known = (path for path in graph.files if _record(path) not in foreign)
    found = {path: _facts(Path(root), path, graph) for path in known}
    return {path: facts for path, facts in found.items() if facts}


def foreign_records(root: Path, paths: Iterable[str], steps: Iterable[Step]) -> list[str]:
    """Return the records of products that lie here with other bytes than a step recorded.

    paths: some files of a graph; steps: all of it.
    """
    made = {path: found.md5 for step in steps for path, found in step.made.items()}
    here = [record for path in paths if (record := _record(path)) and (root / record).is_file()]
    return [record for record in here if content_hash(root / record) != made.get(record)]


def _record(path: str) -> str | None:
    """Return the PROV sidecar's path of a product, None for any other file."""
    place = Path(path)
    product = place.parent == layout.PRODUCTS and place.suffix == ".nc"
    return layout.provenance(place.stem).as_posix() if product else None


def _facts(root: Path, path: str, graph: Graph) -> Told:
    place = Path(path)
    if place.match("fold_*.json"):
        return _picked(_json(root / place), TOLD_OF_A_FOLD)
    if place == layout.PRETRAIN:
        return _picked(_json(root / place / "generator.json"), ("weights_sha256", "best_epoch"))
    if place == layout.CHAMPION:
        return _picked(_json(root / place / layout.CHAMPION_FILE), OF_A_CHAMPION)
    if place == layout.VERDICT:
        return _picked(_json(root / place), OF_A_VERDICT)
    best_told = layout.BEST.as_posix() in graph.files
    if place == layout.BEST or (place == layout.SWEEP and not best_told):
        trial = trial_of(root / layout.SWEEP)
        return {**trial, "taken": swept_names(graph)} if trial else {}
    if record := _record(path):
        return _of_sidecar(_json(root / record))
    return {}


def trial_of(folder: Path) -> Told:
    """Return the trial that gave best.yaml its values: its number, its score, how many there were.

    folder: with best.yaml and trials.csv. {} where they are absent or no trial has these values.
    """
    try:
        best = read_yaml(folder / "best.yaml")
        with (folder / "trials.csv").open(encoding="utf-8", newline="") as stream:
            trials = list(csv.DictReader(stream))
    except (OSError, ValueError, csv.Error):
        return {}
    numbered = [row for row in trials if str(row.get("trial")).isdecimal()]
    winners = [row for row in numbered if row.get("state") == "complete"]
    same = [row for row in winners if best and _has(row, best)]
    if not same:
        return {}
    scored = [row for row in same if isfinite(_number(row.get(SCORE)))]
    row = min(scored or same, key=lambda each: _number(each.get(SCORE)))
    return {"trial": int(row["trial"]), SCORE: _number(row.get(SCORE)), "trials": len(trials)}


def swept_names(graph: Graph) -> list[str]:
    """Return the parameters that fine-tuning took from best.yaml: those that say `sweep`."""
    steps = [step for step in graph.steps.values() if step.stage == "finetune"]
    return sorted({name for step in steps for name in _swept(step)})


def _swept(step: Step) -> Iterable[str]:
    for values in step.params.values():
        settings = leaves({"finetune": values.get("finetune")}, ".")
        yield from (name for name, value in settings if value == SWEEP)


def _has(row: Mapping[str, Any], best: Mapping[str, Any]) -> bool:
    return all(
        name in row and (row[name] == str(value) or _number(row[name]) == _number(value))
        for name, value in best.items()
    )


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")


def _json(path: Path) -> Told:
    try:
        content = read_json(path)
    except (OSError, UserError):
        return {}
    return content if isinstance(content, dict) else {}


def _picked(content: Mapping[str, Any], names: Iterable[str]) -> Told:
    return {name: content[name] for name in names if content.get(name) is not None}


def _of_sidecar(document: Mapping[str, Any]) -> Told:
    """Return the run and model version that a product's PROV sidecar names."""
    activities = document.get("activity")
    for activity in activities.values() if isinstance(activities, dict) else ():
        if isinstance(activity, dict) and "sf:mlflow_run_id" in activity:
            return {own: activity[key] for own, key in OF_A_RUN.items() if key in activity}
    return {}
