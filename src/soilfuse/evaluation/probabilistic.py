"""What the spread is worth: CRPS, and how often intervals hold the observed value.

Two intervals about a prediction. `spread`: mean +- z x standard deviation over the fold networks,
as the product's files give it. `residuals`: prediction +- the quantile of the absolute errors that
were made out of fold in the same cell and layer (split conformal prediction, Lei et al. 2018,
doi:10.1080/01621459.2017.1307116). Both are judged in the final test alone: out of fold one network
predicts a month that others were trained on, so no spread exists there.
"""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from soilfuse.evaluation.blocks import FINAL, blocks_of, weights_of
from soilfuse.evaluation.metrics import metrics

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

SPREAD, RESIDUALS = "spread", "residuals"
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
COVERAGE_COLUMNS = [
    *("method", "block", "layer", "region", "interval", "level"),
    *("n", "coverage", "width", "factor"),
]
CRPS_COLUMNS = [
    *("method", "block", "layer", "region"),
    *("n", "crps", "mae", "rmse", "spread", "spread_skill"),
]


def crps_gaussian(mean: np.ndarray, sd: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of normal predictions, in their unit.

    Gneiting et al. 2005 (doi:10.1175/MWR2904.1), equation 5; |mean - truth| where sd is 0, NaN
    where any of the three is NaN or sd is negative.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        z = (truth - mean) / sd
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
        score = sd * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))
    return np.where(sd > 0, score, np.where(sd == 0, np.abs(truth - mean), np.nan))


