"""The same metrics for labelled arrays, also for such as do not fit into memory.

A product opened with `chunks={...}` stays on disk until the scores are computed, chunk by chunk,
on as many threads or workers as dask is given; without chunks numpy does the same at once.
"""

from collections.abc import Hashable, Iterable

import numpy as np
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.evaluation.metrics import METRICS, STATISTICS, metrics, pair_terms
from soilfuse.names import SOIL_MOISTURE

STATISTIC = "statistic"
ROUNDING = 1e-6  # of coordinates, degrees or m


def _terms(prediction: np.ndarray, truth: np.ndarray, normal: np.ndarray) -> np.ndarray:
    return np.moveaxis(pair_terms(prediction, truth, normal), 0, -1)


def _values(statistics: np.ndarray) -> np.ndarray:
    return np.stack(list(metrics(statistics).values()), axis=-1)


def _by_month(values: xr.DataArray) -> xr.DataArray:
    """Key the time by its month, which the product's mid-months share with the target's firsts."""
    if "time" not in values.dims:
        return values
    months = values["time"].values.astype("datetime64[M]").astype("datetime64[ns]")
    return values.assign_coords(time=months)


def _in_the_places_of(truth: xr.DataArray, values: xr.DataArray, what: str) -> xr.DataArray:
    """Return values with truth's coordinates, from which they may differ by rounding."""
    shared = [dim for dim in values.dims if dim in truth.indexes and dim in values.indexes]
    near = {
        dim: truth[dim]
        for dim in shared
        if dim != "time"
        and values[dim].size == truth[dim].size
        and np.allclose(values[dim], truth[dim], rtol=0, atol=ROUNDING)
    }
    moved = values.assign_coords(near)
    try:
        xr.align(moved, truth, join="exact", copy=False)
    except ValueError as cause:
        raise UserError(
            f"{what} and truth do not stand in the same places: {str(cause).splitlines()[0]}; "
            "expected equal coordinates: select the months, layers and cells that both have"
        ) from cause
    return moved


def statistics(
    prediction: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray | None = None
) -> xr.DataArray:
    """Return the weighted statistics of each pair, their dims and `statistic` (S) last.

    prediction, truth: m3 m-3, NaN = missing, chunked or not, on equal coordinates, of which `time`
    (datetime64) is compared by month; weights: of any of their dims but time, 1 without. Anomalies
    are from the truth's mean of the calendar month, NaN without a `time`. Raises UserError where
    coordinates differ.
    """
    prediction, truth = _by_month(prediction), _by_month(truth)
    prediction = _in_the_places_of(truth, prediction, "prediction")
    normal = xr.full_like(truth, np.nan)
    if "time" in truth.dims:
        # In double precision, as evaluation.fields does.
        months = truth.astype(np.float64).groupby("time.month")
        normal = months.mean("time").sel(month=truth["time"].dt.month).drop_vars("month")
    terms = xr.apply_ufunc(
        _terms,
        prediction,
        truth,
        normal.transpose(*truth.dims),
        output_core_dims=[[STATISTIC]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {STATISTIC: len(STATISTICS)}},
    )
    if weights is None:
        return terms
    weights = _in_the_places_of(truth, weights, "weights")
    weighed = xr.DataArray([name != "count" for name in STATISTICS], dims=STATISTIC)
    inside = (weights > 0).astype(np.float64)  # no pair counts where the weight is 0
    return terms * xr.where(weighed, weights.astype(np.float64), inside)


def scores(
    prediction: xr.DataArray,
    truth: xr.DataArray,
    over: Iterable[Hashable],
    weights: xr.DataArray | None = None,
) -> xr.Dataset:
    """Return every metric of evaluation.metrics over the dims `over`, one variable each.

    Arguments as of `statistics`; nothing is computed before the result is asked for where arrays
    are chunked. Raises UserError where coordinates differ.
    """
    sums = statistics(prediction, truth, weights).sum(list(over), skipna=False)
    values = xr.apply_ufunc(
        _values,
        sums,
        input_core_dims=[[STATISTIC]],
        output_core_dims=[["metric"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={
            "output_sizes": {"metric": len(METRICS)},
            "allow_rechunk": True,
        },
    )
    found = values.assign_coords(metric=list(METRICS)).to_dataset("metric")
    return found.assign_attrs(of=str(prediction.name or SOIL_MOISTURE))
