"""Sparse interpolation weights between longitude-latitude grids, and their use with gaps.

Plain linear interpolation widens every gap by a cell; here a target value is the weighted sum of
the valid values over the weighted sum of validity, so that a cell is empty only where all its
sources are.
Letters: h, w source latitudes and longitudes; H, W target; T times.
"""

import numpy as np
import scipy.sparse

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid, cell_bounds, latitude_bounds

CHUNK_MONTHS = 16  # whose products stay in the processor's cache
NO_WEIGHT = 1e-9  # a total weight of valid sources below this is rounding


def bilinear(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return (H*W, h*w) bilinear weights from ascending, not necessarily even, axes in degrees.

    Longitudes may count 0-360 or -180-180, whatever the grid's; round the globe they have no seam.
    A target centre beyond the outer source centres takes the edge's value if it lies in the edge's
    cell, which is half a source cell or reaches the pole; farther away raises UserError that names
    both extents.
    """
    lat = np.asarray(lat, dtype=float)
    aligned, columns = _aligned_longitudes(lon, grid)
    _require_inside(lat, grid.lat, "latitude")
    _require_inside(aligned, grid.lon, "longitude")
    north_south = _linear_weights(lat, grid.lat)
    west_east = _linear_weights(aligned, grid.lon) @ columns
    return scipy.sparse.csr_array(scipy.sparse.kron(north_south, west_east, format="csr"))


def conservative(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return (H*W, h*w) area-overlap weights, rows summing to 1, for a source finer than the grid.

    Separable: overlap in longitude times overlap in the sine of latitude. Raises UserError where a
    target cell's centre lies outside the source's cells. A coarse source would only be copied
    (nearest neighbour): use `bilinear` there, or let `regridding` choose.
    """
    lat = np.asarray(lat, dtype=float)
    aligned, columns = _aligned_longitudes(lon, grid)
    _require_inside(lat, grid.lat, "latitude")
    _require_inside(aligned, grid.lon, "longitude")
    north_south = _overlap(_sine(latitude_bounds(lat)), _sine(grid.lat_bounds))
    west_east = _overlap(cell_bounds(aligned), grid.lon_bounds) @ columns
    return scipy.sparse.csr_array(scipy.sparse.kron(north_south, west_east, format="csr"))


def regridding(lat: np.ndarray, lon: np.ndarray, grid: Grid) -> scipy.sparse.csr_array:
    """Return conservative weights for a source at least as fine as the grid, else bilinear."""
    finer = np.diff(lat).mean() <= np.diff(grid.lat).mean() * (1 + 1e-6)
    finer &= np.diff(lon).mean() <= np.diff(grid.lon).mean() * (1 + 1e-6)
    return conservative(lat, lon, grid) if finer else bilinear(lat, lon, grid)


def interpolate(
    weights: scipy.sparse.csr_array,
    field: np.ndarray,
    grid: Grid,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Return (T, H, W) float32 of a (T, h, w) field: value x valid over valid; NaN where no source.

    weights: (H*W, h*w) from `bilinear` or `conservative` for this grid; out: where to put the
    result, a part of a larger array for instance.
    """
    if out is None:
        out = np.empty((field.shape[0], *grid.shape), np.float32)
    for start in range(0, len(field), CHUNK_MONTHS):
        here = slice(start, start + CHUNK_MONTHS)
        _interpolate(weights, field[here], out[here])
    return out


def _interpolate(weights: scipy.sparse.csr_array, field: np.ndarray, out: np.ndarray) -> None:
    flat = np.ascontiguousarray(field.reshape(field.shape[0], -1).T, dtype=float)
    valid = np.isfinite(flat)
    if valid.all():
        values = weights @ flat
    else:
        values = weights @ np.where(valid, flat, 0.0)
        values /= _valid_share(weights, valid)
    out[...] = values.T.reshape(out.shape)


def _valid_share(weights: scipy.sparse.csr_array, valid: np.ndarray) -> np.ndarray:
    """Return the total weight of the valid sources (h*w, T) of each target cell, NaN for none."""
    # Land masks seldom change with time: one column of validity then serves all months.
    steady = bool((valid == valid[:, :1]).all())
    share = weights @ (valid[:, :1] if steady else valid).astype(float)
    return np.where(share > NO_WEIGHT, share, np.nan)


def _linear_weights(source: np.ndarray, target: np.ndarray) -> scipy.sparse.csr_array:
    """Return (N, n) weights of the two source centres around each target centre."""
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


def _aligned_longitudes(lon: np.ndarray, grid: Grid) -> tuple[np.ndarray, scipy.sparse.csr_array]:
    """Return ascending longitudes in the grid's convention, and (n', n) the columns they copy.

    A source that goes round the globe goes on beyond its seam, a column farther than the grid.
    """
    lon = np.asarray(lon, dtype=float)
    turned = grid.turned(lon)
    order = np.argsort(turned, kind="stable")
    turned = turned[order]
    step = np.diff(turned).max(initial=0.0)
    if turned.size > 2 and turned[0] + 360 - turned[-1] < 1.5 * step:
        west, east = grid.lon_bounds[[0, -1], [0, 1]]
        turned = np.concatenate([turned - 360, turned, turned + 360])
        needed = (turned > west - 1.5 * step) & (turned < east + 1.5 * step)
        turned, order = turned[needed], np.tile(order, 3)[needed]
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
    bounds = latitude_bounds(source) if axis == "latitude" else cell_bounds(source)
    first, last = bounds[[0, -1], [0, 1]]
    if target.min() < first - 1e-6 or target.max() > last + 1e-6:
        raise UserError(
            f"source cells span {axis} {first:.3f} to {last:.3f}; the grid needs "
            f"{target.min():g} to {target.max():g}: take files that cover the domain, "
            "or shrink params.yaml:domain"
        )


def _sine(degrees: np.ndarray) -> np.ndarray:
    return np.sin(np.deg2rad(degrees))
