"""Ten-day soil moisture of the China Meteorological Administration: one CSV a year, in percent."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.sources.stations import RECORD_COLUMNS, dates_of, monthly_means, require_depth
from soilfuse.sources.targets import list_files

FOLDER = "cma"
PATTERN = "CMA_*.csv"
NETWORK = "CMA"
GOOD = 0  # 1 doubtful, 2 wrong
QUALITIES = (0, 1, 2)
MISSING = -9999.0
CHINA = {"latitude": (3.0, 54.0), "longitude": (73.0, 136.0)}  # degrees
LEAST_WETTEST = 2.0  # percent that some record of any year reaches
SHALLOWEST = 2.0  # cm that some sensor of any year reaches
COLUMNS = {
    "station_id": str,
    "longitude": np.float64,
    "latitude": np.float64,
    "date": str,
    "depth_from_cm": np.float64,
    "depth_to_cm": np.float64,
    "soil_moisture_percent": np.float64,
    "quality": np.int64,
}
RECORD = ["station_id", "date", "depth_from_cm", "depth_to_cm"]


def monthly_table(root: Path, min_records: int = 2) -> pd.DataFrame:
    """Return monthly means of good ten-day records (TABLE_COLUMNS).

    A month has three records at most, so `min_records` is another than that of hourly stations.
    """
    return monthly_means(_records(root), min_records)


def read_year(path: Path) -> pd.DataFrame:
    """Return the good records of one file (RECORD_COLUMNS); raise UserError that names it.

    Good is quality 0 with a value; -9999 and nothing are missing.
    """
    try:
        rows = pd.read_csv(io.StringIO(_whole_lines(path)), usecols=list(COLUMNS), dtype=COLUMNS)
        dates = dates_of(rows["date"], "%Y-%m-%d")
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"unreadable {path} (CMA): {error}; expected a CSV with the columns "
            f"{', '.join(COLUMNS)} and dates as 2015-07-11: correct the file"
        ) from None
    _require_sense(rows, dates, path)
    percent = rows["soil_moisture_percent"].to_numpy()
    good = (rows["quality"].to_numpy() == GOOD) & np.isfinite(percent) & (percent != MISSING)
    _require_percent(percent[good], path)
    table = pd.DataFrame(
        {
            "network": NETWORK,
            "station": rows["station_id"],
            "lat": rows["latitude"],
            "lon": rows["longitude"],
            "depth_from": rows["depth_from_cm"] / 100.0,
            "depth_to": rows["depth_to_cm"] / 100.0,
            "year": dates.year,
            "month": dates.month,
            "soil_moisture": percent / 100.0,
        }
    )
    return table.loc[good, RECORD_COLUMNS].reset_index(drop=True)


def _whole_lines(path: Path) -> str:
    """Return a file's text; raise ValueError where it is none, or columns or fields lack."""
    text = path.read_bytes().decode("utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    if "," not in lines[0] and ";" in lines[0]:
        raise ValueError("its fields are parted by semicolons, not by commas")
    named = [name.strip('"') for name in lines[0].split(",")]
    commas = [line.count(",") for line in lines]
    for number, count in enumerate(commas, start=1):
        if count != commas[0]:
            raise ValueError(
                f"line {number} has {count + 1} fields and the first {commas[0] + 1} (a decimal "
                "comma, or a line cut off?)"
            )
    if lacking := [name for name in COLUMNS if name not in named]:
        raise ValueError(f"no column {', '.join(lacking)}")
    if len(commas) == 1:
        raise ValueError("no record")
    return text


def _require_sense(rows: pd.DataFrame, dates: pd.DatetimeIndex, path: Path) -> None:
    """Raise UserError where places, depths, dates or qualities of a year cannot be right."""
    for name, (low, high) in CHINA.items():
        _require(rows[name].between(low, high), rows, name, f"{low:g} to {high:g} degrees", path)
    depths = rows[["depth_from_cm", "depth_to_cm"]].drop_duplicates().to_numpy() / 100.0
    for depth_from, depth_to in depths:
        require_depth(depth_from, depth_to, f"{path} (CMA)")
    deepest = rows["depth_to_cm"].max()
    reaches = pd.Series(deepest >= SHALLOWEST, index=rows.index)
    _require(reaches, rows, "depth_to_cm", f"{SHALLOWEST:g} cm or more somewhere", path)
    _require(rows["quality"].isin(QUALITIES), rows, "quality", "0, 1 or 2", path)
    year = path.stem.rsplit("_", 1)[-1]
    if year.isdigit():
        _require(pd.Series(dates.year == int(year)), rows, "date", f"dates of {year}", path)
    _require(~rows.duplicated(RECORD), rows, "date", "one record a station, date and depth", path)
    places = rows.groupby("station_id")[["latitude", "longitude"]].transform("nunique")
    once = (places == 1).all(axis=1)
    _require(once, rows, "longitude", "one place a station", path)


def _require_percent(percent: np.ndarray, path: Path) -> None:
    """Raise UserError where good values (N,) are no percent of volume."""
    if percent.size and not (percent.min() >= 0.0 and LEAST_WETTEST <= percent.max() <= 100.0):
        raise UserError(
            f"good soil_moisture_percent in {path} (CMA) runs from {percent.min():g} to "
            f"{percent.max():g}; expected percent of volume, 0 to 100, and {LEAST_WETTEST:g} or "
            "more somewhere (a fraction, or relative to field capacity?): convert the file"
        )


def _require(right: pd.Series, rows: pd.DataFrame, name: str, allowed: str, path: Path) -> None:
    """Raise UserError that names the first row that is not right."""
    if right.all():
        return
    at = int(np.flatnonzero(~right)[0])
    raise UserError(
        f"{name} {rows[name].iloc[at]} of station {rows['station_id'].iloc[at]} in record {at + 1} "
        f"of {path} (CMA); expected {allowed}: correct the file"
    )


def _records(root: Path) -> Iterator[pd.DataFrame]:
    files = list_files(Path(root) / FOLDER, PATTERN, "CMA")
    return (read_year(path) for path in files)
