"""What the correlation is made of: R in space, in time, of the seasons, between years.

R over all months and cells at once is high wherever wet cells stay wet and summers are wet, which
a climatology knows too. Taken apart: `spatial` is R over the cells of one month, averaged over
months; the others are R of each cell's series, averaged over cells by area: `temporal` of all
months, `seasonal` of the two mean years, `interannual` of the annual means. `pooled` and `anomaly`
are the R and anomaly R of scores.csv. No transformation (Fisher's z) before averaging.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soilfuse.evaluation.blocks import FINAL, OUT_OF_FOLD, blocks_of, weights_of
from soilfuse.evaluation.fields import truth_climatology
from soilfuse.evaluation.metrics import metrics, pair_terms
from soilfuse.grids.months import year_of

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

PART_COLUMNS = [
    *("method", "block", "layer", "region"),
    *("part", "value", "n", "n_without", "cells_missing"),
]
POOLED = {"pooled": "r", "anomaly": "anomaly_r"}
PARTS = ("pooled", "spatial", "temporal", "seasonal", "interannual", "anomaly")


def series_r(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (N,) Pearson's R of each of N series (T, N) over the pairs where both are valid.

    NaN where fewer than three pairs are valid or either side is constant.
    """
    sums = pair_terms(prediction, truth).sum(axis=1)
    return metrics(np.moveaxis(sums, 0, -1), ("r",))["r"]


def annual_means(values: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Return the (Y, N) means of (T, N) over calendar years; NaN but for twelve valid months."""
    years = year_of(months)
    sums = [values[years == year] for year in np.unique(years)]
    whole = [np.isfinite(part).sum(axis=0) == 12 for part in sums]
    return np.stack(
        [
            np.where(here, np.where(np.isfinite(part), part, 0).mean(axis=0, dtype=float), np.nan)
            for part, here in zip(sums, whole, strict=True)
        ]
    )


def cell_parts(
    prediction: np.ndarray, truth: np.ndarray, months: np.ndarray
) -> dict[str, np.ndarray]:
    """Return {part: (N,)} of each cell's series (T, N): temporal, seasonal, interannual."""
    valid = np.isfinite(prediction) & np.isfinite(truth)
    x, y = (np.where(valid, values, np.nan) for values in (prediction, truth))
    return {
        "temporal": series_r(x, y),
        "seasonal": series_r(truth_climatology(x, months), truth_climatology(y, months)),
        "interannual": series_r(annual_means(x, months), annual_means(y, months)),
    }


def averaged(values: np.ndarray, weight: np.ndarray) -> tuple[float, int, int]:
    """Return the mean of (N,) values by weight (N,), how many it has and how many are NaN.

    Only places with a weight count; the mean is NaN where no value is left.
    """
    inside = weight > 0
    there = inside & np.isfinite(values)
    n = int(there.sum())
    mean = float(np.average(values[there], weights=weight[there])) if n else float("nan")
    return mean, n, int(inside.sum()) - n


def r_parts(
    prediction: np.ndarray,
    truth: np.ndarray,
    months: np.ndarray,
    weights: dict[str, np.ndarray],
    sums: np.ndarray,
) -> pd.DataFrame:
    """Return layer, region, part, value, n, n_without, cells_missing of one method's fields.

    prediction, truth: (T, D, H, W); weights: G arrays (H, W), 0 outside the region; sums:
    (T, D, G, S) of the same months. n counts the months of `spatial`, the cells of those by cell
    and the pairs of the others; n_without the months or cells that have no R, constant or missing,
    and the missing pairs; cells_missing: those of the region without any valid pair.
    """
    stacked = np.stack([weight.ravel() for weight in weights.values()])
    cells = np.flatnonzero((stacked > 0).any(axis=0))
    flat = (*truth.shape[:2], -1)
    x, y = (values.reshape(flat)[:, :, cells] for values in (prediction, truth))
    pooled = metrics(sums.sum(axis=0), ("n", *POOLED.values()))
    monthly = metrics(sums, ("r",))["r"]
    rows: list[tuple[int, str, str, float, int, int, int]] = []
    for d in range(truth.shape[1]):
        by_cell = cell_parts(x[:, d], y[:, d], months)
        empty = ~(np.isfinite(x[:, d]) & np.isfinite(y[:, d])).any(axis=0)
        for g, region in enumerate(weights):
            weight = stacked[g, cells]
            found = {name: averaged(values, weight) for name, values in by_cell.items()}
            found["spatial"] = averaged(monthly[:, d, g], np.ones(len(months)))
            pairs, inside = int(pooled["n"][d, g]), weight > 0
            lost = len(months) * int(inside.sum()) - pairs
            found |= {
                part: (float(pooled[metric][d, g]), pairs, lost) for part, metric in POOLED.items()
            }
            missing = int((empty & inside).sum())
            rows += [(d + 1, region, part, *found[part], missing) for part in PARTS]
    return pd.DataFrame(rows, columns=PART_COLUMNS[2:])


def parts(judged: "Judged") -> dict[str, pd.DataFrame]:
    """Return the table of every method and block, PART_COLUMNS."""
    weights = weights_of(judged)
    tables = [
        r_parts(block.prediction, block.truth, block.months, weights, block.sums).assign(
            method=block.method, block=block.name
        )
        for name in (OUT_OF_FOLD, FINAL)
        for block in blocks_of(judged, name)
    ]
    return {"r_parts": pd.concat(tables, ignore_index=True)[PART_COLUMNS]}
