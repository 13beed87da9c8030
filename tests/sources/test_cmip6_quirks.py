"""Single models' deviations from CMIP6, in files of that model's form: one test each."""

import h5py
import numpy as np
import pytest
from source_files import GRID, NATIVE_LAT, NATIVE_LON, mid_months, rippled, write_cmip6

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.sources.cmip6 import read_mrsol, read_mrsos
from soilfuse.sources.cmip6_quirks import QUIRKS, quirk_of

YEARS = (2000, 2001)
MONTHS = 24


def field(seed=0, shape=(MONTHS, NATIVE_LAT.size, NATIVE_LON.size)):
    return np.random.default_rng(seed).uniform(5, 40, shape).astype(np.float32)


def written(root, model, values, **form):
    """A file of a known model under its own member, grid label and calendar."""
    about = names.KNOWN_MODELS[model]
    return write_cmip6(
        root,
        values,
        form.pop("years", YEARS),
        source_id=model,
        variant=about.variant_label,
        calendar=about.calendar,
        grid_label=about.grid_label,
        **form,
    )


def read(root, model, years=YEARS, grid=None):
    return read_mrsos(
        root, model, names.KNOWN_MODELS[model].variant_label, "historical", *years, 0, grid
    )


def rewritten(path, name, values, bounds=None):
    """Replace a variable of a file, or rename the bounds of its time axis."""
    with h5py.File(path, "r+") as file:
        file[name][...] = values
        if bounds:
            file.move("time_bnds", bounds)
            file["time"].attrs["bounds"] = bounds


def test_quirks_are_of_known_models_and_say_why():
    assert set(QUIRKS) <= set(names.KNOWN_MODELS)
    for quirk in QUIRKS.values():
        assert "issue" in quirk.why or "doi:" in quirk.why
        assert quirk.mrsos_thickness or quirk.mrsol_layers


@pytest.mark.parametrize("model", ["ACCESS-CM2", "ACCESS-ESM1-5"])
def test_access_says_two_centimetres_and_means_ten(tmp_path, model):
    values = field()
    written(tmp_path, model, values, depth_bnds=(0.0, 0.022))
    got = read(tmp_path, model)
    np.testing.assert_allclose(got.values, values / 100, rtol=1e-6)
    assert got.attrs["quirk"] == QUIRKS[model].why
    # Any other model means what it says: the same file is then far too wet.
    written(tmp_path, "MIROC6", values, depth_bnds=(0.0, 0.022))
    with pytest.raises(UserError, match="after conversion"):
        read(tmp_path, "MIROC6")


def write_ipsl(root, mass, bounds=None):
    """IPSL-CM6A-LR's mrsol: an axis of layer numbers, time_bounds, no depths."""
    name = "mrsol_Emon_IPSL-CM6A-LR_historical_r1i1p1f1_gr_200001-200112.nc"
    path = root / "cmip6" / "IPSL-CM6A-LR" / name
    path.parent.mkdir(parents=True)
    middle, edges = mid_months(YEARS, "standard", "days since 1850-01-01")
    axes = {
        "time": middle,
        "solay": np.arange(1.0, mass.shape[1] + 1),
        "lat": NATIVE_LAT,
        "lon": NATIVE_LON,
    }
    with h5py.File(path, "w") as file:
        for dim, values in axes.items():
            file.create_dataset(dim, data=values).make_scale(dim)
        file["time"].attrs["units"] = "days since 1850-01-01"
        file["time"].attrs["calendar"] = "gregorian"
        file["time"].attrs["bounds"] = "time_bounds"
        file["time_bounds"] = edges
        if bounds is not None:
            file["solay"].attrs["bounds"] = "solay_bounds"
            file["solay_bounds"] = bounds
        stored = file.create_dataset("mrsol", data=mass.astype("f4"))
        stored.attrs["units"] = "kg m-2"
        for axis, dim in enumerate(axes):
            stored.dims[axis].attach_scale(file[dim])
    return path


def ipsl(root, top, bottom):
    named = "IPSL-CM6A-LR", "r1i1p1f1", "Emon", "historical"
    return read_mrsol(root, *named, *YEARS, top, bottom, 0)


