"""Every method at the fine cell that a station stands in."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from soilfuse.evaluation.metrics import pair_terms
from soilfuse.evaluation.pscnet.scores import pixel_scores
from soilfuse.grids.grid import Grid
from soilfuse.insitu.cells import nearest_cells

if TYPE_CHECKING:
    import pandas as pd

KEYS = ["network", "station", "lat", "lon", "period"]
COLUMNS = [*KEYS, "method", "n", "r", "bias", "ubrmse"]


def station_table(
    stations: "pd.DataFrame",
    grid: Grid,
    time: np.ndarray,
    periods: np.ndarray,
    fields: Mapping[str, np.ndarray],
    min_pairs: int,
) -> "pd.DataFrame":
    """Return COLUMNS: a row a station, period and method.

    time, periods: (N,) of the fields' steps; fields: (N, H, W) by method. Records of other times
    and stations outside the grid are left out.
    """
    import pandas as pd

    when = stations["time"].to_numpy().astype("datetime64[h]")
    place = np.searchsorted(time, when).clip(max=len(time) - 1)
    row, column, inside = nearest_cells(
        grid, stations["lat"].to_numpy(), stations["lon"].to_numpy()
    )
    kept = inside & (time[place] == when)
    table = stations[kept].assign(t=place[kept], h=row[kept], w=column[kept])
    table["period"] = periods[table["t"]]
    made = []
    for key, rows in table.groupby(KEYS, sort=True):
        observed = rows["soil_moisture"].to_numpy(dtype=float)
        for method, field in fields.items():
            predicted = field[rows["t"], rows["h"], rows["w"]]
            sums = pair_terms(predicted, observed).sum(axis=-1)
            scores = {name: one.item() for name, one in pixel_scores(sums, min_pairs).items()}
            made.append(dict(zip(KEYS, key, strict=True)) | {"method": method} | scores)
    return pd.DataFrame(made, columns=COLUMNS)