def conformal_half_widths(residuals: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return (L, ...) half widths that hold a new error with probability `level`, or more.

    residuals: (T, ...) errors of months that the prediction was not fitted on, NaN = missing. Of n
    errors it is the ceil((n + 1) level)-th smallest absolute one; NaN where n is too small for
    that. Exact for exchangeable errors; those of neighbouring months are alike, so it is near.
    """
    ordered = np.sort(np.abs(residuals), axis=0)  # NaN last
    n = np.isfinite(ordered).sum(axis=0)
    widths = []
    for level in levels:
        # A hair below, or 0.7 x 10 would be the eighth of nine errors.
        rank = np.ceil((n + 1) * level - 1e-9).astype(int)
        place = np.clip(rank - 1, 0, len(ordered) - 1)
        found = np.take_along_axis(ordered, place[None], axis=0)[0]
        widths.append(np.where((rank >= 1) & (rank <= n), found, np.nan))
    return np.stack(widths)


def normal_half_widths(sd: np.ndarray, levels: tuple[float, ...]) -> np.ndarray:
    """Return the (L, ...) half widths of central intervals of normal predictions."""
    z = ndtri((1 + np.array(levels)) / 2)
    return z.reshape(-1, *[1] * sd.ndim) * sd


def coverage(
    error: np.ndarray, half_width: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (D, G) n, share and mean width of the intervals that hold the observed value.

    error: (T, D, C) prediction minus truth; half_width: the same or (D, C); weights: (C, G). Pairs
    that lack either do not count; NaN where none is left.
    """
    valid = np.isfinite(error) & np.isfinite(half_width)
    held = valid & (np.abs(error) <= half_width)
    width = np.where(valid, 2 * half_width, 0).sum(axis=0, dtype=np.float64) @ weights
    n = valid.sum(axis=0) @ (weights > 0).astype(float)
    weight = valid.sum(axis=0) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        return n.astype(int), (held.sum(axis=0) @ weights) / weight, width / weight


def _long(columns: dict[str, np.ndarray], regions: list[str]) -> pd.DataFrame:
    layer, region = np.indices(next(iter(columns.values())).shape).reshape(2, -1)
    values = {name: column.ravel() for name, column in columns.items()}
    return pd.DataFrame({"layer": layer + 1, "region": np.array(regions)[region], **values})


def coverage_table(
    error: np.ndarray,
    residuals: np.ndarray,
    spread: np.ndarray | None,
    weights: np.ndarray,
    regions: list[str],
    levels: tuple[float, ...] = LEVELS,
) -> pd.DataFrame:
    """Return layer, region, interval, level, n, coverage, width, factor of one method.

    error: (T, D, C) of the final test; residuals: (N, D, C) out of fold; spread: (T, D, C) standard
    deviations, None where there are none; weights: (C, G). width in m3 m-3 from end to end; factor:
    how many times as wide as that of the spread an interval from residuals is.
    """
    half_widths = {RESIDUALS: conformal_half_widths(residuals, levels)}
    if spread is not None:
        half_widths = {SPREAD: normal_half_widths(spread, levels), **half_widths}
    parts = []
    for place, level in enumerate(levels):
        widths = {}
        for interval, half_width in half_widths.items():
            n, share, widths[interval] = coverage(error, half_width[place], weights)
            factor = np.full(share.shape, np.nan)
            if interval == RESIDUALS and spread is not None:
                with np.errstate(invalid="ignore", divide="ignore"):
                    factor = widths[RESIDUALS] / widths[SPREAD]
            columns = {"n": n, "coverage": share, "width": widths[interval], "factor": factor}
            parts.append(_long(columns, regions).assign(interval=interval, level=level))
    return pd.concat(parts, ignore_index=True)


def crps_table(
    errors: np.ndarray,
    spread: np.ndarray | None,
    sums: np.ndarray,
    weights: np.ndarray,
    regions: list[str],
) -> pd.DataFrame:
    """Return layer, region, n, crps, mae, rmse, spread and spread_skill of one method.

    errors: (T, D, C) prediction minus truth; spread: the same of standard deviations, None without;
    sums: (T, D, G, S) of the same months; weights: (C, G). Without a spread crps is the mean
    absolute error, which the score is for such a prediction. spread: root of the mean variance;
    spread_skill: its ratio to the RMSE, 1 where the spread is as large as the error.
    """
    scores = metrics(sums.sum(axis=0), ("n", "mae", "rmse"))
    if spread is None:
        missing = np.full_like(scores["mae"], np.nan)
        columns = {**scores, "crps": scores["mae"], "spread": missing, "spread_skill": missing}
        return _long(columns, regions)
    score = crps_gaussian(errors, spread, np.zeros_like(errors))
    valid = np.isfinite(score)
    weight = valid.sum(axis=0) @ weights
    with np.errstate(invalid="ignore", divide="ignore"):
        crps = np.where(valid, score, 0).sum(axis=0) @ weights / weight
        variance = np.where(valid, spread.astype(float) ** 2, 0).sum(axis=0) @ weights / weight
        ratio = np.sqrt(variance) / scores["rmse"]
    own = {"crps": crps, "spread": np.sqrt(variance), "spread_skill": ratio}
    return _long({**scores, **own}, regions)


def spread_tables(judged: "Judged") -> dict[str, pd.DataFrame]:
    """Return CRPS and coverage of every method in the final test; without rows where none is."""
    area = weights_of(judged)
    regions, stacked = list(area), np.stack([weight.ravel() for weight in area.values()], axis=1)
    cells = np.flatnonzero((stacked > 0).any(axis=1))
    weights = stacked[cells]

    def inside(values: np.ndarray) -> np.ndarray:
        return values.reshape(*values.shape[:2], -1)[:, :, cells]

    outer = judged.material.outer_months
    target = inside(judged.material.target.at(outer, "the target"))
    covered, scored = [], []
    for block in blocks_of(judged, FINAL):
        method = judged.methods[block.place]
        series, name = method.spread, method.name
        spread = None if series is None else inside(series.at(block.months, f"spread of {name}"))
        errors = inside(block.prediction) - inside(block.truth)
        residuals = inside(method.outer.at(outer, f"the out_of_fold prediction of {name}")) - target
        own = {"method": name, "block": block.name}
        table = coverage_table(errors, residuals, spread, weights, regions)
        covered.append(table.assign(**own)[COVERAGE_COLUMNS])
        table = crps_table(errors, spread, block.sums, weights, regions)
        scored.append(table.assign(**own)[CRPS_COLUMNS])
    return {
        "spread": _joined(covered, COVERAGE_COLUMNS),
        "crps": _joined(scored, CRPS_COLUMNS),
    }


def _joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