def uniform(thickness, theta):
    mass = 1000.0 * np.asarray(theta) * np.asarray(thickness)
    return rippled(np.tile(mass[:, None, None], (MONTHS, 1, NATIVE_LAT.size, NATIVE_LON.size)))


def test_ipsl_has_eleven_layers_whose_depths_its_files_leave_out(tmp_path):
    layers = np.array(quirk_of("IPSL-CM6A-LR").mrsol_layers)
    # Nodes at 2 m (2^i - 1) / 1023; by hand the first edges lie at 1/1023, 4/1023 and 10/1023 m.
    np.testing.assert_allclose(layers[:3, 1] * 1023, [1, 4, 10], rtol=1e-12)
    np.testing.assert_allclose(layers[-1], [2 * (511 + 1023) / 2 / 1023, 2.0], rtol=1e-12)
    theta = np.linspace(0.1, 0.4, 11)
    write_ipsl(tmp_path, uniform(np.diff(layers)[:, 0], theta))
    got = ipsl(tmp_path, 0.0, 2.0)
    expected = (theta * np.diff(layers)[:, 0]).sum() / 2.0
    np.testing.assert_allclose(got.values, expected, rtol=1e-6)
    assert got.attrs["quirk"] == QUIRKS["IPSL-CM6A-LR"].why
    np.testing.assert_allclose(ipsl(tmp_path, 1.6, 1.9).values, theta[-1], rtol=1e-6)


def test_ipsl_with_depths_of_its_own_or_other_layers_is_not_mended(tmp_path):
    own = np.stack([np.arange(11) / 5, np.arange(1, 12) / 5], axis=1)
    write_ipsl(tmp_path / "own", uniform(np.full(11, 0.2), np.linspace(0.1, 0.4, 11)), own)
    got = ipsl(tmp_path / "own", 0.0, 0.4)
    np.testing.assert_allclose(got.values, 0.115, rtol=1e-6)
    assert "quirk" not in got.attrs
    path = write_ipsl(tmp_path / "other", uniform(np.full(18, 0.1), np.full(18, 0.2)))
    with pytest.raises(UserError, match="bounds missing") as caught:
        ipsl(tmp_path / "other", 0.0, 0.4)
    assert str(path) in str(caught.value)


# What the door takes of any model, and the docstring of cmip6_quirks says so.


def test_cesm2_has_no_depth_and_a_missing_value_in_double_precision(tmp_path):
    values = field()
    values[:, 0, 0] = np.nan
    path = written(tmp_path, "CESM2", values, depth_bnds=None)
    with h5py.File(path, "r+") as file:
        file["mrsos"].attrs["missing_value"] = np.float64(1e20)
        del file["mrsos"].attrs["_FillValue"]
    np.testing.assert_allclose(read(tmp_path, "CESM2").values, values / 100, rtol=1e-6)


@pytest.mark.parametrize("model", ["EC-Earth3-Veg-LR", "MPI-ESM1-2-HR"])
@pytest.mark.parametrize("centre", [33.0, 35.0, 33.3], ids=["south edge", "north edge", "inside"])
def test_latitudes_that_differ_in_the_last_digits_join(tmp_path, model, centre):
    # With the domain's edge on a centre, one file's centre lies just inside, the other's outside.
    lat = centre + 1.5 * np.arange(-8, 9)
    values = field(shape=(48, lat.size, NATIVE_LON.size))
    written(tmp_path, model, values[:24], years=(2000, 2001), lat=lat + 1e-6)
    written(tmp_path, model, values[24:], years=(2002, 2003), lat=lat - 1e-6)
    got = read(tmp_path, model, (2000, 2003), GRID)
    assert got.sizes["time"] == 48
    rows = np.isin(lat.round(3), got.lat.values.round(3))
    assert 5 < rows.sum() < lat.size
    np.testing.assert_allclose(got.values, values[:, rows] / 100, rtol=1e-6)


