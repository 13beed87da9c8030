"""The files of results/evaluate: tables, metrics.json, caveats.json, monthly.csv."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from soilfuse.errors import UserError, shortened
from soilfuse.evaluation.metrics import STATISTICS
from soilfuse.evaluation.prediction_range import Contender
from soilfuse.files import read_json, write_json, written_aside

METRICS_FILE = "metrics.json"
CAVEATS_FILE = "caveats.json"
MONTHLY_FILE = "monthly.csv"
CONTENDERS_FILE = "monthly_contenders.csv"
DIGITS = "%.8g"
HEADLINE = ("rmse", "r", "anomaly_r", "bias")
FUTURE_HEADLINE = ("change_2071_2100_rmse", "sens_slope_rmse")
Nested = dict[str, Any]


@dataclass(frozen=True)
class Evaluation:
    """The result: nested numbers, tables by file stem, sentences, and the candidate's sums.

    monthly: (T, D, S) sums of the candidate over all regions for every out-of-fold month (T,)
    `months`, from which a later candidate can be compared with this one month by month; contenders:
    every other method, which may be promoted in its place.
    """

    metrics: Nested
    tables: Mapping[str, pd.DataFrame]
    caveats: list[str]
    months: np.ndarray
    monthly: np.ndarray
    contenders: Mapping[str, Contender] = field(default_factory=dict)


def by_layer(rows: pd.DataFrame) -> Nested:
    """Nest rows of layer, metric, value as {"layer_1": {metric: value}}; NaN is left out."""
    finite = rows[np.isfinite(rows["value"].astype(float))]
    return {
        f"layer_{layer}": dict(zip(here["metric"], here["value"].astype(float), strict=True))
        for layer, here in finite.groupby("layer", sort=True)
    }


def nested_scores(scores: pd.DataFrame, candidate: str) -> Nested:
    """Pick one region's scores of the whole year: outer, final_test, the same of the baselines."""
    rows = scores[scores["season"] == "annual"]
    nested: Nested = {}
    for block, key, others in (
        ("out_of_fold", "outer", "baselines"),
        ("final_test", "final_test", "final_test_baselines"),
    ):
        here = rows[rows["block"] == block]
        methods = {str(name): by_layer(part) for name, part in here.groupby("method", sort=True)}
        nested[key] = methods.pop(candidate, {})
        nested[others] = methods
    return nested


def nested_future(future: pd.DataFrame, candidate: str) -> Nested:
    """Nest errors of the future: {"future": {experiment: {layer: {quantity_rmse: value}}}}."""
    if future.empty:
        return {"future": {}, "future_baselines": {}}
    long = future.melt(
        id_vars=["method", "experiment", "layer", "quantity"],
        value_vars=["rmse", "bias"],
        var_name="error",
    )
    long["metric"] = long["quantity"] + "_" + long["error"]
    methods: Nested = {}
    for (method, experiment), rows in long.groupby(["method", "experiment"], sort=True):
        methods.setdefault(str(method), {})[str(experiment)] = by_layer(rows)
    return {"future": methods.pop(candidate, {}), "future_baselines": methods}


def nested_stations(medians: pd.DataFrame, candidate: str) -> Nested:
    """Nest the candidate's median station scores: {"stations": {block: {layer: {...}}}}."""
    rows = medians[medians["method"] == candidate]
    long = rows.melt(id_vars=["method", "block", "layer"], var_name="metric")
    return {
        "stations": {str(block): by_layer(part) for block, part in long.groupby("block", sort=True)}
    }


def headline(metrics: Nested) -> Nested:
    """Return the numbers worth a line in `dvc metrics show`; scores.csv and future.csv hold all.

    The candidate's scores by layer, and one number a baseline: its mean over layers.
    """
    own = {
        block: {
            layer: {name: scores[name] for name in HEADLINE if name in scores}
            for layer, scores in metrics[block].items()
        }
        for block in ("outer", "final_test")
    }
    others = {
        key: {name: {"rmse": mean_over_layers(scores, "rmse")} for name, scores in block.items()}
        for key in ("baselines", "final_test_baselines")
        for block in [metrics[key]]
    }
    methods = {"candidate": metrics["future"], **metrics["future_baselines"]}
    future = {
        name: {
            experiment: {key: mean_over_layers(layers, key) for key in FUTURE_HEADLINE}
            for experiment, layers in experiments.items()
        }
        for name, experiments in methods.items()
    }
    return {"world": metrics["world"], **own, **others, "future": future}


