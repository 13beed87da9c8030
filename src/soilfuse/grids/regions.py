"""The three basins of the Three-River-Source Region (TRSR) on a grid.

Outlines (EPSG:4326, lon lat) are simplified from the 0.1 degree masks published with UNet-GAN (Li
et al. 2024, MIT licence); basins.geojson carries that attribution.
"""

import json
from importlib import resources

import numpy as np
import shapely

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid

BASINS = ("yangtze", "yellow", "lancang")
REGION = "TRSR"  # the union of the basins


def basin_outlines() -> dict[str, shapely.Geometry]:
    """Return the polygon of each basin (lon, lat in degrees) in the order of BASINS."""
    text = resources.files("soilfuse.grids").joinpath("basins.geojson").read_text("utf-8")
    found = {
        feature["properties"]["basin"]: shapely.geometry.shape(feature["geometry"])
        for feature in json.loads(text)["features"]
    }
    return {basin: found[basin] for basin in BASINS}


def basin_mask(grid: Grid) -> np.ndarray:
    """Return (H, W) int8: 0 outside, else 1 + the index in BASINS of the cell centre's basin.

    Outlines overlap in a few cells; the first basin of BASINS wins there. A centre on an outline
    is inside. Raises UserError where no centre lies in any basin.
    """
    lon, lat = np.meshgrid((np.asarray(grid.lon) + 180) % 360 - 180, grid.lat)
    mask = np.zeros(grid.shape, dtype=np.int8)
    for number, outline in enumerate(basin_outlines().values(), start=1):
        inside = shapely.intersects_xy(outline, lon, lat)
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
