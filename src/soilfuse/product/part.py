"""Which part of a product is taken out of it: years, layers, regions, a box."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5netcdf
import numpy as np

from soilfuse.errors import UserError, unknown
from soilfuse.product import layout
from soilfuse.product.static_fields import NO_REGION


@dataclass(frozen=True)
class Part:
    """What is wanted of a product; what is empty means all of it.

    years: first and last; layers: numbers from 1, the uppermost; regions: words of the file's
    flag_meanings; box: west, south, east, north in the degrees of the file's axes.
    """

    years: tuple[int, int] | None = None
    layers: Sequence[int] = ()
    regions: Sequence[str] = ()
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Places:
    """Where a part lies: indices along each dimension, and the (h, w) cells that keep their values.

    inside is None where all cells of the part do; words: the part as a history tells it.
    """

    indices: dict[str, np.ndarray]
    inside: np.ndarray | None
    words: str

    @property
    def sizes(self) -> dict[str, int]:
        """The length of each dimension."""
        return {dim: places.size for dim, places in self.indices.items()}


def places_of(file: h5netcdf.File, part: Part, path: Path) -> Places:
    """Return where a part lies in a product.

    Raises UserError, with a line for each, for years, layers, regions or a box that it has not.
    """
    indices = {name: np.arange(dim.size) for name, dim in file.dimensions.items()}
    problems: list[str] = []
    if part.years:
        indices["time"] = _months(file, part.years, path, problems)
    if part.layers:
        indices["depth"] = _layers(part.layers, indices["depth"].size, path, problems)
    if part.box:
        indices["lat"], indices["lon"] = _cells(file, part.box, path, problems)
    mask = _mask(file, part.regions, problems) if part.regions else None
    if problems:
        raise UserError(*problems)
    inside = None if mask is None else _around(mask, indices, part.regions, path)
    return Places(indices, inside, _words(part))


def _words(part: Part) -> str:
    words = []
    if part.years:
        words.append("years {}-{}".format(*part.years))
    if part.layers:
        words.append(f"layers {' '.join(map(str, sorted(set(part.layers))))}")
    if part.box:
        words.append("box {:g} {:g} {:g} {:g}".format(*part.box))
    if part.regions:
        words.append(f"region {' '.join(part.regions)}")
    return ", ".join(words)


def _around(
    mask: np.ndarray, indices: dict[str, np.ndarray], regions: Sequence[str], path: Path
) -> np.ndarray:
    """Narrow lat and lon to the cells of a (H, W) mask; return the mask there."""
    within = mask[np.ix_(indices["lat"], indices["lon"])]
    if not within.any():
        raise UserError(
            f"no cell of region {' and '.join(regions)} lies in the box of {path}, or in its grid: "
            "widen --box, or leave it out"
        )
    rows, columns = (np.flatnonzero(within.any(axis=axis)) for axis in (1, 0))
    lat, lon = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    indices["lat"], indices["lon"] = indices["lat"][lat], indices["lon"][lon]
    return within[lat, lon]


def _months(
    file: h5netcdf.File, years: tuple[int, int], path: Path, problems: list[str]
) -> np.ndarray:
    days = file.variables["time_bnds"][:, 0].astype(int)
    held = (layout.EPOCH + days).astype("datetime64[Y]").astype(int) + 1970
    if not held[0] <= years[0] <= years[1] <= held[-1]:
        problems.append(
            f"{path} holds {held[0]}-{held[-1]}, not all of {years[0]}-{years[1]}; expected years "
            "within: edit --years, or take another product"
        )
    return np.flatnonzero((held >= years[0]) & (held <= years[1]))


def _layers(layers: Sequence[int], held: int, path: Path, problems: list[str]) -> np.ndarray:
    if wrong := [layer for layer in layers if not 1 <= layer <= held]:
        problems.append(
            f"{path} has no layer {', '.join(map(str, wrong))}; expected numbers of 1 (uppermost) "
            f"to {held}: edit --layers"
        )
    return np.unique(layers) - 1


def _cells(
    file: h5netcdf.File, box: Sequence[float], path: Path, problems: list[str]
) -> tuple[np.ndarray, np.ndarray]:
    lat, lon = file.variables["lat"][...], file.variables["lon"][...]
    rows = np.flatnonzero((lat >= box[1]) & (lat <= box[3]))
    columns = np.flatnonzero((lon >= box[0]) & (lon <= box[2]))
    if not (rows.size and columns.size):
        problems.append(
            f"no cell centre of {path} lies in the box {','.join(f'{edge:g}' for edge in box)}; "
            f"they are at {lon[0]:g} to {lon[-1]:g} E, {lat[0]:g} to {lat[-1]:g} N: edit --box, "
            "which is west,south,east,north"
        )
    return rows, columns


def _mask(file: h5netcdf.File, regions: Sequence[str], problems: list[str]) -> np.ndarray | None:
    """Return the (H, W) cells of the regions, None where a word is none of the file's."""
    variable = file.variables["region"]
    values = np.atleast_1d(variable.attrs["flag_values"])
    numbers = dict(zip(str(variable.attrs["flag_meanings"]).split(), values, strict=True))
    del numbers[NO_REGION]
    if wrong := [word for word in regions if word not in numbers]:
        problems += [unknown("region", word, numbers, "--region") for word in wrong]
        return None
    return np.isin(variable[...], [numbers[word] for word in regions])
