"""R, bias and ubRMSE of every pixel, all together, and of the detail inside coarse cells.

Letters: N steps, H x W fine and h x w coarse cells. Soil moisture in m3 m-3.
"""

import numpy as np

from soilfuse.evaluation import metrics
from soilfuse.evaluation.metrics import STATISTICS, named, pair_terms, standard_deviation
from soilfuse.grids.blocks import block_means, spread_over

PIXEL_METRICS = ("r", "bias", "ubrmse")
CHUNK = 64  # steps whose statistics are held at once
FAINTEST = 1e-5  # share of the truth's detail below which a prediction has none but its rounding

Scores = dict[str, np.ndarray]


def sums_over_time(prediction: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return (..., S) sums of statistics over the steps of two (N, ...) fields."""
    total = np.zeros((len(STATISTICS), *truth.shape[1:]))
    for start in range(0, len(truth), CHUNK):
        here = slice(start, start + CHUNK)
        total += pair_terms(prediction[here], truth[here]).sum(axis=1)
    return np.moveaxis(total, 0, -1)


def pixel_scores(sums: np.ndarray, min_pairs: int) -> Scores:
    """Return n, R, bias and ubRMSE (...) of sums (..., S).

    All but n are NaN with fewer than min_pairs pairs; R is also where either side is constant.
    """
    made = metrics.metrics(sums, ("n", *PIXEL_METRICS))
    enough = made["n"] >= min_pairs
    scores = {name: np.where(enough, made[name], np.nan) for name in PIXEL_METRICS}
    return {"n": made["n"].astype(int), **scores}


def summary(sums: np.ndarray, min_pairs: int) -> dict[str, float]:
    """Return means of the pixels' scores, how many pixels have no R, and R of all pairs at once."""
    pixels = pixel_scores(sums, min_pairs)
    whole = named(sums.reshape(-1, sums.shape[-1]).sum(axis=0))
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = {"pooled_r": float(metrics.r(whole)), "pooled_rmse": float(metrics.rmse(whole))}
    return {
        "pixels": pixels["r"].size,
        "without_r": int(np.isnan(pixels["r"]).sum()),
        "pairs": int(whole["count"]),
        **{name: mean_of(pixels[name]) for name in PIXEL_METRICS},
        "absolute_bias": mean_of(np.abs(pixels["bias"])),
        **pooled,
    }


def mean_of(values: np.ndarray) -> float:
    """Return the mean of what is no NaN, NaN where nothing is."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def detail(fine: np.ndarray, block: int) -> np.ndarray:
    """Return (N, H, W) fields less the mean of their coarse cell: what downscaling adds."""
    return fine - spread_over(block_means(fine, block), block)


def detail_scores(prediction: np.ndarray, truth: np.ndarray, block: int) -> dict[str, float]:
    """Return R of the detail, R of the part of it that changes, and its spread over the truth's.

    Most detail stays: mountains are where they were. detail_change_r is of the detail less its
    own mean over the steps. NaN where the prediction has no detail.
    """
    own, theirs = (detail(field.astype(np.float64), block) for field in (prediction, truth))
    whole = _all_sums(own, theirs)
    changing = _all_sums(own - own.mean(axis=0), theirs - theirs.mean(axis=0))
    spreads = [float(standard_deviation(whole, side)) for side in ("prediction", "truth")]
    faint = spreads[0] < FAINTEST * spreads[1]
    return {
        "detail_r": np.nan if faint else float(metrics.r(whole)),
        "detail_change_r": np.nan if faint else float(metrics.r(changing)),
        "detail_spread": spreads[0] / spreads[1] if spreads[1] > 0 else np.nan,
    }


def _all_sums(one: np.ndarray, other: np.ndarray) -> metrics.Sums:
    sums = sums_over_time(one, other)
    return named(sums.reshape(-1, sums.shape[-1]).sum(axis=0))
