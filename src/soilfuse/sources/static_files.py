"""Files of terrain and soil as they lie on disk: each property on the file's own grid."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources import axes
from soilfuse.sources.depths import METRES
from soilfuse.sources.netcdf import RawFile, Stored, opened
from soilfuse.sources.quantities import VOLUME_FRACTION, Quantity

PROVIDER = "static"
MARGIN = 2  # source cells beyond the grid, for slopes and weights
PERCENT = {"%": 0.01, "percent": 0.01}
MASS_FRACTION = {"1": 1.0, "kg kg-1": 1.0, "g kg-1": 0.001, **PERCENT}


@dataclass(frozen=True)
class Property:
    """A quantity that does not change, and the names that files give its variable."""

    quantity: Quantity
    variables: tuple[str, ...]


def _fraction(name: str, factors: dict[str, float], long_name: str, *others: str) -> Property:
    about = {"units": "1", "long_name": long_name}
    return Property(Quantity(name, factors, 0.0, 1.0, 1e-3, about), (name, *others))


ELEVATION = Property(
    Quantity(
        "elevation",
        dict.fromkeys(METRES, 1.0),
        -11500.0,  # global relief goes on below the sea
        9000.0,
        0.0,
        {"units": "m", "standard_name": "surface_altitude", "long_name": "elevation"},
    ),
    ("elevation", "orog", "z"),
)
VOLUME = dict.fromkeys(VOLUME_FRACTION, 1.0) | PERCENT
SOIL = (
    _fraction("sand", MASS_FRACTION, "mass fraction of sand in mineral soil"),
    _fraction("clay", MASS_FRACTION, "mass fraction of clay in mineral soil"),
    _fraction("porosity", VOLUME, "saturated water content of soil", "theta_s"),
    _fraction("residual_moisture", VOLUME, "residual water content of soil", "theta_r"),
)


def property_of(path: Path, prop: Property, grid: Grid) -> xr.DataArray | None:
    """Return a property (h, w) in our units, cut to the grid; None where the file has none."""
    with opened(path, PROVIDER) as file:
        name = next((name for name in prop.variables if name in file), None)
        if name is None:
            return None
        stored = file.variable(name)
        lat = axes.latitudes(file, stored, grid, MARGIN)
        lon = axes.longitudes(file, stored, grid, MARGIN)
        values = _map(file, stored, lat, lon)
        values = values * np.float32(prop.quantity.scale(file, stored, None))
        values = prop.quantity.in_range(values, file, stored)
        world = file.world
    return xr.DataArray(
        values,
        dims=("lat", "lon"),
        coords={"lat": lat.centres, "lon": lon.centres},
        name=prop.quantity.name,
        attrs={**prop.quantity.attributes, "world": world},
    )


def _map(file: RawFile, stored: Stored, lat: axes.Axis, lon: axes.Axis) -> np.ndarray:
    """Return (h, w) float32 of a variable, both axes ascending."""
    if len(stored.dims) != 2:
        raise UserError(
            f"{stored.name} in {file.path} ({file.provider}) has dimensions "
            f"({', '.join(stored.dims)}); expected lat, lon: select one level first"
        )
    if min(lat.centres.size, lon.centres.size) < 2:
        raise UserError(
            f"{stored.name} in {file.path} ({file.provider}) has {lat.centres.size} x "
            f"{lon.centres.size} cells at the grid; expected 2 x 2 or more: take a file that "
            "covers params.yaml:domain"
        )
    across = axes.dimension(file, stored, "lat") == 1
    windows = (lon.window, lat.window) if across else (lat.window, lon.window)
    block = stored.values(windows).astype(np.float32)
    return (block.T if across else block)[lat.order][:, lon.order]


def without_any(path: Path, wanted: tuple[Property, ...]) -> UserError:
    """Return the error for a file that holds none of the wanted properties."""
    with opened(path, PROVIDER) as file:
        held = ", ".join(file.names())
    names = ", ".join(name for prop in wanted for name in prop.variables)
    return UserError(
        f"no variable of {names} in {path} ({PROVIDER}); it holds {held}: rename the right one"
    )
