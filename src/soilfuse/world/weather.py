"""The truth's weather: five coupled layers whose memory grows with depth.

Its regional mean has no trend of its own in any of the periods the record speaks of, so that the
published trends are the forced ones. Letters: T months, K amplitudes, Y years, P columns.
"""

import numpy as np

from soilfuse import names, seeding
from soilfuse.world import published as record
from soilfuse.world.fields import WaveBasis, amplitudes
from soilfuse.world.region import calibration_points

SD = np.array([0.024, 0.021, 0.018, 0.015, 0.012])  # m3 m-3 by layer
LENGTHS = (0.4, 0.6, 1.0)  # degrees
# How much of its regional mean a layer's weather keeps. Published trends of 2e-5 in deep summers,
# and of 1.2e-4 in 20 years of layer 3, are significant: deep soil's regional mean hardly varies.
REGIONAL_SHARE = np.array([1.0, 0.7, 0.4, 0.4, 0.4])
# Month to month by layer, and what drains from the layer above (a bucket's leak).
MEMORY = (0.45, 0.55, 0.68, 0.78, 0.85)
DRAINAGE = 0.20
# Frozen soil hardly varies, summer soil does; mean square 1.
OF_MONTH = np.array([0.7, 0.7, 0.8, 1.0, 1.1, 1.15, 1.2, 1.2, 1.15, 1.05, 0.9, 0.75])
PAST_PERIODS = ((1950, 1994), (1995, 2014))
FUTURE_PERIODS = ((2015, 2040), (2041, 2070), (2071, 2100))
EARLY = (2021, 2040)  # within the first of them


def propagation() -> np.ndarray:
    """Return (5, 5) month-to-month propagation of the layers."""
    return np.diag(MEMORY) + np.diag(np.full(record.LAYERS - 1, DRAINAGE), -1)


class Weather:
    """The weather of one world; every experiment is drawn once, when first asked for."""

    def __init__(self, seed: int) -> None:
        """Draw the waves."""
        self.seed = seed
        self.basis = WaveBasis.draw(self._rng("waves"), LENGTHS)
        points = calibration_points()
        self._regional = points.mean(self.basis(points.lat, points.lon))
        self._raw: dict[str, np.ndarray] = {}
        self._scaled: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def _rng(self, *stream: str) -> np.random.Generator:
        return seeding.generator(self.seed, "world", "truth", "weather", *stream)

    def series(self, experiment: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (T, 5, K) float32 amplitudes and what to take off everywhere, (T, 5); m3 m-3.

        That is drift and, below the surface, part of the regional mean. A scenario goes on from the
        last month of the historical run.
        """
        if experiment not in self._scaled:
            raw = self._unit_series(experiment)
            factor = np.tile(OF_MONTH, len(raw) // 12)[:, None] * SD
            scaled = (raw * factor[..., None]).astype(np.float32)
            regional = scaled @ self._regional
            drift = regional_drift(regional, experiment)
            drift += (1 - REGIONAL_SHARE) * (regional - drift)
            self._scaled[experiment] = scaled, drift.astype(np.float32)
        return self._scaled[experiment]

    def _unit_series(self, experiment: str) -> np.ndarray:
        if experiment not in self._raw:
            past = experiment == names.HISTORICAL
            start = None if past else self._unit_series(names.HISTORICAL)[-1]
            first, last = names.EXPERIMENT_YEARS[experiment]
            months = (last + 1 - first) * 12
            size = self.basis.size
            raw = amplitudes(self._rng(experiment), months, size, propagation(), start)
            if not past:
                return raw
            self._raw[experiment] = raw
        return self._raw[experiment]


def regional_drift(regional: np.ndarray, experiment: str) -> np.ndarray:
    """Return levels and trends of a (T, 5) regional series, period by period and month by month."""
    columns = _periods(experiment)
    years = regional.reshape(len(columns), -1)
    drift = columns @ np.linalg.lstsq(columns, years, rcond=None)[0]
    if experiment == names.HISTORICAL:
        # The record's 1995-2014 is a Sen slope of 20 annual means: take that off, too.
        recent = (years - drift)[-20:].reshape(20, 12, -1).mean(axis=1)
        first, second = np.triu_indices(20, 1)
        slope = np.median((recent[second] - recent[first]) / (second - first)[:, None], axis=0)
        drift[-20:] += np.outer(np.arange(20) - 9.5, np.tile(slope, 12))
    return drift.reshape(regional.shape)


def _periods(experiment: str) -> np.ndarray:
    """(Y, P) columns that span level and trend of each period."""
    first, last = names.EXPERIMENT_YEARS[experiment]
    years = np.arange(first, last + 1)
    past = experiment == names.HISTORICAL
    columns = []
    for start, stop in PAST_PERIODS if past else FUTURE_PERIODS:
        inside = ((years >= start) & (years <= stop)).astype(float)
        columns += [inside, inside * (years - (start + stop) / 2) / 20]
    if not past:
        columns.append(np.clip(years, *EARLY) / 20.0 - EARLY[0] / 20)
    return np.stack(columns, axis=1)
