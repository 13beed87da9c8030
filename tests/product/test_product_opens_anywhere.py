"""What users' own tools make of a product: xarray, cf_xarray, netCDF4-python, ncdump, cdo."""

import json
import re
import shutil
import subprocess

import cf_xarray  # noqa: F401
import cftime
import netCDF4
import numpy as np
import pyproj
import pytest
import xarray as xr

from soilfuse import names
from soilfuse.product import layout
from soilfuse.product.export import export
from soilfuse.product.part import Part

MONTHLY = list(layout.MONTHLY)


def told_by(*words):
    """Return what a program prints; skip where it is not installed."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "arning" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def forms(released, tmp_path_factory):
    """Return the product as it is, and as the whole exports of it."""
    folder = tmp_path_factory.mktemp("forms")
    for name in ("out.nc", "out.zarr"):
        export(released[0], folder / name, Part())
    return {"product": released[0], "nc": folder / "out.nc", "zarr": folder / "out.zarr"}


@pytest.fixture(params=["product", "nc", "zarr"])
def opened(forms, request):
    path = forms[request.param]
    with xr.open_zarr(path) if path.suffix == ".zarr" else xr.open_dataset(path) as dataset:
        yield dataset


def test_axes_are_found_by_their_cf_names(opened):
    assert {key: opened.cf.axes[key] for key in "TZYX"} == {
        "T": ["time"],
        "Z": ["depth"],
        "Y": ["lat"],
        "X": ["lon"],
    }
    assert opened.cf.coordinates["vertical"] == ["depth"]
    found = opened.cf["volume_fraction_of_condensed_water_in_soil"]
    assert found.name == names.SOIL_MOISTURE
    assert opened.cf["cell_area"].name == "cell_area"
    for name in ("time", "depth", "lat", "lon"):
        assert opened.cf.bounds[name] == [f"{name}_bnds"]
        assert opened.cf.get_bounds(name).dims == (name, "bnds")


def test_axes_rise_inside_bounds_without_gaps(opened):
    for name in ("time", "depth", "lat", "lon"):
        centres, bounds = opened[name].values, opened.cf.get_bounds(name).values
        assert (np.diff(centres) > np.zeros(1, np.diff(centres).dtype)).all()
        assert ((bounds[:, 0] < centres) & (centres < bounds[:, 1])).all()
        np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])


def test_months_are_those_of_the_calendar(opened):
    assert opened["time"].encoding["calendar"] == "standard"
    assert opened["time"].dt.calendar == "proleptic_gregorian"  # xarray's word for numpy's own days
    assert (opened["time"].dt.year[0], opened["time"].dt.year[-1]) == (2015, 2100)
    assert opened["time"].dt.month.values.tolist() == list(range(1, 13)) * 86
    lengths = np.diff(opened["time_bnds"].values, axis=1).ravel() / np.timedelta64(1, "D")
    np.testing.assert_array_equal(lengths, opened["time"].dt.days_in_month)


def test_flags_are_read_by_their_words(opened):
    region = opened["region"]
    for number, word in enumerate(["none", "yangtze", "yellow", "lancang"]):
        np.testing.assert_array_equal(region.cf == word, region == number)
    inside = opened[names.SOIL_MOISTURE].isel(time=0).where(region.cf == "yangtze")
    assert int(inside.isel(depth=0).count()) == int((region == 1).sum()) > 0
    outside = opened[layout.OUTSIDE].cf == "outside"
    assert 0 < float(outside.mean()) < 1


def test_what_variables_refer_to_is_there(opened):
    for name in MONTHLY:
        told = {**opened[name].attrs, **opened[name].encoding}
        for attribute in ("grid_mapping", "ancillary_variables", "quantization"):
            for other in told.get(attribute, "").split():
                assert other in opened.variables, (name, attribute)
        assert told["cell_measures"] == "area: cell_area"
        assert opened[name].dims[-2:] == opened["cell_area"].dims


def test_coordinates_are_those_of_epsg_4326_by_words_and_by_numbers(opened):
    told = dict(opened["crs"].attrs)
    known = pyproj.CRS.from_epsg(4326)
    assert pyproj.CRS.from_wkt(told.pop("crs_wkt")) == known
    by_numbers = pyproj.CRS.from_cf(told)
    for number in ("semi_major_metre", "inverse_flattening"):
        expected = getattr(known.ellipsoid, number)
        assert getattr(by_numbers.ellipsoid, number) == pytest.approx(expected, rel=1e-12)


def test_the_c_library_reads_the_same_values(released):
    with netCDF4.Dataset(released[0]) as file, xr.open_dataset(released[0]) as product:
        assert file.data_model == "NETCDF4"
        assert not file.groups
        for name in MONTHLY:
            values = file[name][:]
            assert not np.ma.is_masked(values)
            np.testing.assert_array_equal(values, product[name])
            assert file[name].filters()["shuffle"]
            assert file[name].filters()["complevel"] == 4
        days = cftime.num2date(file["time"][:], file["time"].units, file["time"].calendar)
        assert (days[0].year, days[0].month, days[0].day) == (2015, 1, 16)
        assert all(isinstance(file[v].long_name, str) for v in MONTHLY)


def test_ncdump_shows_plain_texts_and_a_product_of_the_c_library_can_be_copied(released, tmp_path):
    header = told_by("ncdump", "-h", released[0])
    assert "string " not in header  # texts, which nc_get_att_text gets
    assert 'soil_moisture:units = "1" ;' in header
    assert ':Conventions = "CF-1.11" ;' in header
    assert re.search(r"float soil_moisture\(time, depth, lat, lon\) ;", header)
    told_by("nccopy", "-k", "classic", "-V", "soil_moisture,time,lat", released[0], tmp_path / "c")
    assert (tmp_path / "c").read_bytes()[:3] == b"CDF"


def test_cdo_knows_grid_layers_time_and_area(released):
    told = told_by("cdo", "-s", "sinfon", released[0])
    assert re.search(r"lonlat +: points=35 \(7x5\)", told)
    assert re.search(r"lon : 95 to 98 by 0.5 degrees_east", told)
    assert re.search(r"lat : 33 to 35 by 0.5 degrees_north", told)
    assert "available : cellbounds area" in told
    assert re.search(r"depth : 0.05 to 0.95 m", told)
    assert re.search(r"bounds : 0-0.1 to 0.8-1.1 m", told)
    assert re.search(r"time : 1032 steps", told)
    assert "Calendar = standard  Bounds = true" in told
    assert all(name in told for name in MONTHLY)


def test_cdo_takes_the_same_means_as_xarray(released, tmp_path):
    part = tmp_path / "yangtze.nc"
    export(released[0], part, Part(years=(2050, 2050), regions=("yangtze",)))
    told = told_by("cdo", "-s", "outputkey,value", "-fldmean", "-selname,soil_moisture", part)
    theirs = np.array([float(line) for line in told.split("\n") if line and line[0] != "#"])
    with xr.open_dataset(part) as product:
        mean = product["soil_moisture"].weighted(product["cell_area"]).mean(("lat", "lon"))
        np.testing.assert_allclose(theirs, mean.values.ravel(), rtol=1e-5)


def test_zarr_is_read_by_names_alone(forms):
    folder = forms["zarr"]
    told = json.loads((folder / "soil_moisture" / ".zattrs").read_text())
    assert told["_ARRAY_DIMENSIONS"] == ["time", "depth", "lat", "lon"]
    assert told["standard_name"] == "volume_fraction_of_condensed_water_in_soil"
    assert json.loads((folder / ".zattrs").read_text())["Conventions"] == "CF-1.11"
