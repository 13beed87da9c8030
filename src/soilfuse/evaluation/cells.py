"""What is judged, on the cells that count alone: a third of the paper's rectangle.

Every method but the networks works cell by cell, and no score looks outside the regions but at the
stations there. Fields (T, D, H, W) become (T, D, 1, C), which all that follows takes for a grid of
one row; scores are the same to the last digit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from soilfuse.evaluation.material import ByExperiment, Material, Method, Series
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate
from soilfuse.insitu.cells import nearest_cells
from soilfuse.sources.processed import ModelCrops


@dataclass(frozen=True)
class Cells(Grid):
    """Some cells of a grid in a row; lat and lon are the grid's, `flat` (C,) the cells' places."""

    flat: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """(1, C)."""
        return 1, self.flat.size

    @property
    def area(self) -> np.ndarray:
        """(1, C) area of each cell on the sphere in km2."""
        return super().area.reshape(1, -1)[:, self.flat]

    def take(self, values: np.ndarray) -> np.ndarray:
        """Return (..., 1, C) of (..., H, W)."""
        flat = values.reshape(*values.shape[:-2], 1, -1)
        return np.take(flat, self.flat, axis=-1)

    def take_series(self, series: Series) -> Series:
        """Return a series of (T, D, 1, C)."""
        spread = None if series.spread is None else self.take(series.spread)
        return Series(series.time, self.take(series.values), spread)

    def take_each(self, by_experiment: ByExperiment) -> ByExperiment:
        """Return what gives each experiment's series on the cells."""
        return lambda experiment: self.take_series(by_experiment(experiment))


def holding_cells(
    grid: Grid, lat: np.ndarray, lon: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what insitu.cells.nearest_cells does, in the one row of Cells where they are given."""
    rows, columns, inside = nearest_cells(grid, lat, lon)
    if not isinstance(grid, Cells):
        return rows, columns, inside
    wanted = rows * grid.lon.size + columns
    places = np.searchsorted(grid.flat, wanted).clip(max=grid.flat.size - 1)
    return np.zeros_like(places), places, inside & (grid.flat[places] == wanted)


def counting_cells(material: Material) -> Cells:
    """Return the cells of any region, and those that hold a station."""
    grid, stations = material.grid, material.stations
    counts = np.any([*material.regions.values()], axis=0)
    rows, columns, inside = nearest_cells(
        grid, stations["lat"].to_numpy(), stations["lon"].to_numpy()
    )
    counts[rows[inside], columns[inside]] = True
    return Cells(grid.lat, grid.lon, np.flatnonzero(counts))


def models_on(crops: ModelCrops, order: Sequence[int], cells: Cells) -> Series:
    """Return the climate models at places `order` of the crops as (T, M, 1, C).

    What crops.interpolated gives there, for a tenth of its cost; like it bilinear.
    """
    grid, chosen = Grid(cells.lat, cells.lon), [list(crops.crops.values())[m] for m in order]
    values = np.empty((crops.time.size, len(chosen), *cells.shape), np.float32)
    for m, crop in enumerate(chosen):
        weights = bilinear(crop.lat, crop.lon, grid)[cells.flat]
        interpolate(weights, crop.values, cells, out=values[:, m])
    return Series(crops.time, values)


def on_cells(
    candidate: Method,
    material: Material,
    inputs_on: Callable[[str, Cells], Series] | None = None,
) -> tuple[Method, Material]:
    """Return the same candidate and material on the cells that count.

    inputs_on: gives an experiment's climate models on cells, for less than taking them from
    material.inputs, which is what None does.
    """
    cells = counting_cells(material)
    given = cells.take_each(material.inputs)

    def inputs(experiment: str) -> Series:
        return inputs_on(experiment, cells) if inputs_on else given(experiment)

    method = replace(
        candidate,
        outer=cells.take_series(candidate.outer),
        final=None if candidate.final is None else cells.take_series(candidate.final),
        future=cells.take_each(candidate.future),
        spread=None if candidate.spread is None else cells.take_series(candidate.spread),
    )
    regions = {name: cells.take(mask) for name, mask in material.regions.items()}
    return method, replace(
        material,
        grid=cells,
        regions=regions,
        target=cells.take_series(material.target),
        inputs=inputs,
        truth=None if material.truth is None else cells.take_each(material.truth),
        reanalysis=None if material.reanalysis is None else cells.take_series(material.reanalysis),
    )
