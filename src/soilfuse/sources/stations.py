"""Station records as rows, and their monthly means, one row a sensor depth and month."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

SENSOR = ["network", "station", "lat", "lon", "depth_from", "depth_to"]
MONTH = ["year", "month"]
RECORD_COLUMNS = [*SENSOR, *MONTH, "soil_moisture"]
TABLE_COLUMNS = [*RECORD_COLUMNS, "records"]
BATCH = 500_000  # records


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


def _sums(records: pd.DataFrame) -> pd.DataFrame:
    grouped = records.groupby([*SENSOR, *MONTH], sort=True, observed=True)["soil_moisture"]
    return grouped.agg(soil_moisture="sum", records="count").reset_index()
