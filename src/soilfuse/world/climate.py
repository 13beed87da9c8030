"""The seasonal cycle that terrain, rain and frost give soil moisture, and ways to get it wrong."""

from dataclasses import dataclass

import numpy as np

from soilfuse.world.terrain import Terrain

MONTHS = np.arange(12) + 0.5  # mid-month, in months since 1 January
THAW, FREEZE = 3.9, 10.6  # months since 1 January at REFERENCE_HEIGHT and 34 N, layer 1
REFERENCE_HEIGHT = 4400.0
THAW_PER_KM, FREEZE_PER_KM = 0.9, -0.7
THAW_PER_DEGREE, FREEZE_PER_DEGREE = 0.20, -0.15
THAW_LAG, FREEZE_LAG = 0.30, 0.40  # months later with every layer
FRONT = 0.35  # months, half-width of thawing and freezing
RAIN_MAXIMUM = 7.1  # months since 1 January
LIQUID_SWING, RAIN_SWING = 0.9, 0.35  # against the standing pattern's standard deviation of 1
RAIN_SHARE, HEIGHT_SHARE, SOIL_SHARE = 0.62, 0.25, 0.75


@dataclass(frozen=True)
class Physics:
    """What a land model makes of the land; the default is the truth's.

    ridges: share of the small-scale orography it resolves; thaw_shift, rain_shift: months later;
    frozen_counted: share of the frozen water that counts as soil moisture; soil_share: how far it
    knows the soil.
    """

    ridges: float = 1.0
    thaw_shift: float = 0.0
    rain_shift: float = 0.0
    frozen_counted: float = 0.0
    soil_share: float = 1.0


TRUE_PHYSICS = Physics()


def liquid_share(
    height: np.ndarray, lat: np.ndarray, layer: int = 0, physics: Physics = TRUE_PHYSICS
) -> np.ndarray:
    """Return (12, N) share of the month in which a layer is thawed."""
    kilometres = (height - REFERENCE_HEIGHT) / 1000
    north = lat - 34
    thaw = THAW + physics.thaw_shift + THAW_PER_KM * kilometres + THAW_PER_DEGREE * north
    freeze = (
        FREEZE + physics.thaw_shift / 2 + FREEZE_PER_KM * kilometres + FREEZE_PER_DEGREE * north
    )
    front = FRONT * (1 + 0.3 * layer)
    month = MONTHS[:, None]
    thawed = 1 / (1 + np.exp(-(month - thaw - THAW_LAG * layer) / front))
    # Early in the year the soil may still hold the last autumn's late freezing.
    end = freeze + FREEZE_LAG * layer
    open_ = 1 / (1 + np.exp((month - end) / front)) * thawed
    return open_ + (1 - thawed) / (1 + np.exp((month + 12 - end) / front))


def rain_cycle(physics: Physics = TRUE_PHYSICS) -> np.ndarray:
    """Return (12,) the monsoon's cycle between -1 and 1."""
    return np.cos(2 * np.pi * (MONTHS - RAIN_MAXIMUM - physics.rain_shift) / 12)


def standing_pattern(
    terrain: Terrain, lat: np.ndarray, lon: np.ndarray, physics: Physics = TRUE_PHYSICS
) -> np.ndarray:
    """Return (N,) how wet a place is throughout the year (dimensionless, about unit variance)."""
    height = (terrain.elevation(lat, lon, physics.ridges) - REFERENCE_HEIGHT) / 400
    soil = physics.soil_share * terrain.soil(lat, lon)
    return RAIN_SHARE * terrain.rain(lat, lon) - HEIGHT_SHARE * height + SOIL_SHARE * soil


def seasonal_pattern(
    terrain: Terrain,
    lat: np.ndarray,
    lon: np.ndarray,
    layer: int = 0,
    physics: Physics = TRUE_PHYSICS,
) -> np.ndarray:
    """Return (12, N) how a place's year differs from a constant (dimensionless).

    Water is lost to sight while frozen; where it rains more, the monsoon's swing is larger.
    """
    height = terrain.elevation(lat, lon, physics.ridges)
    liquid = liquid_share(height, lat, layer, physics)
    seen = liquid + physics.frozen_counted * (1 - liquid)
    swing = rain_cycle(physics)[:, None] * (1 + 0.5 * terrain.rain(lat, lon))
    fading = 1 / (1 + 0.35 * layer)
    return LIQUID_SWING * seen + RAIN_SWING * fading * swing
