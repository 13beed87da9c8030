"""What each climate model and reanalysis of the globe's pseudo-reality makes of it.

In the models melt water wets the soil, which dries slowly from below and drains also when frozen:
in cold regions it is wettest when evaporation exceeds precipitation. The reanalyses let melt water
run off and keep what has frozen, and share the weather that "was". Models of one parent share most
of their errors. Letters: T months, N points.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.grids.months import month_axis
from soilfuse.seeding import generator
from soilfuse.world.fields import amplitudes
from soilfuse.world.wide import bucket, climate
from soilfuse.world.wide.sphere import Waves, smooth

SPIN_UP = 6  # years before the first that is kept
MEMORY = 0.25  # of the weather, month to month
RAIN_SPREAD, HEAT_SPREAD = 0.4, 1.3  # of the logarithm; K, half as much again at 45 degrees
TRUTH = "truth"
REANALYSES = ("era5", "era_interim", "gldas")
REANALYSIS_PHYSICS: dict[str, dict[str, Any]] = {
    "era5": {"melt_drained": 0.9, "porosity": 0.48, "field_capacity": 0.33, "surface": 0.15},
    "era_interim": {"melt_drained": 0.85, "porosity": 0.44, "field_capacity": 0.3, "surface": 0.2},
    # Snow that the sun takes before it melts: little melt where it stands high, as in TIB.
    "gldas": {"melt_drained": 0.9, "sublimation": 12.0, "snow_below": -0.5, "field_capacity": 0.28},
}


def simulate(
    name: str, member: str, lat: np.ndarray, lon: np.ndarray, years: tuple[int, int], seed: int
) -> bucket.Fluxes:
    """Return moisture and fluxes (T, N) of one source's member on land cells for whole years."""
    points = climate.points_at(lat, lon)
    months = month_axis(years[0] - SPIN_UP, years[1])
    errors, physics = _of_source(name, lat, lon, seed)
    weather = (TRUTH,) if name in REANALYSES else (name, member)
    wet, warm = _weather(lat, lon, months.size, seed, *weather)
    heat = climate.temperature(points, months, errors)
    heat += HEAT_SPREAD * (0.5 + np.abs(lat) / 45) * warm
    rain = climate.precipitation(points, months, errors)
    rain *= np.exp(RAIN_SPREAD * wet - RAIN_SPREAD**2 / 2)
    whole = bucket.run(rain, heat, lat, months, physics)
    kept = slice(12 * SPIN_UP, None)
    return bucket.Fluxes(**{key: value[kept] for key, value in vars(whole).items()})


def _weather(
    lat: np.ndarray, lon: np.ndarray, months: int, seed: int, *source: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, N) anomalies of rain and of warmth, of unit variance, apart from one another."""
    fields = []
    for what, length in (("rain", 9.0), ("warmth", 16.0)):
        rng = generator(seed, "globe", what, *source)
        waves = Waves.draw(rng, length)
        series = amplitudes(rng, months, waves.size, MEMORY)[:, 0]
        fields.append(series.astype(np.float32) @ waves(lat, lon))
    return fields[0], fields[1]


def _of_source(
    name: str, lat: np.ndarray, lon: np.ndarray, seed: int
) -> tuple[climate.Errors, bucket.Physics]:
    """Return the errors of a source's climate and the physics of its land."""
    ground = 0.1 * smooth(generator(seed, "globe", "soil"), 12, lat, lon)
    if name in REANALYSES:
        rng = generator(seed, "globe", name)
        own = np.exp(ground + 0.05 * smooth(rng, 20, lat, lon))
        slight = climate.Errors(
            0.4 * smooth(rng, 25, lat, lon), np.exp(0.07 * smooth(rng, 20, lat, lon))
        )
        return slight, replace(bucket.Physics(own), **REANALYSIS_PHYSICS[name])
    family = generator(seed, "globe", "parent", EVALUATED_MODELS[name].parent)
    single = generator(seed, "globe", "model", name)
    errors = climate.Errors(
        1.3 * smooth(family, 25, lat, lon) + 0.5 * smooth(single, 25, lat, lon),
        np.exp(0.28 * smooth(family, 20, lat, lon) + 0.12 * smooth(single, 20, lat, lon)),
        float(family.normal(0, 1.5)),
    )
    soil = np.exp(ground + 0.12 * smooth(family, 20, lat, lon))
    return errors, bucket.Physics(
        soil,
        porosity=float(family.normal(0.47, 0.03)),
        field_capacity=float(family.normal(0.22, 0.02)),
        wilting=float(np.clip(family.normal(0.09, 0.02), 0.03, 0.15)),
        melt=float(family.uniform(1.5, 3.5)),
        melt_drained=float(family.uniform(0.0, 0.15)),
        surface=float(family.uniform(0.25, 0.45)),
        drained=float(family.uniform(0.4, 0.6)),
        top_roots=float(family.uniform(0.04, 0.1)),
        frozen_drainage=float(family.uniform(0.8, 1.0)),
    )
