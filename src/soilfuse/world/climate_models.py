"""Climate models of the pseudo-reality: structural errors, own weather, own sensitivity.

A model's layer-1 climatology is R z + sqrt(1 - R2) q: z is the truth's as its coarse cells see it,
q what its own orography, thaw, rain and soil make of the year beyond that. R and the standard
deviation are the published ones of that model. Every model draws from a stream of its own name, so
that none depends on which others are written.
"""

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from soilfuse import names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear
from soilfuse.world import climate, truth
from soilfuse.world import published as record
from soilfuse.world.fields import SmoothField, WaveBasis, amplitudes
from soilfuse.world.native_grids import NativeGrid, native_window
from soilfuse.world.patterns import forced_pattern
from soilfuse.world.region import calibration_points
from soilfuse.world.truth import Truth, experiment_months, seasonal_curves

WEATHER_SHARE = 0.3  # of a model's standard deviation
WEATHER_LENGTHS = (1.0, 2.0)  # degrees
# Spread of the logarithm of sensitivities (common, and by season) and of delays (years). The truth
# is one more draw of the same: what a model departs by is the difference of two draws.
SENSITIVITY_SPREAD, SEASON_SPREAD, DELAY_SPREAD = 0.30, 0.15, 2.5
PATTERN_KEPT, PATTERN_OWN = 0.6, 0.35  # of the truth's map of change; spread of the own part
BIAS_MEAN, BIAS_SPREAD = 0.25, 0.04  # m3 m-3
SHARED_ERROR = 0.55  # how much of their error all models have in common
QINGHAI_LAKE = (36.9, 100.2, 0.35, 0.55)  # lat, lon, half widths in degrees: no land there
CALIBRATION_GRID = Grid.regular(west=89, east=104, south=31, north=38, resolution=0.25)


@dataclass(frozen=True)
class Draws:
    """How one climate (a model's or the truth's) answers to forcing."""

    sensitivity: np.ndarray  # (4,) logarithms by season
    delay: float

    @classmethod
    def of(cls, rng: np.random.Generator) -> "Draws":
        """Draw from the distribution that the models and the truth share."""
        common, delay = rng.normal(0, SENSITIVITY_SPREAD), rng.normal(0, DELAY_SPREAD)
        return cls(common + rng.normal(0, SEASON_SPREAD, 4), delay)


@dataclass
class ModelWorld:
    """One climate model of a world."""

    source_id: str
    truth: Truth
    physics: climate.Physics = field(init=False)

    def __post_init__(self) -> None:
        """Draw the model's errors and calibrate its climatology over the TRSR."""
        self.model = names.CLIMATE_MODELS[self.source_id]
        rng = self._rng("errors")
        self.physics = climate.Physics(
            ridges=0.0,
            thaw_shift=rng.normal(-0.3, 0.8),
            rain_shift=rng.normal(0.2, 0.7),
            frozen_counted=rng.uniform(0.4, 1.0),
            soil_share=0.2,
        )
        self.tilt = rng.normal(0, 0.6, 2)
        self.own = SmoothField.draw(rng, 1.8)
        shared = seeding.generator(self.truth.seed, "world", "cmip6", "shared error")
        self.shared = SmoothField.draw(shared, 1.8)
        _, self.sd_correlation = record.TAYLOR[self.source_id]
        self.sd = record.TAYLOR[self.source_id][0]
        self.mean = max(rng.normal(BIAS_MEAN, BIAS_SPREAD), 2.4 * self.sd)
        of_truth = Draws.of(seeding.generator(self.truth.seed, "world", "truth", "sensitivity"))
        own = Draws.of(self._rng("sensitivity"))
        self.sensitivity = np.exp(own.sensitivity - of_truth.sensitivity)
        self.delay = float(own.delay - of_truth.delay)
        self.memory = rng.uniform(0.4, 0.7)
        self.basis = WaveBasis.draw(self._rng("waves"), WEATHER_LENGTHS)
        self._calibrate()
