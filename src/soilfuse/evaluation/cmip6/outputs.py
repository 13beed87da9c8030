"""The study's results on disk: one CSV a table, maps.nc and metrics.json."""

from pathlib import Path

import xarray as xr

from soilfuse.evaluation.cmip6.evaluate import Skill
from soilfuse.files import read_json, write_json, written_aside
from soilfuse.room import room_aside

TABLES = ("models", "cycles", "taylor", "tss", "counts")
MAPS, METRICS = "maps.nc", "metrics.json"


def write_skill(folder: Path, skill: Skill) -> None:
    """Write all results into a folder, the same bytes for the same content."""
    folder = Path(folder)
    for name, table in skill.tables.items():
        with written_aside(folder / f"{name}.csv") as aside:
            table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
    packing = {name: {"zlib": True, "complevel": 1} for name in skill.maps.data_vars}
    with room_aside(folder / MAPS) as room:
        skill.maps.to_netcdf(room, engine="h5netcdf", encoding=packing)
    write_json(folder / METRICS, skill.facts)


def read_skill(folder: Path) -> Skill:
    """Return what `write_skill` wrote."""
    import pandas as pd

    folder = Path(folder)
    tables = {
        name: pd.read_csv(folder / f"{name}.csv", keep_default_na=False, na_values=[""])
        for name in TABLES
    }
    maps = xr.load_dataset(folder / MAPS, engine="h5netcdf")
    return Skill(tables, maps, read_json(folder / METRICS))
