"""ERA5, ERA-Interim and GLDAS-Noah monthly means: moisture to 10 and 200 cm, and water fluxes.

Layers in m3 m-3 or kg m-2 become what stands between two depths, linear in thickness. ECMWF counts
fluxes downwards, so that evaporation is negative in its files. ERA5 and GLDAS have cells without
soil as gaps or as zeros in all layers: both are missing here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import xarray as xr

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.sources.depths import shares
from soilfuse.sources.door import read
from soilfuse.sources.fluxes import WATER_FLUX, WATER_OF_3_HOURS
from soilfuse.sources.headers import REAL_CALENDARS
from soilfuse.sources.netcdf import opened
from soilfuse.sources.quantities import SOIL_MOISTURE, Quantity
from soilfuse.sources.request import Request
from soilfuse.sources.targets import list_files

DEPTHS = {"shallow": 0.1, "deep": 2.0}  # m below the surface (Qiao et al. 2022)


@dataclass(frozen=True)
class Flux:
    """A provider's name of a flux, how its units read, and -1 where it counts the other way."""

    variable: str
    quantity: Quantity = WATER_FLUX
    sign: float = 1.0


@dataclass(frozen=True)
class Reanalysis:
    """Where a reanalysis lies below raw_root, its layers (m) by variable, and its fluxes."""

    title: str
    pattern: str
    layers: Mapping[str, tuple[float, float]]
    fluxes: Mapping[str, Flux]


ERA_LAYERS = {
    "swvl1": (0.0, 0.07),
    "swvl2": (0.07, 0.28),
    "swvl3": (0.28, 1.0),
    "swvl4": (1.0, 2.89),
}
ERA_FLUXES = {
    "pr": Flux("tp"),
    "evspsbl": Flux("e", sign=-1.0),
    "mrros": Flux("sro"),
    "snm": Flux("smlt"),
}
GLDAS_LAYERS = {
    "SoilMoi0_10cm_inst": (0.0, 0.1),
    "SoilMoi10_40cm_inst": (0.1, 0.4),
    "SoilMoi40_100cm_inst": (0.4, 1.0),
    "SoilMoi100_200cm_inst": (1.0, 2.0),
}
GLDAS_FLUXES = {
    "pr": Flux("Rainf_f_tavg"),
    "evspsbl": Flux("Evap_tavg"),
    "mrros": Flux("Qs_acc", WATER_OF_3_HOURS),
    "snm": Flux("Qsm_acc", WATER_OF_3_HOURS),
}
REANALYSES = {
    "era5": Reanalysis("ERA5", "*.nc", ERA_LAYERS, ERA_FLUXES),
    "era_interim": Reanalysis("ERA-Interim", "*.nc", ERA_LAYERS, ERA_FLUXES),
    "gldas": Reanalysis("GLDAS-Noah", "GLDAS_NOAH*_M.A*.nc4", GLDAS_LAYERS, GLDAS_FLUXES),
}


def read_moisture(root: Path, name: str, years: tuple[int, int]) -> dict[str, xr.DataArray]:
    """Return shallow and deep: (T, h, w) kg m-2 in the upper 10 and 200 cm, on the native grid.

    root: its files lie in root/`name`, a key of REANALYSES. Raises UserError as `door.read`.
    """
    about = REANALYSES[name]
    bounds = np.array(list(about.layers.values()))
    weights = {depth: shares(bounds, 0.0, base, about.title) for depth, base in DEPTHS.items()}
    sums: dict[str, np.ndarray] = {}
    largest = np.zeros(1, np.float32)
    for i, (variable, (top, base)) in enumerate(about.layers.items()):
        field = _read(root, name, variable, years, thickness=base - top)
        largest = np.fmax(largest, field.values)
        for depth, bottom in DEPTHS.items():
            if weights[depth][i]:
                part = field.values * np.float32(weights[depth][i] * bottom * names.WATER_DENSITY)
                sums[depth] = sums[depth] + part if depth in sums else part
    soil = largest.max(axis=0) > 0
    attributes = {**field.attrs, "units": "kg m-2"}
    return {
        depth: field.copy(data=np.where(soil, values, np.nan)).assign_attrs(attributes)
        for depth, values in sums.items()
    }


def read_water_flux(root: Path, name: str, flux: str, years: tuple[int, int]) -> xr.DataArray:
    """Return (T, h, w) mm a day of pr, evspsbl, mrros or snm of a reanalysis."""
    wanted = REANALYSES[name].fluxes[flux]
    field = _read(root, name, wanted.variable, years, quantity=wanted.quantity)
    return field.copy(data=field.values * np.float32(wanted.sign))


def _read(
    root: Path,
    name: str,
    variable: str,
    years: tuple[int, int],
    thickness: float | None = None,
    quantity: Quantity = SOIL_MOISTURE,
) -> xr.DataArray:
    about = REANALYSES[name]
    request = Request(
        f"{about.title} {variable}",
        variable,
        years,
        thickness=thickness,
        versions="expver",
        calendars=REAL_CALENDARS,
        quantity=quantity,
    )
    files = list_files(Path(root) / name, about.pattern, about.title)
    return read(_holding(files, variable, about.title), request)


def _holding(files: list[Path], variable: str, title: str) -> list[Path]:
    """Return the files that hold a variable: some are downloaded with one variable each."""
    held = [path for path in files if variable in _variables(path, title)]
    if not held:
        raise UserError(
            f"no variable {variable!r} in any of the {len(files)} files of {files[0].parent} "
            f"({title}): download it too"
        )
    return held


@lru_cache(maxsize=4096)
def _variables(path: Path, title: str) -> frozenset[str]:
    with opened(path, title) as file:
        return frozenset(file.names())
