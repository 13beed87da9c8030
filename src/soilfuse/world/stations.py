"""Stations: where they stand, what they measure, and which of their records are good."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from soilfuse import names, seeding
from soilfuse.grids.grid import Grid
from soilfuse.world import climate
from soilfuse.world.observations import share_of_month
from soilfuse.world.station_networks import Network
from soilfuse.world.truth import Truth

FIRST_YEAR, LAST_YEAR = 2008, 2019
RECORD = (np.datetime64("2008-05-01"), np.datetime64("2019-10-01"))
# Point against cell, m3 m-3: a lasting offset, another swing (a factor), months of their own.
OFFSET_SPREAD, SWING_SPREAD = 0.03, 0.10
MONTHLY_SPREAD = 0.014
RECORD_SPREAD = 0.006
SATURATION = 0.52
FIRST_CMA_NUMBER = 52800
EDGE = 0.05  # degrees from the domain's edge


@dataclass(frozen=True)
class Station:
    """One station of a network, in degrees and m."""

    network: Network
    name: str
    lat: float
    lon: float
    elevation: float
    cell: tuple[float, float]  # centre of the grid cell it stands in


@dataclass(frozen=True)
class Record:
    """One sensor's record: times (datetime64[m]), values in m3 m-3 and ISMN flags."""

    station: Station
    depth: tuple[float, float]
    times: np.ndarray
    values: np.ndarray
    flags: np.ndarray


def place(truth: Truth, network: Network, grid: Grid, share: float) -> list[Station]:
    """Return a share of a network's stations, all inside the domain.

    A network that lies outside a small domain is moved to its nearest edge, so that such a world
    still has stations of every kind; a share above zero keeps one at least.
    """
    rng = seeding.generator(truth.seed, "world", "stations", network.name)
    count = max(round(network.count * share), 1 if share > 0 else 0)
    scatter = rng.normal(size=(2, network.count))
    lat = _within(network.centre[0] + network.spread[0] * scatter[0], grid.lat)
    lon = _within(network.centre[1] + network.spread[1] * scatter[1], grid.lon)
    height = truth.terrain.elevation(lat, lon)
    return [
        Station(
            network,
            f"{network.prefix}{i + 1:02d}" if network.prefix else str(FIRST_CMA_NUMBER + 31 * i),
            float(lat[i]),
            float(lon[i]),
            float(height[i]),
            (_nearest(grid.lat, lat[i]), _nearest(grid.lon, lon[i])),
        )
        for i in range(count)
    ]


def _nearest(axis: np.ndarray, value: float) -> float:
    return float(axis[np.abs(axis - value).argmin()])


def _within(values: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Shift a network into an axis' range; mirror the stations that still stand outside."""
    low, high = axis[0] + EDGE, axis[-1] - EDGE
    centre = np.median(values)
    values = values + np.clip(centre, low, high) - centre
    width = high - low
    folded = np.abs((values - low + width) % (2 * width) - width)
    return np.round(low + folded, 5)


def sensor_months(truth: Truth, stations: list[Station]) -> Iterator[tuple[Station, np.ndarray]]:
    """Yield each station with the (144, depths) monthly soil moisture of its point, 2008-2019."""
    if not stations:
        return
    lat, lon = np.array([station.cell for station in stations]).T
    truth_there = truth.at(lat, lon).observed(FIRST_YEAR, LAST_YEAR)
    centres = np.array(names.PRODUCT_LAYERS).mean(axis=1)
    for i, station in enumerate(stations):
        rng = _rng(truth, station, "point")
        depths = np.mean(station.network.depths, axis=1)
        at_depth = np.stack([np.interp(depths, centres, month) for month in truth_there[:, :, i]])
        mean = at_depth.mean(axis=0)
        swing = 1 + SWING_SPREAD * rng.normal(size=depths.size)
        own = MONTHLY_SPREAD * rng.normal(size=at_depth.shape)
        offset = OFFSET_SPREAD * rng.normal(size=depths.size)
        yield station, np.clip(mean + offset + swing * (at_depth - mean) + own, 0.01, 0.58)


def hourly_records(truth: Truth, stations: list[Station], hour_step: int) -> Iterator[Record]:
    """Yield the record of every sensor, every hour_step-th hour, with gaps and flags."""
    for station, months in sensor_months(truth, stations):
        frozen = (
            1 - climate.liquid_share(np.array([station.elevation]), np.array([station.lat]))[:, 0]
        )
        span = _rng(truth, station, "span").uniform(0, 1, 2)
        days = int((RECORD[1] - RECORD[0]).astype(int))
        first = RECORD[0] + int(span[0] * 0.35 * days)
        last = RECORD[1] - int(span[1] * 0.4 * days)
        times = np.arange(first, last, np.timedelta64(hour_step, "h"), dtype="datetime64[m]")
        for sensor, depth in enumerate(station.network.depths):
            rng = _rng(truth, station, "record", sensor)
            if sensor and rng.random() > 0.85:
                continue
            kept = times[_without_outages(rng, times)]
            values = _values(rng, kept, months[:, sensor])
            yield Record(station, depth, kept, *_flagged(rng, kept, values, frozen))


def _rng(truth: Truth, station: Station, *stream: str | int) -> np.random.Generator:
    name = (station.network.name, station.name, *stream)
    return seeding.generator(truth.seed, "world", "stations", *name)


def _values(rng: np.random.Generator, times: np.ndarray, months: np.ndarray) -> np.ndarray:
    """Follow the monthly means (144,) through the months, with noise of single records."""
    month = times.astype("datetime64[M]").astype(int) - (FIRST_YEAR - 1970) * 12
    course = np.gradient(months)[month] * share_of_month(times)
    return months[month] + course + RECORD_SPREAD * rng.normal(size=times.size)


def _without_outages(rng: np.random.Generator, times: np.ndarray) -> np.ndarray:
    """(N,) bool: false in a few outages of one to ten weeks."""
    kept = np.ones(times.size, dtype=bool)
    for start, length in rng.uniform(0, 1, (rng.integers(2, 6), 2)):
        begin = times[0] + (start * (times[-1] - times[0]).astype(float)).astype("timedelta64[m]")
        kept &= (times < begin) | (times > begin + np.timedelta64(int(7 + 63 * length), "D"))
    return kept


def _flagged(
    rng: np.random.Generator, times: np.ndarray, values: np.ndarray, frozen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spoil some records and flag them as the network's quality control does."""
    chance = rng.random(times.size)
    size = rng.uniform(0.1, 0.3, times.size)
    flags = np.full(times.size, "G", dtype="<U11")
    cold = frozen[times.astype("datetime64[M]").astype(int) % 12]
    flags[chance < 0.25 * cold] = "D01"
    flags[chance < 0.08 * cold] = "D01,D03"
    spoilt = (
        (0.990, "D04", values + size),
        (0.994, "D06", values - size / 2),
        (0.996, "C03,D05", np.full_like(values, SATURATION) + size / 4),
        (0.998, "C02", 0.6 + size),
        (0.999, "C01", -size),
    )
    for above, flag, spoilt_values in spoilt:
        hit = chance > above
        values, flags = np.where(hit, spoilt_values, values), np.where(hit, flag, flags)
    over = (values > SATURATION) & (flags == "G")
    return values, np.where(over, "C03", flags)
