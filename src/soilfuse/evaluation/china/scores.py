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
    """Return (T,) pattern correlations of (T, N) maps, NaN where a map is constant."""
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

    spatial_r: mean over the months of the pattern correlation; spatial_r_mean: that of the mean
    maps. Feng does not say which of the two his is.
    """
    import pandas as pd

    rows = []
    for method, values in predictions.items():
        sums = sums_of(values, truth, area)
        means = values.mean(axis=0)[None], truth.mean(axis=0)[None]
        good = mae_map(values, truth) < GOOD_MAE
        rows.append(
            {
                "method": method,
                "mae": float(metrics.mae(sums)),
                "rmsd": float(metrics.rmse(sums)),
                "ubrmsd": float(metrics.ubrmse(sums)),
                "bias": float(metrics.bias(sums)),
                "spatial_r": float(np.nanmean(spatial_r(values, truth, area))),
                "spatial_r_mean": float(spatial_r(*means, area)[0]),
                "share_below_0.04": float(area[good].sum() / area.sum()),
            }
        )
    return pd.DataFrame(rows)


def mae_map(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (N,) mean absolute errors of (T, N) values."""
    return np.asarray(np.abs(prediction.astype(np.float64) - truth).mean(axis=0))


def taylor_row(
    name: str, kind: str, prediction: np.ndarray, truth: np.ndarray, area: np.ndarray
) -> dict[str, str | float]:
    """Return r, and standard deviation and ubRMSD over the reference's, of all (T, N) pairs."""
    sums = sums_of(prediction, truth, area)
    own, reference = (float(standard_deviation(sums, side)) for side in ("prediction", "truth"))
    return {
        "source": name,
        "kind": kind,
        "r": float(metrics.r(sums)),
        "sd_ratio": own / reference,
        "ubrmsd_ratio": float(metrics.ubrmse(sums)) / reference,
    }
