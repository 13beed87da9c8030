"""The tables of what the spread is worth, and the final test's rows of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soilfuse.evaluation.blocks import FINAL, blocks_of, weights_of
from soilfuse.evaluation.probabilistic import (
    LEVELS,
    RESIDUALS,
    SPREAD,
    conformal_half_widths,
    coverage_sums,
    crps_sums,
    interval_score,
    normal_half_widths,
    shares,
)

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

COVERAGE_COLUMNS = [
    *("method", "block", "layer", "region", "interval", "level"),
    *("n", "n_missing", "coverage", "width", "factor", "score"),
]
CRPS_COLUMNS = [
    *("method", "block", "layer", "region"),
    *("n", "n_missing", "crps", "mae", "rmse", "spread", "spread_skill"),
]


def long_table(columns: dict[str, np.ndarray], regions: list[str]) -> pd.DataFrame:
    """Lay out columns (D, G) as rows of layer (from 1) and region."""
    layer, region = np.indices(next(iter(columns.values())).shape).reshape(2, -1)
    values = {name: column.ravel() for name, column in columns.items()}
    return pd.DataFrame({"layer": layer + 1, "region": np.array(regions)[region], **values})


def coverage_rows(
    sums: Mapping[str, np.ndarray], pairs: np.ndarray, regions: list[str], level: float
) -> pd.DataFrame:
    """Return the rows of one level from {interval: (5, D, G)} sums; pairs: (G,) that there are."""
    parts, widths = [], {}
    for interval, own in sums.items():
        n, share, widths[interval], beyond = shares(own)
        score = interval_score(widths[interval], beyond, level)
        factor = np.full(share.shape, np.nan)
        if interval == RESIDUALS and SPREAD in widths:
            with np.errstate(invalid="ignore", divide="ignore"):
                factor = widths[RESIDUALS] / widths[SPREAD]
        columns = {"n": n, "n_missing": pairs - n, "coverage": share, "width": widths[interval]}
        made = long_table(columns | {"factor": factor, "score": score}, regions)
        parts.append(made.assign(interval=interval, level=level))
    return pd.concat(parts, ignore_index=True)


def crps_rows(sums: np.ndarray, pairs: np.ndarray, regions: list[str]) -> pd.DataFrame:
    """Return the rows of the (6, D, G) sums of `crps_sums`; pairs: (G,) that there are.

    spread: root of the mean variance; spread_skill: its ratio to the RMSE, 1 where the spread is as
    large as the error.
    """
    n, weight, *totals = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        crps, mae, square, variance = (total / weight for total in totals)
        ratio = np.sqrt(variance) / np.sqrt(square)
    columns = {"n": n.astype(int), "n_missing": pairs - n.astype(int), "crps": crps, "mae": mae}
    own = {"rmse": np.sqrt(square), "spread": np.sqrt(variance), "spread_skill": ratio}
    return long_table(columns | own, regions)


def pairs_of(months: int, weights: np.ndarray) -> np.ndarray:
    """Return the (G,) number of months and cells that a region has."""
    return months * (weights > 0).sum(axis=0)


def coverage_table(
    error: np.ndarray,
    residuals: np.ndarray,
    spread: np.ndarray | None,
    weights: np.ndarray,
    regions: list[str],
    levels: tuple[float, ...] = LEVELS,
) -> pd.DataFrame:
    """Return the rows of one method, COVERAGE_COLUMNS without method and block.

    error: (T, D, C) of the final test; residuals: (N, D, C) out of fold; spread: (T, D, C) standard
    deviations, None where there are none; weights: (C, G). width in m3 m-3 from end to end; factor:
    how many times as wide as that of the spread an interval from residuals is; score: as of
    `probabilistic.interval_score`.
    """
    half_widths = {RESIDUALS: conformal_half_widths(residuals, levels)}
    if spread is not None:
        half_widths = {SPREAD: normal_half_widths(spread, levels), **half_widths}
    pairs, parts = pairs_of(len(error), weights), []
    for place, level in enumerate(levels):
        sums = {
            interval: coverage_sums(error, half_width[place], weights)
            for interval, half_width in half_widths.items()
        }
        parts.append(coverage_rows(sums, pairs, regions, level))
    return pd.concat(parts, ignore_index=True)


def crps_table(
    errors: np.ndarray, spread: np.ndarray | None, weights: np.ndarray, regions: list[str]
) -> pd.DataFrame:
    """Return layer, region, n, n_missing, crps, mae, rmse, spread, spread_skill of one method.

    errors: (T, D, C) prediction minus truth; spread: the same of standard deviations, None without;
    weights: (C, G). Rows as of `crps_rows`.
    """
    return crps_rows(crps_sums(errors, spread, weights), pairs_of(len(errors), weights), regions)


@dataclass(frozen=True)
class Inside:
    """The cells of any region: their places (C,) in a field, weights (C, G), and the regions."""

    cells: np.ndarray
    weights: np.ndarray
    regions: list[str]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return (T, D, C) of (T, D, H, W)."""
        return values.reshape(*values.shape[:2], -1)[:, :, self.cells]


def inside_of(judged: "Judged") -> Inside:
    """Lay out the cells that count."""
    area = weights_of(judged)
    stacked = np.stack([weight.ravel() for weight in area.values()], axis=1)
    cells = np.flatnonzero((stacked > 0).any(axis=1))
    return Inside(cells, stacked[cells], list(area))


def residuals_of(judged: "Judged", inside: Inside) -> Iterator[np.ndarray]:
    """Give each method's (N, D, C) out-of-fold errors."""
    months = judged.material.outer_months
    target = inside.take(judged.material.target.at(months, "the target"))
    for method in judged.methods:
        what = f"the out_of_fold prediction of {method.name}"
        yield inside.take(method.outer.at(months, what)) - target


def spread_tables(judged: "Judged") -> dict[str, pd.DataFrame]:
    """Return CRPS and coverage of every method in the final test; without rows where none is."""
    inside, covered, scored = inside_of(judged), [], []
    blocks = {block.place: block for block in blocks_of(judged, FINAL)}
    for place, residuals in enumerate(residuals_of(judged, inside) if blocks else ()):
        if place not in blocks:
            continue
        block, method = blocks[place], judged.methods[place]
        series, name = method.spread, method.name
        spread = None
        if series is not None:
            spread = inside.take(series.at(block.months, f"spread of {name}"))
        errors = inside.take(block.prediction) - inside.take(block.truth)
        own = {"method": name, "block": block.name}
        table = coverage_table(errors, residuals, spread, inside.weights, inside.regions)
        covered.append(table.assign(**own)[COVERAGE_COLUMNS])
        table = crps_table(errors, spread, inside.weights, inside.regions)
        scored.append(table.assign(**own)[CRPS_COLUMNS])
    return {
        "spread": _joined(covered, COVERAGE_COLUMNS),
        "crps": _joined(scored, CRPS_COLUMNS),
    }


def _joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
