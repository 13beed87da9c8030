"""How much detail of each size a field has: its power by wavelength, beside the target's.

Each month's field over all regions loses its mean there, is 0 outside, is tapered by a Hann window
over the rectangle around the regions, and goes through a two-dimensional Fourier transform; power
is summed over rings of wave number. The regions' outline adds power of its own, the same for every
method: ratios to the target compare methods; the power itself is not that of an endless field.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from soilfuse.evaluation.blocks import FINAL, OUT_OF_FOLD, blocks_of
from soilfuse.evaluation.cells import Cells
from soilfuse.grids.grid import EARTH_RADIUS_KM, Grid
from soilfuse.names import TARGET

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

COLUMNS = ["method", "block", "layer", "wavelength_km", "power", "ratio", "n", "n_filled"]
CHUNK_MONTHS = 24


@dataclass(frozen=True)
class Rings:
    """Where regional fields go in a rectangle, and which ring each of its wave numbers falls in.

    places: (C,) of the regions' cells in the rectangle `shape`; cells: (C,) of them among the
    field's own; window: (H, W) weights; ring: (H, W/2 + 1) numbers, K where a wave is shorter than
    two cells of the coarser side; share: (H, W/2 + 1), 2 where a real field's transform leaves
    out the mirrored half; wavelength: (K,) km of the rings' middles.
    """

    cells: np.ndarray
    places: np.ndarray
    shape: tuple[int, int]
    window: np.ndarray
    ring: np.ndarray
    share: np.ndarray
    wavelength: np.ndarray


def spacing_km(grid: Grid) -> tuple[float, float]:
    """Return the distance between rows and, at the middle latitude, between columns in km."""
    degree = np.pi * EARTH_RADIUS_KM / 180
    steps = [np.diff(axis[:2]).sum() for axis in (grid.lat, grid.lon)]
    dy, dx = (step or max(steps) for step in steps)  # a single row or column has no step
    return float(dy * degree), float(dx * degree * np.cos(np.deg2rad(grid.lat.mean())))


def rings_of(grid: Grid, mask: np.ndarray) -> Rings:
    """Lay out the rings of the cells in a mask: that of the grid (H, W), or (1, C) of its Cells.

    Rings are as wide as the longest wave number of the rectangle is large. Only the rectangle
    around the mask is looked at.
    """
    own = np.flatnonzero(mask.ravel())
    flat = grid.flat[own] if isinstance(grid, Cells) else own
    row, column = np.divmod(flat, grid.lon.size)
    row, column = row - row.min(), column - column.min()
    shape = int(row.max()) + 1, int(column.max()) + 1
    dy, dx = spacing_km(grid)
    ky, kx = np.fft.fftfreq(shape[0], dy)[:, None], np.fft.rfftfreq(shape[1], dx)[None]
    k, step = np.hypot(ky, kx), 1 / max(shape[0] * dy, shape[1] * dx)
    last = int(np.floor(0.5 / max(dy, dx) / step + 1e-9))
    ring = np.rint(k / step).astype(int) - 1
    ring[(ring < 0) | (ring >= last)] = last
    share = np.full(k.shape, 2.0)
    share[:, 0] = 1
    if shape[1] % 2 == 0:
        share[:, -1] = 1
    # Ends above 0, so that no cell of a small region is lost.
    taper = [np.sin(np.pi * (np.arange(n) + 0.5) / n) ** 2 for n in shape]
    wavelength = 1 / (step * np.arange(1, last + 1))
    places = row * shape[1] + column
    return Rings(own, places, shape, np.outer(*taper), ring, share, wavelength)


class Power(NamedTuple):
    """Power of each ring (D, K), months that have it (D,), and missing values filled in (D,)."""

    mean: np.ndarray
    months: np.ndarray
    filled: np.ndarray


def radial_power(fields: np.ndarray, rings: Rings) -> Power:
    """Return the power of each ring, averaged over months: (T, D, H, W) in m3 m-3.

    The sum over all waves is the mean square of the tapered field (Parseval). A missing cell takes
    the field's mean of its month; a month without any value does not count, and power is NaN where
    no month has one.
    """
    months, layers = fields.shape[:2]
    count, size = rings.wavelength.size, int(np.prod(rings.shape))
    total = np.zeros((layers, count + 1))
    counted, filled = np.zeros(layers, int), np.zeros(layers, int)
    flat = fields.reshape(months, layers, -1)
    index = np.arange(layers)[:, None] * (count + 1) + rings.ring.ravel()
    for start in range(0, months, CHUNK_MONTHS):
        values = flat[start : start + CHUNK_MONTHS][:, :, rings.cells].astype(np.float64)
        valid = np.isfinite(values)
        known = valid.any(axis=-1, keepdims=True)
        counted += known.sum(axis=(0, 2))
        filled += (~valid & known).sum(axis=(0, 2))
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.where(valid, values, 0).sum(-1, keepdims=True) / valid.sum(-1, keepdims=True)
        box = np.zeros((*values.shape[:2], size))
        box[:, :, rings.places] = np.where(valid, values - mean, 0)
        waves = np.fft.rfft2(box.reshape(*values.shape[:2], *rings.shape) * rings.window)
        power = (rings.share * np.abs(waves) ** 2).sum(axis=0) / size**2
        total += np.bincount(index.ravel(), power.ravel(), total.size).reshape(total.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        return Power(total[:, :count] / counted[:, None], counted, filled)


def _rows(name: str, block: str, power: Power, target: Power, rings: Rings) -> pd.DataFrame:
    layer, ring = np.indices(power.mean.shape).reshape(2, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(target.mean > 0, power.mean / target.mean, np.nan)
    return pd.DataFrame(
        {
            "method": name,
            "block": block,
            "layer": layer + 1,
            "wavelength_km": rings.wavelength[ring],
            "power": power.mean.ravel(),
            "ratio": ratio.ravel(),
            "n": power.months[layer],
            "n_filled": power.filled[layer],
        }
    )


def spectra(judged: "Judged") -> dict[str, pd.DataFrame]:
    """Return the power of target and methods by layer and wavelength, over all regions."""
    material = judged.material
    rings = rings_of(material.grid, material.regions[material.whole])
    tables = []
    for name in (OUT_OF_FOLD, FINAL):
        target = None
        for block in blocks_of(judged, name):
            if target is None:
                target = radial_power(block.truth, rings)
                tables.append(_rows(TARGET, name, target, target, rings))
            power = radial_power(block.prediction, rings)
            tables.append(_rows(block.method, name, power, target, rings))
    return {"spectrum": pd.concat(tables, ignore_index=True)[COLUMNS]}
