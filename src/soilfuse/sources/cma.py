"""Ten-day soil moisture of the China Meteorological Administration: one CSV a year, in percent."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.sources.stations import RECORD_COLUMNS, monthly_means, plausible
from soilfuse.sources.targets import list_files

FOLDER = "cma"
NETWORK = "CMA"
GOOD = 0  # 1 doubtful, 2 wrong
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


def read_stations(root: Path) -> pd.DataFrame:
    """Return every good record (RECORD_COLUMNS) of `root`/cma/CMA_YYYY.csv.

    Good is quality 0 and a value that is a volume fraction (-9999 is missing).
    """
    return pd.concat(list(_records(root)), ignore_index=True)


def monthly_table(root: Path, min_records: int = 2) -> pd.DataFrame:
    """Return monthly means of good ten-day records (TABLE_COLUMNS).

    A month has three records at most, so `min_records` is another than that of hourly stations.
    """
    return monthly_means(_records(root), min_records)


def read_year(path: Path) -> pd.DataFrame:
    """Return the good records of one file (RECORD_COLUMNS); raise UserError that names it."""
    try:
        rows = pd.read_csv(path, usecols=list(COLUMNS), dtype=COLUMNS, encoding="utf-8-sig")
        dates = pd.to_datetime(rows["date"], format="%Y-%m-%d")
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"unreadable {path} (CMA): {error}; expected a CSV with the columns "
            f"{', '.join(COLUMNS)} and dates as 2015-07-11: correct the file"
        ) from None
    fraction = rows["soil_moisture_percent"].to_numpy() / 100.0
    good = (rows["quality"].to_numpy() == GOOD) & plausible(fraction)
    table = pd.DataFrame(
        {
            "network": NETWORK,
            "station": rows["station_id"],
            "lat": rows["latitude"],
            "lon": rows["longitude"],
            "depth_from": rows["depth_from_cm"] / 100.0,
            "depth_to": rows["depth_to_cm"] / 100.0,
            "year": dates.dt.year,
            "month": dates.dt.month,
            "soil_moisture": fraction,
        }
    )
    return table.loc[good, RECORD_COLUMNS].reset_index(drop=True)


def _records(root: Path) -> Iterator[pd.DataFrame]:
    files = list_files(Path(root) / FOLDER, "CMA_*.csv", "CMA")
    return (read_year(path) for path in files)
