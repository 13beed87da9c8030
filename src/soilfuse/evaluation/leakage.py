"""What shuffling months is worth: the same methods under both protocols, by layer.

Under `shuffled` nearly every month held out has a neighbour in training, under `blocked` none has
(training.folds). With all five folds both hold out every month of 2000-2014 once, and differences
are paired month by month; with fewer they hold out other months, and have no interval.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from soilfuse import config
from soilfuse.baselines.methods import Baseline, Climatology, DeltaChange
from soilfuse.baselines.nearest_month import NearestMonth
from soilfuse.evaluation.bootstrap import paired_intervals
from soilfuse.evaluation.fields import field_statistics, region_weights
from soilfuse.evaluation.metrics import metrics
from soilfuse.grids.regions import regions_of
from soilfuse.training import checkpoints
from soilfuse.training.fields import Fields
from soilfuse.training.folds import BLOCKED, PROTOCOLS, SHUFFLED, Fold, fold_of
from soilfuse.training.held_out import held_out, paper_form
from soilfuse.training.loading import target_fields

COMPARED = ("rmse", "r", "anomaly_r")
LEAKAGE_COLUMNS = [
    "method",
    "layer",
    "metric",
    BLOCKED,
    SHUFFLED,
    "difference",
    "low",
    "high",
    "months",
]
NETWORK, PAPER_FORM = "network", "paper_form"
BASELINES: dict[str, type[Baseline]] = {
    "climatology": Climatology,
    "delta_change": DeltaChange,
    "nearest_month": NearestMonth,
}
Predict = Callable[[Fold, str], np.ndarray]  # of a fold's outer months under a protocol's name


def leakage_table(params: config.Params, device: torch.device, state: Path) -> pd.DataFrame:
    """Train and score everything of params.leakage; no rows where it names no fold.

    Columns LEAKAGE_COLUMNS; difference is shuffled minus blocked, months how many each holds out.
    state: the folder of checkpoints. Raises UserError where months are missing.
    """
    if not params.leakage.folds:
        return pd.DataFrame(columns=LEAKAGE_COLUMNS)
    plain = paper_form(params)
    fields = target_fields(plain)
    methods = {name: _of_baseline(made, fields) for name, made in BASELINES.items()}
    if plain.network != params.network:
        methods[NETWORK] = _of_network(params, target_fields(params), device, state / NETWORK)
    methods[PAPER_FORM] = _of_network(plain, fields, device, state / PAPER_FORM)
    tables = [
        compared(name, {p: _sums(params, p, predict, fields) for p in PROTOCOLS}, params)
        for name, predict in methods.items()
    ]
    return pd.concat(tables, ignore_index=True)


def forget(state: Path) -> None:
    """Remove the checkpoints of every training, once the table is written."""
    for folder in sorted(Path(state).glob("*/*")):
        checkpoints.clear(folder)


def rmse_of(table: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Return the RMSE by protocol, method and layer, to be logged."""
    rows = table[table["metric"] == "rmse"]
    return {
        protocol: {
            str(method): {
                f"layer_{layer}": float(value)
                for layer, value in zip(own["layer"], own[protocol], strict=True)
            }
            for method, own in rows.groupby("method", sort=True)
        }
        for protocol in PROTOCOLS
    }


def _of_baseline(made: type[Baseline], fields: Fields) -> Predict:
    def predict(fold: Fold, protocol: str) -> np.ndarray:
        seen = fields.inputs.at(fold.train), fields.target.at(fold.train)
        return made().fit(*seen, fold.train).predict(fields.inputs.at(fold.outer), fold.outer)

    return predict


def _of_network(
    params: config.Params, fields: Fields, device: torch.device, state: Path
) -> Predict:
    def predict(fold: Fold, protocol: str) -> np.ndarray:
        name = f"{state.name} {protocol} fold {fold.index}"
        return held_out(params, fold, fields, device, name, state / f"{protocol}_{fold.index}")

    return predict


def _sums(
    params: config.Params, protocol: str, predict: Predict, fields: Fields
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T,) held-out months of all folds in order of time, and their (T, D, S) sums."""
    given = params.seed, fields.target.time, fields.target.name
    folds = [fold_of(protocol, index, *given) for index in params.leakage.folds]
    months = np.concatenate([fold.outer for fold in folds])
    order = np.argsort(months)
    predicted = np.concatenate([predict(fold, protocol) for fold in folds])[order]
    regions = regions_of(params.domain)
    weights = region_weights(regions.grid.area, {regions.whole: regions.inside})
    truth = fields.target.at(months[order])
    return months[order], field_statistics(predicted, truth, months[order], weights)[:, :, 0]


def compared(
    method: str, sums: Mapping[str, tuple[np.ndarray, np.ndarray]], params: config.Params
) -> pd.DataFrame:
    """Return a method's rows from its months and (T, D, S) sums by protocol."""
    (of_blocked, blocked), (of_shuffled, shuffled) = (sums[name] for name in (BLOCKED, SHUFFLED))
    scores = [metrics(own.sum(axis=0), COMPARED) for own in (blocked, shuffled)]
    table = pd.concat(
        [
            pd.DataFrame({BLOCKED: scores[0][name], SHUFFLED: scores[1][name], "metric": name})
            for name in COMPARED
        ]
    )
    table = table.rename_axis("layer").reset_index()
    table["layer"] += 1
    table["difference"] = table[SHUFFLED] - table[BLOCKED]
    table = table.assign(method=method, months=of_blocked.size, low=np.nan, high=np.nan)
    if np.array_equal(of_blocked, of_shuffled):
        drawn = params.evaluate.bootstrap_samples, params.evaluate.bootstrap_block_months
        bounds = paired_intervals(shuffled, blocked, *drawn, params.seed, COMPARED)
        table[["low", "high"]] = bounds[["low", "high"]].to_numpy()
    return table[LEAKAGE_COLUMNS]
