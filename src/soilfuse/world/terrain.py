"""Terrain, rain and soil: the fixed face of the world, in place and in height."""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.world.fields import SmoothField

RIDGE_HEIGHT, MASSIF_HEIGHT = 220.0, 200.0  # m, standard deviations
LOWEST, HIGHEST = 500.0, 6200.0  # m


def bump(lat: np.ndarray, lon: np.ndarray, centre: tuple[float, float, float, float]) -> np.ndarray:
    """Return a Gaussian hill of height 1: centre is (lat, lon, width in lat, width in lon)."""
    return np.exp(-(((lat - centre[0]) / centre[2]) ** 2) - ((lon - centre[1]) / centre[3]) ** 2)


def _plateau(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Large shape in m: high in the west, lower in the east, the Qaidam basin in the north."""
    height = 4950 - 900 / (1 + np.exp(-(lon - 98.5) / 1.6))
    height = height - 1500 / (1 + np.exp(-(lon - 104.5) / 0.7))
    height = height - 1900 * bump(lat, lon, (37.6, 94.0, 1.2, 3.6))
    return height - 900 * bump(lat, lon, (37.0, 100.5, 0.9, 1.4))


@dataclass(frozen=True)
class Terrain:
    """Elevation and the standing patterns of rain and soil (dimensionless, about unit variance)."""

    ridges: SmoothField
    massifs: SmoothField
    rain_pattern: SmoothField
    soil: SmoothField

    @classmethod
    def of(cls, seed: int) -> "Terrain":
        """Draw the terrain of a world."""

        def field(name: str, length: float) -> SmoothField:
            return SmoothField.draw(seeding.generator(seed, "world", "terrain", name), length)

        return cls(
            field("ridges", 0.35), field("massifs", 1.2), field("rain", 1.6), field("soil", 0.6)
        )

    def elevation(self, lat: np.ndarray, lon: np.ndarray, ridges: float = 1.0) -> np.ndarray:
        """Return (N,) elevation in m; ridges < 1 smooths the orography as a coarse model does."""
        height = _plateau(lat, lon) + MASSIF_HEIGHT * self.massifs(lat, lon)
        return np.clip(height + ridges * RIDGE_HEIGHT * self.ridges(lat, lon), LOWEST, HIGHEST)

    def rain(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (N,) rain: the monsoon comes from the south-east and fades to the north-west."""
        gradient = 0.7 * (lon - 97) / 3.5 - 0.5 * (lat - 34) / 1.3
        return np.clip(gradient, -2.5, 2.5) + 0.5 * self.rain_pattern(lat, lon)
