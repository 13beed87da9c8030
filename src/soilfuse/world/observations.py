"""Gridded observations: the truth as ERA5-Land and AMSMQTP see it, each with its own errors.

Letters: T months, N points, K amplitudes of error fields.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from soilfuse import names, seeding
from soilfuse.world import climate
from soilfuse.world.fields import SmoothField, WaveBasis, amplitudes
from soilfuse.world.truth import LAYERS, Place, Truth, soft_clip

FIRST_YEAR = 1950  # of both error streams, so that a period is a window on one record

# Spread of errors by layer, m3 m-3; set so that the median correlations with the stations are the
# published ones (Li et al. 2024, Fig. 5).
ERA5_LAND_STATIC = (0.030, 0.030, 0.030)
ERA5_LAND_SEASONAL = (0.037, 0.036, 0.036)
ERA5_LAND_MONTHLY = (0.020, 0.018, 0.017)
ERA5_LAND_MEMORY = 0.7
ERA5_LAND_KEPT = 0.6  # share of the true departures from the climatology
ERA5_LAND_PHYSICS = climate.Physics(ridges=0.5, thaw_shift=-0.6, rain_shift=0.5, frozen_counted=0.7)
AMSMQTP_STATIC = (0.010, 0.010, 0.010, 0.010, 0.010)
AMSMQTP_MONTHLY = (0.023, 0.021, 0.021, 0.021, 0.022)
AMSMQTP_MEMORY = 0.4
AMSMQTP_DAILY = 0.008


def overlap_weights(layers: tuple[tuple[float, float], ...]) -> np.ndarray:
    """Return (L, 5) shares of the five product layers in layers given by bounds in m."""
    target, source = np.array(layers), np.array(names.PRODUCT_LAYERS)
    upper = np.minimum(target[:, None, 1], source[None, :, 1])
    thickness = np.clip(upper - np.maximum(target[:, None, 0], source[None, :, 0]), 0, None)
    return thickness / thickness.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class _Errors:
    """Errors of one product: fixed maps and monthly fields by layer, from streams of its name."""

    seed: int
    product: str
    lengths: tuple[float, ...]
    memory: float
    layers: int

    def rng(self, *stream: str | int) -> np.random.Generator:
        return seeding.generator(self.seed, "world", self.product, *stream)

    def static(self, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
        """(L, N) fixed maps of unit variance."""
        rng = self.rng("static")
        return np.array([SmoothField.draw(rng, 0.8)(lat, lon) for _ in range(self.layers)])

    @cached_property
    def basis(self) -> WaveBasis:
        return WaveBasis.draw(self.rng("waves"), self.lengths)

    def monthly(self, lat: np.ndarray, lon: np.ndarray, first: int, last: int) -> np.ndarray:
        """(T, L, N) float32 fields of unit variance for whole years."""
        months = (last + 1 - FIRST_YEAR) * 12
        step = self.memory * np.eye(self.layers)
        series = amplitudes(self.rng("monthly"), months, self.basis.size, step)
        wanted = series[(first - FIRST_YEAR) * 12 :].astype(np.float32)
        flat = wanted.reshape(-1, self.basis.size) @ self.basis(lat, lon)
        return flat.reshape(-1, self.layers, len(lat))


def era5_land(place: Place, first_year: int, last_year: int) -> np.ndarray:
    """Return (T, 3, N) float32 swvl1-3 in m3 m-3: truth mixed by depth, with systematic errors.

    The reanalysis thaws at another time and counts frozen water; it knows only part of the true
    weather and has some of its own.
    """
    truth, lat, lon = place.truth, place.lat, place.lon
    errors = _Errors(truth.seed, "era5 land", (0.8, 2.0), ERA5_LAND_MEMORY, 3)
    mixing = overlap_weights(names.ERA5_LAND_LAYERS).astype(np.float32)
    values = np.einsum("ld,tdn->tln", mixing, place.observed(first_year, last_year))
    normal = np.einsum("ld,mdn->mln", mixing, place.climatology)
    wrong = (
        np.stack([_seasonal_error(truth, lat, lon, layer) for layer in range(3)], axis=1)
        * np.array(ERA5_LAND_SEASONAL)[:, None]
    )
    wrong = wrong + np.array(ERA5_LAND_STATIC)[:, None] * errors.static(lat, lon)
    month = np.arange(len(values)) % 12
    values = ERA5_LAND_KEPT * values + ((1 - ERA5_LAND_KEPT) * normal + wrong)[month]
    own = errors.monthly(lat, lon, first_year, last_year)
    values += np.array(ERA5_LAND_MONTHLY, dtype=np.float32)[:, None] * own
    return soft_clip(values).astype(np.float32)


def _seasonal_error(truth: Truth, lat: np.ndarray, lon: np.ndarray, layer: int) -> np.ndarray:
    """(12, N) error of the seasonal cycle of about unit spread; its annual mean is zero."""
    depth = (0, 1, 3)[layer]
    own = climate.seasonal_pattern(truth.terrain, lat, lon, depth, ERA5_LAND_PHYSICS)
    true = climate.seasonal_pattern(truth.terrain, lat, lon, depth)
    error = own - true
    return (error - error.mean(axis=0)) / 0.25


def amsmqtp_monthly(place: Place, first_year: int, last_year: int) -> np.ndarray:
    """Return (T, 5, N) float32 monthly means of AMSMQTP in m3 m-3."""
    truth, lat, lon = place.truth, place.lat, place.lon
    errors = _Errors(truth.seed, "amsmqtp", (0.5, 1.5), AMSMQTP_MEMORY, LAYERS)
    values = place.observed(first_year, last_year)
    static = np.array(AMSMQTP_STATIC)[:, None] * errors.static(lat, lon)
    values = values + static.astype(np.float32)
    monthly = np.array(AMSMQTP_MONTHLY, dtype=np.float32)[:, None]
    values += monthly * errors.monthly(lat, lon, first_year, last_year)
    return soft_clip(values).astype(np.float32)


def amsmqtp_days(
    place: Place, months: np.ndarray, year: int, step: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (D,) days of a year that are written and (D, 5, N) float32 values.

    months: (12, 5, N) monthly means of that year. Days of a month follow the course of the year
    about the month's mean, with noise of their own.
    """
    days = written_days(year, step)
    month = days.astype("datetime64[M]").astype(int) % 12
    errors = _Errors(place.truth.seed, "amsmqtp days", (1.0,), 0.0, LAYERS)
    series = errors.rng("daily", year).normal(size=(len(days), LAYERS, errors.basis.size))
    waves = errors.basis(place.lat, place.lon)
    noise = series.astype(np.float32).reshape(-1, errors.basis.size) @ waves
    course = np.gradient(months, axis=0)[month] * share_of_month(days)[:, None, None]
    values = months[month] + course + AMSMQTP_DAILY * noise.reshape(len(days), LAYERS, -1)
    return days, soft_clip(values).astype(np.float32)


def written_days(year: int, step: int) -> np.ndarray:
    """Return datetime64[D] of every step-th day of each month of a year."""
    days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="datetime64[D]")
    of_month = (days - days.astype("datetime64[M]")).astype(int)
    return days[of_month % step == 0]


def share_of_month(times: np.ndarray) -> np.ndarray:
    """Return (N,) float32 place in the month about the mean of the times that fall into it."""
    months = times.astype("datetime64[M]")
    minutes = (times - months).astype("timedelta64[m]").astype(float)
    length = ((months + 1).astype("datetime64[D]") - months).astype(int) * 1440.0
    share = minutes / length
    _, group, count = np.unique(months, return_inverse=True, return_counts=True)
    centre = np.bincount(group, share) / count
    return (share - centre[group]).astype(np.float32)
