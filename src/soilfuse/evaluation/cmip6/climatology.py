"""Mean maps, ratio of bias, regional series and annual cycles.

Letters: T months, H, W cells.
"""

from collections.abc import Mapping

import numpy as np

from soilfuse.grids.grid import Grid
from soilfuse.grids.land import land_mask
from soilfuse.grids.region_sets import BOXES, REGION_SETS

HEMISPHERES = ("NH", "SH")
REGIONS = (*BOXES, *HEMISPHERES)


def masks_of(grid: Grid) -> dict[str, np.ndarray]:
    """Return (H, W) land of each box and hemisphere, without Greenland and Antarctica."""
    land = land_mask(grid)
    boxes = REGION_SETS["world_boxes"]
    masks = {name: box & land for name, box in boxes.masks(boxes.outlines(), grid).items()}
    north = np.broadcast_to(grid.lat[:, None] > 0, grid.shape)
    return masks | {"NH": land & north, "SH": land & ~north}


def mean_map(field: np.ndarray) -> np.ndarray:
    """Return the (H, W) mean over months of (T, H, W); NaN where a month is missing."""
    return np.asarray(field.mean(axis=0, dtype=np.float64))


def ratio_of_bias(model: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return (model - reference) / model; NaN where the model is 0 or either is missing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(model != 0, (model - reference) / model, np.nan))


def regional_series(
    field: np.ndarray, masks: Mapping[str, np.ndarray], area: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the (T,) area-weighted mean of (T, H, W) in each region, over its valid cells.

    NaN where a region has none. Cells valid in some months only do not count at all, or the mean
    would jump with them.
    """
    whole = np.isfinite(field).all(axis=0)
    series = {}
    for region, mask in masks.items():
        cells = mask & whole
        weight = area[cells]
        values = field[:, cells].astype(np.float64)
        empty = np.full(len(field), np.nan)
        series[region] = values @ weight / weight.sum() if cells.any() else empty
    return series


def cells_of(field: np.ndarray, masks: Mapping[str, np.ndarray]) -> dict[str, tuple[int, int]]:
    """Return how many cells of (T, H, W) count in each region's series, and how many do not."""
    whole = np.isfinite(field).all(axis=0)
    return {
        region: (int((mask & whole).sum()), int((mask & ~whole).sum()))
        for region, mask in masks.items()
    }


def annual_cycle(series: np.ndarray) -> np.ndarray:
    """Return (12,) means of each calendar month of (T,) months that begin with a January."""
    return np.asarray(series.reshape(-1, 12).mean(axis=0))
