"""How a product is laid out: axes, variables, attributes (CF-1.11), chunks and precision."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from soilfuse import names
from soilfuse.grids.grid import Grid

EPOCH = np.datetime64("1950-01-01", "D")
TIME_CHUNK = 96  # months
TILE = (20, 40)  # most cells of a chunk along lat and lon: maps and series both read well
ZARR_TILE = (40, 80)  # larger, since each chunk is a file, or a request to a store
MANTISSA_BITS = 23  # of float32
SPREAD_DIGITS = 2  # a standard deviation of five is uncertain by a third of itself
FLOAT_FILL = np.float32(9.96921e36)  # netCDF's default
OUTSIDE = "outside_training_range"
HISTORY = "-".join(map(str, names.EXPERIMENT_YEARS[names.HISTORICAL]))
FOLD_SPREAD = "soil_moisture_fold_spread"
MODEL_SPREAD = "soil_moisture_model_spread"
LEAVE_ONE_OUT = "soil_moisture_leave_one_out_spread"  # in products that were asked for it

AXES: dict[str, dict[str, Any]] = {
    "time": {
        "standard_name": "time",
        "long_name": "middle of the month",
        "units": f"days since {EPOCH}",
        "calendar": "standard",
        "units_metadata": "leap_seconds: none",
        "axis": "T",
        "bounds": "time_bnds",
    },
    "depth": {
        "standard_name": "depth",
        "long_name": "depth of the layer's centre below the surface",
        "units": "m",
        "positive": "down",
        "axis": "Z",
        "bounds": "depth_bnds",
    },
    "lat": {
        "standard_name": "latitude",
        "long_name": "latitude of the cell's centre",
        "units": "degrees_north",
        "axis": "Y",
        "bounds": "lat_bnds",
    },
    "lon": {
        "standard_name": "longitude",
        "long_name": "longitude of the cell's centre",
        "units": "degrees_east",
        "axis": "X",
        "bounds": "lon_bnds",
    },
}
CRS = {
    "grid_mapping_name": "latitude_longitude",
    "long_name": "WGS 84",
    "semi_major_axis": 6378137.0,
    "inverse_flattening": 298.257223563,
    "longitude_of_prime_meridian": 0.0,
    # GDAL, and QGIS and R through it, know the ellipsoid by the numbers above, but no datum
    "crs_wkt": 'GEOGCRS["WGS 84",DATUM["World Geodetic System 1984",'
    'ELLIPSOID["WGS 84",6378137,298.257223563,LENGTHUNIT["metre",1]]],'
    'PRIMEM["Greenwich",0,ANGLEUNIT["degree",0.0174532925199433]],CS[ellipsoidal,2],'
    'AXIS["geodetic latitude (Lat)",north,ORDER[1],ANGLEUNIT["degree",0.0174532925199433]],'
    'AXIS["geodetic longitude (Lon)",east,ORDER[2],ANGLEUNIT["degree",0.0174532925199433]],'
    'ID["EPSG",4326]]',
}
# The form of CF-1.12, which older readers ignore.
QUANTIZATION = {
    "long_name": "rounding of the variables that refer to this one",
    "algorithm": "bitround",
    "implementation": "soilfuse",
}
BITS = "quantization_nsb"
ON_GRID = {"grid_mapping": "crs", "cell_measures": "area: cell_area"}
Variables = dict[str, tuple[tuple[str, ...], dict[str, Any]]]
MONTHLY: Variables = {
    names.SOIL_MOISTURE: (
        ("time", "depth", "lat", "lon"),
        {
            **names.SOIL_MOISTURE_ATTRIBUTES,
            "cell_methods": "time: depth: mean",
            "ancillary_variables": f"{FOLD_SPREAD} {MODEL_SPREAD} {OUTSIDE}",
        },
    ),
    FOLD_SPREAD: (
        ("time", "depth", "lat", "lon"),
        {
            "long_name": "standard deviation of soil moisture over the fold models",
            "units": names.SOIL_MOISTURE_ATTRIBUTES["units"],
            "comment": "Of networks trained on other years of one target; no interval of error.",
        },
    ),
    MODEL_SPREAD: (
        ("time", "lat", "lon"),
        {
            "long_name": "standard deviation of the climate models' soil moisture, top 10 cm",
            "units": names.SOIL_MOISTURE_ATTRIBUTES["units"],
            "comment": "Spread of the inputs as the method sees them, biases included, and not of "
            "this product: no error of soil_moisture, and of no layer below 10 cm.",
        },
    ),
    OUTSIDE: (
        ("time", "lat", "lon"),
        {
            "long_name": "whether a climate model is outside the range of its values in "
            f"{HISTORY} over the domain",
            "flag_values": np.array([0, 1], np.int8),
            "flag_meanings": "within outside",
        },
    ),
}
OF_LEAVE_ONE_OUT: dict[str, Any] = {
    "long_name": "jackknife standard error of soil moisture, climate models left out one by one",
    "units": names.SOIL_MOISTURE_ATTRIBUTES["units"],
    "comment": "sqrt((M - 1) / M * sum over models m of (x_m - mean of x_m)^2), x_m the product "
    "without model m, M their number; Efron and Tibshirani (1993), eq. 11.5. How far the product "
    "hangs on which models there are, were they independent draws; related models make it too "
    "small. No interval of error.",
}


def monthly(left_out: str = "") -> Variables:
    """Return the monthly variables of a product.

    left_out: how climate models were left out one by one, empty where they were not.
    """
    if not left_out:
        return MONTHLY
    dims, attributes = MONTHLY[names.SOIL_MOISTURE]
    beside = f"{attributes['ancillary_variables']} {LEAVE_ONE_OUT}"
    return {
        **MONTHLY,
        names.SOIL_MOISTURE: (dims, {**attributes, "ancillary_variables": beside}),
        LEAVE_ONE_OUT: (dims, {**OF_LEAVE_ONE_OUT, "left_out_model": left_out}),
    }


def characters(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes whose texts are arrays of characters, as netCDF had them from the start.

    Python's libraries write strings of netCDF-4 otherwise, which programs in C and Fortran that ask
    for text (nc_get_att_text) do not get.
    """
    return {
        name: _characters(value) if isinstance(value, str) else value
        for name, value in attributes.items()
    }


