"""A part of a product's variables, copied block by block into a new file of any form."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import h5netcdf
import numpy as np

from soilfuse.errors import UserError
from soilfuse.product import layout
from soilfuse.product.part import Places

FILL = "_FillValue"


@dataclass(frozen=True)
class Described:
    """A variable as it is to be written."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: np.dtype
    fill: Any
    attributes: dict[str, Any]

    @property
    def monthly(self) -> bool:
        """Whether it has maps of many months; all others are small."""
        return self.dims[0:1] == ("time",) and self.dims[-2:] == ("lat", "lon")

    def chunks(self, tile: tuple[int, int]) -> tuple[int, ...] | None:
        """Return the chunk of a monthly variable, None of a small one."""
        return layout.chunks_of(self.shape, tile) if self.monthly else None


class Written(Protocol):
    """A variable of the new file."""

    def __setitem__(self, at: Any, values: np.ndarray) -> None:
        """Write values at a place."""


Create = Callable[[Described], Written]


def copy(
    file: h5netcdf.File,
    product: Path,
    places: Places,
    create: Create,
    after: Callable[[], None] = lambda: None,
) -> None:
    """Create every variable, and copy its part of the product block by block.

    after: called after each block. Raises UserError where the product's bytes are damaged.
    """
    for name, variable in file.variables.items():
        one = _described(name, variable, places)
        made = create(one)
        for at, values in _read(_blocks(one, variable, places), product):
            if places.inside is not None and one.fill is not None:
                values = np.where(places.inside, values, one.fill)
            made[at] = values
            after()


def _described(name: str, variable: h5netcdf.Variable, places: Places) -> Described:
    attributes = {key: text_of(value) for key, value in variable.attrs.items()}
    fill = attributes.pop(FILL, None)
    dims = tuple(variable.dimensions)
    shape = tuple(places.sizes[dim] for dim in dims)
    return Described(name, dims, shape, variable.dtype, fill, attributes)


def _blocks(
    one: Described, variable: h5netcdf.Variable, places: Places
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield places in the part and their values: a row of chunks of a layer, or all of a field."""
    dims, at = one.dims, places.indices
    if not one.monthly:
        yield ..., variable[...][np.ix_(*(at[dim] for dim in dims))]
        return
    lat, lon = (slice(at[dim][0], at[dim][-1] + 1) for dim in ("lat", "lon"))
    layers = list(enumerate(at["depth"])) if "depth" in dims else []
    for start in range(0, at["time"].size, layout.TIME_CHUNK):
        months = at["time"][start : start + layout.TIME_CHUNK]
        rows, span = slice(start, start + months.size), slice(months[0], months[-1] + 1)
        for number, layer in layers:
            yield (rows, number), variable[span, layer, lat, lon]
        if not layers:
            yield (rows,), variable[span, lat, lon]


def _read(
    blocks: Iterator[tuple[Any, np.ndarray]], product: Path
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield the blocks; what fails here is the reading, not the writing."""
    while True:
        try:
            block = next(blocks, None)
        except (OSError, RuntimeError) as error:
            raise UserError(unreadable(product, error)) from None
        if block is None:
            return
        yield block


def text_of(value: Any) -> Any:
    """Return a text of one letter as text, which h5netcdf takes for bytes."""
    return value.decode() if isinstance(value, bytes) else value


def unreadable(product: Path, error: Exception) -> str:
    """Return the line for a product that cannot be read."""
    return f"{product} is no readable NetCDF-4 file ({error}); run `dvc checkout {product}`"
