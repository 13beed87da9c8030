"""Rates of the forced change by period, fitted to the published record.

Every (layer, SSP, season) has a curve that is straight between the years of KNOTS. Its rates are
the bounded least-squares answer to the Sen slope, the change of 2071-2100 and the period rates;
where those disagree (they describe noisy series) the misfit is shared. Letters: Y years, K knots.
"""

from functools import lru_cache

import numpy as np

from soilfuse.world import published as record
from soilfuse.world import targets
from soilfuse.world.targets import UNIT
from soilfuse.world.weather import REGIONAL_SHARE, SD

KNOTS = np.array([1950, 1995, 2014, 2021, 2040, 2070, 2100])
YEARS = np.arange(1950, 2101)
REFERENCE = (YEARS >= 1995) & (YEARS <= 2014)
CENTURY = YEARS >= 2015
FUTURE_KNOTS = len(KNOTS) - 3  # rates after 2014
EARLY = 1  # 2021-2040 among them
LOWEST_SUMMER_RATE = -0.6 * UNIT  # only summer may dry
SLOPE_TOLERANCE = 0.3 * UNIT  # of inferred slopes
# What an equation weighs, as a share of its own size: what is printed, the annual change (where it
# may disagree with the seasons), changes within the printed range, inferred slopes, flat summers,
# the shape of the curve.
PRINTED, ANNUAL_CHANGE, INNER, INFERRED, FLAT, SHAPE = 3.0, 1.5, 1.0, 0.3, 1.0, 0.15
# Rates of 2014-2021, 2021-2040, 2040-2070 and 2070-2100 against the slope of the whole, where the
# record leaves them open: the early wetting is the faster one, the middle of the century is flat.
SHAPE_RATES = (1.5, 2.4, 0.0, 1.1)
# Standard deviation of layer 1's regional means from year to year in five worlds, m3 m-3. The Sen
# slope of a curve that is not straight depends on the noise about it.
YEAR_TO_YEAR = {"annual": 0.0029, "DJF": 0.0029, "MAM": 0.0047, "JJA": 0.0059, "SON": 0.0050}
CORRECTIONS, STEP = 3, 0.8  # of the slopes aimed at; the step is damped
HALVINGS = 18  # of the interval in which a Sen slope lies


def ramps() -> np.ndarray:
    """Return (Y, K-1): how far each year of YEARS has gone through each interval of KNOTS (yr)."""
    return np.clip(YEARS[:, None] - KNOTS[:-1], 0, np.diff(KNOTS))


def slope_row(first: int, last: int) -> np.ndarray:
    """Return (K-1,) least-squares slope over the years as a linear function of the rates."""
    inside = (first <= YEARS) & (last >= YEARS)
    years = YEARS[inside] - YEARS[inside].mean()
    return years @ ramps()[inside] / (years @ years)


def change_row() -> np.ndarray:
    """Return (K-1,) 2071-2100 minus 1995-2014 as a linear function of the rates."""
    steps = ramps()
    return steps[YEARS >= 2071].mean(axis=0) - steps[REFERENCE].mean(axis=0)


def expected_sen_slope(curve: np.ndarray, noise: float) -> float:
    """Return the Sen slope per year to expect of a (Y,) curve with white noise about it.

    The noise (standard deviation, the curve's unit) spreads each pair's slope by a known normal
    law: returns the slope that half of all pairs are expected to lie below.
    """
    from scipy.special import ndtr

    first, second = np.triu_indices(len(curve), 1)
    years = second - first
    pairs = (curve[second] - curve[first]) / years
    low, high = pairs.min(), pairs.max()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = ndtr((middle - pairs) * years / (np.sqrt(2) * noise)).mean()
        low, high = (middle, high) if below < 0.5 else (low, middle)
    return float((low + high) / 2)


@lru_cache
def historical_rates(layer: int) -> np.ndarray:
    """Return (4, 2) rates of 1950-1995 and 1995-2014 by season, m3 m-3 yr-1.

    Only the annual rate is printed: half of it is shared out evenly over the seasons, half as the
    change of the lowest SSP is.
    """
    shares = np.array([targets.changes(layer, season)[0] for season in record.SEASONAL])
    shares = 0.5 + 0.5 * shares / shares.mean()
    recent = record.HISTORICAL_RATES[layer] * UNIT
    long = record.LONG_HISTORICAL_RATE * UNIT * recent / (record.HISTORICAL_RATES[0] * UNIT)
    row = slope_row(1950, 2014)
    before = (long - row[1] * recent) / row[0]
    return shares[:, None] * np.array([before, recent])