def mean_over_layers(layers: Mapping[str, Mapping[str, float]], metric: str) -> float:
    """Return the mean of a metric over {"layer_1": {metric: value}}; NaN where a layer lacks it."""
    values = [scores.get(metric, np.nan) for scores in layers.values()]
    return float(np.mean(values)) if values else float("nan")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV; equal tables give equal bytes."""
    with written_aside(path) as aside:
        table.to_csv(aside, index=False, float_format=DIGITS, lineterminator="\n")


def monthly_table(months: np.ndarray, monthly: np.ndarray) -> pd.DataFrame:
    """Lay out (T, D, S) sums as rows of month, layer and one column a statistic."""
    t, d = np.indices(monthly.shape[:2]).reshape(2, -1)
    sums = pd.DataFrame(monthly.reshape(-1, len(STATISTICS)), columns=list(STATISTICS))
    sums.insert(0, "layer", d + 1)
    sums.insert(0, "month", months.astype("datetime64[M]").astype(str)[t])
    return sums


def write_evaluation(evaluation: Evaluation, folder: Path) -> None:
    """Write every file of results/evaluate; equal evaluations give equal bytes."""
    for stem, table in evaluation.tables.items():
        write_table(table, folder / f"{stem}.csv")
    write_json(folder / METRICS_FILE, headline(evaluation.metrics))
    write_json(folder / CAVEATS_FILE, evaluation.caveats)
    _write_sums(folder / MONTHLY_FILE, monthly_table(evaluation.months, evaluation.monthly))
    parts = [
        monthly_table(evaluation.months, contender.monthly).assign(method=name)
        for name, contender in evaluation.contenders.items()
    ]
    sums = (
        pd.concat(parts) if parts else monthly_table(evaluation.months[:0], evaluation.monthly[:0])
    )
    _write_sums(folder / CONTENDERS_FILE, sums)


def _write_sums(path: Path, sums: pd.DataFrame) -> None:
    with written_aside(path) as aside:
        # Every digit: an interval made from the file must be that made from memory.
        sums.to_csv(aside, index=False, lineterminator="\n")


def write_monthly_of(method: str, folder: Path, path: Path) -> None:
    """Write the sums of a method beside the candidate, as monthly.csv has those of the candidate.

    folder: results/evaluate. Raises UserError where it has none of the method, or is damaged.
    """
    source = folder / CONTENDERS_FILE
    if not source.is_file():
        raise UserError(f"no {source}; expected sums of {method}: run `dvc repro -s evaluate`")
    with _damage_told(source):
        table = _sums_in(source, dtype=str)  # as text, so that every digit stays
        if "method" not in table or method not in set(table["method"]):
            raise UserError(f"{source} holds no months of {method}: run `dvc repro -s evaluate`")
        own = table[table["method"] == method].drop(columns="method")
        _of_months(own.astype({"layer": int, **dict.fromkeys(STATISTICS, float)}))
    _write_sums(path, own)


def read_monthly(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read monthly.csv: (T,) month keys and (T, D, S) sums, for bootstrap.paired_intervals.

    Raises UserError where a column is missing, or the file is damaged.
    """
    with _damage_told(path):
        return _of_months(_sums_in(path))


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # also what pandas raises of an empty file, and of what is no text
        raise UserError(
            f"{path} is damaged ({shortened(error, 150)}); expected a table of monthly sums: "
            "run `dvc repro -s evaluate`, or promote again what was registered with it"
        ) from None


def _sums_in(path: Path, dtype: type | None = None) -> pd.DataFrame:
    text = path.read_text(encoding="utf-8")
    table = pd.read_csv(StringIO(text), dtype=dtype)
    if not text.endswith("\n"):
        raise ValueError("its last row is cut off")
    if missing := [name for name in ("month", "layer", *STATISTICS) if name not in table]:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; expected a table of monthly sums: "
            "run `dvc repro -s evaluate`"
        )
    return table


def _of_months(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    table = table.sort_values(["month", "layer"])
    months = np.unique(table["month"].to_numpy(dtype="datetime64[M]")).astype("datetime64[ns]")
    sums = table[list(STATISTICS)].to_numpy(dtype=float)
    return months, sums.reshape(months.size, table["layer"].nunique(), len(STATISTICS))


def read_caveats(folder: Path) -> list[str]:
    """Read the sentences of results/evaluate."""
    return list(read_json(folder / CAVEATS_FILE))
