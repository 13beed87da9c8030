"""Stations of the International Soil Moisture Network, in both text formats of its archive.

"Header + values" names the sensor in the first line; "CEOP" repeats it in every line, between two
time stamps, nominal and actual, and the value. Which one a file is, its first line tells. Line ends
may be CR, LF or CRLF, as found in the archive.
"""

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.progress import note
from soilfuse.sources.ismn_records import (
    good_records,
    in_time,
    require_fields,
    text_of,
    without_place,
)
from soilfuse.sources.stations import (
    RECORD_COLUMNS,
    dates_of,
    monthly_means,
    require_company,
    require_depth,
    with_enough_records,
)
from soilfuse.sources.targets import list_files

FOLDER = "ismn"
PATTERN = "*/*/*_sm_*.stm"
NAMES = f"soil moisture is expected in files {FOLDER}/NETWORK/STATION/*_sm_*.stm"
LINE_END = re.compile(rb"[\r\n]")
LONGEST_LINE = 1000  # bytes
DECIMAL = r"(-?\d+\.\d+)"
PLACE = (
    rf"(?P<cse>\S+)\s+(?P<network>\S+)\s+(?P<station>\S.*?)\s+{DECIMAL}\s+{DECIMAL}\s+{DECIMAL}"
    rf"\s+{DECIMAL}\s+{DECIMAL}"
)
HEADER = re.compile(rf"^{PLACE}\s+(?P<sensor>\S.*)$")
STARTS_WITH_DATE = re.compile(r"^\d{4}/\d{2}/\d{2} ")
STAMP = r"\d{4}/\d{2}/\d{2}\s+\d{2}:\d{2}"
CEOP = re.compile(rf"^{STAMP}\s+{STAMP}\s+(?P<place>{PLACE})\s+{DECIMAL}\s+\S+\s+\S+$")
NAME_DEPTHS = re.compile(r"_sm_(\d+\.\d+)_(\d+\.\d+)_")
ROUNDING = 0.006  # m; depths have two decimals in a file, six in its name
COLUMNS = ["date", "time", "soil_moisture", "flag", "provider_flag"]
DATE, TIME = "%Y/%m/%d", "%H:%M"
CEOP_COLUMNS = ["date", "time", "actual_date", "actual_time", *COLUMNS[2:]]
Sensor = dict[str, str | float]  # network, station, lat, lon, and depths in m


def monthly_table(root: Path, good_flags: Sequence[str], min_records: int) -> pd.DataFrame:
    """Return monthly means of good records, one row a sensor depth and month (TABLE_COLUMNS).

    Raises UserError as `read_record` does, for a station far from all others, and for no record.
    Networks without a month of enough records, and files that are not read, are told in a note.
    """
    places: dict[Path, tuple[float, float]] = {}
    table = monthly_means(_records(root, good_flags, places), 1)
    if not places:
        raise UserError(
            f"no good record in {Path(root) / FOLDER} (ISMN); got none with a flag of "
            f"{', '.join(good_flags)}: edit params.yaml:insitu.good_flags"
        )
    require_company(places)
    if others := files_not_read(root):
        note(f"{len(others)} .stm files are not read, such as {others[0]}: {NAMES}")
    return with_enough_records(table, min_records, "insitu.min_records")


def require_places(root: Path) -> None:
    """Raise UserError where a station lies far from all others, or in two places.

    Only the first line of each file is read, and one that is no description is passed over.
    """
    places = {}
    for path in list_files(Path(root) / FOLDER, PATTERN, "ISMN"):
        with suppress(UserError), path.open("rb") as stream:
            line = text_of(LINE_END.split(stream.read(LONGEST_LINE))[0], path)
            sensor = _sensor(CEOP.match(line) or _header(line, path), path)
            places[path] = (float(sensor["lat"]), float(sensor["lon"]))
    require_company(places)


def files_not_read(root: Path) -> list[Path]:
    """Return the sorted .stm files below `root`/ismn whose folders or names are none of PATTERN."""
    folder = Path(root) / FOLDER
    return sorted({*folder.rglob("*.stm")} - {*folder.glob(PATTERN)})


