"""What the spread is worth in a future whose truth is known: the pseudo-reality's.

As in the final test, but held against the truth itself, which lacks the target's own errors, and
in periods for which nothing promises that errors are those of 2000-2014.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from soilfuse import names
from soilfuse.evaluation.material import Series
from soilfuse.evaluation.probabilistic import (
    RESIDUALS,
    SPREAD,
    coverage_sums,
    crps_sums,
    normal_half_widths,
)
from soilfuse.evaluation.spread_tables import (
    COVERAGE_COLUMNS,
    CRPS_COLUMNS,
    Inside,
    coverage_rows,
    crps_rows,
    pairs_of,
)
from soilfuse.grids.months import month_axis

LEVELS = (0.5, 0.9)
CHUNK_MONTHS = 60  # whose errors are in memory together


def block_of(scenario: str, period: tuple[int, int]) -> str:
    """Return how a scenario's period is written in the column `block`."""
    return f"{scenario}_{period[0]}_{period[1]}"


def future_rows(
    method: str,
    scenario: str,
    series: Series,
    truth: Series,
    half_widths: np.ndarray,
    inside: Inside,
) -> dict[str, pd.DataFrame]:
    """Return coverage and CRPS of one method by period of a scenario, layer and region.

    series: (T, D, H, W) with its spread, if it has one; half_widths: (L, D, C) of LEVELS, made of
    out-of-fold errors. Raises UserError where either side lacks a month of a period.
    """
    covered, scored = [], []
    for period in names.FUTURE_PERIODS:
        months, own = month_axis(*period), {"method": method, "block": block_of(scenario, period)}
        intervals, crps = _sums(method, scenario, series, truth, months, half_widths, inside)
        pairs = pairs_of(months.size, inside.weights)
        for place, level in enumerate(LEVELS):
            sums = {name: of_levels[place] for name, of_levels in intervals.items()}
            covered.append(coverage_rows(sums, pairs, inside.regions, level).assign(**own))
        scored.append(crps_rows(crps, pairs, inside.regions).assign(**own))
    return {
        "spread": pd.concat(covered, ignore_index=True)[COVERAGE_COLUMNS],
        "crps": pd.concat(scored, ignore_index=True)[CRPS_COLUMNS],
    }


def _sums(
    method: str,
    scenario: str,
    series: Series,
    truth: Series,
    months: np.ndarray,
    half_widths: np.ndarray,
    inside: Inside,
) -> tuple[Mapping[str, np.ndarray], np.ndarray]:
    """Return {interval: (L, 5, D, G)} and the (6, D, G) sums of CRPS, some months at a time."""
    places = series.places(months, f"{method} of {scenario}")
    true_places = truth.places(months, f"the truth of {scenario}")
    kinds = [RESIDUALS] if series.spread is None else [SPREAD, RESIDUALS]
    intervals: dict[str, np.ndarray] = dict.fromkeys(kinds, np.zeros(1))
    crps = np.zeros(1)
    for start in range(0, months.size, CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        predicted = inside.take(series.values[places[here]])
        error = predicted - inside.take(truth.values[true_places[here]])
        spread = None if series.spread is None else inside.take(series.spread[places[here]])
        widths = {RESIDUALS: half_widths}
        if spread is not None:
            widths[SPREAD] = normal_half_widths(spread, LEVELS)
        for kind in kinds:
            parts = [coverage_sums(error, width, inside.weights) for width in widths[kind]]
            intervals[kind] = intervals[kind] + np.stack(parts)
        crps = crps + crps_sums(error, spread, inside.weights)
    return intervals, crps
