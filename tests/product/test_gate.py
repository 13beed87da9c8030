"""The release gate finds what a file lacks."""

import shutil

import h5py
import numpy as np
import pytest

from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.product.checks import Limits, require
from soilfuse.product.gate import inspect

LIMITS = Limits(min_coverage=1.0, max_soil_moisture=0.8)


@pytest.fixture
def editable(released, tmp_path):
    path = tmp_path / "ssp370.nc"
    shutil.copy(released[0], path)
    return path


def failed(path, experiment="ssp370", limits=LIMITS):
    return [check.name for check in inspect(path, experiment, limits) if not check.passed]


def test_good_product_passes_every_check(released):
    checks = inspect(released[0], "ssp370", LIMITS)
    assert len(checks) == 11
    assert all(check.passed for check in checks)


def test_months_of_another_experiment(editable):
    assert failed(editable, "historical") == ["time axis", "global attributes"]


def test_shifted_months(editable):
    with h5py.File(editable, "r+") as file:
        file["time"][7] += 1
    assert failed(editable) == ["time axis"]


def test_bounds_of_other_months(editable):
    with h5py.File(editable, "r+") as file:
        file["time_bnds"][7, 1] += 1
    assert failed(editable) == ["time axis"]


@pytest.mark.parametrize("axis", ["depth", "lat", "lon"])
@pytest.mark.parametrize("fault", ["order", "outside", "gap"])
def test_axis_that_is_none(editable, axis, fault):
    with h5py.File(editable, "r+") as file:
        centres, bounds = file[axis], file[f"{axis}_bnds"]
        if fault == "order":
            centres[...] = centres[...][::-1]
            bounds[...] = bounds[...][::-1]
        elif fault == "outside":
            centres[0] = bounds[0, 0] - 0.01
        else:
            bounds[0, 1] = (centres[0] + bounds[0, 1]) / 2
    assert failed(editable) == [f"{axis} axis"]


def test_values_out_of_range(editable):
    with h5py.File(editable, "r+") as file:
        file["soil_moisture"][3] = -0.01
    assert failed(editable) == ["soil moisture"]


def test_negative_spread(editable):
    with h5py.File(editable, "r+") as file:
        file["soil_moisture_fold_spread"][900, 2] = -1e-3
    assert failed(editable) == ["fold spread"]


@pytest.mark.parametrize("value", [-1e-3, np.nan, 0.9])
def test_spread_of_models_that_is_none(editable, value):
    with h5py.File(editable, "r+") as file:
        file["soil_moisture_model_spread"][900, 2] = value
    assert failed(editable) == ["model spread"]


def test_spread_of_models_that_is_missing_in_some_months(editable):
    with h5py.File(editable, "r+") as file:
        spread = file["soil_moisture_model_spread"]
        spread[:96] = spread.fillvalue
    assert failed(editable) == ["model spread"]


def test_a_single_climate_model_has_no_spread(editable):
    with h5py.File(editable, "r+") as file:
        spread = file["soil_moisture_model_spread"]
        spread[...] = spread.fillvalue
    assert failed(editable) == []


def test_flag_without_a_word(editable):
    with h5py.File(editable, "r+") as file:
        file["outside_training_range"][900] = 7
    assert failed(editable) == ["outside-range flag"]


def test_missing_spread(editable):
    with h5py.File(editable, "r+") as file:
        file["soil_moisture_fold_spread"][900, 2] = file["soil_moisture_fold_spread"].fillvalue
    assert failed(editable) == ["fold spread"]


def test_infinite_value_is_a_hole(editable):
    with h5py.File(editable, "r+") as file:
        file["soil_moisture"][100, 4] = np.inf
    assert failed(editable) == ["coverage"]


def test_coverage_that_is_allowed(editable, released):
    with h5py.File(editable, "r+") as file:
        inside = file["region"][...] > 0
        row, column = np.argwhere(inside)[0]
        file["soil_moisture"][100, 4, row, column] = np.nan
    assert failed(editable) == ["coverage"]
    # the emptiest month and layer decides, not their mean
    assert failed(editable, limits=Limits(1 - 0.5 / inside.sum(), 0.8)) == ["coverage"]
    assert failed(editable, limits=Limits(1 - 1.5 / inside.sum(), 0.8)) == []


def test_attributes_that_are_gone(editable):
    with h5py.File(editable, "r+") as file:
        del file["soil_moisture"].attrs["units"]
        del file.attrs["license"]
    checks = {check.name: check for check in inspect(editable, "ssp370", LIMITS)}
    assert checks["variable attributes"].got == "without soil_moisture:units"
    assert checks["global attributes"].got == "without license"


def test_file_of_another_kind(tmp_path, released):
    path = tmp_path / "ssp370.nc"
    with h5py.File(path, "w") as file:
        file["something"] = 1
    with pytest.raises(UserError, match="lacks variable time, depth"):
        inspect(path, "ssp370", LIMITS)
    path.write_bytes(released[0].read_bytes()[:5000])
    with pytest.raises(UserError, match="no readable NetCDF-4 file"):
        inspect(path, "ssp370", LIMITS)


def test_refusal_names_every_failure(tmp_path):
    checks = [
        Check("coverage", False, "0.5", "at least 1", "holes"),
        Check("time axis", True, "1032 months", "1032", "trends"),
        Check("range", False, "2", "0 to 1", "physics"),
    ]
    with pytest.raises(UserError) as refusal:
        require(checks, tmp_path / "a.nc")
    assert len(refusal.value.problems) == 2
    require(checks[1:2], tmp_path / "a.nc")
