"""Monthly fields of several methods on the cells inside the regions, in one file an experiment.

Letters: T months, N cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse.baselines.methods import Climatology, DeltaChange
from soilfuse.files import written_aside
from soilfuse.grids.months import year_of
from soilfuse.grids.regions import Regions
from soilfuse.room import room_aside
from soilfuse.sources.processed import read_field

if TYPE_CHECKING:
    import pandas as pd

YNET, ENSEMBLE_MEAN, CLIMATOLOGY, DELTA_CHANGE, TRUTH = METHODS = (
    *("ynet", "ensemble_mean", "climatology", "delta_change"),
    "truth",
)
PREDICTED = Path("data/processed/predicted")


@dataclass(frozen=True)
class Fields:
    """Soil moisture (T, N) in m3 m-3 by method, and the months (T,)."""

    values: Mapping[str, np.ndarray]
    months: np.ndarray
    world: str

    def within(self, first: int, last: int) -> "Fields":
        """Return the months of some years."""
        rows = (year_of(self.months) >= first) & (year_of(self.months) <= last)
        chosen = {method: values[rows] for method, values in self.values.items()}
        return Fields(chosen, self.months[rows], self.world)

    def after(self, earlier: "Fields") -> "Fields":
        """Return the months of both, of the methods that both have."""
        joined = {
            method: np.concatenate([earlier.values[method], values])
            for method, values in self.values.items()
            if method in earlier.values
        }
        return Fields(joined, np.concatenate([earlier.months, self.months]), self.world)


@dataclass(frozen=True)
class Cells:
    """The N cells inside the regions: where they lie, their area in km2, and (N,) zone masks."""

    inside: np.ndarray
    lat: np.ndarray
    lon: np.ndarray
    area: np.ndarray
    zones: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, regions: Regions) -> "Cells":
        """Return the cells of some regions, row by row."""
        inside = regions.inside
        lat, lon = np.meshgrid(regions.grid.lat, regions.grid.lon, indexing="ij")
        zones = {name: mask[inside] for name, mask in regions.masks.items()}
        return cls(inside, lat[inside], lon[inside], regions.grid.area[inside], zones)

    def on_map(self, values: np.ndarray) -> np.ndarray:
        """Return (H, W) of (N,) values, NaN outside."""
        field = np.full(self.inside.shape, np.nan)
        field[self.inside] = values
        return field

    def nearest(self, lat: float, lon: float) -> int:
        """Return which cell's centre is nearest to a place in degrees."""
        across = (self.lon - lon) * np.cos(np.deg2rad(lat))
        return int(np.argmin((self.lat - lat) ** 2 + across**2))


def write_fields(path: Path, fields: Fields) -> None:
    """Write fields, whole or not at all."""
    dataset = xr.Dataset(
        {name: (("time", "cell"), values) for name, values in fields.values.items()},
        {"time": fields.months},
        {"world": fields.world},
    )
    with room_aside(Path(path)) as aside:
        dataset.to_netcdf(aside, engine="h5netcdf")


def read_fields(path: Path) -> Fields:
    """Read what `write_fields` wrote; raise UserError where it is absent or damaged."""
    held = read_field(path)
    values = {str(name): held[name].values for name in held.data_vars}
    return Fields(values, held["time"].values, str(held.attrs["world"]))


def layer_on_cells(dataset: xr.Dataset, cells: Cells) -> Fields:
    """Return the first layer of a layered field (time, depth, lat, lon) as `truth`."""
    values = dataset["soil_moisture"].values[:, 0][:, cells.inside]
    return Fields({TRUTH: values}, dataset["time"].values, str(dataset.attrs.get("world", "")))


def with_simple_methods(
    fields: Fields, historical: Fields, target: Fields, train_years: tuple[int, int]
) -> Fields:
    """Return the fields with climatology and delta change, both fitted on the training years."""
    models = historical.within(*train_years)
    learned = target.within(*train_years)
    given = (
        models.values[ENSEMBLE_MEAN][:, None, None],
        learned.values[TRUTH][:, None, None],
        learned.months,
    )
    inputs = fields.values[ENSEMBLE_MEAN][:, None, None]
    added = {
        name: method.fit(*given).predict(inputs, fields.months)[:, 0, 0]
        for name, method in ((CLIMATOLOGY, Climatology()), (DELTA_CHANGE, DeltaChange()))
    }
    return Fields({**fields.values, **added}, fields.months, fields.world)


def write_tables(folder: Path, tables: "dict[str, pd.DataFrame]") -> None:
    """Write one CSV a table."""
    for name, table in tables.items():
        with written_aside(folder / f"{name}.csv") as aside:
            table.to_csv(aside, index=False, float_format="%.6g", lineterminator="\n")
