"""What the lines of one ISMN file must be: text, whole, one after another, with known flags."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.sources.stations import plausible, require_possible

NAME_PERIOD = re.compile(r"_(\d{4})(\d{2})(\d{2})_(\d{4})(\d{2})(\d{2})\.stm$")
FLAG = re.compile(r"[A-Z](\d{2})?")  # what the archive calls flags: G, U, M, C03, D05
MISSING = -999.0  # values at or below are gaps


def require_fields(rows: pd.DataFrame) -> None:
    """Raise ValueError without any record, or where a line lacks a field, as one cut off does."""
    if rows.empty:
        raise ValueError("no record")
    lacking = np.flatnonzero(rows.drop(columns="soil_moisture").isna().any(axis=1))
    if lacking.size:
        raise ValueError(f"record {lacking[0] + 1} lacks a field")


def in_time(rows: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the rows without those that repeat the one before them, time, value and flags.

    Raises UserError where a row is earlier than the one before it, or differs from it at the same
    time, or is outside the period of the file's name.
    """
    day, minute = (
        rows[name].cat.categories.argsort().argsort()[rows[name].cat.codes]
        for name in ("date", "time")
    )
    steps = np.diff(day.astype(np.int64) * 1440 + minute)
    flags, values = rows["flag"].cat.codes.to_numpy(), rows["soil_moisture"].to_numpy()
    differs = (flags[1:] != flags[:-1]) | (values[1:] != values[:-1])
    wrong = np.flatnonzero((steps < 0) | ((steps == 0) & differs))
    if wrong.size:
        at = int(wrong[0]) + 1
        raise UserError(
            f"record {at + 1} of {path} (ISMN) is of {rows['date'][at]} {rows['time'][at]}, after "
            f"one of {rows['date'][at - 1]} {rows['time'][at - 1]} with "
            f"{'another value' if steps[at - 1] == 0 else 'a later time'}; expected each time once "
            "and in order: download the file again"
        )
    if period := NAME_PERIOD.search(path.name):
        first, last = "/".join(period.groups()[:3]), "/".join(period.groups()[3:])
        outside = [date for date in rows["date"].cat.categories if not first <= date <= last]
        if outside:
            raise UserError(
                f"{path} (ISMN) holds records of {outside[0]}, outside the {first} to {last} of "
                "its name; expected none: download the file again"
            )
    return rows[np.append(True, steps != 0)].reset_index(drop=True)


def good_records(rows: pd.DataFrame, good_flags: Sequence[str], path: Path) -> np.ndarray:
    """Return (N,) whether a record counts; raise UserError for flags or values of another kind."""
    categories = [str(flag).split(",") for flag in rows["flag"].cat.categories]
    for flag in sorted({flag for flags in categories for flag in flags}):
        if not FLAG.fullmatch(flag):
            raise UserError(
                f"flag {flag!r} in {path} (ISMN); expected one as G, U, M, C03 or D05,D07: "
                "download the file again"
            )
    good_category = [set(flags) <= set(good_flags) for flags in categories]
    good = np.array(good_category)[rows["flag"].cat.codes]
    values = rows["soil_moisture"].to_numpy()
    require_possible(values[good], MISSING, f"{path} (ISMN)")
    return good & plausible(values)


def text_of(line: bytes, path: Path) -> str:
    """Return a line as text; raise UserError where it is none."""
    try:
        return line.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise UserError(
            f"first line of {path} (ISMN) is no text: got {line[:40]!r}; expected UTF-8: download "
            "the file again"
        ) from None


def without_place(content: bytes, place: bytes, path: Path) -> bytes:
    """Return CEOP lines without their sensor's description, which must be `place` in each."""
    lines = sum(1 for line in content.split(b"\n") if line.strip())
    if (same := content.count(place)) != lines:
        raise UserError(
            f"{path} (ISMN) describes its sensor as {place.decode('utf-8', 'replace')!r} in "
            f"{same} of {lines} lines; expected one sensor a file: part the file by sensor"
        )
    return content.replace(place, b"")
