"""The trend test of an xarray field, in memory or as a dask graph that is computed in blocks."""

from typing import Any

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.trends.mann_kendall import trend_test

OUTPUTS = {
    "s": "Mann-Kendall's S",
    "var_s": "variance of S, with ties",
    "z": "normalised statistic of the Mann-Kendall test",
    "p": "two-sided p of the Mann-Kendall test",
    "slope": "Sen's slope, per step",
    "n": "number of valid values",
}


def trend_dataset(field: xr.DataArray, dim: str = "year", threads: int = 2) -> xr.Dataset:
    """Test every series along `dim` of a field; returns OUTPUTS over its other dimensions.

    A field in dask chunks stays lazy: each chunk is tested by itself when the result is computed,
    on the scheduler that is in force, a cluster's workers included, so that memory holds a few
    chunks at a time. Steps must be equally spaced and NaN means missing, as in `trend_test`, whose
    numbers these are. Raises UserError where `dim` is absent, lies in several chunks, or has
    numbers for coordinates that are not equally spaced.
    """
    if dim not in field.dims:
        raise UserError(
            f"no dimension {dim!r} in the field; got {', '.join(map(str, field.dims))}: name the "
            "one along which a trend is wanted"
        )
    _require_even_steps(field, dim)
    chunks = field.chunksizes.get(dim, ())
    if len(chunks) > 1:
        raise UserError(
            f"{dim} lies in {len(chunks)} chunks of {max(chunks)} steps; a trend needs the whole "
            f"series in one: call chunk({{{dim!r}: -1}}) first"
        )
    # dask's workers are as many as the processors: more threads in each would only wait
    own = 1 if chunks else threads

    def along_last(values: np.ndarray) -> tuple[Any, ...]:
        found = trend_test(np.moveaxis(values, -1, 0), own)
        return tuple(getattr(found, name) for name in OUTPUTS)

    made = xr.apply_ufunc(
        along_last,
        field,
        input_core_dims=[[dim]],
        output_core_dims=[[] for _ in OUTPUTS],
        dask="parallelized",
        output_dtypes=[np.int64 if name == "n" else np.float64 for name in OUTPUTS],
    )
    result = xr.Dataset(dict(zip(OUTPUTS, made, strict=True)))
    for name, title in OUTPUTS.items():
        result[name].attrs = {"long_name": title}
    return result


def _require_even_steps(field: xr.DataArray, dim: str) -> None:
    """Refuse years with a gap between them; dates are left alone, since months differ in length."""
    if dim not in field.coords or not np.issubdtype(field[dim].dtype, np.number):
        return
    places = field[dim].values
    steps = np.diff(places)
    odd = np.flatnonzero(~np.isclose(steps, steps[:1]))
    if odd.size:
        raise UserError(
            f"{dim} {places[odd[0]]:g} is followed by {places[odd[0] + 1]:g}; expected equal steps "
            f"of {steps[0]:g}, since a trend counts them: reindex, so that NaN holds the places"
        )
