"""Maps of the land: means, ratio of bias, fluxes, correlations (the paper's figures 2-4 and 11)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from soilfuse.evaluation.cmip6.climatology import masks_of
from soilfuse.evaluation.cmip6.groups import ALL
from soilfuse.evaluation.cmip6.maps import GAINS
from soilfuse.grids.grid import Grid
from soilfuse.grids.land import coast_lines
from soilfuse.report.cmip6 import looks
from soilfuse.report.maps import Panel, Place, map_grid
from soilfuse.report.style import Scale

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPARED = ("era5", "gldas", ALL)
EVERY = 2  # cells from dot to dot


class World(Place):
    """The whole globe but Antarctica; its edges are just inside the seam, or 180 stood twice."""

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, east, south and north of the drawn window in degrees."""
        return -179.9, 179.9, max(float(self.lat[0]), -57.0), float(self.lat[-1])


def place_of(maps: xr.Dataset) -> Place:
    """Return the land of the maps' grid, with coasts in the place of outlines."""
    grid = Grid(maps["lat"].values, maps["lon"].values)
    masks = masks_of(grid)
    return World(grid.lat, grid.lon, masks["NH"] | masks["SH"], coast_lines())


def mean_figure(place: Place, maps: xr.Dataset, depth: str) -> "Figure":
    """Draw the mean moisture of each reanalysis and of the models."""
    panels = [
        Panel(_mean(maps, depth, source), looks.MOISTURE_SCALES[depth], looks.title(source))
        for source in ("era5", "era_interim", "gldas", ALL)
    ]
    return map_grid(place, [panels[:2], panels[2:]])


def ratio_figure(place: Place, maps: xr.Dataset, depth: str) -> "Figure":
    """Draw (mean of models - reference) / mean of models for each reanalysis."""
    ratio = maps["ratio_of_bias"].sel(depth=depth)
    panels = [
        Panel(ratio.sel(reference=name).values, looks.RATIO_SCALE, f"against {looks.title(name)}")
        for name in map(str, maps["reference"].values)
    ]
    return map_grid(place, [panels])


def flux_figure(place: Place, maps: xr.Dataset, variables: Sequence[str], scale: Scale) -> "Figure":
    """Draw yearly fluxes, a row a variable."""
    rows = [
        [
            Panel(_mean(maps, variable, source), scale, looks.title(source) if i == 0 else "")
            for source in COMPARED
        ]
        for i, variable in enumerate(variables)
    ]
    return map_grid(place, _named(rows, variables))


def correlation_figure(place: Place, maps: xr.Dataset, alpha: float) -> "Figure":
    """Draw R of moisture with P - E and P - E - R, dotted where p_effective is below alpha."""
    rows = [
        [_correlation_panel(maps, gain, source, alpha, i == 0) for source in COMPARED]
        for i, gain in enumerate(GAINS)
    ]
    return map_grid(place, _named(rows, tuple(GAINS)))


def _correlation_panel(
    maps: xr.Dataset, gain: str, source: str, alpha: float, titled: bool
) -> Panel:
    here = maps.sel(gain=gain, source=source)
    dots = here["p_effective"].values < alpha
    thinned = np.zeros_like(dots)
    thinned[::EVERY, ::EVERY] = dots[::EVERY, ::EVERY]  # or dots would hide the colours
    return Panel(
        here["r"].values,
        looks.CORRELATION_SCALE,
        looks.title(source) if titled else "",
        dots=thinned & np.isfinite(here["r"].values),
    )


def _named(rows: list[list[Panel]], variables: Sequence[str]) -> list[list[Panel]]:
    from dataclasses import replace

    return [
        [replace(line[0], row=looks.FLUX_TITLES[variable]), *line[1:]]
        for line, variable in zip(rows, variables, strict=True)
    ]


def _mean(maps: xr.Dataset, variable: str, source: str) -> np.ndarray:
    return np.asarray(maps["mean"].sel(variable=variable, source=source).values)
