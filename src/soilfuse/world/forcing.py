"""The forced change of the regional mean: rates by period that give the published trends.

Each (layer, SSP, season) has a curve that is straight between the years of KNOTS. Its rates are the
bounded least-squares answer to the published Sen slope, the change of 2071-2100 and the period
rates; where those disagree (they describe noisy series) the misfit is shared.
"""

from functools import lru_cache

import numpy as np

from soilfuse.world import published as record

KNOTS = np.array([1950, 1995, 2014, 2021, 2040, 2070, 2100])
YEARS = np.arange(1950, 2101)
REFERENCE = (YEARS >= 1995) & (YEARS <= 2014)
UNIT = 1e-4  # the record's slopes are in 1e-4 m3 m-3 yr-1
FUTURE_KNOTS = len(KNOTS) - 3  # rates after 2014
SLOPE_TOLERANCE, LOWEST_SUMMER_RATE = 0.3 * UNIT, -0.6 * UNIT  # only summer may dry
# What an equation weighs: slope, change, annual slope, annual change, period rates, shape.
SLOPE, CHANGE, ANNUAL_SLOPE, ANNUAL_CHANGE, PERIOD, SHAPE = 1.0, 1.0, 3.0, 3.0, 1.0, 0.15
# Rates of 2014-2021, 2021-2040, 2040-2070 and 2070-2100 against the slope of the whole: the early
# wetting is the faster one and the middle of the century is flat (section 3.5).
SHAPE_RATES = (1.5, 2.4, 0.15, 1.1)
SEASON_OF_MONTH = np.array([0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 0])


def ramps() -> np.ndarray:
    """Return (Y, K-1): how far each year of YEARS has gone through each interval of KNOTS (yr)."""
    return np.clip(YEARS[:, None] - KNOTS[:-1], 0, np.diff(KNOTS))


def changes(layer: int, season: str) -> np.ndarray:
    """Return (4,) change of 2071-2100 against 1995-2014 in m3 m-3, in the order of SSPS.

    Only the range over the SSPs is printed: the inner two are placed by their slopes.
    """
    low, high = record.CHANGES[season][layer]
    slopes = np.array(record.SLOPES["annual" if season == "JJA" else season])
    share = (slopes - slopes[0]) / (slopes[-1] - slopes[0])
    return (low + share * (high - low)) / 100 * seasonal_mean(layer, season)


def seasonal_mean(layer: int, season: str) -> float:
    """Return the regional mean of 1995-2014 in m3 m-3."""
    if season == "annual":
        return float(np.mean([means[layer] for means in record.SEASONAL_MEANS.values()]))
    return record.SEASONAL_MEANS[season][layer]


def slopes(layer: int, season: str) -> np.ndarray:
    """Return (4,) slopes of 2015-2100 in m3 m-3 yr-1; below layer 1 they scale with the change."""
    surface = np.array(record.SLOPES[season]) * UNIT
    if season != "JJA":
        return surface * changes(layer, season) / changes(0, season)
    if layer not in record.SUMMER_SLOPES:
        return surface
    high, highest = record.SUMMER_SLOPES[layer]
    return np.array([0.1, 0.2, high, highest]) * UNIT


def _slope_row(first: int, last: int) -> np.ndarray:
    """(K-1,) least-squares slope over the years as a linear function of the rates."""
    inside = (first <= YEARS) & (last >= YEARS)
    years = YEARS[inside] - YEARS[inside].mean()
    return years @ ramps()[inside] / (years @ years)


def _change_row() -> np.ndarray:
    """(K-1,) 2071-2100 minus 1995-2014 as a linear function of the rates."""
    steps = ramps()
    return steps[YEARS >= 2071].mean(axis=0) - steps[REFERENCE].mean(axis=0)


@lru_cache
def historical_rates(layer: int) -> np.ndarray:
    """Return (4, 2) rates of 1950-1995 and 1995-2014 by season, m3 m-3 yr-1.

    Only the annual rate is printed: half of it is shared out evenly over the seasons, half as the
    change of the lowest SSP is.
    """
    shares = np.array([changes(layer, season)[0] for season in record.SEASONAL])
    shares = 0.5 + 0.5 * shares / shares.mean()
    recent = record.HISTORICAL_RATES[layer] * UNIT
    long = record.LONG_HISTORICAL_RATE * UNIT * recent / (record.HISTORICAL_RATES[0] * UNIT)
    row = _slope_row(1950, 2014)
    before = (long - row[1] * recent) / row[0]
    return shares[:, None] * np.array([before, recent])


