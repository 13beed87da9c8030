"""The station table: sensors sorted into the product's layers, one row a station, layer and month.

Rule by which a sensor with bounds [from, to] in m joins a layer of names.PRODUCT_LAYERS:

| sensor | layer |
|---|---|
| a point (from = to) | the layer with top <= depth < bottom; 1.1 m itself is layer 5 |
| an interval | the layer it overlaps most, the upper one of two equal |
| an interval with less than half of its thickness in that layer | none: the row is left out |
| anything below 1.1 m | none: the row is left out |

So 0.05 m is layer 1, 0.10 and 0.20 m layer 2, 0.40 m layer 3, 0.80 m layer 5, 0-0.05 m layer 1.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.files import written_aside

STATION_KEY = ["network", "station", "layer", "year", "month"]
COLUMNS = [
    "network",
    "station",
    "lat",
    "lon",
    "depth_from",
    "depth_to",
    "layer",
    "year",
    "month",
    "soil_moisture",
    "records",
]
TOLERANCE = 1e-9  # m; depths are read as decimal text


def _layer_numbers(depth_from: np.ndarray, depth_to: np.ndarray) -> np.ndarray:
    tops, bottoms = np.array(names.PRODUCT_LAYERS).T
    overlap = np.minimum(depth_to[:, None], bottoms) - np.maximum(depth_from[:, None], tops)
    best = np.argmax(np.round(overlap, 9), axis=1)
    enough = overlap.max(axis=1) >= (depth_to - depth_from) / 2 - TOLERANCE
    layers = np.where(enough, best + 1, 0)
    point = depth_to - depth_from < TOLERANCE
    reached = (depth_from[:, None] >= tops - TOLERANCE).sum(axis=1)
    inside = (depth_from >= tops[0]) & (depth_from <= bottoms[-1] + TOLERANCE)
    return np.where(point, np.where(inside, reached, 0), layers)


def assign_layers(records: pd.DataFrame) -> pd.DataFrame:
    """Add the column `layer`, 1 to 5, by the module's table; rows of no layer are left out.

    records: columns depth_from and depth_to in m, positive downwards.
    Raises UserError for depths that are missing or upside down.
    """
    depth_from = records["depth_from"].to_numpy(dtype=float)
    depth_to = records["depth_to"].to_numpy(dtype=float)
    bad = ~(depth_from <= depth_to)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise UserError(
            f"sensor depth from {depth_from[first]} to {depth_to[first]} m in station record "
            f"{first}; expected from <= to, both numbers: correct or remove its station file"
        )
    sorted_in = records.assign(layer=_layer_numbers(depth_from, depth_to))
    return sorted_in[sorted_in["layer"] > 0].reset_index(drop=True)


def average_sensors(records: pd.DataFrame) -> pd.DataFrame:
    """Average several sensors of one station in one layer and month, each with equal weight.

    records: columns COLUMNS; returns them with one row per STATION_KEY, sorted by it. Depths
    become the span of the sensors, records (the good readings behind a mean) are added up.
    """
    grouped = records.groupby(STATION_KEY, sort=True)
    table = grouped.agg(
        lat=("lat", "mean"),
        lon=("lon", "mean"),
        depth_from=("depth_from", "min"),
        depth_to=("depth_to", "max"),
        soil_moisture=("soil_moisture", "mean"),
        records=("records", "sum"),
    ).reset_index()
    return table[COLUMNS]


def station_table(records: pd.DataFrame) -> pd.DataFrame:
    """Turn monthly means of single sensors into the station table (columns COLUMNS)."""
    valid = records[np.isfinite(records["soil_moisture"].to_numpy(dtype=float))]
    return average_sensors(assign_layers(valid))


def rows_in_months(table: pd.DataFrame, months: np.ndarray) -> pd.DataFrame:
    """Return the rows whose (year, month) is one of the (T,) month keys."""
    wanted = np.asarray(months).astype("datetime64[M]").astype(int)
    got = (table["year"].to_numpy() - 1970) * 12 + table["month"].to_numpy() - 1
    return table[np.isin(got, wanted)].reset_index(drop=True)


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write the station table as parquet, sorted, so that equal rows give equal bytes."""
    ordered = table[COLUMNS].sort_values(STATION_KEY, kind="stable").reset_index(drop=True)
    with written_aside(path) as aside:
        ordered.to_parquet(aside, engine="pyarrow", compression="zstd", index=False)


def read_table(path: Path) -> pd.DataFrame:
    """Read the station table; raises UserError where a column is missing."""
    table = pd.read_parquet(path, engine="pyarrow")
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; expected a station table: "
            "run `dvc repro insitu`"
        )
    return table[COLUMNS]
