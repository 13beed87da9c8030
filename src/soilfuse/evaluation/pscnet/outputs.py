"""The files of results/evaluate: written by stage evaluate, read by stage page."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse.files import read_json, write_json, written_aside
from soilfuse.inference.china.fields import write_tables

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TABLES = ("scores", "generalisation", "stations", "density", "learned", "series")
MAPS = ("pixels", "event")


@dataclass(frozen=True)
class Evaluation:
    """Tables by name, maps by name, and the numbers of metrics.json.

    pixels: smap_* (method, period, coarse_lat, coarse_lon) and, where there is a truth, truth_*
    (method, period, lat, lon) for n, r, bias and ubrmse.
    """

    tables: "dict[str, pd.DataFrame]"
    maps: "dict[str, xr.Dataset]"
    facts: dict[str, float]


def write_evaluation(folder: Path, found: Evaluation) -> None:
    """Write tables, maps and metrics.json, the same bytes for the same content."""
    write_tables(folder, found.tables)
    for name, dataset in found.maps.items():
        with written_aside(folder / f"{name}.nc") as aside:
            dataset.to_netcdf(aside, engine="h5netcdf")
    write_json(folder / "metrics.json", found.facts)


def read_evaluation(folder: Path) -> Evaluation:
    """Return what `write_evaluation` wrote."""
    import pandas as pd
    import xarray as xr

    words = {"method": str, "period": str, "target": str, "network": str, "station": str}
    tables = {name: pd.read_csv(folder / f"{name}.csv", dtype=words) for name in TABLES}
    maps = {name: xr.load_dataset(folder / f"{name}.nc", engine="h5netcdf") for name in MAPS}
    return Evaluation(tables, maps, read_json(folder / "metrics.json"))