def read_record(path: Path, good_flags: Sequence[str]) -> pd.DataFrame:
    """Return the good records of one .stm file (RECORD_COLUMNS); raise UserError that names it.

    A record is good if each of its ISMN flags ("C03,D05") is one of `good_flags` and its value is
    a volume fraction. soil_moisture in m3 m-3, depths in m, times in UTC.
    """
    sensor, rows = good_rows(path, good_flags)
    months = dates_of(rows["date"].cat.categories, DATE)
    day = rows["date"].cat.codes.to_numpy()
    return pd.DataFrame(
        {
            **{name: [value] * len(rows) for name, value in sensor.items()},
            "year": months.year.to_numpy()[day],
            "month": months.month.to_numpy()[day],
            "soil_moisture": rows["soil_moisture"].to_numpy(),
        }
    )[RECORD_COLUMNS]


def good_rows(path: Path, good_flags: Sequence[str]) -> tuple[Sensor, pd.DataFrame]:
    """Return a .stm file's sensor and its good records as `read_record` judges them.

    Columns: date and time (categories, UTC, as the file has them) and soil_moisture in m3 m-3.
    """
    content = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    first, _, body = content.partition(b"\n")
    line = text_of(first, path)
    columns = COLUMNS
    if match := CEOP.match(line):
        body, columns = without_place(content, match["place"].encode(), path), CEOP_COLUMNS
    else:
        match = _header(line, path)
    sensor = _sensor(match, path)
    try:
        rows = pd.read_csv(
            io.BytesIO(body),
            sep=r"\s+",
            header=None,
            names=columns,
            usecols=columns[:2] + COLUMNS[2:],
            dtype={**dict.fromkeys(columns, "category"), "soil_moisture": np.float64},
            index_col=False,
        )
        dates_of(rows["date"].cat.categories, DATE)
        dates_of(rows["time"].cat.categories, TIME)
        require_fields(rows)
    except (ValueError, pd.errors.ParserError) as error:
        raise UserError(
            f"unreadable record in {path} (ISMN): {error}; expected lines as '2008/07/01 00:00 "
            "0.2500 G M': download it again"
        ) from None
    rows = in_time(rows, path)
    good = good_records(rows, good_flags, path)
    return sensor, rows.loc[good, ["date", "time", "soil_moisture"]].reset_index(drop=True)


def _records(
    root: Path, good_flags: Sequence[str], places: dict[Path, tuple[float, float]]
) -> Iterator[pd.DataFrame]:
    """Yield the good records of each file, and note the place of each that has some."""
    for path in list_files(Path(root) / FOLDER, PATTERN, "ISMN"):
        records = read_record(path, good_flags)
        if len(records):
            places[path] = (records["lat"].iloc[0], records["lon"].iloc[0])
        yield records


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


def _sensor(match: re.Match[str], path: Path) -> Sensor:
    """Return network, station, place and depths (m) of a sensor's description."""
    first = match.re.groupindex["station"]
    numbers = [float(text) for text in match.groups()[first : first + 5]]
    if not (-90 <= numbers[0] <= 90 and -180 <= numbers[1] <= 360):
        raise UserError(
            f"station of {path} (ISMN) lies at {numbers[0]:g}N {numbers[1]:g}E; expected degrees: "
            "correct the header"
        )
    require_depth(numbers[3], numbers[4], f"{path} (ISMN)")
    if (named := NAME_DEPTHS.search(path.name)) is not None:
        wanted = [float(named[1]), float(named[2])]
        if not np.allclose(numbers[3:], wanted, rtol=0.0, atol=ROUNDING):
            raise UserError(
                f"sensor depth from {numbers[3]:g} to {numbers[4]:g} m in {path} (ISMN); expected "
                f"{wanted[0]:g} to {wanted[1]:g} m as in its name: correct whichever is wrong"
            )
    return {
        "network": match["network"],
        "station": match["station"],
        "lat": numbers[0],
        "lon": numbers[1],
        "depth_from": numbers[3],
        "depth_to": numbers[4],
    }
