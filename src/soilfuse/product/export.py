"""A product, or a part of it, as a NetCDF file or a Zarr store of its own, streamed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import h5netcdf
import numpy as np

from soilfuse import __version__
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_file, tree_written_aside
from soilfuse.product import layout
from soilfuse.product.checks import absent
from soilfuse.product.copying import Described, Written, copy, text_of, unreadable
from soilfuse.product.gate import lacking
from soilfuse.product.part import Part, Places, places_of
from soilfuse.product.writer import COMPRESSION
from soilfuse.room import room_aside

NETCDF, ZARR = SUFFIXES = (".nc", ".zarr")
ZARR_FORMAT: Literal[2] = 2  # with consolidated metadata, which format 3 has not standardised


def export(product: Path, target: Path, part: Part, force: bool = False) -> dict[str, int]:
    """Write a part of a product to `target`, .nc or a folder .zarr; return its sizes by dimension.

    Numbers, attributes and packing are the product's, bit for bit; history tells the part. A region
    cuts the grid to the cells around it and leaves rounded variables missing outside of it. Needs
    the memory of some years of a layer. UserError for a target that is there, unless `force`, for
    one of another kind, for a part that the product has not, and for a file that is no product;
    `target` is then as before.
    """
    product, target = Path(product), Path(target)
    _require_target(product, target, force)
    if not product.is_file():
        raise UserError(absent(product))
    try:
        file = h5netcdf.File(product, "r")
    except OSError as error:
        raise UserError(unreadable(product, error)) from None
    with file:
        if missing := lacking(file):
            raise UserError(
                f"{product} lacks variable {', '.join(missing)}; expected a product of soilfuse"
            )
        places = places_of(file, part, product)
        write = _write_netcdf if target.suffix == NETCDF else _write_zarr
        write(target, file, product, places)
    return {dim: places.sizes[dim] for dim in layout.AXES}


def _require_target(product: Path, target: Path, force: bool) -> None:
    if target.suffix not in SUFFIXES:
        raise UserError(
            f"target {target} has suffix {target.suffix!r}; expected one of {', '.join(SUFFIXES)}"
        )
    if not target.exists() and not target.is_symlink():
        return
    if target.resolve() == product.resolve():
        raise UserError(f"{target} is the product itself; expected another file: name one")
    if not force:
        raise UserError(f"{target} is there already; remove it, name another, or give --force")
    ours = (target / ".zgroup").is_file() if target.suffix == ZARR else target.is_file()
    if not ours:
        kind = "a Zarr store" if target.suffix == ZARR else "a file"
        raise UserError(f"{target} is not {kind}, which --force could replace: name another target")


def _write_netcdf(target: Path, file: h5netcdf.File, product: Path, places: Places) -> None:
    with room_aside(target) as room, h5netcdf.File(room, "w") as made:
        made.dimensions = places.sizes
        made.attrs.update(layout.characters(_global_attributes(file, product, places, target)))

        def create(one: Described) -> Written:
            packing = COMPRESSION if len(one.dims) > 1 and "bnds" not in one.dims else {}
            chunks = one.chunks(layout.TILE)
            variable = made.create_variable(
                one.name, one.dims, one.dtype, fillvalue=one.fill, chunks=chunks, **packing
            )
            variable.attrs.update(layout.characters(one.attributes))
            return variable

        copy(file, product, places, create, room.require)


def _write_zarr(target: Path, file: h5netcdf.File, product: Path, places: Places) -> None:
    try:
        import zarr
        from numcodecs import Blosc
    except ModuleNotFoundError as error:
        raise UserError(
            f"{target} needs {error.name}, which is not installed: "
            "pip install -c constraints.txt -e '.[zarr]'"
        ) from None
    packing = Blosc(cname="zstd", clevel=5, shuffle=Blosc.SHUFFLE)
    with tree_written_aside(target) as folder:
        told = _plain(_global_attributes(file, product, places, target))
        made = zarr.create_group(folder, zarr_format=ZARR_FORMAT, attributes=told)

        def create(one: Described) -> Written:
            return made.create_array(
                one.name,
                shape=one.shape,
                dtype=one.dtype,
                chunks=one.chunks(layout.ZARR_TILE) or one.shape,
                fill_value=one.fill,
                compressors=packing,
                attributes={"_ARRAY_DIMENSIONS": list(one.dims), **_plain(one.attributes)},
            )

        copy(file, product, places, create)
        zarr.consolidate_metadata(made.store, zarr_format=ZARR_FORMAT)


def _global_attributes(
    file: h5netcdf.File, product: Path, places: Places, target: Path
) -> dict[str, Any]:
    told = {name: text_of(value) for name, value in file.attrs.items()}
    kind = "Zarr" if target.suffix == ZARR else "NetCDF"
    part = f" of {places.words}" if places.words else ""
    exported = f"soilfuse {__version__}: exported{part} to {kind}"
    return {
        **told,
        "history": f"{told['history']}; {exported}" if told.get("history") else exported,
        "exported_from": f"{product.name}, SHA-256 {sha256_of_file(product)}",
    }


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as JSON has them."""
    return {
        name: value.tolist() if isinstance(value, np.generic | np.ndarray) else value
        for name, value in attributes.items()
    }