class _Equations:
    """Weighted linear equations in the rates after 2014: (4 seasons x FUTURE_KNOTS) unknowns."""

    def __init__(self, layer: int, ssp: int, aims: dict[str, float]) -> None:
        """Collect what the record says of one layer and SSP; aims: least-squares slopes."""
        self.rows: list[np.ndarray] = []
        self.sides: list[float] = []
        past = historical_rates(layer)
        for season, aim in aims.items():
            seasons = _members(season)
            known = seasons @ past
            slope = targets.slopes(layer, season)[ssp]
            size, weight = _slope_weight(layer, season, ssp)
            row = slope_row(2015, 2100)
            self._add(np.outer(seasons, row[2:]), aim - known @ row[:2], size, weight)
            row, change = change_row(), targets.changes(layer, season)[ssp]
            weight = _change_weight(layer, season, ssp)
            self._add(np.outer(seasons, row[2:]), change - known @ row[:2], change, weight)
            if season != "annual":
                size = 2 * abs(slope) + SLOPE_TOLERANCE
                for step, share in zip(np.eye(FUTURE_KNOTS), SHAPE_RATES, strict=True):
                    self._add(np.outer(seasons, step), share * slope, size, SHAPE)
        if record.SSPS[ssp] == record.EARLY_SPRING_SSP:
            early = record.EARLY_SPRING_RATES[layer] * UNIT
            step = np.eye(FUTURE_KNOTS)[EARLY]
            self._add(np.outer(_members("MAM"), step), early, early, PRINTED)

    def _add(self, row: np.ndarray, side: float, size: float, weight: float) -> None:
        self.rows.append(row.ravel() * weight / size)
        self.sides.append(side * weight / size)

    def solve(self) -> np.ndarray:
        """Return (4, FUTURE_KNOTS) rates after 2014 in m3 m-3 yr-1."""
        from scipy.optimize import lsq_linear

        lowest = np.where(_members("JJA") > 0, LOWEST_SUMMER_RATE, 0.0).repeat(FUTURE_KNOTS)
        found = lsq_linear(np.array(self.rows), np.array(self.sides), bounds=(lowest, np.inf))
        return found.x.reshape(4, FUTURE_KNOTS)


def _members(season: str) -> np.ndarray:
    """(4,) weights of the four seasons in a season's or the year's mean."""
    seasons = np.array([season in ("annual", member) for member in record.SEASONAL], float)
    return seasons / seasons.sum()


def _slope_weight(layer: int, season: str, ssp: int) -> tuple[float, float]:
    """Return the size that a slope's misfit is measured by, and its weight."""
    slope = abs(targets.slopes(layer, season)[ssp])
    if targets.slope_is_printed(layer, season, ssp):
        return slope, PRINTED
    return slope + SLOPE_TOLERANCE, FLAT if season == "JJA" else INFERRED


def _change_weight(layer: int, season: str, ssp: int) -> float:
    if season == "annual":
        return ANNUAL_CHANGE
    wanted = targets.changes(layer, season)
    # Summers are so much alike that any of them may be the lowest or the highest.
    at_an_end = season == "JJA" or wanted[ssp] in (wanted.min(), wanted.max())
    return PRINTED if at_an_end else INNER


def _noise(layer: int, season: str) -> float:
    share = SD[layer] / SD[0] * REGIONAL_SHARE[layer]
    return YEAR_TO_YEAR[season] * float(share)


@lru_cache
def regional_change(layer: int, ssp: str) -> np.ndarray:
    """Return (Y, 4) forced change by year of YEARS and season (m3 m-3; mean of 1995-2014 is 0).

    Up to 2014 it is the same for every SSP.
    """
    number = record.SSPS.index(ssp)
    wanted = {season: targets.slopes(layer, season)[number] for season in record.SLOPES}
    aims, past = dict(wanted), historical_rates(layer)
    for correction in range(CORRECTIONS + 1):
        future = _Equations(layer, number, aims).solve()
        curve = ramps() @ np.concatenate([past, future], axis=1).T
        if correction < CORRECTIONS:
            for season, slope in wanted.items():
                got = expected_sen_slope(curve[CENTURY] @ _members(season), _noise(layer, season))
                aims[season] += STEP * (slope - got)
    return curve - curve[REFERENCE].mean(axis=0)
