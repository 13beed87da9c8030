"""Coarse cells that are blocks of fine ones. Letters: H, W fine; h, w coarse; b cells a side."""

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid


def coarse_of(grid: Grid, block: int) -> Grid:
    """Return the grid of blocks of b x b cells; raise UserError where they do not fill it."""
    if block < 1 or any(size % block for size in grid.shape):
        raise UserError(
            f"{grid.shape[0]} x {grid.shape[1]} cells make no blocks of {block} x {block}; "
            "expected a side that divides both: edit params.yaml:sample.block"
        )
    lat, lon = (axis.reshape(-1, block).mean(axis=1).round(6) for axis in (grid.lat, grid.lon))
    return Grid(lat, lon)


def block_means(values: np.ndarray, block: int) -> np.ndarray:
    """Return (..., h, w) means over the blocks of (..., H, W)."""
    *leading, height, width = values.shape
    parts = values.reshape(*leading, height // block, block, width // block, block)
    return np.asarray(parts.mean(axis=(-3, -1)))


def spread_over(coarse: np.ndarray, block: int) -> np.ndarray:
    """Return (..., H, W): each coarse cell's value in all its fine cells."""
    return np.asarray(coarse.repeat(block, axis=-2).repeat(block, axis=-1))
