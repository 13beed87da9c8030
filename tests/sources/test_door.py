import numpy as np
import pytest
from scipy.io import netcdf_file
from source_files import write_cmip6

from soilfuse.errors import UserError
from soilfuse.sources.door import Request, read
from soilfuse.sources.netcdf import opened


def write_classic(path, dims=("time", "lat", "lon"), sizes=(3, 2, 2), **attributes):
    """A NetCDF-3 file of theta(dims) = 0.01 x index, first value missing; days of 2000."""
    with netcdf_file(path, "w") as file:
        for name, size in zip(dims, sizes, strict=True):
            file.createDimension(name, size)
        axes = {
            "time": np.array([0.0, 1.0, 31.0]),
            "lat": np.array([33.0, 34.0]),
            "lon": np.array([95.0, 96.0]),
        }
        for name in dims:
            if name in axes:
                variable = file.createVariable(name, "f8", (name,))
                variable[:] = axes[name]
                if name == "time":
                    variable.units = attributes.get("time_units", "days since 2000-01-01")
        theta = file.createVariable("theta", "f4", dims)
        values = np.arange(np.prod(sizes), dtype=np.float32).reshape(sizes) / 100
        values.flat[0] = -9999.0
        theta[:] = values
        theta.units = "m3 m-3"
        theta._FillValue = np.float32(-9999.0)
    return path


def request(**changes):
    asked = {"years": (2000, 2000), "frequency": "day", "complete": False, **changes}
    return Request("a provider", "theta", **asked)


def problem(path, **changes):
    with pytest.raises(UserError) as caught:
        read([path], request(**changes))
    assert len(caught.value.problems) == 1
    line = caught.value.problems[0]
    assert str(path) in line
    assert "a provider" in line
    return line


def test_classic_files_and_gaps_in_daily_means(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    field = read([path], request())
    assert field.sizes["time"] == 2
    np.testing.assert_allclose(field.values[0], [[0.04, 0.03], [0.04, 0.05]], rtol=1e-6)
    np.testing.assert_allclose(field.values[1], [[0.08, 0.09], [0.10, 0.11]], rtol=1e-6)
    assert field.attrs["source_calendar"] == "standard"


def test_dimensions_in_another_order_are_turned(tmp_path):
    path = write_classic(tmp_path / "a.nc", dims=("lat", "lon", "time"), sizes=(2, 2, 3))
    field = read([path], request())
    assert field.dims == ("time", "lat", "lon")
    np.testing.assert_allclose(field.values[1], [[0.02, 0.05], [0.08, 0.11]], rtol=1e-6)


def test_levels_must_be_asked_for(tmp_path):
    path = write_classic(tmp_path / "a.nc", ("time", "soil", "lat", "lon"), (3, 2, 2, 2))
    assert "dimension 'soil' of size 2" in problem(path)
    field = read([path], request(level="soil"))
    assert field.dims == ("time", "soil", "lat", "lon")
    single = write_classic(tmp_path / "b.nc", ("time", "soil", "lat", "lon"), (3, 1, 2, 2))
    assert read([single], request()).dims == ("time", "lat", "lon")
    flat = write_classic(tmp_path / "c.nc")
    assert "no dimension 'soil'" in problem(flat, level="soil")


def test_what_is_missing_is_named(tmp_path):
    path = write_classic(tmp_path / "a.nc")
    with pytest.raises(UserError, match=r"no variable 'mrsos' in .*a\.nc.*it holds .*theta"):
        read([path], Request("a provider", "mrsos", (2000, 2000)))
    assert "missing month 2000-03" in problem(path, complete=True)
    assert "month 2000-02 has 1 days" in problem(path, min_records=2)
    assert "no month of 2010-2011" in problem(path, years=(2010, 2011))
    assert "month 2000-01 stands 2 times" in problem(path, frequency="mon")
    with pytest.raises(UserError, match=r"no file .*gone\.nc"):
        read([tmp_path / "gone.nc"], request())


def test_groups_of_a_file_without_them_are_refused(tmp_path):
    path = write_cmip6(tmp_path, np.full((12, 6, 6), 20.0), (2000, 2000))
    with (
        pytest.raises(UserError, match=r"no group 'MIROC6' in .*\.nc \(a provider\)"),
        opened(path, "a provider") as file,
    ):
        file.group("MIROC6")
