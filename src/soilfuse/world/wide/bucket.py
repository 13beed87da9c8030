"""A snow pack and two soil stores that turn rain and warmth into moisture and fluxes.

Monthly steps; water closes: precipitation = evaporation + surface runoff + drainage + what the
stores gain. Letters: T months, N points.
"""

from dataclasses import dataclass

import numpy as np

from soilfuse.grids.months import month_of

SHALLOW, DEEP = 100.0, 1900.0  # mm of soil: 0-10 and 10-200 cm
DAYS = 30.44  # of a month
SOLAR = 37.6  # MJ m-2 a day at the top of the air, times the geometry (Allen et al. 1998)


@dataclass(frozen=True)
class Physics:
    """How a land model treats water; soil: (N,) around 1 scales how much the soil can hold.

    melt_drained: share of melt water that runs off instead of wetting the soil; sublimation: mm a
    month under a tropical sun; melt: mm a day and K.
    """

    soil: np.ndarray
    porosity: float = 0.46
    field_capacity: float = 0.31
    wilting: float = 0.08
    melt: float = 2.5
    melt_drained: float = 0.1
    sublimation: float = 2.0
    snow_below: float = 1.0  # degrees Celsius
    surface: float = 0.35  # share of rain that runs off a saturated surface
    drained: float = 0.5  # share of what exceeds field capacity, a month
    top_roots: float = 0.35  # share of evaporation from the shallow store
    frozen_drainage: float = 0.0  # share of it that goes on in frozen ground


@dataclass(frozen=True)
class Fluxes:
    """Each (T, N): mm a day, but volumetric moisture of the two stores, and mm that they hold."""

    pr: np.ndarray
    evspsbl: np.ndarray
    mrros: np.ndarray
    snm: np.ndarray
    drainage: np.ndarray
    shallow: np.ndarray
    deep: np.ndarray
    stored: np.ndarray


def sunshine(lat: np.ndarray, month: int) -> np.ndarray:
    """Return (N,) MJ m-2 a day at the top of the air in mid-month."""
    day = 30.4 * (month - 0.5)
    tilt = 0.409 * np.sin(2 * np.pi * day / 365 - 1.39)
    phi = np.deg2rad(lat)
    sunset = np.arccos(np.clip(-np.tan(phi) * np.tan(tilt), -1, 1))
    geometry = sunset * np.sin(phi) * np.sin(tilt) + np.cos(phi) * np.cos(tilt) * np.sin(sunset)
    return np.asarray(SOLAR * np.clip(geometry, 0, None))


def run(
    pr: np.ndarray, t2m: np.ndarray, lat: np.ndarray, months: np.ndarray, physics: Physics
) -> Fluxes:
    """Return moisture and fluxes of (T, N) mm a day of precipitation and degrees Celsius."""
    stores = _Stores(physics, lat)
    steps = [
        stores.step(pr[i] * DAYS, t2m[i], sunshine(lat, int(month)))
        for i, month in enumerate(month_of(months))
    ]
    columns = [np.stack(column) for column in zip(*steps, strict=True)]
    evaporation, runoff, melt, drainage, shallow, deep, stored = columns
    return Fluxes(
        pr,
        evaporation / DAYS,
        runoff / DAYS,
        melt / DAYS,
        drainage / DAYS,
        shallow / SHALLOW,
        deep / DEEP,
        stored,
    )


class _Stores:
    """Snow and the two soil stores, in mm."""

    def __init__(self, physics: Physics, lat: np.ndarray) -> None:
        self.physics = physics
        self.limits = {
            depth: [
                share * depth * physics.soil
                for share in (physics.wilting, physics.field_capacity, physics.porosity)
            ]
            for depth in (SHALLOW, DEEP)
        }
        self.snow = np.zeros_like(lat, dtype=float)
        self.shallow, self.deep = (0.25 * depth * physics.soil for depth in (SHALLOW, DEEP))

    def step(self, pr: np.ndarray, t2m: np.ndarray, sun: np.ndarray) -> tuple[np.ndarray, ...]:
        """Take one month; return evaporation, runoff, melt, drainage, the stores, all water."""
        p = self.physics
        frozen = np.clip(-t2m / 8, 0, 1)
        snowfall = pr * np.clip((p.snow_below - t2m) / 4 + 0.5, 0, 1)
        self.snow += snowfall
        sublimed = np.minimum(self.snow, p.sublimation * sun / 36)
        self.snow -= sublimed
        melt = np.minimum(self.snow, p.melt * DAYS * np.clip(t2m + 2, 0, None))
        self.snow -= melt
        water = pr - snowfall + melt * (1 - p.melt_drained)
        full = np.clip(self.shallow / self.limits[SHALLOW][2], 0, 1)
        quick = water * np.clip(p.surface * full**2 + 0.4 * frozen, 0, 1)
        self.shallow = self.shallow + water - quick
        excess = self._overflow()
        asked = np.clip(t2m + 5, 0, None) * sun / 245 * DAYS * (1 - frozen)  # Oudin et al. 2005
        evaporated = self._dry(asked) + sublimed
        drainage = self._drain(1 - frozen * (1 - p.frozen_drainage))
        runoff = quick + excess + melt * p.melt_drained
        stored = self.snow + self.shallow + self.deep
        return evaporated, runoff, melt, drainage, self.shallow.copy(), self.deep.copy(), stored

    def _dry(self, asked: np.ndarray) -> np.ndarray:
        """Take evaporation out of both stores; never below wilting point, however long a month."""
        taken = np.zeros_like(asked)
        for name, depth, share in (
            ("shallow", SHALLOW, self.physics.top_roots),
            ("deep", DEEP, 1 - self.physics.top_roots),
        ):
            low, high, _ = self.limits[depth]
            held = np.clip(getattr(self, name) - low, 0, None)
            lost = held * (1 - np.exp(-asked * share / (high - low)))
            setattr(self, name, getattr(self, name) - lost)
            taken += lost
        return taken

    def _overflow(self) -> np.ndarray:
        """Pass what the shallow store cannot hold to the deep one; return what neither can."""
        through = np.clip(self.shallow - self.limits[SHALLOW][2], 0, None)
        self.shallow -= through
        self.deep += through
        excess = np.clip(self.deep - self.limits[DEEP][2], 0, None)
        self.deep -= excess
        return excess

    def _drain(self, thawed: np.ndarray) -> np.ndarray:
        """Let what exceeds field capacity sink; return what leaves the soil."""
        share = self.physics.drained * thawed
        sinking = share * np.clip(self.shallow - self.limits[SHALLOW][1], 0, None)
        self.shallow -= sinking
        self.deep += sinking
        leaving = share * np.clip(self.deep - self.limits[DEEP][1], 0, None)
        self.deep -= leaving
        return leaving
