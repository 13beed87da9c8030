"""Station records as rows, and their monthly means, one row a sensor depth and month."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse.errors import UserError
from soilfuse.progress import note

SENSOR = ["network", "station", "lat", "lon", "depth_from", "depth_to"]
MONTH = ["year", "month"]
RECORD_COLUMNS = [*SENSOR, *MONTH, "soil_moisture"]
TABLE_COLUMNS = [*RECORD_COLUMNS, "records"]
BATCH = 500_000  # records
DEEPEST = 10.0  # m
ALONE = 30.0  # degrees on the sphere from the nearest other station
SAME_PLACE = 0.01  # degrees that files of one station may differ by
MOST_IMPOSSIBLE = 0.1  # of the records that count as good


def monthly_means(parts: Iterable[pd.DataFrame], min_records: int) -> pd.DataFrame:
    """Return monthly means (TABLE_COLUMNS) of records (RECORD_COLUMNS) that come in parts.

    Sensors at the same depth of one station are pooled. soil_moisture in m3 m-3, depths in m;
    `records` counts the records behind a mean, and months with fewer than `min_records` are left
    out. Parts are summed one after the other, so that hourly archives need little memory.
    """
    sums = [_sums(batch) for batch in _batches(parts)]
    if not sums:
        return pd.DataFrame(columns=TABLE_COLUMNS)
    grouped = pd.concat(sums).groupby([*SENSOR, *MONTH], sort=True, as_index=False)
    table = grouped[["soil_moisture", "records"]].sum()
    table["soil_moisture"] /= table["records"]
    return table[table["records"] >= min_records][TABLE_COLUMNS].reset_index(drop=True)


def with_enough_records(table: pd.DataFrame, min_records: int, key: str) -> pd.DataFrame:
    """Return the rows (TABLE_COLUMNS) of `min_records` or more, which params.yaml:`key` asks for.

    A network that this leaves without any row is told in a note.
    """
    for network, most in table.groupby("network")["records"].max().items():
        if most < min_records:
            note(
                f"no month of network {network} is left: its best has {most} good records; "
                f"params.yaml:{key} is {min_records}"
            )
    return table[table["records"] >= min_records].reset_index(drop=True)


def _batches(parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Gather small parts, because grouping costs as much for a few rows as for many."""
    held: list[pd.DataFrame] = []
    for part in parts:
        if len(part):
            held.append(part)
        if sum(map(len, held)) >= BATCH:
            yield pd.concat(held, ignore_index=True)
            held = []
    if held:
        yield pd.concat(held, ignore_index=True)


def plausible(soil_moisture: np.ndarray) -> np.ndarray:
    """Tell which values can be a volume fraction of water; missing values (-9999) cannot."""
    return np.isfinite(soil_moisture) & (soil_moisture >= 0.0) & (soil_moisture <= 1.0)


def dates_of(texts: Iterable[str], form: str) -> pd.DatetimeIndex:
    """Return texts as dates; raise ValueError that says which one is none of this form."""
    given = pd.Index(texts)
    dates = pd.DatetimeIndex(pd.to_datetime(given, format=form, errors="coerce"))
    if dates.hasnans:
        raise ValueError(f"{given[dates.isna()][0]!r} is no date or time as {form}")
    return dates


def require_depth(depth_from: float, depth_to: float, where: str) -> None:
    """Raise UserError where depths in m are not from a top down to a base within the soil."""
    if not 0.0 <= depth_from <= depth_to <= DEEPEST:
        raise UserError(
            f"sensor depth from {depth_from:g} to {depth_to:g} m in {where}; expected 0 to "
            f"{DEEPEST:g} m, the upper one first: correct the file"
        )


def require_possible(soil_moisture: np.ndarray, missing: float, where: str) -> None:
    """Raise UserError where more than a tenth of good records (N,) m3 m-3 cannot be a fraction."""
    given = soil_moisture[np.isfinite(soil_moisture) & (soil_moisture > missing)]
    wrong = given[~plausible(given)]
    if wrong.size > MOST_IMPOSSIBLE * given.size:
        raise UserError(
            f"{wrong.size} of {given.size} good records in {where} are no volume fraction, such as "
            f"{wrong[0]:g}; expected 0 to 1 m3 m-3 (percent instead of a fraction?): correct the "
            "file"
        )


def require_company(files: Mapping[Path, tuple[float, float]]) -> None:
    """Raise UserError that names a file whose station lies far from all others.

    files: lat and lon in degrees of files NETWORK/STATION/FILE. A misplaced sign or digit puts a
    station elsewhere. Also raises UserError where files of one station lie in several places.
    """
    places = _one_place_each(files)
    angles = np.deg2rad(np.array(list(places.values())).reshape(-1, 2))
    lat, lon = angles[:, 0], angles[:, 1]
    unit = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
    apart = np.rad2deg(np.arccos(np.clip(unit @ unit.T, -1.0, 1.0)))
    np.fill_diagonal(apart, np.inf)
    for (path, place), distance in zip(
        places.items(), apart.min(axis=1, initial=np.inf), strict=True
    ):
        if ALONE < distance < np.inf:
            raise UserError(
                f"station of {path} (ISMN) lies at {place[0]:g}N {place[1]:g}E, {distance:.0f} "
                f"degrees from any other; expected {ALONE:g} or less: correct its place, or take "
                "the file away"
            )


def _one_place_each(
    files: Mapping[Path, tuple[float, float]],
) -> dict[Path, tuple[float, float]]:
    """Return the place of each station, by its first file."""
    first: dict[Path, Path] = {}
    for path, place in files.items():
        known = first.setdefault(path.parent, path)
        if not np.allclose(place, files[known], rtol=0.0, atol=SAME_PLACE):
            raise UserError(
                f"station of {path} (ISMN) lies at {place[0]:g}N {place[1]:g}E, and at "
                f"{files[known][0]:g}N {files[known][1]:g}E in {known.name}; expected one place "
                "for all files of its folder: correct whichever is wrong"
            )
    return {path: files[path] for path in first.values()}


def _sums(records: pd.DataFrame) -> pd.DataFrame:
    grouped = records.groupby([*SENSOR, *MONTH], sort=True, observed=True)["soil_moisture"]
    return grouped.agg(soil_moisture="sum", records="count").reset_index()
