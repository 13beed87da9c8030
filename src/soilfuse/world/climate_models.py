"""Climate models of the pseudo-reality: structural errors, own weather, own sensitivity.

A model's layer-1 climatology is R z + sqrt(1 - R2) q: z is the truth's as its coarse cells see it,
q what its own orography, thaw, rain and soil make of the year beyond that. R and the standard
deviation are the published ones of that model. Every model draws from streams of its own name, so
that none depends on which others are written. Letters: h, w native latitudes and longitudes.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soilfuse import names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear
from soilfuse.world import climate
from soilfuse.world import published as record
from soilfuse.world.fields import SmoothField, WaveBasis, amplitudes
from soilfuse.world.native_grids import NativeGrid, native_window
from soilfuse.world.patterns import forced_pattern
from soilfuse.world.region import CALIBRATION_GRID, calibration_points, inside_region
from soilfuse.world.sensitivity import Sensitivity
from soilfuse.world.truth import (
    Truth,
    experiment_months,
    seasonal_curves,
    soft_clip,
)
from soilfuse.world.weather import SD as TRUE_WEATHER_SD

WEATHER_SHARE = 0.3  # of a model's standard deviation
WEATHER_LENGTHS = (1.0, 2.0)  # degrees
PATTERN_KEPT, PATTERN_OWN = 0.6, 0.3  # share of the truth's map of change; spread of the own map
MEAN, MEAN_SPREAD = 0.25, 0.04  # m3 m-3
LOWEST_MEAN = 2.4  # standard deviations above zero
SHARED_ERROR, OWN_ERROR = 0.9, 0.9  # weights of what all models get wrong alike and of the own
ERROR_LENGTH = 1.8  # degrees
QINGHAI_LAKE = (36.9, 100.2, 0.35, 0.55)  # lat, lon, half widths in degrees: no land there


@dataclass(frozen=True)
class ClimateModelWorld:
    """One climate model of a world, in the window of its grid that a domain needs."""

    source_id: str
    truth: Truth
    grid: Grid

    def _rng(self, *stream: str) -> np.random.Generator:
        return seeding.generator(self.truth.seed, "world", "cmip6", self.source_id, *stream)

    @cached_property
    def native(self) -> NativeGrid:
        """The window of the native grid."""
        return native_window(names.CLIMATE_MODELS[self.source_id], self.grid)

    @cached_property
    def physics(self) -> climate.Physics:
        """What the model makes of the land: no ridges, other thaw and rain, ice counted."""
        rng = self._rng("physics")
        return climate.Physics(
            ridges=0.0,
            thaw_shift=rng.normal(-0.3, 0.8),
            rain_shift=rng.normal(0.2, 0.7),
            frozen_counted=rng.uniform(0.4, 1.0),
            soil_share=0.2,
        )

    @cached_property
    def mean(self) -> float:
        """Mean soil moisture in m3 m-3: the model's wet or dry bias."""
        sd, _ = record.TAYLOR[self.source_id]
        return max(self._rng("bias").normal(MEAN, MEAN_SPREAD), LOWEST_MEAN * sd)

    @cached_property
    def basis(self) -> WaveBasis:
        """Waves of the model's own weather."""
        return WaveBasis.draw(self._rng("waves"), WEATHER_LENGTHS)

    def _true_and_own(self, native: NativeGrid) -> tuple[np.ndarray, np.ndarray]:
        """Return (12, h*w) the truth's climatology as cells see it, and the model's own."""
        lat, lon = native.inner_points()

        def cells(values: np.ndarray) -> np.ndarray:
            return values.reshape(*values.shape[:-1], native.lat.size * native.lon.size, -1).mean(
                -1
            )

        terrain = self.truth.terrain
        rng = self._rng("errors")
        shared = seeding.generator(self.truth.seed, "world", "cmip6", "shared errors")
        tilt = rng.normal(0, 0.5, 2)
        own = climate.standing_pattern(terrain, lat, lon, self.physics)
        own = own + SHARED_ERROR * SmoothField.draw(shared, ERROR_LENGTH)(lat, lon)
        own = own + OWN_ERROR * SmoothField.draw(rng, ERROR_LENGTH)(lat, lon)
        # Rain that falls off in another direction than the truth's; flat beyond the region.
        east, north = np.clip((lon - 97) / 3.5, -2.5, 2.5), np.clip((lat - 34) / 1.3, -2.5, 2.5)
        own = own + tilt[0] * east + tilt[1] * north
        own = own + climate.seasonal_pattern(terrain, lat, lon, physics=self.physics)
        return cells(self.truth.layer_climatology(0, lat, lon)), cells(own)

    @cached_property
    def _mixture(self) -> tuple[float, float, float, float]:
        """Factors of the two climatologies, the constant, and the weather's amplitude."""
        region = calibration_points()
        native = native_window(names.CLIMATE_MODELS[self.source_id], CALIBRATION_GRID)
        onto_grid = bilinear(native.lat, native.lon, CALIBRATION_GRID)[inside_region()]
        seen, own = (onto_grid @ part.T for part in self._true_and_own(native))
        truth = self.truth.layer_climatology(0, region.lat, region.lon).T
        sd, correlation = record.TAYLOR[self.source_id]
        # Published R pools all months: both sides' weather lowers it.
        correlation /= np.sqrt(
            (1 - WEATHER_SHARE**2) * (1 - (TRUE_WEATHER_SD[0] / record.TARGET_SD) ** 2)
        )
        factors = mixture(truth.ravel(), seen.ravel(), own.ravel(), correlation)
        factors *= sd * np.sqrt(1 - WEATHER_SHARE**2)
        constant = self.mean - factors[0] * seen.mean() - factors[1] * own.mean()
        waves = onto_grid @ self.basis(*native.centres()).T
        amplitude = WEATHER_SHARE * sd / np.sqrt((waves**2).sum(axis=1).mean())
        return float(factors[0]), float(factors[1]), float(constant), float(amplitude)

    @cached_property
    def climatology(self) -> np.ndarray:
        """(12, h*w) float32 mean of 1995-2014 in m3 m-3."""
        of_truth, of_own, constant, _ = self._mixture
        seen, own = self._true_and_own(self.native)
        return (constant + of_truth * seen + of_own * own).astype(np.float32)

    def soil_moisture(self, experiment: str) -> np.ndarray:
        """Return (T, h, w) float32 soil moisture of the upper 10 cm in m3 m-3; NaN on lakes."""
        lat, lon = self.native.centres()
        values = self._weather(experiment) @ self.basis(lat, lon)
        values += self.climatology[np.arange(len(values)) % 12]
        values += self._forced(experiment)
        lake = np.abs(lat - QINGHAI_LAKE[0]) < QINGHAI_LAKE[2]
        lake &= np.abs(lon - QINGHAI_LAKE[1]) < QINGHAI_LAKE[3]
        values = soft_clip(values)
        values[:, lake] = np.nan
        return values.reshape(-1, *self.native.shape)

    def _weather(self, experiment: str) -> np.ndarray:
        """(T, K) float32 amplitudes of the model's own weather; a scenario goes on from 2014."""
        memory = self._rng("memory").uniform(0.4, 0.7)
        series, start = np.empty(0), None
        for name in dict.fromkeys((names.HISTORICAL, experiment)):
            months = experiment_months(name)
            count = months.stop - months.start
            series = amplitudes(self._rng("weather", name), count, self.basis.size, memory, start)
            start = series[-1]
        return (self._mixture[3] * series[:, 0]).astype(np.float32)

    @cached_property
    def _maps_of_change(self) -> np.ndarray:
        """(4, h*w) float32 local change by season per change of the region: own factors and map."""
        lat, lon = self.native.centres()
        rng = self._rng("map of change")
        own = np.array([SmoothField.draw(rng, ERROR_LENGTH)(lat, lon) for _ in range(4)])
        true = forced_pattern(self.truth.seed, 0, lat, lon)
        pattern = 1 + PATTERN_KEPT * (true - 1) + PATTERN_OWN * own
        return (self.sensitivity.by_season[:, None] * pattern).astype(np.float32)

    @cached_property
    def sensitivity(self) -> Sensitivity:
        """How strongly and how soon the model answers to forcing."""
        return Sensitivity.draw(self.truth.seed, self.source_id)

    def _forced(self, experiment: str) -> np.ndarray:
        """(T, h*w) float32 forced change."""
        ssp = record.SSPS[0] if experiment == names.HISTORICAL else experiment
        curves = seasonal_curves(0, ssp, self.sensitivity.delay)
        return curves[experiment_months(experiment)] @ self._maps_of_change


def mixture(truth: np.ndarray, seen: np.ndarray, own: np.ndarray, correlation: float) -> np.ndarray:
    """Return the two factors a, b for which a seen + b own has the wanted correlation with truth.

    All are (N,); the mixture's standard deviation is 1 and b is not negative. A correlation beyond
    what the two can reach gives the highest (or lowest) reachable.
    """
    own_slope = np.cov(seen, own)[0, 1] / seen.var(ddof=1)
    rest = own - own_slope * seen
    along = np.corrcoef(seen, truth)[0, 1]
    aside = np.corrcoef(rest, truth)[0, 1]
    reach = np.hypot(along, aside)
    angle = np.arctan2(aside, along) + np.arccos(np.clip(correlation / reach, -1, 1))
    of_rest = np.sin(angle) / rest.std()
    return np.array([np.cos(angle) / seen.std() - own_slope * of_rest, of_rest])
