"""The CF attributes that readers act on, word by word, and that what they say of the bits is so."""

import h5py
import numpy as np
import pytest
import xarray as xr

from soilfuse.product import layout

WANTED = {
    "time": {
        "standard_name": "time",
        "units": "days since 1950-01-01",
        "calendar": "standard",
        "axis": "T",
        "bounds": "time_bnds",
    },
    "depth": {"standard_name": "depth", "units": "m", "positive": "down", "bounds": "depth_bnds"},
    "lat": {"standard_name": "latitude", "units": "degrees_north", "bounds": "lat_bnds"},
    "lon": {"standard_name": "longitude", "units": "degrees_east", "bounds": "lon_bnds"},
    "soil_moisture": {
        "standard_name": "volume_fraction_of_condensed_water_in_soil",
        "units": "1",
        "cell_methods": "time: depth: mean",
        "grid_mapping": "crs",
        "cell_measures": "area: cell_area",
    },
    "soil_moisture_fold_spread": {"units": "1", "grid_mapping": "crs"},
    "soil_moisture_model_spread": {"units": "1", "grid_mapping": "crs"},
    "outside_training_range": {"flag_values": [0, 1], "flag_meanings": "within outside"},
    "cell_area": {"standard_name": "cell_area", "units": "km2"},
    "crs": {
        "grid_mapping_name": "latitude_longitude",
        "semi_major_axis": 6378137.0,
        "inverse_flattening": 298.257223563,
        "longitude_of_prime_meridian": 0.0,
    },
    "quantization_info": {"algorithm": "bitround", "implementation": "soilfuse"},
}
MODIFIED = ("standard_name", "cell_methods", "ancillary_variables")  # only of what they are true


@pytest.fixture(scope="module")
def attributes(released):
    """Return each variable's attributes as they stand in the file."""
    with h5py.File(released[0]) as file:
        return {
            name: {key: told(value) for key, value in file[name].attrs.items()} for name in file
        }


def told(value):
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf":
        return value.tolist() if value.size > 1 else value.item()
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.parametrize("name", WANTED)
def test_attributes_are(attributes, name):
    found = {key: attributes[name].get(key) for key in WANTED[name]}
    assert found == WANTED[name]


def test_what_stands_beside_soil_moisture_is_named_and_claims_no_more(attributes):
    beside = attributes["soil_moisture"]["ancillary_variables"].split()
    assert {
        "soil_moisture_fold_spread",
        "soil_moisture_model_spread",
        "outside_training_range",
    } <= set(beside)
    for name in beside:
        assert not [key for key in MODIFIED if key in attributes[name]], name


def test_flags_are_1_where_the_prediction_says_outside(released):
    path, writing = released
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[layout.OUTSIDE][...] == 1, writing.outside)


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        ("soil_moisture", 14),  # 4 digits
        ("soil_moisture_fold_spread", 7),  # 2 digits
        ("soil_moisture_model_spread", 7),
    ],
)
def test_no_more_bits_are_kept_than_are_told(released, attributes, name, bits):
    assert attributes[name]["quantization"] == "quantization_info"
    assert attributes[name]["quantization_nsb"] == bits
    with h5py.File(released[0]) as file:
        dropped = file[name][...].view(np.uint32) & np.uint32((1 << (23 - bits)) - 1)
        kept = file[name][...].view(np.uint32) >> np.uint32(23 - bits)
    assert not dropped.any()
    assert (kept & 1).any()


def test_a_missing_value_outside_the_regions_is_the_fill_value(writing, tmp_path):
    row, column = np.argwhere(~writing.regions.inside)[0]
    writing.mean[:, :, row, column] = np.nan
    checks = writing.write(tmp_path / "ssp370.nc")
    assert all(check.passed for check in checks)  # the gate judges the regions alone
    with h5py.File(tmp_path / "ssp370.nc") as file:
        stored = file["soil_moisture"]
        assert (stored[:, :, row, column] == stored.attrs["_FillValue"]).all()
    with xr.open_dataset(tmp_path / "ssp370.nc") as product:
        missing = product["soil_moisture"].isnull()
        assert missing[:, :, row, column].all()
        assert int(missing.sum()) == writing.time.size * 5
