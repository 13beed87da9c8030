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


def _terms(prediction: np.ndarray, truth: np.ndarray, normal: np.ndarray) -> np.ndarray:
    return np.moveaxis(pair_terms(prediction, truth, normal), 0, -1)


def _values(statistics: np.ndarray) -> np.ndarray:
    return np.stack(list(metrics(statistics).values()), axis=-1)


def _require_same_places(prediction: xr.DataArray, truth: xr.DataArray) -> None:
    try:
        xr.align(prediction, truth, join="exact", copy=False)
    except ValueError as cause:
        raise UserError(
            f"prediction and truth do not stand in the same places: {str(cause).splitlines()[0]}; "
            "expected equal coordinates: select the months and cells that both have"
        ) from cause


def statistics(
    prediction: xr.DataArray, truth: xr.DataArray, weights: xr.DataArray | None = None
) -> xr.DataArray:
    """Return the weighted statistics of each pair, their dims and `statistic` (S) last.

    prediction, truth: m3 m-3, equal coordinates, NaN = missing, chunked or not; weights: of any of
    their dims, 1 without. Anomalies are from the truth's mean of the calendar month where there is
    a `time` (datetime64), else NaN. Raises UserError where coordinates differ.
    """
    _require_same_places(prediction, truth)
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
    # The statistics' own dims first: NaN x 0 of the anomalies would spread otherwise.
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