class _Equations:
    """Weighted linear equations in the rates after 2014: (4 seasons x FUTURE_KNOTS) unknowns."""

    def __init__(self, layer: int, ssp: int) -> None:
        """Collect what the record says of one layer and SSP."""
        self.rows: list[np.ndarray] = []
        self.targets: list[float] = []
        past = historical_rates(layer)
        for name in ("annual", *record.SEASONAL):
            seasons = np.array([name in ("annual", season) for season in record.SEASONAL], float)
            seasons /= seasons.sum()
            weights = (ANNUAL_SLOPE, ANNUAL_CHANGE) if name == "annual" else (SLOPE, CHANGE)
            slope, change = slopes(layer, name)[ssp], changes(layer, name)[ssp]
            scale = abs(slope) + SLOPE_TOLERANCE
            for row, target, size, weight in (
                (_slope_row(2015, 2100), slope, scale, weights[0]),
                (_change_row(), change, abs(change), weights[1]),
            ):
                known = seasons @ (past @ row[:2])
                self._add(np.outer(seasons, row[2:]), target - known, size, weight)
            if name != "annual":
                for step, share in zip(np.eye(FUTURE_KNOTS), SHAPE_RATES, strict=True):
                    self._add(np.outer(seasons, step), share * slope, scale + abs(slope), SHAPE)
        if record.SSPS[ssp] == "ssp370":
            early = record.EARLY_SPRING_RATES[layer] * UNIT
            spring = np.array([season == "MAM" for season in record.SEASONAL], float)
            self._add(np.outer(spring, np.eye(FUTURE_KNOTS)[1]), early, early, PERIOD)

    def _add(self, row: np.ndarray, target: float, scale: float, weight: float) -> None:
        self.rows.append(row.ravel() * weight / scale)
        self.targets.append(target * weight / scale)


@lru_cache
def regional_change(layer: int, ssp: str) -> np.ndarray:
    """Return (Y, 4) forced change by year of YEARS and season (m3 m-3; mean of 1995-2014 is 0).

    Up to 2014 it is the same for every SSP.
    """
    from scipy.optimize import lsq_linear

    equations = _Equations(layer, record.SSPS.index(ssp))
    lowest = np.repeat([0.0, 0.0, LOWEST_SUMMER_RATE, 0.0], FUTURE_KNOTS)
    rows, targets = np.array(equations.rows), np.array(equations.targets)
    future = lsq_linear(rows, targets, bounds=(lowest, np.inf)).x.reshape(4, FUTURE_KNOTS)
    curve = ramps() @ np.concatenate([historical_rates(layer), future], axis=1).T
    return curve - curve[REFERENCE].mean(axis=0)


@lru_cache
def month_weights() -> np.ndarray:
    """Return (12, 4) weights that spread seasonal means over the months.

    The smoothest cycle (least squared second difference) whose seasonal means are kept.
    """
    second = np.roll(np.eye(12), 1, 1) - 2 * np.eye(12) + np.roll(np.eye(12), -1, 1)
    means = np.equal.outer(np.arange(4), SEASON_OF_MONTH) / 3
    system = np.block([[second.T @ second, means.T], [means, np.zeros((4, 4))]])
    return np.linalg.solve(system, np.concatenate([np.zeros((12, 4)), np.eye(4)]))[:12]


def seasonal_change(layer: int, ssp: str, delay: float = 0.0) -> np.ndarray:
    """Return (1812, 4) what each season adds to the regional mean of the months of 1950-2100.

    The sum over the seasons is the forced change in m3 m-3. delay: years by which it comes later.
    """
    time = 1950 + (np.arange(YEARS.size * 12) + 0.5) / 12 - 0.5 - delay
    curves = regional_change(layer, ssp)
    seasons = np.stack([np.interp(time, YEARS, curve) for curve in curves.T], axis=1)
    return seasons * month_weights()[np.arange(time.size) % 12]
