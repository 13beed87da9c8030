"""The truth: soil moisture of five layers, anywhere, for every month of 1950-2100.

truth = climatology(place, month, layer) + weather + forced change. Climatology and weather are
scaled to the published standard deviations; the weather's regional mean has no trend of its own in
any of the periods the record speaks of, so that the published trends are the forced ones.
"""

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from soilfuse import names, seeding
from soilfuse.world import climate, forcing
from soilfuse.world import published as record
from soilfuse.world.fields import SmoothField, WaveBasis, amplitudes
from soilfuse.world.patterns import forced_pattern
from soilfuse.world.region import calibration_points
from soilfuse.world.terrain import Terrain

PAST_MONTHS, FUTURE_MONTHS = 65 * 12, 86 * 12
LOWEST, HIGHEST = 0.02, 0.6  # m3 m-3
WEATHER_SD = np.array([0.024, 0.021, 0.018, 0.015, 0.012])  # m3 m-3 by layer
WEATHER_LENGTHS = (0.4, 0.6, 1.0)  # degrees
# Month to month by layer, and what drains from the layer above (a bucket's leak).
MEMORY = (0.45, 0.55, 0.68, 0.78, 0.85)
DRAINAGE = 0.20
# Frozen soil hardly varies, summer soil does; mean square 1.
WEATHER_OF_MONTH = np.array([0.7, 0.7, 0.8, 1.0, 1.1, 1.15, 1.2, 1.2, 1.15, 1.05, 0.9, 0.75])
LAYER_OWN = (0.0, 0.25, 0.4, 0.5, 0.6)  # share of a layer's standing pattern that is its own
LAYERS = record.LAYERS
OBSERVED_SSP = "ssp245"  # what happens after 2014


def weather_memory() -> np.ndarray:
    """Return (5, 5) month-to-month propagation of the layers' weather."""
    return np.diag(MEMORY) + np.diag(np.full(LAYERS - 1, DRAINAGE), -1)


def soft_clip(values: np.ndarray, low: float = LOWEST, high: float = HIGHEST) -> np.ndarray:
    """Bend values within 0.03 of the physical range back into it; leave the others as they are."""
    margin = 0.03
    below, above = low + margin, high - margin
    values = np.where(values < below, below - margin * np.tanh((below - values) / margin), values)
    return np.where(values > above, above + margin * np.tanh((values - above) / margin), values)


def experiment_months(experiment: str) -> slice:
    """Return an experiment's months as a slice of those of 1950-2100."""
    if experiment == names.HISTORICAL:
        return slice(0, PAST_MONTHS)
    return slice(PAST_MONTHS, PAST_MONTHS + FUTURE_MONTHS)


def _periods(experiment: str) -> np.ndarray:
    """Return (Y, P) columns that span level and trend of each period the record speaks of."""
    years = np.arange(*np.add(names.EXPERIMENT_YEARS[experiment], (0, 1)))
    spans = ((1950, 1994), (1995, 2014))
    if experiment != names.HISTORICAL:
        spans = ((2015, 2040), (2041, 2070), (2071, 2100))
    columns = []
    for first, last in spans:
        inside = ((years >= first) & (years <= last)).astype(float)
        columns += [inside, inside * (years - (first + last) / 2) / 20]
    if experiment != names.HISTORICAL:
        columns.append(np.clip(years - 2021, 0, 2040 - 2021) / 20)
    return np.stack(columns, axis=1)


