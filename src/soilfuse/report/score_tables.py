"""Compact tables of the evaluation, of the sweep's trials and of the promotion gate."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from soilfuse.names import MODEL
from soilfuse.report import labels
from soilfuse.report.evaluation_figures import methods_of
from soilfuse.report.inputs import MODEL_METRICS
from soilfuse.report.records import pick, value_of
from soilfuse.report.table import Table
from soilfuse.report.tables import layer_heads

if TYPE_CHECKING:
    import pandas as pd

SHOWN_TRIALS = 10
MODEL_HEADS = {
    "mae": "MAE",
    "rmse": "RMSE",
    "r": "R",
    "anomaly_r": "Anomaly R",
    "bias": "Bias",
    "ubrmse": "ubRMSE",
}


def scores_table(scores: "pd.DataFrame", metric: str, title: str) -> Table:
    """Return one metric of one block: a row a method, a column a layer."""
    digits = 2 if metric in ("r", "r2", "anomaly_r", "variance_ratio") else 4
    return by_layer(pick(scores, metric=metric), "value", title, digits)


def by_layer(
    rows: "pd.DataFrame", column: str, title: str, digits: int, scale: float = 1, note: str = ""
) -> Table:
    """Return scaled values of a column: a row a method, a column a layer, one value for each."""
    layers = sorted(int(layer) for layer in rows["layer"].unique() if layer > 0)

    def cell(method: str, layer: int) -> str:
        return labels.plain(scale * value_of(rows, column, method=method, layer=layer), digits)

    return Table(
        caption=title,
        head=["Method", *layer_heads(layers)],
        rows=[
            [labels.method_title(method), *(cell(method, layer) for layer in layers)]
            for method in methods_of(rows)
        ],
        note=note,
    )


def climate_models_table(models: "pd.DataFrame", block: str, layer: int, title: str) -> Table:
    """Return every climate model alone in one block and layer: a row a model, best RMSE first."""
    rows = pick(models, block=block, layer=layer).sort_values("rmse", kind="stable")
    digits = {"r": 2, "anomaly_r": 2}
    return Table(
        caption=title,
        head=["Climate model", *(MODEL_HEADS[metric] for metric in MODEL_METRICS)],
        rows=[
            [
                str(row["method"]).removeprefix(MODEL),
                *(labels.plain(row[m], digits.get(m, 4)) for m in MODEL_METRICS),
            ]
            for row in rows.to_dict("records")
        ],
        note=f"MAE, RMSE, bias and ubRMSE in {labels.UNIT}.",
    )


def trials_table(trials: "pd.DataFrame") -> Table:
    """Return the best trials of the sweep with whatever parameters it searched."""
    score = "inner_rmse"
    ranked = trials.sort_values(score, kind="stable") if score in trials else trials
    shown = ranked.head(SHOWN_TRIALS)
    return Table(
        caption=f"Best {len(shown)} of {len(trials)} trials of the sweep",
        head=[_heading(str(name)) for name in shown.columns],
        rows=[[_cell(value) for value in row] for row in shown.itertuples(index=False)],
    )


def _heading(column: str) -> str:
    words = column.replace("_", " ").replace("rmse", "RMSE")
    return words[0].upper() + words[1:]


def checks_table(checks: Sequence[dict[str, Any]]) -> Table:
    """Return the checks of the promotion gate, in their order."""
    return Table(
        caption="Checks of the promotion gate",
        head=["Check", "Outcome", "Got", "Allowed", "Why"],
        rows=[
            [
                str(check.get("name", "")).replace("_", " "),
                "passed" if check.get("passed") else "failed",
                _cell(check.get("got")),
                _cell(check.get("allowed")),
                _cell(check.get("why")),
            ]
            for check in checks
        ],
        words=True,
    )


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return labels.MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
