"""Sparse interpolation weights between longitude-latitude grids, and their use with gaps.

Plain linear interpolation widens every gap by a cell; here a target value is the weighted sum of
the valid values over the weighted sum of validity, so that a cell is empty only where all its
sources are.
Letters: h, w source latitudes and longitudes; H, W target; T times.
"""

import numpy as np
import scipy.sparse

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid, cell_bounds

NO_WEIGHT = 1e-9  # a total weight of valid sources below this is rounding


def bilinear(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return (H*W, h*w) bilinear weights from ascending, not necessarily even, axes in degrees.

    Longitudes may count 0-360 or -180-180, whatever the grid's. A target centre beyond the outer
    source centres takes the edge's value if it is within half a source cell of it; farther away
    raises UserError that names both extents.
    """
    aligned, columns = _aligned_longitudes(lon, grid.lon)
    north_south = _linear_weights(np.asarray(lat, dtype=float), grid.lat, "latitude")
    west_east = _linear_weights(aligned, grid.lon, "longitude") @ columns
    return scipy.sparse.csr_array(scipy.sparse.kron(north_south, west_east, format="csr"))


def conservative(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return (H*W, h*w) area-overlap weights, rows summing to 1, for a source finer than the grid.

    Separable: overlap in longitude times overlap in the sine of latitude. Raises UserError where a
    target cell's centre lies outside the source's cells. A coarse source would only be copied
    (nearest neighbour): use `bilinear` there, or let `regridding` choose.
    """
    aligned, columns = _aligned_longitudes(lon, grid.lon)
    lat = np.asarray(lat, dtype=float)
    _require_inside(lat, grid.lat, "latitude")
    _require_inside(aligned, grid.lon, "longitude")
    north_south = _overlap(_sine(cell_bounds(lat)), _sine(grid.lat_bounds))
    west_east = _overlap(cell_bounds(aligned), grid.lon_bounds) @ columns
    return scipy.sparse.csr_array(scipy.sparse.kron(north_south, west_east, format="csr"))


def regridding(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return conservative weights for a source at least as fine as the grid, else bilinear."""
    finer = np.diff(lat).mean() <= np.diff(grid.lat).mean() * (1 + 1e-6)
    finer &= np.diff(lon).mean() <= np.diff(grid.lon).mean() * (1 + 1e-6)
    return conservative(lat, lon, grid) if finer else bilinear(lat, lon, grid)


def interpolate(weights: scipy.sparse.csr_array, field: np.ndarray, grid: Grid) -> np.ndarray:
    """Return (T, H, W) float32 of a (T, h, w) field: value x valid over valid; NaN where no source.

    weights: (H*W, h*w) from `bilinear` or `conservative` for this grid.
    """
    flat = np.asarray(field, dtype=float).reshape(field.shape[0], -1)
    valid = np.isfinite(flat)
    total = weights @ np.where(valid, flat, 0.0).T
    # Land masks seldom change with time: one column of validity then serves all months.
    steady = bool((valid == valid[:1]).all())
    share = weights @ (valid[:1] if steady else valid).T.astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = np.where(share > NO_WEIGHT, total / share, np.nan)
    return np.ascontiguousarray(values.T, dtype=np.float32).reshape(-1, *grid.shape)


def _linear_weights(source: np.ndarray, target: np.ndarray, axis: str) -> scipy.sparse.csr_array:
    """Return (N, n) weights of the two source centres around each target centre."""
    _require_inside(source, target, axis)
    right = np.clip(np.searchsorted(source, target), 1, source.size - 1)
    left = right - 1
    share = np.clip((target - source[left]) / (source[right] - source[left]), 0.0, 1.0)
    rows = np.arange(target.size)
    weights = scipy.sparse.coo_array(
        (
            np.concatenate([1 - share, share]),
            (np.concatenate([rows, rows]), np.concatenate([left, right])),
        ),
        shape=(target.size, source.size),
    ).tocsr()
    weights.eliminate_zeros()
    return weights


def _overlap(source: np.ndarray, target: np.ndarray) -> scipy.sparse.csr_array:
    """Return (N, n): the share of each target interval (N, 2) in each source interval (n, 2)."""
    upper = np.minimum(target[:, None, 1], source[None, :, 1])
    lower = np.maximum(target[:, None, 0], source[None, :, 0])
    length = np.clip(upper - lower, 0.0, None)
    length[length < 1e-9 * (target[:, 1] - target[:, 0])[:, None]] = 0.0
    return scipy.sparse.csr_array(length / length.sum(axis=1, keepdims=True))


def _aligned_longitudes(
    lon: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, scipy.sparse.csr_array]:
    """Return ascending longitudes in the target's convention, and (n', n) the columns they copy.

    A source that goes round the globe is continued by one column on either side.
    """
    lon = np.asarray(lon, dtype=float)
    centre = (target[0] + target[-1]) / 2
    turned = (lon - centre + 180) % 360 + centre - 180
    order = np.argsort(turned, kind="stable")
    turned = turned[order]
    if turned.size > 2 and turned[0] + 360 - turned[-1] < 1.5 * np.diff(turned).max():
        turned = np.concatenate([[turned[-1] - 360], turned, [turned[0] + 360]])
        order = np.concatenate([[order[-1]], order, [order[0]]])
    columns = scipy.sparse.csr_array(
        (np.ones(order.size), (np.arange(order.size), order)), shape=(order.size, lon.size)
    )
    return turned, columns


def _require_inside(source: np.ndarray, target: np.ndarray, axis: str) -> None:
    if source.size < 2:
        raise UserError(
            f"one {axis} only ({source[0]:g}) where the grid needs {target.min():g} to "
            f"{target.max():g}; expected two or more: take files that cover the domain and a margin"
        )
    first, last = cell_bounds(source)[[0, -1], [0, 1]]
    if target.min() < first - 1e-6 or target.max() > last + 1e-6:
        raise UserError(
            f"source cells span {axis} {first:.3f} to {last:.3f}; the grid needs "
            f"{target.min():g} to {target.max():g}: take files that cover the domain, "
            "or shrink params.yaml:domain"
        )


def _sine(degrees: np.ndarray) -> np.ndarray:
    return np.sin(np.deg2rad(np.clip(degrees, -90.0, 90.0)))