def _characters(text: str) -> np.ndarray:
    import h5py

    packed = text.encode()
    return np.array(packed, h5py.string_dtype("utf-8", max(len(packed), 1)))


def month_bounds(time: np.ndarray) -> np.ndarray:
    """Return (T, 2) first days of each month and of the next, in days since 1950-01-01."""
    month = np.asarray(time).astype("datetime64[M]")
    edges = np.stack([month, month + 1], axis=1).astype("datetime64[D]")
    return (edges - EPOCH).astype(np.float64)


def axis_values(
    grid: Grid, time: np.ndarray, depth_bounds: np.ndarray
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return centres (N,) and bounds (N, 2): time in days, depth in m, lat and lon in degrees."""
    months = month_bounds(time)
    return {
        "time": (months.mean(axis=1), months),
        "depth": (np.asarray(depth_bounds).mean(axis=1).round(6), np.asarray(depth_bounds)),
        "lat": (grid.lat, grid.lat_bounds.round(6)),
        "lon": (grid.lon, grid.lon_bounds.round(6)),
    }


def chunks_of(shape: tuple[int, ...], tile: tuple[int, int] = TILE) -> tuple[int, ...]:
    """Return the chunk of a (T, ..., H, W) variable: some years of a tile of one layer."""
    cells = [
        math.ceil(size / math.ceil(size / most))
        for size, most in zip(shape[-2:], tile, strict=True)
    ]
    return (min(TIME_CHUNK, shape[0]), *(1 for _ in shape[1:-2]), *cells)


def kept_bits(significant_digits: int) -> int:
    """Return the explicit mantissa bits that hold a number of significant decimal digits."""
    return min(MANTISSA_BITS, math.ceil(significant_digits * math.log2(10)))


def bits_of(significant_digits: int) -> dict[str, int]:
    """Return the kept mantissa bits of each rounded variable; spreads keep two digits at most."""
    spread = kept_bits(min(significant_digits, SPREAD_DIGITS))
    moisture = kept_bits(significant_digits)
    spreads = dict.fromkeys((FOLD_SPREAD, MODEL_SPREAD, LEAVE_ONE_OUT), spread)
    return {names.SOIL_MOISTURE: moisture, **spreads}


def rounded(values: np.ndarray, bits: int) -> np.ndarray:
    """Round float32 to `bits` explicit mantissa bits, to nearest, ties to even (BitRound).

    Trailing bits become 0, which zlib packs; the relative error is at most 2**-(bits + 1).
    Kouznetsov (2021, doi:10.5194/gmd-14-377-2021). NaN and infinities stay as they are.
    """
    values = np.ascontiguousarray(values, dtype=np.float32)
    dropped = MANTISSA_BITS - bits
    if dropped == 0:
        return values
    whole = values.view(np.uint32)
    odd = (whole >> np.uint32(dropped)) & np.uint32(1)
    half = np.uint32((1 << (dropped - 1)) - 1) + odd
    kept = (whole + half) & ~np.uint32((1 << dropped) - 1)
    return np.where(np.isfinite(values), kept.view(np.float32), values)
