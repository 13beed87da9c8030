"""Taylor-diagram numbers (Taylor 2001, doi:10.1029/2000JD900719), layer by layer.

Spread, correlation and centred root-mean-square difference over all months and cells of the
region, area-weighted: a climate model's one field (upper 10 cm) is held against every layer.
"""

import numpy as np
import pandas as pd

from soilfuse.evaluation.metrics import STATISTICS, named, r, standard_deviation

TAYLOR_COLUMNS = ["name", "layer", "n", "sd", "r", "crmsd"]
CHUNK_MONTHS = 12
MOMENTS = (
    "count",
    "weight",
    "prediction",
    "truth",
    "prediction_squared",
    "truth_squared",
    "product",
)


def _numbers(statistics: np.ndarray) -> dict[str, np.ndarray]:
    sums = named(statistics)
    with np.errstate(invalid="ignore", divide="ignore"):
        own, target = (standard_deviation(sums, side) for side in ("prediction", "truth"))
        correlation = r(sums)
        mixed = np.where(np.isnan(correlation), 0, correlation) * own * target
        square = own**2 + target**2 - 2 * mixed
    found = {"sd": own, "r": correlation, "crmsd": np.sqrt(np.maximum(square, 0))}
    return {"n": sums["count"].astype(int), **found}


def taylor_rows(name: str, statistics: np.ndarray) -> pd.DataFrame:
    """Return one row a layer from the (D, S) sums of a method."""
    layers = np.arange(1, len(statistics) + 1)
    return pd.DataFrame({"name": name, "layer": layers, **_numbers(statistics)})[TAYLOR_COLUMNS]


def target_rows(name: str, statistics: np.ndarray) -> pd.DataFrame:
    """Return the target's own rows from any method's (D, S) sums.

    R is 1, NaN where the target is constant; the difference is 0, NaN without any pair.
    """
    sums = named(statistics)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = standard_deviation(sums, "truth")
    own = {
        "n": sums["count"].astype(int),
        "sd": spread,
        "r": np.where(spread > 0, 1.0, np.nan),
        "crmsd": np.where(np.isfinite(spread), 0.0, np.nan),
    }
    layers = np.arange(1, len(statistics) + 1)
    return pd.DataFrame({"name": name, "layer": layers, **own})[TAYLOR_COLUMNS]


def _columns(part: np.ndarray, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, t * cells) float64 values of (t, M, H, W), NaN as 0, and 1 where valid."""
    months, rows = part.shape[:2]
    kept = part.reshape(months, rows, -1)[:, :, cells].swapaxes(0, 1).reshape(rows, -1)
    valid = np.isfinite(kept)
    return np.where(valid, kept, 0).astype(np.float64), valid.astype(np.float64)


def cross_statistics(fields: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the (M, D, S) sums of every field against every layer; all but MOMENTS are NaN.

    fields: (T, M, H, W); truth: (T, D, H, W); weight: (H, W). Pairs with a NaN do not count.
    """
    cells = np.flatnonzero(weight.ravel() > 0)
    sums = np.zeros((len(MOMENTS), fields.shape[1], truth.shape[1]))
    for start in range(0, len(truth), CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        x, in_x = _columns(fields[here], cells)
        y, in_y = _columns(truth[here], cells)
        of_pairs = np.tile(weight.ravel()[cells], len(truth[here]))
        weighted, present = x * of_pairs, in_x * of_pairs
        sums += np.stack(
            [
                in_x @ in_y.T,
                present @ in_y.T,
                weighted @ in_y.T,
                present @ y.T,
                (weighted * x) @ in_y.T,
                present @ (y * y).T,
                weighted @ y.T,
            ]
        )
    statistics = np.full((*sums.shape[1:], len(STATISTICS)), np.nan)
    for moment, values in zip(MOMENTS, sums, strict=True):
        statistics[..., STATISTICS.index(moment)] = values
    return statistics
