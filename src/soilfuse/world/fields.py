"""Smooth random fields that are functions of latitude and longitude, whatever the grid.

A field is a sum of plane waves with random wave vectors (random Fourier features, Rahimi and Recht
2007), so that a domain is a window on one and the same world: its size, its resolution and the
number of points change no value.
"""

from dataclasses import dataclass

import numpy as np

# Degrees of longitude are shorter than degrees of latitude here: cosine of 34.5 degrees north.
LON_SCALE = 0.824


def _phases(waves: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (K, N) radians of K waves at N points."""
    return np.outer(waves[:, 0], np.asarray(lon) * LON_SCALE) + np.outer(waves[:, 1], lat)


@dataclass(frozen=True)
class SmoothField:
    """A field of mean 0 and standard deviation 1 over the plane, correlated as a Gaussian."""

    waves: np.ndarray  # (K, 2) radians per degree, east and north
    offsets: np.ndarray  # (K,) radians

    @classmethod
    def draw(cls, rng: np.random.Generator, length: float, modes: int = 96) -> "SmoothField":
        """Draw a field whose correlation is exp(-d2 / 2 length2); length in degrees."""
        return cls(rng.normal(0, 1 / length, (modes, 2)), rng.uniform(0, 2 * np.pi, modes))

    def __call__(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return the (N,) values at N points in degrees."""
        phases = _phases(self.waves, lat, lon) + self.offsets[:, None]
        return np.cos(phases).sum(axis=0) * np.sqrt(2 / self.offsets.size)


@dataclass(frozen=True)
class WaveBasis:
    """Waves whose amplitudes change in time: amplitudes of unit variance give unit variance."""

    waves: np.ndarray  # (K, 2)

    @classmethod
    def draw(
        cls, rng: np.random.Generator, lengths: tuple[float, ...], modes: int = 64
    ) -> "WaveBasis":
        """Draw `modes` waves for each correlation length (degrees), all of equal variance."""
        return cls(np.concatenate([rng.normal(0, 1 / length, (modes, 2)) for length in lengths]))

    @property
    def size(self) -> int:
        """Number of amplitudes: a cosine and a sine for each wave."""
        return 2 * len(self.waves)

    def __call__(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """Return (size, N) float32 values of the waves at N points."""
        phases = _phases(self.waves, lat, lon)
        waves = np.concatenate([np.cos(phases), np.sin(phases)])
        return (waves / np.sqrt(len(self.waves))).astype(np.float32)


def amplitudes(
    rng: np.random.Generator,
    months: int,
    size: int,
    memory: np.ndarray | float,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Return (T, D, size) first-order autoregressive amplitudes of unit variance.

    memory: (D, D) month-to-month propagation (a number for one layer); what a layer receives from
    another one is carried over with it. start: (D, size) the month before; drawn where not given.
    """
    step = np.atleast_2d(np.asarray(memory, dtype=float))
    layers = len(step)
    spread = _stationary_covariance(step)
    # Work in units of each layer's stationary standard deviation.
    scale = np.sqrt(np.diag(spread))
    step = step * scale / scale[:, None]
    state = start
    if state is None:
        root = np.linalg.cholesky(spread / np.outer(scale, scale))
        state = root @ rng.normal(size=(layers, size))
    shocks = rng.standard_normal((months, layers, size)) / scale[:, None]
    for month in range(months):
        state = step @ state + shocks[month]
        shocks[month] = state
    return shocks


def _stationary_covariance(step: np.ndarray) -> np.ndarray:
    """Covariance S of x' = step x + e with unit shocks: S = step S step^T + 1."""
    layers = len(step)
    system = np.eye(layers * layers) - np.kron(step, step)
    return np.linalg.solve(system, np.eye(layers).ravel()).reshape(layers, layers)
