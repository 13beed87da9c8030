"""One attempt on one world as a small record, taken from what the stage evaluate wrote.

Records of development worlds hold nothing of the final test: methods are not chosen by it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soilfuse import layout
from soilfuse.evaluation.bootstrap import paired_intervals
from soilfuse.evaluation.future import CHANGE, SLOPE
from soilfuse.evaluation.intervals import headline
from soilfuse.evaluation.outputs import METRICS_FILE, MONTHLY_FILE, read_monthly
from soilfuse.files import read_json
from soilfuse.names import ENSEMBLE
from studies.methods.attempts import DEVELOPMENT, Attempt, read_yaml
from studies.methods.stages import FAILED, MARKERS

YARDSTICK, BASE = "unet_gan", "forced_change_base"
REFERENCES = (YARDSTICK, BASE)  # every attempt on the same world is compared with these two
BLOCKS = {"out_of_fold": ("rmse", "r", "variance_ratio", "anomaly_r"), "final_test": ("rmse",)}
QUANTITIES = {CHANGE: "change", SLOPE: "slope"}
DIGITS = 6

Record = dict[str, Any]


def record_of(
    folder: Path, references: Mapping[str, Path], attempt: Attempt, world: int
) -> Record | None:
    """Return the record of an attempt, None where it never ran on the world to an end.

    folder: of the attempt; references: those of the attempts that it is compared with, by name. An
    attempt that failed has the entry `failed` in place of scores.
    """
    about = {"attempt": attempt.name, "why": attempt.why, "seed": world, "params": attempt.changes}
    if (folder / FAILED).exists():
        return about | {"failed": read_json(folder / FAILED)}
    if not (folder / MARKERS / "evaluate.json").exists():
        return None
    results = folder / layout.EVALUATE
    return about | {
        "world": read_json(results / METRICS_FILE)["world"],
        "protocol": read_yaml(folder / "params.yaml")["finetune"]["protocol"],
        **_costs(folder / MARKERS),
        "best_epochs": [
            read_json(path)["best_epoch"]
            for path in sorted((folder / layout.FINETUNE).glob("fold_*.json"))
        ],
        "scores": _scores(results, world),
        "intervals": _intervals(results) | _against(folder, references),
        "future": _future(results),
    }


def _costs(markers: Path) -> Record:
    done = [read_json(path) for path in sorted(markers.glob("*.json"))]
    return {
        "seconds": round(sum(marker["seconds"] for marker in done)),
        "peak_mib": max(marker["peak_mib"] for marker in done),
        "code": read_json(markers / "evaluate.json")["code"][:12],
    }


def _scores(results: Path, world: int) -> Record:
    """Return {block: {metric: {method: [layers]}}} over all regions and the whole year."""
    table = pd.read_csv(results / "scores.csv")
    whole = table["region"].iloc[0]
    rows = table[(table["region"] == whole) & (table["season"] == "annual")]
    blocks: Record = {}
    for block, metrics in BLOCKS.items():
        here = rows[rows["block"] == block]
        if here.empty or (block == "final_test" and world in DEVELOPMENT):
            continue
        blocks[block] = {
            metric: {
                str(method): _rounded(part.sort_values("layer")["value"])
                for method, part in here[here["metric"] == metric].groupby("method")
            }
            for metric in metrics
        }
    return blocks


def _intervals(results: Path) -> Record:
    """Return {method: [[difference, low, high] by layer]} of the RMSE, out of fold."""
    table = pd.read_csv(results / "intervals.csv")
    if "block" in table:  # tables made before had these rows alone
        table = headline(table, str(table["region"].iloc[0]))
    rows = table[table["metric"] == "rmse"]
    return {str(method): _triples(part) for method, part in rows.groupby("method")}


def _against(folder: Path, references: Mapping[str, Path]) -> Record:
    """Return the same against other attempts, which were judged on the same months."""
    months, own = read_monthly(folder / layout.EVALUATE / MONTHLY_FILE)
    params = read_yaml(folder / "params.yaml")
    settings = params["evaluate"]
    samples, block = settings["bootstrap_samples"], settings["bootstrap_block_months"]
    found: Record = {}
    for name, reference in references.items():
        other = reference / layout.EVALUATE / MONTHLY_FILE
        if folder == reference or not other.exists():
            continue
        other_months, others = read_monthly(other)
        both, here, there = np.intersect1d(months, other_months, return_indices=True)
        if both.size:
            rows = paired_intervals(
                own[here], others[there], samples, block, params["seed"], ("rmse",)
            )
            found[name] = _triples(rows)
    return found


def _triples(rows: pd.DataFrame) -> list[list[float]]:
    ordered = rows.sort_values("layer")[["difference", "low", "high"]]
    return [_rounded(values) for values in ordered.to_numpy()]


def _future(results: Path) -> Record:
    """Return {method: {change, slope: {experiment: [layers]}}}, root-mean-square map errors."""
    table = pd.read_csv(results / "future.csv")
    methods: Record = {}
    for quantity, short in QUANTITIES.items():
        rows = table[table["quantity"] == quantity]
        for (method, experiment), part in rows.groupby(["method", "experiment"]):
            errors = _rounded(part.sort_values("layer")["rmse"])
            methods.setdefault(str(method), {}).setdefault(short, {})[str(experiment)] = errors
    return methods


def _rounded(values: Any) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def candidate(by_method: Record) -> Any:
    """Return the attempt's own entry of what is sorted by method."""
    return by_method[ENSEMBLE]
