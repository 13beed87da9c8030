"""Stations of the International Soil Moisture Network, in both text formats of its archive.

"Header + values" names the sensor in the first line; "CEOP" repeats it in every line, between two
time stamps, nominal and actual, and the value. Which one a file is, its first line tells. Line ends
may be CR, LF or CRLF, as found in the archive.
"""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.sources.stations import RECORD_COLUMNS, monthly_means, plausible
from soilfuse.sources.targets import list_files

FOLDER = "ismn"
PATTERN = "*/*/*_sm_*.stm"
DECIMAL = r"(-?\d+\.\d+)"
PLACE = (
    rf"(?P<cse>\S+)\s+(?P<network>\S+)\s+(?P<station>\S.*?)\s+{DECIMAL}\s+{DECIMAL}\s+{DECIMAL}"
    rf"\s+{DECIMAL}\s+{DECIMAL}"
)
HEADER = re.compile(rf"^{PLACE}\s+(?P<sensor>\S.*)$")
STARTS_WITH_DATE = re.compile(r"^\d{4}/\d{2}/\d{2} ")
STAMP = r"\d{4}/\d{2}/\d{2}\s+\d{2}:\d{2}"
CEOP = re.compile(rf"^{STAMP}\s+{STAMP}\s+(?P<place>{PLACE})\s+{DECIMAL}\s+\S+\s+\S+$")
COLUMNS = ["date", "time", "soil_moisture", "flag", "provider_flag"]
CEOP_COLUMNS = ["date", "time", "actual_date", "actual_time", *COLUMNS[2:]]


def read_stations(root: Path, good_flags: Sequence[str]) -> pd.DataFrame:
    """Return every good record (RECORD_COLUMNS) below `root`/ismn/NETWORK/STATION/*_sm_*.stm.

    A record is good if each of its ISMN flags ("C03,D05") is one of `good_flags` and its value is
    a volume fraction. soil_moisture in m3 m-3, depths in m, times in UTC.
    """
    return pd.concat(list(_records(root, good_flags)), ignore_index=True)


def monthly_table(root: Path, good_flags: Sequence[str], min_records: int) -> pd.DataFrame:
    """Return monthly means of good records, one row a sensor depth and month (TABLE_COLUMNS)."""
    return monthly_means(_records(root, good_flags), min_records)


def read_record(path: Path, good_flags: Sequence[str]) -> pd.DataFrame:
    """Return the good records of one .stm file (RECORD_COLUMNS); raise UserError that names it."""
    content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    first, _, body = content.partition(b"\n")
    line = first.decode("utf-8", "replace").strip()
    columns = COLUMNS
    if match := CEOP.match(line):
        body, columns = _without_place(content, match["place"].encode(), path), CEOP_COLUMNS
    else:
        match = _header(line, path)
    sensor = _sensor(match, path)
    try:
        rows = pd.read_csv(
            io.BytesIO(body),
            sep=r"\s+",
            header=None,
            names=columns,
            usecols=["date", "soil_moisture", "flag"],
            dtype={"date": "category", "soil_moisture": np.float64, "flag": "category"},
        )
        months = pd.to_datetime(rows["date"].cat.categories, format="%Y/%m/%d")
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"unreadable record in {path} (ISMN): {error}; expected lines as '2008/07/01 00:00 "
            "0.2500 G M': download it again"
        ) from None
    good_category = [set(str(flag).split(",")) <= set(good_flags) for flag in _categories(rows)]
    good = np.append(good_category, False)[rows["flag"].cat.codes]
    good &= plausible(rows["soil_moisture"].to_numpy())
    day = rows["date"].cat.codes.to_numpy()[good]
    return pd.DataFrame(
        {
            **{name: [value] * int(good.sum()) for name, value in sensor.items()},
            "year": months.year.to_numpy()[day],
            "month": months.month.to_numpy()[day],
            "soil_moisture": rows["soil_moisture"].to_numpy()[good],
        }
    )[RECORD_COLUMNS]


def _records(root: Path, good_flags: Sequence[str]) -> Iterator[pd.DataFrame]:
    files = list_files(Path(root) / FOLDER, PATTERN, "ISMN")
    return (read_record(path, good_flags) for path in files)


def _categories(rows: pd.DataFrame) -> list[str]:
    return [str(flag) for flag in rows["flag"].cat.categories]


def _header(line: str, path: Path) -> re.Match[str]:
    """Return the parts of a header line; raise UserError where it is none."""
    match = HEADER.match(line)
    if match is None or STARTS_WITH_DATE.match(line):
        raise UserError(
            f"first line of {path} (ISMN) is no header: got {line[:60]!r}; expected network, "
            "station, lat, lon, elevation, depths, sensor, or a whole CEOP record: download the "
            "file again"
        )
    return match


def _without_place(content: bytes, place: bytes, path: Path) -> bytes:
    """Return CEOP lines without their sensor's description, which must be `place` in each."""
    lines = sum(1 for line in content.split(b"\n") if line.strip())
    if (same := content.count(place)) != lines:
        raise UserError(
            f"{path} (ISMN) describes its sensor as {place.decode('utf-8', 'replace')!r} in "
            f"{same} of {lines} lines; expected one sensor a file: part the file by sensor"
        )
    return content.replace(place, b"")


def _sensor(match: re.Match[str], path: Path) -> dict[str, str | float]:
    """Return network, station, place and depths (m) of a sensor's description."""
    first = match.re.groupindex["station"]
    numbers = [float(text) for text in match.groups()[first : first + 5]]
    if not (-90 <= numbers[0] <= 90 and -180 <= numbers[1] <= 360):
        raise UserError(
            f"station of {path} (ISMN) lies at {numbers[0]:g}N {numbers[1]:g}E; expected degrees: "
            "correct the header"
        )
    return {
        "network": match["network"],
        "station": match["station"],
        "lat": numbers[0],
        "lon": numbers[1],
        "depth_from": numbers[3],
        "depth_to": numbers[4],
    }
