"""NetCDF files as they lie on disk: variables, dimensions and attributes, read without xarray.

Opening a small file through xarray takes tens of milliseconds, and one experiment is hundreds of
small files; h5py (NetCDF-4) and scipy (classic) take less than one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from soilfuse.errors import UserError
from soilfuse.sources.unreadable import DOWNLOAD, SHOWN, damaged, no_netcdf

HDF5_SIGNATURE = b"\x89HDF"
CLASSIC_SIGNATURES = (b"CDF\x01", b"CDF\x02")
FILL_BEYOND = 1e19  # CMIP's missing value is 1e20, in single precision 1.00000002e20
# What h5py, scipy and cftime raise on bytes that a writer never wrote, found by fuzzing.
BROKEN = (
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
)
REAL = "real"
NO_VARIABLE = "This is a netCDF dimension but not a netCDF variable"
NO_FILE_ATTRIBUTES = ("DIMENSION_LIST", "REFERENCE_LIST", "CLASS", "NAME")


@dataclass(frozen=True)
class Stored:
    """One variable of an open file; nothing is read before `raw` or `values`."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    attributes: dict[str, Any]
    data: Any

    def raw(self, selection: tuple[slice, ...] = ()) -> np.ndarray:
        """Return the numbers as stored, packed and with fill values."""
        return np.array(self.data[selection] if selection else self.data[...])

    def values(self, selection: tuple[slice, ...] = ()) -> np.ndarray:
        """Return the numbers unpacked, with NaN for _FillValue, missing_value and 1e20.

        float32 stays float32; all else becomes float64. Infinite numbers stay: no file means them.
        """
        packed = self.raw(selection)
        numbers = packed.astype(np.float32 if packed.dtype == np.float32 else np.float64)
        for name in ("_FillValue", "missing_value"):
            if name in self.attributes:
                numbers[packed == np.asarray(self.attributes[name]).astype(packed.dtype)] = np.nan
        numbers[(np.abs(numbers) > FILL_BEYOND) & np.isfinite(numbers)] = np.nan
        scale = self.attributes.get("scale_factor", 1.0)
        offset = self.attributes.get("add_offset", 0.0)
        return numbers if scale == 1.0 and offset == 0.0 else numbers * scale + offset


class RawFile:
    """An open NetCDF file of a provider: `variables` by name, and global `attributes`."""

    def __init__(self, path: Path, provider: str, root: Any, mend: str = "") -> None:
        """Wrap an open h5py group or scipy file; mend: as `opened` takes it."""
        self.path, self.provider, self._root, self._mend = path, provider, root, mend

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """The global attributes as text and plain numbers."""
        hdf5 = isinstance(self._root, h5py.Group)
        return _plain(self._root.attrs if hdf5 else self._root._attributes)

    @property
    def world(self) -> str:
        """REAL, or which pseudo-reality wrote the file."""
        return str(self.attributes.get("soilfuse_world", REAL))

    def __contains__(self, name: str) -> bool:
        """Tell whether the file holds a variable; a dimension alone is none."""
        if isinstance(self._root, h5py.Group):
            found = self._root.get(name)
            return isinstance(found, h5py.Dataset) and not _is_bare_dimension(found)
        return name in self._root.variables

    def names(self) -> list[str]:
        """Return the names of all variables."""
        if isinstance(self._root, h5py.Group):
            return [name for name in self._root if name in self]
        return list(self._root.variables)

    def group(self, name: str) -> "RawFile":
        """Return a group of a NetCDF-4 file; raise UserError where it is not there."""
        found = self._root.get(name) if isinstance(self._root, h5py.Group) else None
        if not isinstance(found, h5py.Group):
            mend = self._mend or "put the right file there"
            raise UserError(f"no group {name!r} in {self.path} ({self.provider}): {mend}")
        return RawFile(self.path, self.provider, found, self._mend)

    def variable(self, name: str) -> Stored:
        """Return a variable; raise UserError that names the file and what it holds instead."""
        if name not in self:
            raise UserError(
                f"no variable {name!r} in {self.path} ({self.provider}); it holds "
                f"{', '.join(self.names())}: {self._mend or 'put the right file there'}"
            )
        if isinstance(self._root, h5py.Group):
            data = self._root[name]
            dims = tuple(_dimension_name(data, axis) for axis in range(data.ndim))
            return Stored(name, dims, data.shape, _plain(data.attrs), data)
        data = self._root.variables[name]
        attributes = _plain(data._attributes)
        return Stored(name, tuple(data.dimensions), tuple(data.shape), attributes, data)


@contextmanager
def opened(path: Path, provider: str, mend: str = "") -> Iterator[RawFile]:
    """Open a NetCDF-4 or classic file for reading.

    mend: what to do about a bad one, where that is not what mends a file from elsewhere. Raises
    UserError that names provider and file where it is absent, no NetCDF, or damaged.
    """
    path = Path(path)
    signature = _signature(path, provider, mend)
    try:
        handle = (
            h5py.File(path, "r")
            if signature == HDF5_SIGNATURE
            else scipy.io.netcdf_file(path, "r", mmap=False, maskandscale=False)
        )
    except BROKEN as error:
        raise UserError(damaged(path, provider, error, mend or DOWNLOAD)) from None
    try:
        yield RawFile(path, provider, handle, mend)
    except BROKEN as error:
        raise UserError(damaged(path, provider, error, mend or DOWNLOAD)) from None
    finally:
        handle.close()


def _signature(path: Path, provider: str, mend: str) -> bytes:
    if not path.exists():
        mend = mend or "put it there, or edit params.yaml:raw_root"
        raise UserError(f"no file {path} ({provider}); {mend}")
    with path.open("rb") as stream:
        start = stream.read(SHOWN)
    signature = start[:4]
    if signature != HDF5_SIGNATURE and signature not in CLASSIC_SIGNATURES:
        raise UserError(f"{path} ({provider}) {no_netcdf(start)}: {mend or DOWNLOAD}")
    return signature


def _is_bare_dimension(data: h5py.Dataset) -> bool:
    return NO_VARIABLE in str(data.attrs.get("NAME", ""))


def _dimension_name(data: h5py.Dataset, axis: int) -> str:
    scales = data.dims[axis]
    if len(scales):
        return str(scales[0].name).rsplit("/", 1)[-1]
    if data.is_scale and data.ndim == 1:
        return str(data.name).rsplit("/", 1)[-1]
    return f"dim_{axis}"


def _plain(attributes: Any) -> dict[str, Any]:
    """Return attributes as text and plain numbers."""
    plain: dict[str, Any] = {}
    for name, value in attributes.items():
        if name in NO_FILE_ATTRIBUTES or name.startswith(("_NC", "_Netcdf4")):
            continue
        if isinstance(value, bytes):
            plain[name] = value.decode("utf-8", "replace")
        elif isinstance(value, np.ndarray) and value.size == 1:
            element = value.reshape(-1)[0]
            plain[name] = element.decode() if isinstance(element, bytes) else element
        else:
            plain[name] = value
    return plain
