"""Gaps that models leave at coasts and lakes, filled from the nearest land as far as is allowed."""

import numpy as np
from scipy.ndimage import distance_transform_edt


def fill_gaps(values: np.ndarray, fill_cells: int) -> tuple[np.ndarray, int]:
    """Return (T, h, w) with empty cells given the series of the nearest land cell, and their count.

    Only cells that are empty in all months are filled, and only from within `fill_cells` cells
    (straight distance in cells).
    """
    empty = np.isnan(values).all(axis=0)
    if not empty.any() or empty.all() or fill_cells == 0:
        return values, 0
    distance, (row, column) = distance_transform_edt(empty, return_indices=True)
    near = empty & (distance <= fill_cells)
    filled = values.copy()
    filled[:, near] = values[:, row[near], column[near]]
    return filled, int(near.sum())
