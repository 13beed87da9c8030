"""Stage evaluate of studies/china: all methods in the test years, from the processed files."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse import layout, names
from soilfuse.config import ChinaStudy
from soilfuse.evaluation.china.scores import mae_map, score_table, taylor_row
from soilfuse.files import read_json, write_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_of
from soilfuse.inference.china.fields import (
    ENSEMBLE_MEAN,
    PREDICTED,
    TRUTH,
    YNET,
    Cells,
    Fields,
    layer_on_cells,
    read_fields,
    with_simple_methods,
    write_tables,
)
from soilfuse.room import room_aside
from soilfuse.sources.experiments import read_experiment
from soilfuse.sources.processed import read_field

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("scores", "taylor", "zones")


@dataclass(frozen=True)
class Evaluation:
    """Tables by name, MAE maps by method (method, lat, lon), and the numbers of metrics.json."""

    tables: "dict[str, pd.DataFrame]"
    maps: xr.Dataset
    facts: dict[str, float]


def evaluate(params: ChinaStudy) -> Evaluation:
    """Return scores of YNet, the ensemble mean, climatology and delta change in the test years.

    Climatology and delta change are fitted on YNet's training years.
    """
    import pandas as pd

    regions, years = regions_of(params.domain), params.pretrain.test_years
    cells = Cells.of(regions)
    historical = read_fields(PREDICTED / f"{names.HISTORICAL}.nc")
    target = layer_on_cells(read_field(layout.ERA5_LAND), cells)
    train = params.pretrain.train_years
    fields = with_simple_methods(historical.within(*years), historical, target, train)
    truth = target.within(*years).values[TRUTH]
    scores = score_table(fields.values, truth, cells.area)
    rows = [taylor_row(name, "method", x, truth, cells.area) for name, x in fields.values.items()]
    rows += _model_rows(fields.months, truth, cells, regions.grid)
    tables = {
        "scores": scores,
        "taylor": pd.DataFrame(rows),
        "zones": _zone_series(fields, truth, cells, params),
    }
    maps = {name: cells.on_map(mae_map(x, truth)) for name, x in fields.values.items()}
    stacked = xr.DataArray(
        np.stack(list(maps.values())),
        dims=("method", "lat", "lon"),
        coords={"method": list(maps), "lat": regions.grid.lat, "lon": regions.grid.lon},
        attrs={"units": "m3 m-3"},
    )
    facts = {
        f"{row['method']}/{name}": float(row[name])
        for row in scores.to_dict("records")
        for name in ("mae", "rmsd", "ubrmsd", "spatial_r")
    }
    return Evaluation(tables, xr.Dataset({"mae": stacked}, attrs={"world": fields.world}), facts)


def _model_rows(
    months: np.ndarray, truth: np.ndarray, cells: Cells, grid: Grid
) -> list[dict[str, str | float]]:
    """Return the Taylor row of every climate model."""
    crops = read_experiment(layout.climate_models, names.HISTORICAL)
    wanted = np.flatnonzero(np.isin(crops.time, months))
    values = crops.interpolated(grid, wanted)[..., cells.inside]
    return [
        taylor_row(source_id, "model", values[:, number], truth, cells.area)
        for number, source_id in enumerate(crops.source_ids)
    ]


def _zone_series(
    fields: Fields, truth: np.ndarray, cells: Cells, params: ChinaStudy
) -> "pd.DataFrame":
    """Return zone, place, month, and a column a method, at the one pixel that stands for a zone."""
    import pandas as pd

    shown = {"era5_land": truth, **{name: fields.values[name] for name in (YNET, ENSEMBLE_MEAN)}}
    parts = []
    for zone, (lat, lon) in params.analysis.pixels.items():
        cell = cells.nearest(lat, lon)
        columns = {
            "zone": zone,
            "lat": cells.lat[cell],
            "lon": cells.lon[cell],
            "time": fields.months.astype("datetime64[M]").astype(str),
        }
        parts.append(pd.DataFrame(columns | {name: x[:, cell] for name, x in shown.items()}))
    return pd.concat(parts, ignore_index=True)


def write_evaluation(folder: Path, found: Evaluation) -> None:
    """Write tables, maps.nc and metrics.json, the same bytes for the same content."""
    write_tables(folder, found.tables)
    with room_aside(folder / "maps.nc") as room:
        found.maps.to_netcdf(room, engine="h5netcdf")
    write_json(folder / "metrics.json", found.facts)


def read_evaluation(folder: Path) -> Evaluation:
    """Return what `write_evaluation` wrote."""
    import pandas as pd

    tables = {name: pd.read_csv(folder / f"{name}.csv") for name in TABLES}
    maps = xr.load_dataset(folder / "maps.nc", engine="h5netcdf")
    return Evaluation(tables, maps, read_json(folder / "metrics.json"))
