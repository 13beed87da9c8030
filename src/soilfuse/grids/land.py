"""Which cells of a grid are land, by outlines of our own that suit cells of a degree or more."""

import numpy as np
import shapely

from soilfuse.grids.grid import Grid
from soilfuse.grids.outlines import packaged_outlines
from soilfuse.grids.region_sets import Outlines, inside

ICE_SHEETS = ("greenland", "antarctica")


def land_outlines(without: tuple[str, ...] = ()) -> Outlines:
    """Return the polygon of each continent and larger island (lon, lat in degrees) by name."""
    found = packaged_outlines("land.geojson", "land")
    return {name: outline for name, outline in found.items() if name not in without}


def land_mask(grid: Grid, without: tuple[str, ...] = ICE_SHEETS) -> np.ndarray:
    """Return (H, W) bool, True where a cell's centre is on land, the ice sheets left out."""
    masks = inside(land_outlines(without), grid)
    return np.logical_or.reduce(list(masks.values()))


def coast_lines(without: tuple[str, ...] = ICE_SHEETS) -> Outlines:
    """Return single polygons as maps from 180W to 180E draw them, cut where they pass the seam."""
    shown = {}
    for name, outline in land_outlines(without).items():
        beyond = shapely.clip_by_rect(outline, 180, -90, 540, 90)
        turned = shapely.transform(beyond, lambda xy: xy - [360, 0])
        west = shapely.clip_by_rect(outline, -180, -90, 180, 90)
        for number, part in enumerate(shapely.get_parts([west, turned])):
            shown[f"{name}_{number}"] = part
    return shown
