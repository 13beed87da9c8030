"""Smooth random fields on the whole globe, functions of latitude and longitude on any grid.

Sums of plane waves through the unit sphere: no seam, no pole, and the number of points changes no
value. Letters: K waves, N points.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Waves:
    """K waves: (K, 3) radians per radius of the sphere."""

    vectors: np.ndarray

    @classmethod
    def draw(cls, rng: np.random.Generator, length: float, modes: int = 48) -> "Waves":
        """Draw waves whose sum is correlated as exp(-d2 / 2 length2); length in degrees of arc."""
        return cls(rng.normal(0, 1 / np.deg2rad(length), (modes, 3)))

    @property
    def size(self) -> int:
        """Number of amplitudes: a cosine and a sine a wave."""
        return 2 * len(self.vectors)

    def __call__(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (2K, N) float32: amplitudes of unit variance give a field of unit variance."""
        phi, lam = np.deg2rad(lat), np.deg2rad(lon)
        points = [np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)]
        phases = self.vectors @ np.stack(points)
        waves = np.concatenate([np.cos(phases), np.sin(phases)])
        return (waves / np.sqrt(len(self.vectors))).astype(np.float32)


def smooth(rng: np.random.Generator, length: float, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (N,) of one field of mean 0 and variance 1."""
    waves = Waves.draw(rng, length)
    return rng.normal(size=waves.size).astype(np.float32) @ waves(lat, lon)
