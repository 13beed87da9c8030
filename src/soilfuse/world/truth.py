"""The truth: soil moisture of five layers, anywhere, for every month of 1950-2100.

truth = climatology(place, month, layer) + weather + forced change; climatology and weather are
scaled to the published standard deviations. Letters: T months, N points.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from soilfuse import names, seeding
from soilfuse.world import climate, forcing
from soilfuse.world import published as record
from soilfuse.world.fields import SmoothField
from soilfuse.world.patterns import forced_pattern
from soilfuse.world.region import calibration_points
from soilfuse.world.terrain import Terrain
from soilfuse.world.weather import SD, Weather

PAST_MONTHS, FUTURE_MONTHS = 65 * 12, 86 * 12
OBSERVED_SSP = "ssp245"  # what happens after 2014
LOWEST, HIGHEST, MARGIN = 0.02, 0.6, 0.03  # m3 m-3
LAYERS = record.LAYERS
LAYER_OWN = (0.0, 0.25, 0.4, 0.5, 0.6)  # share of a layer's standing pattern that is its own
OWN_LENGTH = 0.7  # degrees


def soft_clip(values: np.ndarray) -> np.ndarray:
    """Bend values near or beyond the physical range back into it, in place; leave the others."""
    for limit, sign in ((LOWEST + MARGIN, -1), (HIGHEST - MARGIN, 1)):
        beyond = sign * (values - limit) > 0
        values[beyond] = limit + MARGIN * np.tanh((values[beyond] - limit) / MARGIN)
    return values


def experiment_months(experiment: str) -> slice:
    """Return an experiment's months as a slice of those of 1950-2100."""
    if experiment == names.HISTORICAL:
        return slice(0, PAST_MONTHS)
    return slice(PAST_MONTHS, PAST_MONTHS + FUTURE_MONTHS)


@lru_cache
def seasonal_curves(layer: int, ssp: str, delay: float = 0.0) -> np.ndarray:
    """Return (1812, 4) float32 forced change of the region that each season's map is scaled by."""
    return forcing.seasonal_change(layer, ssp, delay).astype(np.float32)


@dataclass(frozen=True)
class _Scaling:
    """Regional cycle (12,), its relative swing (12, 1), and centre and scale of departures."""

    cycle: np.ndarray
    swing: np.ndarray
    centre: np.ndarray
    scale: float


class Truth:
    """The truth of one world (seed)."""

    def __init__(self, seed: int) -> None:
        """Draw what is fixed; the weather is drawn when asked for."""
        self.seed = seed
        self.terrain = Terrain.of(seed)
        self.weather = Weather(seed)
        self.own = [
            SmoothField.draw(seeding.generator(seed, "world", "truth", "layer", layer), OWN_LENGTH)
            for layer in range(LAYERS)
        ]
        self._scalings = [self._scaling(layer) for layer in range(LAYERS)]

    def _departure(self, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """(12, N) local departure from the regional mean cycle, dimensionless."""
        share = LAYER_OWN[layer]
        standing = climate.standing_pattern(self.terrain, lat, lon)
        standing = np.sqrt(1 - share**2) * standing + share * self.own[layer](lat, lon)
        return standing + climate.seasonal_pattern(self.terrain, lat, lon, layer)

    def _scaling(self, layer: int) -> _Scaling:
        """Fit departures to what weather and regional cycle leave of the published spread."""
        region = calibration_points()
        means = np.array([record.SEASONAL_MEANS[season][layer] for season in record.SEASONAL])
        cycle = forcing.month_weights() @ means
        swing = (cycle / cycle.mean())[:, None]
        here = self._departure(layer, region.lat, region.lon)
        centre = region.mean(here)[:, None]
        left = record.LAYER_SD[layer] ** 2 - SD[layer] ** 2 - cycle.var()
        scale = np.sqrt(left / region.mean(((here - centre) * swing) ** 2).mean())
        return _Scaling(cycle, swing, centre, float(scale))

    def layer_climatology(self, layer: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (12, N) mean of 1995-2014 of one layer in m3 m-3.

        The regional mean is the record's; departures from it grow with the month's wetness.
        """
        fit = self._scalings[layer]
        departure = self._departure(layer, lat, lon) - fit.centre
        return fit.cycle[:, None] + fit.scale * fit.swing * departure

    def climatology(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (12, 5, N) mean of 1995-2014 in m3 m-3."""
        layers = [self.layer_climatology(layer, lat, lon) for layer in range(LAYERS)]
        return np.stack(layers, axis=1)

    def at(self, lat: np.ndarray, lon: np.ndarray) -> "Place":
        """Return the truth at N points in degrees."""
        return Place(self, np.asarray(lat), np.asarray(lon))


class Place:
    """The truth at N points: what is fixed there is computed once."""

    def __init__(self, truth: Truth, lat: np.ndarray, lon: np.ndarray) -> None:
        """Compute climatology, maps of change and the values of the weather's waves."""
        self.truth, self.lat, self.lon = truth, lat, lon
        self.climatology = truth.climatology(lat, lon).astype(np.float32)
        self._waves = truth.weather.basis(lat, lon)
        self._maps = [
            forced_pattern(truth.seed, layer, lat, lon).astype(np.float32)
            for layer in range(LAYERS)
        ]

    def soil_moisture(self, experiment: str, months: slice = slice(None)) -> np.ndarray:
        """Return (T, 5, N) float32 soil moisture in m3 m-3.

        months: which of the experiment's months, all by default.
        """
        series, drift = (part[months] for part in self.truth.weather.series(experiment))
        values = (series.reshape(-1, series.shape[-1]) @ self._waves).reshape(*drift.shape, -1)
        values -= drift[..., None]
        here = experiment_months(experiment)
        month = (np.arange(here.start, here.stop) % 12)[months]
        values += self.climatology[month]
        ssp = record.SSPS[0] if experiment == names.HISTORICAL else experiment
        for layer, pattern in enumerate(self._maps):
            values[:, layer] += seasonal_curves(layer, ssp)[here][months] @ pattern
        return soft_clip(values)

    def observed(self, first_year: int, last_year: int) -> np.ndarray:
        """Return (T, 5, N) what happened in whole years up to 2100: ssp245 from 2015 on."""
        parts = []
        for experiment in (names.HISTORICAL, OBSERVED_SSP):
            start, stop = names.EXPERIMENT_YEARS[experiment]
            first, last = max(first_year, start), min(last_year, stop)
            if first <= last:
                months = slice((first - start) * 12, (last + 1 - start) * 12)
                parts.append(self.soil_moisture(experiment, months))
        return np.concatenate(parts)