def test_miroc6_mixes_single_and_double_precision(tmp_path):
    lat = np.array([30.116, 31.517, 32.918, 34.319, 35.720, 37.121])
    values = field(shape=(48, lat.size, NATIVE_LON.size))
    written(tmp_path, "MIROC6", values[:24], years=(2000, 2001), lat=lat)
    written(tmp_path, "MIROC6", values[24:], years=(2002, 2003), lat=lat.astype(np.float32))
    np.testing.assert_allclose(read(tmp_path, "MIROC6", (2000, 2003)), values / 100, rtol=1e-6)


@pytest.mark.parametrize("model", ["FGOALS-f3-L", "KACE-1-0-G"])
def test_time_bounds_of_twenty_days_keep_their_month(tmp_path, model):
    values = field()
    path = written(tmp_path, model, values)
    with h5py.File(path) as file:
        middle = file["time"][:]
    rewritten(path, "time_bnds", np.stack([middle - 10, middle + 10], axis=1))
    np.testing.assert_allclose(read(tmp_path, model).values, values / 100, rtol=1e-6)


@pytest.mark.parametrize("model", ["IPSL-CM6A-LR", "CNRM-CM6-1-HR"])
def test_time_bounds_under_another_name_place_end_stamps(tmp_path, model):
    values = field()
    path = written(tmp_path, model, values, stamp="end")
    with h5py.File(path) as file:
        bounds = file["time_bnds"][:]
    rewritten(path, "time_bnds", bounds, bounds="time_bounds")
    np.testing.assert_allclose(read(tmp_path, model).values, values / 100, rtol=1e-6)


@pytest.mark.parametrize("model", ["FGOALS-g3", "NorESM2-LM"])
def test_wrong_bounds_of_the_grid_are_not_read(tmp_path, model):
    values = field()
    path = written(tmp_path, model, values)
    with h5py.File(path, "r+") as file:
        for axis in ("lat", "lon"):
            file[axis].attrs["bounds"] = f"{axis}_bnds"
            file[f"{axis}_bnds"] = np.zeros((file[axis].size, 2))
    np.testing.assert_allclose(read(tmp_path, model).values, values / 100, rtol=1e-6)


def test_gfdl_mrsol_without_bounds_is_refused_by_name(tmp_path):
    path = write_ipsl(tmp_path, uniform(np.full(11, 0.2), np.full(11, 0.2)))
    gfdl = tmp_path / "cmip6" / "GFDL-ESM4"
    gfdl.mkdir()
    there = gfdl / path.name.replace("IPSL-CM6A-LR", "GFDL-ESM4").replace("_gr_", "_gr1_")
    path.rename(there)
    with pytest.raises(UserError, match="bounds missing; expected bounds in m") as caught:
        read_mrsol(tmp_path, "GFDL-ESM4", "r1i1p1f1", "Emon", "historical", *YEARS, 0.0, 0.1, 0)
    assert str(there) in str(caught.value)


def test_both_lists_of_models_have_the_papers_members_and_the_archives_labels():
    assert (len(names.CLIMATE_MODELS), len(names.CHINA_MODELS)) == (17, 25)
    others = {
        name: model.variant_label
        for name, model in names.KNOWN_MODELS.items()
        if model.variant_label != "r1i1p1f1"
    }
    assert others == {
        "CanESM5-CanOE": "r1i1p2f1",
        "CNRM-CM6-1-HR": "r1i1p1f2",
        "CNRM-ESM2-1": "r1i1p1f2",
        "GISS-E2-1-G": "r1i1p1f2",
        "MIROC-ES2L": "r1i1p1f2",
        "UKESM1-0-LL": "r1i1p1f2",
    }
    regridded = {
        name: model.grid_label
        for name, model in names.KNOWN_MODELS.items()
        if model.grid_label != "gn"
    }
    assert regridded == {
        "CNRM-CM6-1-HR": "gr",
        "CNRM-ESM2-1": "gr",
        "EC-Earth3-Veg": "gr",
        "EC-Earth3-Veg-LR": "gr",
        "FGOALS-f3-L": "gr",
        "GFDL-ESM4": "gr1",
        "IPSL-CM6A-LR": "gr",
        "KACE-1-0-G": "gr",
    }
