"""Smooth fields that travel with a wind and change on their way."""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.world.fields import LON_SCALE, WaveBasis
from soilfuse.world.three_hourly.calendar import HOURS

STEPS_A_YEAR = 366 * 24 // HOURS


@dataclass(frozen=True)
class Drift:
    """A field of mean 0 and variance 1 at each step of a year.

    waves: K of them; amplitudes: (steps a year, 2 K). A field is a function of place and time: a
    window's size and the months that are kept change no value of it.
    """

    waves: WaveBasis
    amplitudes: np.ndarray

    @classmethod
    def draw(
        cls,
        stream: tuple[int, *tuple[str | int, ...]],
        length: float,
        hours: float,
        wind: tuple[float, float] = (0.0, 0.0),
    ) -> "Drift":
        """Draw one by its seed stream.

        length: of its correlation in degrees; hours: of its memory along the wind (degrees an hour
        to the east and north).
        """
        rng = seeding.generator(*stream)
        waves = WaveBasis.draw(rng, (length,))
        memory = np.exp(-HOURS / hours)
        turned = waves.waves @ (np.array(wind) * [LON_SCALE, 1.0]) * HOURS
        turn = memory * np.exp(1j * turned)
        shocks = rng.standard_normal((STEPS_A_YEAR, 2, len(waves.waves)))
        series = shocks[:, 0] + 1j * shocks[:, 1]
        series[1:] *= np.sqrt(1 - memory**2)
        for step in range(1, STEPS_A_YEAR):
            series[step] += turn * series[step - 1]
        return cls(waves, np.concatenate([series.real, series.imag], axis=1).astype(np.float32))

    def at(
        self, steps: np.ndarray, lat: np.ndarray, lon: np.ndarray, smoothed: float = 0.0
    ) -> np.ndarray:
        """Return (T, N) float32 at steps counted from the new year.

        smoothed: degrees, of the Gaussian that the field is averaged with.
        """
        passed = np.exp(-(smoothed**2) / 2 * (self.waves.waves**2).sum(axis=1))
        basis = self.waves(lat, lon) * np.tile(passed, 2).astype(np.float32)[:, None]
        return self.amplitudes[np.clip(steps, 0, STEPS_A_YEAR - 1)] @ basis
