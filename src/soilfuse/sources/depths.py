"""Soil layers of a file, and the share of each in any range of depths.

Moisture is uniform inside a layer, so that what a range holds is linear in thickness. Letter: D
layers.
"""

from pathlib import Path

import numpy as np

from soilfuse.errors import UserError
from soilfuse.sources.netcdf import Stored, opened
from soilfuse.sources.quantities import METRES, ROUNDING


def layers_of(path: Path, provider: str, variable: str) -> tuple[str, np.ndarray]:
    """Return the layer dimension of a variable and its (D, 2) upper and lower depths in m.

    Raises UserError that names the file where there is no such dimension, or where its bounds are
    missing, not in metres, empty or overlapping.
    """
    with opened(path, provider) as file:
        stored = file.variable(variable)
        where = f"{variable} in {path} ({provider})"
        level = _level(stored, where)
        axis = file.variable(level)
        name = str(axis.attributes.get("bounds", f"{level}_bnds"))
        units = str(axis.attributes.get("units", "m"))
        if units not in METRES or name not in file:
            raise UserError(
                f"{level} of {where} has units {units!r} and bounds "
                f"{name if name in file else 'missing'}; expected bounds in m: mend the file"
            )
        return level, _checked(file.variable(name).raw(), f"{name} of {where}")


def shares(bounds: np.ndarray, top: float, bottom: float, where: str) -> np.ndarray:
    """Return (D,) the share of each layer in the range from `top` to `bottom` (m), summing to 1.

    Raises UserError where the layers do not fill the range.
    """
    if not 0.0 <= top < bottom:
        raise UserError(
            f"depths {top:g} to {bottom:g} m are no range; expected 0 or more, and the upper one "
            "first: edit the depths"
        )
    overlap = np.clip(np.minimum(bounds[:, 1], bottom) - np.maximum(bounds[:, 0], top), 0.0, None)
    if overlap.sum() < bottom - top - ROUNDING:
        raise UserError(
            f"layers of {where} cover {overlap.sum():g} m of {top:g} to {bottom:g} m; they reach "
            f"from {bounds.min():g} to {bounds.max():g} m: ask for depths within, or leave the "
            "model out"
        )
    return overlap / overlap.sum()


def overlaps(layers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return (W, L) metres of each of L layers in each of W wanted ones; both are bounds in m."""
    upper = np.maximum(layers[None, :, 0], wanted[:, None, 0])
    lower = np.minimum(layers[None, :, 1], wanted[:, None, 1])
    return np.clip(lower - upper, 0.0, None)


def covered_shares(layers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return (W,) the share of each wanted layer's thickness that the (L, 2) layers cover."""
    return overlaps(layers, wanted).sum(axis=1) / (wanted[:, 1] - wanted[:, 0])


def in_layers(values: np.ndarray, layers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return moisture (T, L, H, W) of (L, 2) layers as (T, D, H, W) of the (D, 2) wanted ones.

    Bounds in m. Each wanted layer holds the mean of what covers it, weighted by thickness; NaN
    where nothing covers it, or where a value that does is NaN.
    """
    metres = overlaps(layers, wanted)
    made = np.full((len(values), len(wanted), *values.shape[2:]), np.nan, values.dtype)
    for place, own in enumerate(metres):
        used = np.flatnonzero(own)
        if used.size:
            weights = (own[used] / own[used].sum()).astype(values.dtype)
            made[:, place] = np.tensordot(values[:, used], weights, axes=(1, 0))
    return made


def _level(stored: Stored, where: str) -> str:
    """Return the name of the dimension besides time, latitude and longitude."""
    others = [name for name in stored.dims[1:-2] if name]
    if len(stored.dims) != 4 or len(others) != 1:
        raise UserError(
            f"{where} has dimensions ({', '.join(stored.dims)}); expected time, depth, lat, lon: "
            "take the file of the layered variable"
        )
    return others[0]


def _checked(bounds: np.ndarray, where: str) -> np.ndarray:
    """Return (D, 2) bounds with the upper depth first; raise UserError where they make no sense."""
    if bounds.ndim == 2 and bounds.shape[1] == 2 and np.isfinite(bounds).all():
        ordered = np.sort(bounds.astype(float), axis=1)
        downwards = ordered[np.argsort(ordered[:, 0])]
        apart = (downwards[1:, 0] >= downwards[:-1, 1] - ROUNDING).all()
        if apart and ordered.min() >= 0.0 and (ordered[:, 1] > ordered[:, 0]).all():
            return ordered
    raise UserError(
        f"{where} are {np.round(bounds, 4).tolist()}; expected an upper and a lower depth in m for "
        "each layer, none overlapping: mend the file"
    )
