"""Table 2 and figures 3 to 5 of Feng et al. (2022): errors over all months and cells.

Letters: T months, N cells. Area-weighted; soil moisture in m3 m-3.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.evaluation import metrics
from soilfuse.evaluation.metrics import named, pair_terms, standard_deviation

if TYPE_CHECKING:
    import pandas as pd

PRINTED = {
    "mae": metrics.mae,
    "rmsd": metrics.rmse,
    "ubrmsd": metrics.ubrmse,
    "bias": metrics.bias,
}
GOOD_MAE = 0.04  # m3 m-3; 70.14 % of Feng's cells lie below


def sums_of(prediction: np.ndarray, truth: np.ndarray, area: np.ndarray) -> metrics.Sums:
    """Return the sums of statistics over all (T, N) pairs with (N,) weights."""
    total = np.zeros(len(metrics.STATISTICS))
    for one, other in zip(prediction, truth, strict=True):
        terms = pair_terms(one, other)
        total[0] += terms[0].sum()
        total[1:] += terms[1:] @ area
    return named(total)


def spatial_r(prediction: np.ndarray, truth: np.ndarray, area: np.ndarray) -> np.ndarray:
    """Return (T,) pattern correlations of (T, N) maps, NaN where a map is constant or has a gap."""
    weights = area / area.sum()
    x = prediction - (prediction @ weights)[:, None]
    y = truth - (truth @ weights)[:, None]
    # Rounding leaves a constant map a variance.
    own, other = (
        np.where((d * d) @ weights > metrics.CONSTANT * ((v * v) @ weights), (d * d) @ weights, 0)
        for d, v in ((x, prediction), (y, truth))
    )
    spread = np.sqrt(own * other)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, ((x * y) @ weights) / spread, np.nan)


def score_table(
    predictions: Mapping[str, np.ndarray], truth: np.ndarray, area: np.ndarray
) -> "pd.DataFrame":
    """Return a row a method: MAE, RMSD, ubRMSD, bias, spatial R, and the share of good cells.

    spatial_r: mean over the months of the pattern correlation, of the months that have one;
    spatial_r_mean: that of the mean maps. Feng does not say which of the two his is. n: valid
    pairs; months_without_r, cells_missing: months and cells without a value, which do not count in
    the means. A mean of nothing is NaN.
    """
    import pandas as pd

    rows = []
    for method, values in predictions.items():
        sums = sums_of(values, truth, area)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = [metric(sums) for metric in PRINTED.values()]
        means = values.mean(axis=0)[None], truth.mean(axis=0)[None]
        errors, by_month = mae_map(values, truth), spatial_r(values, truth, area)
        whole, known = np.isfinite(errors), np.isfinite(by_month)
        rows.append(
            {
                "method": method,
                **{name: float(value) for name, value in zip(PRINTED, found, strict=True)},
                "spatial_r": float(by_month[known].mean()) if known.any() else float("nan"),
                "spatial_r_mean": float(spatial_r(*means, area)[0]),
                "share_below_0.04": _share(errors[whole] < GOOD_MAE, area[whole]),
                "n": int(sums["count"]),
                "months_without_r": int((~known).sum()),
                "cells_missing": int((~whole).sum()),
            }
        )
    return pd.DataFrame(rows)


def _share(true: np.ndarray, area: np.ndarray) -> float:
    return float(area[true].sum() / area.sum()) if area.size else float("nan")


def mae_map(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (N,) mean absolute errors of (T, N) values; NaN where a month is missing."""
    return np.asarray(np.abs(prediction.astype(np.float64) - truth).mean(axis=0))


def taylor_row(
    name: str, kind: str, prediction: np.ndarray, truth: np.ndarray, area: np.ndarray
) -> dict[str, str | float]:
    """Return n, r, and standard deviation and ubRMSD over the reference's, of all (T, N) pairs.

    NaN where the reference is constant or no pair is valid.
    """
    sums = sums_of(prediction, truth, area)
    with np.errstate(invalid="ignore", divide="ignore"):
        own, reference = (standard_deviation(sums, side) for side in ("prediction", "truth"))
        reference = np.where(reference > 0, reference, np.nan)
        return {
            "source": name,
            "kind": kind,
            "n": int(sums["count"]),
            "r": float(metrics.r(sums)),
            "sd_ratio": float(own / reference),
            "ubrmsd_ratio": float(metrics.ubrmse(sums) / reference),
        }
