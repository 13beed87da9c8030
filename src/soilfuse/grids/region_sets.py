"""The sets of regions that come with soilfuse: TRSR's basins, world boxes, China's climate zones.

The outlines of the three basins of the Three-River-Source Region (TRSR) are simplified from the 0.1
degree masks published with UNet-GAN (Li et al. 2024, MIT licence); basins.geojson carries that
attribution. Those of the climate zones are our own and coarse; china_climate_zones.geojson says how
they run.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import shapely

from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import packaged_outlines

BASINS = ("yangtze", "yellow", "lancang")
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

Outlines = dict[str, shapely.Geometry]
Masks = dict[str, np.ndarray]


def basin_outlines() -> Outlines:
    """Return the polygon of each basin (lon, lat in degrees) in the order of BASINS."""
    found = packaged_outlines("basins.geojson", "basin")
    return {basin: found[basin] for basin in BASINS}


def _zone_outlines() -> Outlines:
    found = packaged_outlines("china_climate_zones.geojson", "zone")
    return {zone: found[zone] for zone in CLIMATE_ZONES}


def _box_outlines() -> Outlines:
    return {
        name: shapely.box(west, south, east, north)
        for name, (south, north, west, east) in BOXES.items()
    }


def inside(outlines: Outlines, grid: Grid) -> Masks:
    """Return (H, W) masks of the cell centres in or on each outline, however longitudes count."""
    west, lat = np.meshgrid((np.asarray(grid.lon) + 180) % 360 - 180, grid.lat)
    masks = {name: shapely.intersects_xy(outline, west, lat) for name, outline in outlines.items()}
    for name, outline in outlines.items():
        if outline.bounds[2] > 180:
            masks[name] |= shapely.intersects_xy(outline, west % 360, lat)
    return masks


def _inside_boxes(outlines: Outlines, grid: Grid) -> Masks:
    """Return (H, W) masks of the cell centres in each box, sea and all.

    Southern and western edges are inside and northern and eastern ones are not, so that boxes which
    share an edge share no cell.
    """
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    masks = {}
    for name, outline in outlines.items():
        west, south, east, north = outline.bounds
        masks[name] = (lat >= south) & (lat < north) & ((lon - west) % 360 < east - west)
    return masks


def parted(masks: Masks) -> Masks:
    """Return the masks with every cell in the first that holds it: simplified outlines overlap."""
    taken = np.zeros_like(next(iter(masks.values())))
    parted = {}
    for name, mask in masks.items():
        parted[name] = mask & ~taken
        taken |= mask
    return parted


class RegionSet(NamedTuple):
    """Outlines by name, the (H, W) masks that they make on a grid, and where they are from."""

    outlines: Callable[[], Outlines]
    masks: Callable[[Outlines, Grid], Masks]
    credit: str


REGION_SETS = {  # the words that params.yaml:domain.regions knows
    "basins": RegionSet(basin_outlines, inside, "basin outlines: Li et al. 2024"),
    "world_boxes": RegionSet(_box_outlines, _inside_boxes, "boxes: Qiao et al. 2022"),
    "china_zones": RegionSet(_zone_outlines, inside, "climate zones: after Feng et al. 2022"),
}
