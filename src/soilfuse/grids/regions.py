"""Regions on a grid: basins, world boxes, China's climate zones, and the user's own.

The outlines of the three basins of the Three-River-Source Region (TRSR) are simplified from the 0.1
degree masks published with UNet-GAN (Li et al. 2024, MIT licence); basins.geojson carries that
attribution. Those of the climate zones are our own and coarse; china_climate_zones.geojson says how
they run.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import shapely

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import packaged_outlines, user_outlines

BASINS = ("yangtze", "yellow", "lancang")
REGION = "TRSR"  # the union of the basins
CLIMATE_ZONES = ("arid", "semi_arid", "humid", "plateau")  # of China, after Feng et al. 2022

# Qiao et al. 2022, figure 1: south, north, west, east in degrees.
BOXES = {
    "SIB": (50.0, 75.0, 60.0, 140.0),
    "M-AS": (38.0, 50.0, 60.0, 112.0),
    "TIB": (30.0, 38.0, 75.0, 100.0),
    "L-AS": (10.0, 30.0, 70.0, 120.0),
    "NA-WA": (10.0, 35.0, -20.0, 60.0),
    "EUR": (35.0, 70.0, -10.0, 60.0),
    "C-AF": (-15.0, 10.0, -20.0, 50.0),
    "S-AF": (-35.0, -15.0, 10.0, 40.0),
    "WNA": (20.0, 60.0, -125.0, -98.0),
    "ENA": (30.0, 60.0, -98.0, -60.0),
    "NSA": (-12.0, 10.0, -80.0, -40.0),
    "SSA": (-40.0, -12.0, -65.0, -40.0),
    "AUS": (-40.0, -10.0, 112.0, 155.0),
}


def basin_outlines() -> dict[str, shapely.Geometry]:
    """Return the polygon of each basin (lon, lat in degrees) in the order of BASINS."""
    found = packaged_outlines("basins.geojson", "basin")
    return {basin: found[basin] for basin in BASINS}


def basin_mask(grid: Grid) -> np.ndarray:
    """Return (H, W) int8: 0 outside, else 1 + the index in BASINS of the cell centre's basin.

    Outlines overlap in a few cells; the first basin of BASINS wins there. A centre on an outline
    is inside. Raises UserError where no centre lies in any basin.
    """
    mask = np.zeros(grid.shape, dtype=np.int8)
    for number, inside in enumerate(_inside(basin_outlines(), grid).values(), start=1):
        mask[inside & (mask == 0)] = number
    if not mask.any():
        raise UserError(
            f"no cell of the grid {grid.lon[0]:g}-{grid.lon[-1]:g}E {grid.lat[0]:g}-"
            f"{grid.lat[-1]:g}N lies in the basins {', '.join(BASINS)}; expected a grid over "
            "89-104E 31-38N: edit params.yaml:domain"
        )
    return mask


def region_masks(grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) boolean masks of TRSR (the union) and of each basin.

    A basin that holds no cell centre of the grid is left out, so that every mask has a mean.
    """
    mask = basin_mask(grid)
    masks = {REGION: mask > 0}
    masks.update({basin: mask == number for number, basin in enumerate(BASINS, start=1)})
    return {name: inside for name, inside in masks.items() if inside.any()}


def boxes(grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) boolean masks of the thirteen boxes of Qiao et al. 2022 that the grid reaches.

    A centre on a box's southern or western edge is inside, one on its northern or eastern edge is
    not, so that boxes which share an edge share no cell. Boxes are whole: sea is for the caller to
    leave out.
    """
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    masks = {
        name: (lat >= south) & (lat < north) & ((lon - west) % 360 < east - west)
        for name, (south, north, west, east) in BOXES.items()
    }
    return {name: inside for name, inside in masks.items() if inside.any()}


def climate_zones(grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) boolean masks of the climate zones of mainland China that the grid reaches.

    Where a centre lies on the line between two zones, the first of CLIMATE_ZONES has it.
    """
    outlines = packaged_outlines("china_climate_zones.geojson", "zone")
    masks: dict[str, np.ndarray] = {}
    taken = np.zeros(grid.shape, dtype=bool)
    for name, inside in _inside({zone: outlines[zone] for zone in CLIMATE_ZONES}, grid).items():
        masks[name] = inside & ~taken
        taken |= inside
    return {name: inside for name, inside in masks.items() if inside.any()}


def user_masks(path: Path, grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) boolean masks of the polygons in a user's GeoJSON file, by name.

    Regions may overlap; a centre on an outline is inside. Raises UserError that names the file, and
    every region without a cell centre of the grid, for those have no mean.
    """
    masks = _inside(user_outlines(path), grid)
    if empty := [name for name, inside in masks.items() if not inside.any()]:
        raise UserError(
            f"no cell centre of the grid {grid.lon[0]:g}-{grid.lon[-1]:g}E {grid.lat[0]:g}-"
            f"{grid.lat[-1]:g}N lies in {', '.join(empty)} of {path}; expected one or more in each "
            "region: remove those regions, or widen or refine params.yaml:domain"
        )
    return masks


def _inside(outlines: Mapping[str, shapely.Geometry], grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) masks of the cell centres in each outline, whichever way longitudes count."""
    west, lat = np.meshgrid((np.asarray(grid.lon) + 180) % 360 - 180, grid.lat)
    masks = {name: shapely.intersects_xy(outline, west, lat) for name, outline in outlines.items()}
    for name, outline in outlines.items():
        if outline.bounds[2] > 180:
            masks[name] |= shapely.intersects_xy(outline, west % 360, lat)
    return masks
