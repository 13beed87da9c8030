"""Text files of the stations: ISMN "header + values", and the CSV of the CMA."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from soilfuse import seeding
from soilfuse.world.observations import share_of_month
from soilfuse.world.station_networks import CMA
from soilfuse.world.stations import FIRST_YEAR, Record, Station, sensor_months
from soilfuse.world.truth import Truth

# The archive holds files of old and new exports; MAQU's end their lines with a bare CR.
LINE_ENDS = {"MAQU": "\r"}
CMA_COLUMNS = (
    "station_id,longitude,latitude,elevation_m,date,depth_from_cm,depth_to_cm,"
    "soil_moisture_percent,quality"
)
CMA_YEARS = range(2015, 2019)
CMA_DAYS = (8, 18, 28)
CMA_MISSING, CMA_DOUBTFUL, CMA_WRONG = 0.02, 0.03, 0.01  # shares of records
CMA_SPREAD = 0.006  # m3 m-3, of single records


def write_ismn(root: Path, record: Record) -> None:
    """Write one sensor's record below root/NETWORK/STATION."""
    network, station = record.station.network, record.station
    texts = np.datetime_as_string(record.times, unit="m")
    stamps = " ".join(texts).replace("-", "/").replace("T", "_").split()
    lines = [ismn_header(station, record.depth)]
    lines += [
        f"{stamp.replace('_', ' ')} {value:8.4f} {flag} M "
        for stamp, value, flag in zip(stamps, record.values, record.flags, strict=True)
    ]
    end = LINE_ENDS.get(network.name, "\n")
    folder = root / network.name / _dashed(station.name)
    folder.mkdir(parents=True, exist_ok=True)
    content = end.join(lines) + end
    (folder / ismn_name(record)).write_bytes(content.encode("ascii"))


def ismn_header(station: Station, depth: tuple[float, float]) -> str:
    """Return the first line: network, station, place, depths in m and sensor, in fixed columns."""
    name = station.network.name
    return (
        f"{name:<10} {name:<10}      {station.name:<15} {station.lat:10.5f} {station.lon:11.5f} "
        f"{station.elevation:7.2f} {depth[0]:7.2f} {depth[1]:7.2f} {station.network.sensor} "
    )


def ismn_name(record: Record) -> str:
    """Return the file's name; underscores within a part become dashes."""
    network = _dashed(record.station.network.name)
    first, last = (
        np.datetime_as_string(record.times[i], unit="D").replace("-", "") for i in (0, -1)
    )
    return (
        f"{network}_{network}_{_dashed(record.station.name)}_sm_{record.depth[0]:.6f}_"
        f"{record.depth[1]:.6f}_{_dashed(record.station.network.sensor)}_{first}_{last}.stm"
    )


def _dashed(text: str) -> str:
    return text.replace("_", "-")


def write_cma(folder: Path, truth: Truth, stations: list[Station]) -> None:
    """Write the ten-day records of the CMA's stations, one CSV a year."""
    dates = [
        np.datetime64(f"{year}-{month:02d}-{day:02d}", "m")
        for year in CMA_YEARS
        for month in range(1, 13)
        for day in CMA_DAYS
    ]
    times = np.array(dates)
    month = times.astype("datetime64[M]").astype(int) - (FIRST_YEAR - 1970) * 12
    rows: dict[int, list[str]] = {year: [CMA_COLUMNS] for year in CMA_YEARS}
    for station, months in sensor_months(truth, stations):
        rng = seeding.generator(truth.seed, "world", "stations", "CMA", station.name, "records")
        course = np.gradient(months, axis=0)[month] * share_of_month(times)[:, None]
        values = (
            months[month] + course + CMA_SPREAD * rng.normal(size=(times.size, months.shape[1]))
        )
        _add_rows(rows, station, times, *_spoilt(rng, 100 * values))
    folder.mkdir(parents=True, exist_ok=True)
    for year, lines in rows.items():
        (folder / f"CMA_{year}.csv").write_text("\n".join(lines) + "\n", encoding="ascii")


def _spoilt(rng: np.random.Generator, percent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spoil some records; return values in percent and quality, both (times, depths)."""
    chance = rng.random(percent.shape)
    wrong = chance < CMA_WRONG
    doubtful = ~wrong & (chance < CMA_WRONG + CMA_DOUBTFUL)
    missing = chance > 1 - CMA_MISSING
    percent = np.where(wrong, rng.uniform(60, 99, percent.shape), percent)
    percent = np.where(doubtful, percent + rng.normal(0, 8, percent.shape), percent)
    percent = np.where(missing, -9999.0, np.where(wrong, percent, np.clip(percent, 0.5, 60)))
    return percent, np.where(missing | wrong, 2, np.where(doubtful, 1, 0))


def _add_rows(
    rows: dict[int, list[str]],
    station: Station,
    times: np.ndarray,
    percent: np.ndarray,
    quality: np.ndarray,
) -> None:
    head = f"{station.name},{station.lon:.4f},{station.lat:.4f},{station.elevation:.1f}"
    depths = [f"{100 * top:.0f},{100 * base:.0f}" for top, base in CMA.depths]
    dates = np.datetime_as_string(times, unit="D")
    for i, date in enumerate(dates):
        rows[int(date[:4])].extend(_lines(head, date, depths, percent[i], quality[i]))


def _lines(
    head: str, date: str, depths: Iterable[str], percent: np.ndarray, quality: np.ndarray
) -> list[str]:
    return [
        f"{head},{date},{depth},{value:.1f},{flag}"
        for depth, value, flag in zip(depths, percent, quality, strict=True)
    ]
