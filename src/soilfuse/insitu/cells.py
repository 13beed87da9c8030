"""Where stations stand on the grid."""

import numpy as np

from soilfuse.grids.grid import Grid


def nearest_cells(
    grid: Grid, lat: np.ndarray, lon: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) row, (N,) column of the cell that holds each point, and (N,) whether one does.

    lat, lon: (N,) degrees, longitudes in either convention. Points outside the grid's cell edges
    get the nearest edge cell and False.
    """
    west, east = grid.lon_bounds[0, 0], grid.lon_bounds[-1, 1]
    south, north = grid.lat_bounds[0, 0], grid.lat_bounds[-1, 1]
    lat = np.asarray(lat, dtype=float)
    lon = (np.asarray(lon, dtype=float) - west) % 360 + west
    inside = (lat >= south) & (lat <= north) & (lon <= east)
    rows = np.searchsorted(grid.lat_bounds[:, 1], lat).clip(max=grid.lat.size - 1)
    columns = np.searchsorted(grid.lon_bounds[:, 1], lon).clip(max=grid.lon.size - 1)
    return rows, columns, inside
