"""The test as a dask graph and in torch gives the numbers of the compiled one."""

from pathlib import Path

import dask
import dask.array
import numpy as np
import pytest
import torch
import xarray as xr

from soilfuse import seeding
from soilfuse.errors import UserError
from soilfuse.trends.lazy import OUTPUTS, trend_dataset
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.on_device import trend_test_torch


def fields(steps=30):
    rng = seeding.generator(9, "engines", steps)
    values = rng.normal(size=(steps, 3, 7, 11)) + 0.02 * np.arange(steps)[:, None, None, None]
    values[:, 1] = values[:, 1].round(1)  # ties
    values[:, 2][rng.random(values[:, 2].shape) < 0.4] = np.nan
    values[:, 2, 0] = np.nan
    values[:, 2, 1] = 0.3
    values[3:, 2, 2] = np.nan
    return values.astype(np.float32)


def require_equal(found, expected):
    for name in OUTPUTS:
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("max_bytes", [1, 10**6, 2**30])
@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_torch_equals_the_compiled_test(steps, max_bytes):
    values = fields(steps)
    require_equal(trend_test_torch(torch.from_numpy(values), max_bytes), trend_test(values))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_a_gpu_gives_the_same():
    values = fields(86)
    found, expected = trend_test_torch(torch.from_numpy(values).cuda()), trend_test(values)
    for name in ("s", "var_s", "n"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    for name in ("z", "p", "slope"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12, err_msg=name)


def as_field(values):
    return xr.DataArray(values, dims=("year", "depth", "lat", "lon"), coords={"depth": [1, 2, 3]})


def test_infinite_values_are_refused_in_torch_too():
    values = fields()
    values[2, 0, 3, 4] = np.inf
    with pytest.raises(UserError, match="1 of 231 series hold infinite values"):
        trend_test_torch(torch.from_numpy(values))


def test_nothing_is_computed_before_it_is_asked_for():
    def computed(block):
        raise AssertionError("computed")

    template = dask.array.zeros((30, 7), chunks=(30, 3))
    field = template.map_blocks(computed, dtype=float, meta=np.empty((0, 0)))
    lazy = trend_dataset(xr.DataArray(field, dims=("year", "lat")))
    assert {str(lazy[name].dtype) for name in OUTPUTS} == {"float64", "int64"}
    with pytest.raises(AssertionError, match="computed"):
        lazy.compute(scheduler="synchronous")


def test_years_that_leave_some_out_are_refused():
    years = np.r_[1995:2010, 2021:2036]
    field = as_field(fields()).assign_coords(year=years)
    with pytest.raises(UserError, match="year 2009 is followed by 2021; expected equal steps of 1"):
        trend_dataset(field)
    filled = field.reindex(year=np.arange(1995, 2036))
    assert trend_dataset(filled)["n"].max() == 30
    dated = as_field(fields()).assign_coords(year=np.arange("2000-01", 30, dtype="M8[M]"))
    assert trend_dataset(dated)["n"].max() == 30


def test_dask_stays_lazy_and_equals_the_eager_test():
    values = fields()
    chunked = as_field(values).chunk({"lat": 3, "lon": 5})
    lazy, eager = trend_dataset(chunked), trend_dataset(as_field(values))
    assert all(dask.is_dask_collection(lazy[name].data) for name in OUTPUTS)
    assert lazy["slope"].dims == ("depth", "lat", "lon")
    assert all(lazy[name].attrs == {"long_name": title} for name, title in OUTPUTS.items())
    xr.testing.assert_identical(lazy.compute(), eager)
    require_equal(eager, trend_test(values))


def test_a_series_in_several_chunks_and_an_unknown_dimension_are_refused():
    field = as_field(fields())
    with pytest.raises(UserError, match=r"year lies in 3 chunks of 10 steps.*chunk\(\{'year': -1"):
        trend_dataset(field.chunk({"year": 10}))
    with pytest.raises(UserError, match="no dimension 'time' in the field; got year, depth"):
        trend_dataset(field, "time")


def test_the_docs_own_lines_test_a_file_chunk_by_chunk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    months = np.arange("2000-01", 360, dtype="M8[M]").astype("M8[ns]")
    values = np.repeat(fields()[:, 0], 12, axis=0)
    field = xr.DataArray(values, {"time": months}, ("time", "lat", "lon"), "soil_moisture")
    field.to_netcdf("mine.nc")
    page = (Path(__file__).parents[2] / "docs" / "trends.md").read_text(encoding="utf-8")
    exec(page.split("```python\n")[1].split("```")[0], {})
    with xr.open_dataset("trends.nc") as found:
        np.testing.assert_allclose(found["slope"], trend_test(fields()[:, 0]).slope, atol=1e-7)
        assert (found["n"] == 30).all()
