"""What outputs say of themselves: a fold its pre-training, the best values their trial.

Everything is read as far as it can be: an output that is absent or broken says nothing here.
"""

import csv
from collections.abc import Iterable, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.names import SWEEP
from soilfuse.tracking.graph import Graph, Step
from soilfuse.tracking.lineage import read_yaml
from soilfuse.tracking.trial_runs import SCORE

Told = dict[str, Any]
TOLD_OF_A_FOLD = (
    "ensemble_hash",
    "pretrained_sha256",
    "weights_sha256",
    "best_epoch",
    "inner_rmse",
)
OF_A_CHAMPION = ("registered_model", "weights_sha256", "ensemble_hash", "world")
OF_A_VERDICT = ("promoted", "pin")
OF_A_RUN = {
    "run": "sf:mlflow_run_id",
    "commit": "sf:git_commit",
    "dirty": "sf:git_dirty",
    "model_version": "sf:model_version",
}


def told_by(root: Path, graph: Graph) -> dict[str, Told]:
    """Return, by path, what the files of a graph say of their own origin."""
    found = {path: _facts(Path(root), path, graph) for path in graph.files}
    return {path: facts for path, facts in found.items() if facts}


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
    if place.parent == layout.PRODUCTS and place.suffix == ".nc":
        return _of_sidecar(_json(root / place.with_suffix(".prov.json")))
    return {}


def trial_of(folder: Path) -> Told:
    """Return the trial that gave best.yaml its values: its number, its score, how many there were.

    folder: with best.yaml and trials.csv. {} where they are absent or no trial has these values.
    """
    best = read_yaml(folder / "best.yaml")
    try:
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
        yield from _saying(values.get("finetune") or {}, "finetune.")


def _saying(values: Mapping[str, Any], prefix: str) -> Iterable[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _saying(value, f"{prefix}{name}.")
        elif value == SWEEP:
            yield prefix + name


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
