"""Where the sun stands over a window, and what it sends down through a clear sky.

Letters: T steps, N points.
"""

import numpy as np

from soilfuse.world.three_hourly.calendar import HOURS

SOLAR, CLEAR = 1361.0, 0.78  # W m-2; transmission of the plateau's thin air


def solar_hour(steps: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (T, N) hours of local solar time, 0 to 24, at UTC steps."""
    utc = steps.astype("datetime64[h]").astype(int) % 24
    return np.asarray((utc[:, None] + np.asarray(lon) / 15) % 24)


def clear_sky(
    steps: np.ndarray, lat: np.ndarray, lon: np.ndarray, earlier: float = 0.0
) -> np.ndarray:
    """Return (T, N) W m-2 some hours before each step."""
    day = (steps - steps.astype("datetime64[Y]").astype(steps.dtype)).astype(int) / 24
    tilt = 0.409 * np.sin(2 * np.pi * day / 365 - 1.39)[:, None]
    angle = 2 * np.pi * (solar_hour(steps, lon) - earlier - 12) / 24
    phi = np.deg2rad(lat)
    height = np.sin(phi) * np.sin(tilt) + np.cos(phi) * np.cos(tilt) * np.cos(angle)
    return np.asarray(SOLAR * CLEAR * np.clip(height, 0, None))


def sunlight(steps: np.ndarray, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (T, N) J m-2 under a clear sky over the time before each step."""
    middles = np.arange(HOURS) + 0.5
    hourly = sum(clear_sky(steps, lat, lon, earlier) for earlier in middles)
    return np.asarray(3600 * hourly)
