"""Fluxes of water at the surface, in mm a day whatever units and signs a provider writes.

CMIP6: pr, evspsbl (Amon), mrros (Lmon), snm (LImon), kg m-2 s-1, evaporation positive.
"""

from pathlib import Path

import xarray as xr

from soilfuse.sources.cmip6_files import files_of_years, find_files, header_of
from soilfuse.sources.door import read
from soilfuse.sources.quantities import METRES, Quantity
from soilfuse.sources.request import Request

DAY = 86400.0  # seconds
RATES = ("kg m-2 s-1", "kg m**-2 s**-1", "kg/m2/s", "mm s-1", "mm/s")
PER_DAY = (*METRES, "m of water equivalent", "m day**-1", "m day-1")
LIMITS = {"low": -100.0, "high": 500.0, "tolerance": 1.0}  # mm a day in a monthly mean
ABOUT = {"units": "mm day-1"}

# A rate a second, as CMIP6 and GLDAS's _tavg; ECMWF's monthly means of what accumulates over a day
# (its documentation of accumulations: "scaled to have units that include per day").
WATER_FLUX = Quantity(
    "water_flux",
    dict.fromkeys(RATES, DAY) | dict.fromkeys(PER_DAY, 1000.0),
    attributes=ABOUT,
    **LIMITS,
)
# GLDAS's _acc: accumulated over 3 hours and averaged over the month (GLDAS-2 README).
WATER_OF_3_HOURS = Quantity("water_flux", {"kg m-2": 8.0}, attributes=ABOUT, **LIMITS)

TABLES = {"pr": "Amon", "evspsbl": "Amon", "mrros": "Lmon", "snm": "LImon"}


def read_flux(
    root: Path, source_id: str, variant_label: str, variable: str, years: tuple[int, int]
) -> xr.DataArray:
    """Return (T, h, w) mm a day of one CMIP6 model's historical run on its native grid.

    variable: one of TABLES. Raises UserError for missing files or months, units and headers.
    """
    table = TABLES[variable]
    provider = f"CMIP6 {variable} of {source_id} historical"
    files = find_files(root, source_id, variant_label, "historical", variable, table)
    request = Request(
        provider,
        variable,
        years,
        attributes=header_of(variable, table, source_id, "historical", variant_label),
        quantity=WATER_FLUX,
    )
    return read(files_of_years(files, years, provider), request)
