"""Stations of four networks in the window: points that are not their cells.

They keep the networks' names and how dense they are, not their places: Maqu and Ngari lie outside
the window.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from soilfuse import seeding
from soilfuse.grids.grid import Grid
from soilfuse.world.station_networks import Network
from soilfuse.world.stations import Record, Station
from soilfuse.world.terrain import Terrain

# name: stations; centre as shares of the window to the north and east; spread in degrees.
NETWORKS = {
    "Maqu": (5, (0.20, 0.86), (0.20, 0.30)),
    "Ngari": (4, (0.85, 0.15), (0.20, 0.35)),
    "Naqu": (5, (0.15, 0.18), (0.15, 0.20)),
    "CTP": (6, (0.35, 0.40), (0.35, 0.45)),
}
DEPTH = (0.05, 0.05)  # m
OFFSET_SPREAD, SWING_SPREAD = 0.03, 0.15  # of a point against its cell: m3 m-3, and a factor
OWN_SPREAD, OWN_HOURS = 0.022, 60.0  # m3 m-3 that only the point has, and how long it lasts
NOISE = 0.004  # m3 m-3, of single records
LOWEST, HIGHEST = 0.005, 0.60
OUTAGES, LONGEST = 2, 20  # a year; days
SPIKES = 0.003  # share of records that are wrong, and flagged
SENSOR = "5TM"


@dataclass(frozen=True)
class Point:
    """A station, and the index of its cell in the flattened grid."""

    station: Station
    cell: int


def points(seed: int, grid: Grid) -> list[Point]:
    """Return all networks' stations inside a grid, one in a cell at most."""
    taken: set[int] = set()
    found = []
    for name, (count, centre, spread) in NETWORKS.items():
        rng = seeding.generator(seed, "three_hourly", "stations", name)
        network = Network(name, count, centre, spread, SENSOR, (DEPTH,), name)
        middle = [
            axis[0] + share * (axis[-1] - axis[0])
            for axis, share in zip((grid.lat, grid.lon), centre, strict=True)
        ]
        for number in range(1, min(count, grid.lat.size * grid.lon.size - len(taken)) + 1):
            point = _placed(rng, network, f"{name}{number:02d}", middle, grid, seed)
            while point.cell in taken:
                point = _placed(rng, network, f"{name}{number:02d}", middle, grid, seed)
            taken.add(point.cell)
            found.append(point)
    return found


def _placed(
    rng: np.random.Generator,
    network: Network,
    name: str,
    middle: list[float],
    grid: Grid,
    seed: int,
) -> Point:
    lat, lon = (
        float(np.clip(at + wide * offset, axis[0], axis[-1]))
        for at, wide, offset, axis in zip(
            middle, network.spread, rng.normal(size=2), (grid.lat, grid.lon), strict=True
        )
    )
    row, column = (
        int(np.abs(axis - at).argmin()) for axis, at in ((grid.lat, lat), (grid.lon, lon))
    )
    height = Terrain.of(seed).elevation(np.array([lat]), np.array([lon]))[0]
    centre = float(grid.lat[row]), float(grid.lon[column])
    station = Station(network, name, lat, lon, float(height), centre)
    return Point(station, row * grid.lon.size + column)


def records(
    seed: int, found: list[Point], steps: np.ndarray, theta: np.ndarray
) -> Iterator[Record]:
    """Yield each station's record of the truth (T, N) m3 m-3 at UTC steps of one or more years."""
    for point in found:
        rng = seeding.generator(seed, "three_hourly", "stations", point.station.name)
        cell = theta[:, point.cell].astype(float)
        swing = 1 + SWING_SPREAD * rng.normal()
        values = cell.mean() + OFFSET_SPREAD * rng.normal() + swing * (cell - cell.mean())
        values += OWN_SPREAD * _lasting(rng, steps) + NOISE * rng.normal(size=steps.size)
        values = np.clip(values, LOWEST, HIGHEST)
        wrong = rng.random(steps.size) < SPIKES
        values = np.where(wrong, values + rng.uniform(0.1, 0.3, steps.size), values)
        flags = np.where(wrong, "D04", "G")
        kept = _without_outages(rng, steps)
        yield Record(
            point.station, DEPTH, steps[kept].astype("datetime64[m]"), values[kept], flags[kept]
        )


def _lasting(rng: np.random.Generator, steps: np.ndarray) -> np.ndarray:
    """Return (T,) first-order autoregressive noise of unit variance, whatever the gaps."""
    hours = np.diff(steps).astype("timedelta64[h]").astype(float)
    memory = np.exp(-hours / OWN_HOURS)
    values = rng.normal(size=steps.size)
    for step, kept in enumerate(memory, start=1):
        values[step] = kept * values[step - 1] + np.sqrt(1 - kept**2) * values[step]
    return np.asarray(values)


def _without_outages(rng: np.random.Generator, steps: np.ndarray) -> np.ndarray:
    """(T,) bool: false in a few outages of each year."""
    kept = np.ones(steps.size, dtype=bool)
    for year in np.unique(steps.astype("datetime64[Y]")):
        own = steps[steps.astype("datetime64[Y]") == year]
        for start, length in rng.random((OUTAGES, 2)):
            begin = own[int(start * own.size)]
            kept &= (steps < begin) | (
                steps > begin + np.timedelta64(int(24 * LONGEST * length), "h")
            )
    return kept