@dataclass
class Truth:
    """The truth of one world (seed)."""

    seed: int
    terrain: Terrain = field(init=False)
    basis: WaveBasis = field(init=False)
    own: list[SmoothField] = field(init=False)
    _weather: dict[str, tuple[np.ndarray, np.ndarray]] = field(init=False)

    def __post_init__(self) -> None:
        """Draw what is fixed and the amplitudes of the weather of every experiment."""
        self.terrain = Terrain.of(self.seed)
        self.basis = WaveBasis.draw(self._rng("waves"), WEATHER_LENGTHS)
        self.own = [SmoothField.draw(self._rng("layer", layer), 0.7) for layer in range(LAYERS)]
        self._weather = {}
        self._region_basis = calibration_points().mean(
            self.basis(calibration_points().lat, calibration_points().lon)
        )

    def _rng(self, *stream: str | int) -> np.random.Generator:
        return seeding.generator(self.seed, "world", "truth", *stream)

    def weather(self, experiment: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (T, 5, K) amplitudes in m3 m-3 and the (T, 5) regional drift to take off."""
        if experiment not in self._weather:
            start = None
            months = PAST_MONTHS
            if experiment != names.HISTORICAL:
                self.weather(names.HISTORICAL)
                start, months = self._last, FUTURE_MONTHS
            series = amplitudes(
                self._rng("weather", experiment), months, self.basis.size, weather_memory(), start
            )
            if experiment == names.HISTORICAL:
                self._last = series[-1].copy()
            season = np.tile(WEATHER_OF_MONTH, months // 12)
            series = (series * (season[:, None] * WEATHER_SD)[..., None]).astype(np.float32)
            self._weather[experiment] = series, self._drift(series @ self._region_basis, experiment)
        return self._weather[experiment]

    @staticmethod
    def _drift(regional: np.ndarray, experiment: str) -> np.ndarray:
        """Levels and trends of a (T, 5) regional series, period by period and month by month."""
        columns = _periods(experiment)
        years = regional.reshape(len(columns), -1)
        drift = columns @ np.linalg.lstsq(columns, years, rcond=None)[0]
        if experiment == names.HISTORICAL:
            # The record's 1995-2014 is a Sen slope of 20 annual means: take that off, too.
            recent = (years - drift)[-20:].reshape(20, 12, LAYERS).mean(axis=1)
            first, second = np.triu_indices(20, 1)
            gaps = (second - first)[:, None]
            slope = np.median((recent[second] - recent[first]) / gaps, axis=0)
            drift[-20:] += np.outer(np.arange(20) - 9.5, np.tile(slope, 12))
        return drift.reshape(regional.shape)

    def climatology(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (12, 5, N) mean of 1995-2014 in m3 m-3."""
        layers = [self.layer_climatology(layer, lat, lon) for layer in range(LAYERS)]
        return np.stack(layers, axis=1)

    def layer_climatology(self, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (12, N) mean of 1995-2014 of one layer in m3 m-3.

        The regional mean is the record's; departures from it grow with the month's wetness, and
        have the standard deviation that weather and regional cycle leave of the published one.
        """
        region = calibration_points()
        cycle = forcing.month_weights() @ np.array(
            [record.SEASONAL_MEANS[season][layer] for season in record.SEASONAL]
        )
        swing = (cycle / cycle.mean())[:, None]
        here = self._departure(layer, region.lat, region.lon)
        centre = region.mean(here)[:, None]
        left = record.LAYER_SD[layer] ** 2 - WEATHER_SD[layer] ** 2 - cycle.var()
        scale = np.sqrt(left / region.mean(((here - centre) * swing) ** 2).mean())
        return cycle[:, None] + scale * swing * (self._departure(layer, lat, lon) - centre)

    def _departure(self, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """(12, N) local departure from the regional mean cycle, dimensionless."""
        share = LAYER_OWN[layer]
        standing = climate.standing_pattern(self.terrain, lat, lon)
        standing = np.sqrt(1 - share**2) * standing + share * self.own[layer](lat, lon)
        return standing + climate.seasonal_pattern(self.terrain, lat, lon, layer)

    def soil_moisture(
        self, experiment: str, lat: np.ndarray, lon: np.ndarray, months: slice = slice(None)
    ) -> np.ndarray:
        """Return (T, 5, N) float32 soil moisture in m3 m-3 at N points.

        months: which of the experiment's months, all by default.
        """
        series, drift = self.weather(experiment)
        series, drift = series[months], drift[months]
        flat = series.reshape(-1, self.basis.size) @ self.basis(lat, lon)
        values = flat.reshape(len(series), LAYERS, -1) - drift[..., None].astype(np.float32)
        month = np.arange(len(self.weather(experiment)[0]))[months] % 12
        values += self.climatology(lat, lon).astype(np.float32)[month]
        ssp = record.SSPS[0] if experiment == names.HISTORICAL else experiment
        for layer in range(LAYERS):
            curves = seasonal_curves(layer, ssp)[experiment_months(experiment)][months]
            values[:, layer] += curves @ forced_pattern(self.seed, layer, lat, lon).astype(np.float32)
        return soft_clip(values).astype(np.float32)


    def observed(
        self, lat: np.ndarray, lon: np.ndarray, first_year: int, last_year: int
    ) -> np.ndarray:
        """Return (T, 5, N) what happened in whole years up to 2100: ssp245 from 2015 on."""
        parts = []
        for experiment in (names.HISTORICAL, OBSERVED_SSP):
            start, stop = names.EXPERIMENT_YEARS[experiment]
            first, last = max(first_year, start), min(last_year, stop)
            if first <= last:
                months = slice((first - start) * 12, (last + 1 - start) * 12)
                parts.append(self.soil_moisture(experiment, lat, lon, months))
        return np.concatenate(parts)


@lru_cache
def seasonal_curves(layer: int, ssp: str, delay: float = 0.0) -> np.ndarray:
    """Return (1812, 4) float32 forced change of the region that each season's map is scaled by."""
    return forcing.seasonal_change(layer, ssp, delay).astype(np.float32)
