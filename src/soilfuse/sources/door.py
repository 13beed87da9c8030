"""The one door: any provider's files, asked for by a Request, become one canonical DataArray.

Order: find axes, check the header, cut, unpack, convert units, check the range, average days to
months, check what is plausible, join the files by month. Every error names the provider and the
file. Letters: T months, D other levels, h latitudes, w longitudes.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.files import sha256_of_files
from soilfuse.grids.months import month_axis, require_complete
from soilfuse.sources import axes
from soilfuse.sources.headers import period_of, require_header
from soilfuse.sources.joining import Piece, join, monthly
from soilfuse.sources.netcdf import RawFile, Stored, opened
from soilfuse.sources.plausibility import require_plausible, require_steady_mask
from soilfuse.sources.quantities import SOIL_MOISTURE
from soilfuse.sources.request import Request


def read(paths: Sequence[Path], request: Request) -> xr.DataArray:
    """Return (time, [level,] lat, lon) float32 of all files, in canonical units and month keys.

    Attributes: the quantity's, source_calendar, world ("real" or the pseudo-reality's) and
    inputs_sha256 over the files read. Raises UserError for anything that is missing, doubled,
    damaged, of other units or out of range, naming the file.
    """
    pieces = [piece for path in paths if (piece := _read_file(Path(path), request)) is not None]
    if not pieces:
        raise UserError(
            f"no month of {request.years[0]}-{request.years[1]} in {_where(paths, request)}: add "
            "the files of those years"
        )
    whole = join(pieces)
    if request.quantity == SOIL_MOISTURE:
        require_steady_mask([(_where([Path(p.path)], request), p.months, p.values) for p in pieces])
    if request.complete:
        lacking = np.setdiff1d(month_axis(*request.years), whole.months)
        require_complete(whole.months, *request.years, _where(_holding(lacking, paths), request))
    return _canonical(whole, pieces, request)


def _read_file(path: Path, request: Request) -> Piece | None:
    """Read the wanted months of one file; None where it holds none."""
    with opened(path, request.provider) as file:
        stored = _variable(file, request)
        months, calendar = axes.month_keys(file, stored)
        require_header(file, stored, months, calendar, request)
        wanted = np.flatnonzero(np.isin(months, month_axis(*request.years)))
        if wanted.size == 0:
            return None
        lat = axes.latitudes(file, stored, request.grid, request.margin)
        lon = axes.longitudes(file, stored, request.grid, request.margin)
        if request.grid is not None:
            axes.require_cover(file, lat, lon, request.grid)
        scale = request.quantity.scale(file, stored, request.thickness)
        values = _block(file, stored, request, wanted, (lat, lon))
        values = request.quantity.in_range(_scaled(values, scale, file, stored), file, stored)
        world = file.world
    piece = Piece(str(path), months[wanted], values, lat.centres, lon.centres, calendar, world)
    once = monthly(piece, request.frequency, request.min_records, request.provider)
    if request.quantity == SOIL_MOISTURE:
        require_plausible(once, request.provider)
    return once


def _variable(file: RawFile, request: Request) -> Stored:
    """Return the wanted variable, under its name or one of its codes."""
    for code, units in request.codes.items():
        if code in file and request.variable not in file:
            stored = file.variable(code)
            return replace(stored, attributes={"units": units, **stored.attributes})
    return file.variable(request.variable)


def _scaled(values: np.ndarray, scale: np.ndarray, file: RawFile, stored: Stored) -> np.ndarray:
    """Return values (T, [D,] h, w) times one factor, or times one factor a level."""
    if scale.ndim and values.shape[1:-2] != scale.shape:
        raise UserError(
            f"{stored.name} in {file.path} ({file.provider}) has levels {values.shape[1:-2]}; "
            f"expected {scale.size}, as many as there are depth bounds: mend the file"
        )
    factors = scale.astype(np.float32)
    return values * (factors[:, None, None] if scale.ndim else factors)


def _block(
    file: RawFile,
    stored: Stored,
    request: Request,
    wanted: np.ndarray,
    horizontal: tuple[axes.Axis, axes.Axis],
) -> np.ndarray:
    """Return (T, [D,] h, w) float32 of the wanted records and cells."""
    positions = [axes.dimension(file, stored, axis) for axis in ("time", "lat", "lon")]
    levels = [i for i in range(len(stored.dims)) if i not in positions]
    time = slice(int(wanted.min()), int(wanted.max()) + 1)
    windows = dict(zip(positions, (time, *(axis.window for axis in horizontal)), strict=True))
    block = stored.values(tuple(windows.get(i, slice(None)) for i in range(len(stored.dims))))
    if request.versions in stored.dims:
        axis = stored.dims.index(str(request.versions))
        block = _first_valid(block, axis, file, stored)
    block = block.transpose(positions[0], *levels, *positions[1:])
    for i in reversed(levels):
        if stored.dims[i] != request.level and block.shape[1 + levels.index(i)] != 1:
            raise UserError(
                f"dimension {stored.dims[i]!r} of size {stored.shape[i]} in {stored.name} of "
                f"{file.path} ({request.provider}); expected time, lat, lon"
                f"{', ' + request.level if request.level else ''}: select one level first"
            )
        if stored.dims[i] != request.level:
            block = block.squeeze(axis=1 + levels.index(i))
    block = block[wanted - wanted.min()]
    return block[..., horizontal[0].order, :][..., horizontal[1].order].astype(np.float32)


def _first_valid(block: np.ndarray, axis: int, file: RawFile, stored: Stored) -> np.ndarray:
    """Return the block with size 1 along `axis`: the first version of a value that is not NaN."""
    numbers = np.ravel(file.variable(stored.dims[axis]).raw()).astype(float)
    order = np.argsort(numbers)
    merged = block.take([order[0]], axis=axis)
    for i in order[1:]:
        later = block.take([i], axis=axis)
        merged = np.where(np.isnan(merged), later, merged)
    return merged


def _canonical(whole: Piece, pieces: list[Piece], request: Request) -> xr.DataArray:
    dims = ("time", request.level, "lat", "lon") if request.level else ("time", "lat", "lon")
    if whole.values.ndim != len(dims):
        raise UserError(
            f"no dimension {request.level!r} in {request.variable} of {whole.path} "
            f"({request.provider}): put a file with that level there"
        )
    return xr.DataArray(
        whole.values,
        dims=dims,
        coords={"time": whole.months, "lat": whole.lat, "lon": whole.lon},
        name=request.quantity.name,
        attrs={
            **request.quantity.attributes,
            "source_calendar": whole.calendar,
            "world": whole.world,
            "inputs_sha256": sha256_of_files(Path(piece.path) for piece in pieces),
        },
    )


def _holding(months: np.ndarray, paths: Sequence[Path]) -> Sequence[Path]:
    """Return the file that should hold the first of the months by its name, else all files."""
    for path in paths:
        period = period_of(Path(path).name)
        if months.size and period and period[0] <= months[0] <= period[1]:
            return [path]
    return paths


def _where(paths: Sequence[Path], request: Request) -> str:
    if not paths:
        return f"no file ({request.provider})"
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more} ({request.provider})"
