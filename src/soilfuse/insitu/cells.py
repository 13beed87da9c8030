"""Where stations stand on the grid."""

import numpy as np
import pandas as pd

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


def stations_outside(stations: pd.DataFrame, grid: Grid) -> list[str]:
    """Return 'network/station (lat, lon)' of each station that no cell of the grid holds.

    stations: columns network, station, lat, lon.
    """
    places = stations.drop_duplicates(["network", "station"])
    inside = nearest_cells(grid, places["lat"].to_numpy(), places["lon"].to_numpy())[2]
    return [
        f"{row.network}/{row.station} ({row.lat:g}N {row.lon:g}E)"
        for row in places[~inside].itertuples()
    ]
