import re
from pathlib import Path

import dask
import numpy as np
import pytest
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.evaluation.fields import field_statistics
from soilfuse.evaluation.lazy import scores, statistics
from soilfuse.evaluation.metrics import METRICS, metrics
from soilfuse.grids.months import month_axis

DOCS = Path(__file__).parents[2] / "docs" / "evaluation.md"
MONTHS = month_axis(2001, 2004)
LAT, LON = np.arange(31.0, 35), np.arange(90.0, 95)


@pytest.fixture
def pair():
    rng = np.random.default_rng(1)
    truth = (0.3 + 0.05 * rng.standard_normal((48, 2, 4, 5))).astype("f4")
    predicted = (truth + 0.02 * rng.standard_normal(truth.shape)).astype("f4")
    predicted[3, 0, 1, 1] = np.nan
    truth[5, 1, 2, :] = np.nan
    coords = {"time": MONTHS, "depth": [0.05, 0.2], "lat": LAT, "lon": LON}
    dims = ("time", "depth", "lat", "lon")
    return tuple(xr.DataArray(values, coords, dims) for values in (predicted, truth))


@pytest.fixture
def area():
    values = np.cos(np.deg2rad(LAT))[:, None] * np.ones(5)
    values[0, :2] = 0
    return xr.DataArray(values, {"lat": LAT, "lon": LON}, ("lat", "lon"))


def no_computing(graph, keys, **kwargs):
    raise AssertionError("computed too early")


def test_grid_equals_series_equals_dask_equals_numpy(pair, area):
    x, y = pair
    over = ["time", "lat", "lon"]
    eager = scores(x, y, over, area)
    with dask.config.set(scheduler=no_computing):
        lazy = scores(x.chunk(time=7, lat=3), y.chunk(time=12, depth=1), over, area)
    assert all(lazy[name].chunks for name in METRICS)
    xr.testing.assert_allclose(lazy.compute(), eager, rtol=1e-10)
    sums = field_statistics(x.values, y.values, MONTHS, {"all": area.values})
    expected = metrics(sums.sum(axis=0)[:, 0])
    for name in METRICS:
        np.testing.assert_allclose(eager[name], expected[name], rtol=1e-9)

    by_cell = scores(x, y, ["time"])
    cell = {"lat": 32, "lon": 91}
    alone = scores(x.sel(cell), y.sel(cell), ["time"])
    xr.testing.assert_allclose(by_cell.sel(cell), alone, rtol=1e-10)
    chunked = scores(x.chunk(lat=1, time=5), y.chunk(lat=1, time=5), ["time"]).compute()
    xr.testing.assert_allclose(chunked, by_cell, rtol=1e-10)


def test_missing_pairs_count_for_nothing_and_nothing_is_no_number(pair):
    x, y = pair
    n = scores(x, y, ["time"])["n"]
    assert n.sel(depth=0.05, lat=32, lon=91) == 47
    assert (n.sel(depth=0.2, lat=33) == 47).all() and n.max() == 48
    empty = scores(x, xr.full_like(y, np.nan), ["time"])
    assert (empty["n"] == 0).all()
    assert all(bool(empty[name].isnull().all()) for name in METRICS if name != "n")


def test_without_time_there_are_no_anomalies(pair):
    x, y = (each.isel(time=0) for each in pair)
    got = scores(x, y, ["lat", "lon"])
    assert got["anomaly_r"].isnull().all()
    assert got["r"].notnull().all()


def test_rounded_coordinates_are_the_same_and_others_are_refused(pair, area):
    x, y = pair
    moved = x.assign_coords(lat=LAT + 1e-8, time=MONTHS + np.timedelta64(14, "D"))
    expected = scores(x, y, ["time", "lat", "lon"], area)
    near = area.assign_coords(lat=LAT - 1e-8)
    xr.testing.assert_identical(scores(moved, y, ["time", "lat", "lon"], near), expected)
    with pytest.raises(UserError, match="prediction and truth do not stand in the same places"):
        scores(x.assign_coords(lat=LAT + 0.1), y, ["time"])
    with pytest.raises(UserError, match="weights and truth do not stand in the same places"):
        scores(x, y, ["time"], area.isel(lat=slice(1, None)))


def test_other_months_are_refused(pair):
    x, y = pair
    with pytest.raises(UserError, match="do not stand in the same places"):
        statistics(x.isel(time=slice(1, None)), y)


def test_the_documented_way_gives_the_scores_of_a_product(
    pair, area, tmp_path, monkeypatch, capsys
):
    """The example of docs/evaluation.md, on files with the names and times of the real ones."""
    x, y = (each.assign_coords(time=month_axis(2016, 2019)) for each in pair)
    product = xr.Dataset({"soil_moisture": x, "cell_area": area})
    product["region"] = (area > 0).astype("int8")
    product["time"] = product["time"].values + np.timedelta64(14, "D")
    for path, dataset in (
        ("products/ssp245.nc", product),
        ("data/processed/amsmqtp.nc", y.to_dataset(name="soil_moisture")),
    ):
        (tmp_path / path).parent.mkdir(parents=True)
        dataset.to_netcdf(tmp_path / path, engine="h5netcdf")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "docs/evaluation.md", "exec"), {})
    expected = scores(x, y, ["time", "lat", "lon"], area)["rmse"].values
    told = capsys.readouterr().out.strip("[]\n").split()
    np.testing.assert_allclose([float(value) for value in told], expected, rtol=1e-6)
    with xr.open_dataset("scores_by_cell.nc", engine="h5netcdf") as by_cell:
        assert dict(by_cell["rmse"].sizes) == {"depth": 2, "lat": 4, "lon": 5}
