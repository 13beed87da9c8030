"""The product's file: its numbers, its bytes, its form, and that no half of it is ever seen."""

import resource
import shutil
from dataclasses import replace

import h5py
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from soilfuse.errors import UserError
from soilfuse.product import layout
from soilfuse.product.attributes import product_attributes
from soilfuse.product.static_fields import flag_words, static_fields


def test_numbers_survive_rounding(released):
    path, writing = released
    with xr.open_dataset(path, engine="h5netcdf") as product:
        assert product["soil_moisture"].dims == ("time", "depth", "lat", "lon")
        assert product["soil_moisture"].dtype == np.float32
        np.testing.assert_allclose(product["soil_moisture"], writing.mean, rtol=5e-5)
        np.testing.assert_allclose(product["soil_moisture_fold_spread"], writing.spread, rtol=5e-3)
        np.testing.assert_allclose(product["soil_moisture_model_spread"], writing.models, rtol=5e-3)
        np.testing.assert_array_equal(product["outside_training_range"], writing.outside)


def test_time_is_the_middle_of_each_month(released):
    with xr.open_dataset(released[0], engine="h5netcdf") as product:
        assert str(product["time"].values[0])[:13] == "2015-01-16T12"
        assert str(product["time"].values[-1])[:13] == "2100-12-16T12"
        bounds = product["time_bnds"].values
        assert str(bounds[1, 0])[:10] == "2015-02-01"
        np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])


def test_layers_area_and_regions(released):
    path, writing = released
    with xr.open_dataset(path, engine="h5netcdf") as product:
        np.testing.assert_allclose(product["depth_bnds"][1], [0.1, 0.3])
        np.testing.assert_allclose(product["cell_area"], writing.regions.grid.area)
        region = product["region"]
        np.testing.assert_array_equal(region, writing.regions.mask)
        assert region.attrs["flag_meanings"] == "none yangtze yellow lancang"
        assert region.attrs["flag_values"].tolist() == [0, 1, 2, 3]
        assert "comment" not in region.attrs


def test_the_climate_models_spread_is_said_to_be_that_of_the_inputs(released):
    with xr.open_dataset(released[0], engine="h5netcdf") as product:
        spread = product["soil_moisture_model_spread"]
        assert "top 10 cm" in spread.attrs["long_name"] and "depth" not in spread.dims
        assert spread.attrs["comment"].startswith("Spread of the inputs")


def test_without_a_spread_of_climate_models_it_is_missing_and_not_0(writing, tmp_path):
    writing.models[:] = np.nan
    writing.write(tmp_path / "ssp370.nc")
    with xr.open_dataset(tmp_path / "ssp370.nc", engine="h5netcdf") as product:
        assert product["soil_moisture_model_spread"].isnull().all()
        assert product["soil_moisture"].notnull().all()


def test_says_where_it_comes_from(released):
    with xr.open_dataset(released[0], engine="h5netcdf") as product:
        attributes = product.attrs
    assert attributes["comment"].startswith("Made from the synthetic pseudo-reality v1 seed 1")
    assert attributes["comment"].endswith("Worse than climatology.")
    assert attributes["weights_sha256"] == "a" * 64


def test_same_bytes_whatever_the_batches(writing, tmp_path):
    writing.write(tmp_path / "a" / "ssp370.nc")
    writing.batch = 97
    writing.write(tmp_path / "b" / "ssp370.nc")
    first, second = (tmp_path / folder / "ssp370.nc" for folder in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_axes_have_no_fill_value(released):
    with h5py.File(released[0]) as file:
        for name in ("time", "depth", "lat", "lon", "time_bnds", "region", "cell_area"):
            assert "_FillValue" not in file[name].attrs
        assert "_FillValue" in file["soil_moisture"].attrs


def test_compliance_checker_finds_nothing(released):
    checker = pytest.importorskip("compliance_checker.runner")
    checker.CheckSuite.load_all_available_checkers()
    report = released[0].with_suffix(".txt")
    passed, errors = checker.ComplianceChecker.run_checker(
        str(released[0]), ["cf:1.11"], 0, "strict", output_filename=str(report)
    )
    assert passed, report.read_text(encoding="utf-8")
    assert not errors


def test_hole_in_the_region_is_refused_and_nothing_is_left(writing, tmp_path):
    height, width = np.argwhere(writing.regions.inside)[0]
    writing.mean[500, 2, height, width] = np.nan
    with pytest.raises(UserError, match="refuses .*ssp370.nc: coverage is 0.9"):
        writing.write(tmp_path / "ssp370.nc")
    assert list(tmp_path.iterdir()) == []


def test_older_product_survives_a_refusal(writing, tmp_path):
    path = tmp_path / "ssp370.nc"
    writing.write(path)
    before = path.read_bytes()
    writing.mean[:] = 0.95
    with pytest.raises(UserError, match=r"soil moisture is 0.95 to 0.95.*allowed 0 to 0.8"):
        writing.write(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_failing_prediction_leaves_nothing(writing, tmp_path):
    good = writing.predictions()

    def failing():
        yield next(good)
        raise RuntimeError("out of memory")

    writing.predictions = failing
    with pytest.raises(RuntimeError, match="out of memory"):
        writing.write(tmp_path / "ssp370.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("months", "message"), [(1000, "hold 1000 of"), (1033, "more than")])
def test_wrong_number_of_months(writing, tmp_path, months, message):
    for name in ("mean", "spread", "models", "outside"):
        values = getattr(writing, name)
        setattr(writing, name, np.resize(values, (months, *values.shape[1:])))
    with pytest.raises(ValueError, match=message):
        writing.write(tmp_path / "ssp370.nc")


def test_flag_words_are_what_cf_allows_and_the_names_stand_beside_them(writing):
    assert flag_words(["Upper Yangtze", "Río Negro", "黄河", "none", "upper_yangtze", "M-AS"]) == [
        "none",
        "Upper_Yangtze",
        "Rio_Negro",
        "region_3",
        "none_",
        "upper_yangtze",
        "M-AS",
    ]
    assert len(set(flag_words(["a b", "a_b", "a  b"]))) == 4
    every = np.ones(writing.regions.grid.shape, bool)
    masks = {"TRSR": every, "黄河": every, "west": writing.regions.inside}
    changed = replace(writing.regions, names=("黄河", "west"), masks=masks)
    said = static_fields(changed)["region"][1]["comment"]
    assert said.startswith("Names in the outlines: 黄河; west.")
    assert f"{int(writing.regions.inside.sum())} cells lie in several regions" in said


@pytest.mark.parametrize("limit", [0, 4_000, 100_000, 700_000])
def test_no_room_leaves_the_product_of_before_and_prints_nothing(
    writing, released, tmp_path, limit, capfd
):
    path = tmp_path / "ssp370.nc"
    shutil.copy(released[0], path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            writing.write(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == released[0].read_bytes()
    assert capfd.readouterr().err == ""


def test_target_that_cannot_be_written(writing, tmp_path):
    (tmp_path / "products").write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(OSError, match="products"):
        writing.write(tmp_path / "products" / "ssp370.nc")


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(np.float32, 20, elements=st.floats(2**-20, 100, width=32)),
    st.integers(1, 23),
)
def test_rounding_keeps_its_promise(values, bits):
    rounded = layout.rounded(values, bits)
    assert (np.abs(rounded - values) <= np.abs(values) * 2.0 ** -(bits + 1)).all()
    np.testing.assert_array_equal(layout.rounded(rounded, bits), rounded)
    np.testing.assert_array_equal(layout.rounded(-values, bits), -rounded)
    tail = rounded.view(np.uint32) & np.uint32((1 << (23 - bits)) - 1)
    assert not tail.any()


def test_digits_become_bits():
    assert layout.kept_bits(4) == 14
    assert layout.kept_bits(7) == 23
    assert np.isnan(layout.rounded(np.array([np.nan], np.float32), 10)[0])


def test_chunks_serve_maps_and_series():
    assert layout.chunks_of((1032, 5, 29, 61)) == (96, 1, 15, 31)
    assert layout.chunks_of((1032, 5, 71, 151)) == (96, 1, 18, 38)
    assert layout.chunks_of((12, 71, 151)) == (12, 18, 38)
    assert layout.chunks_of((1032, 5, 71, 151), layout.ZARR_TILE) == (96, 1, 36, 76)


def test_the_history_says_what_was_done_to_the_climate_models(writing):
    assert "smoothed each calendar month of them over 21 years" in writing.attributes["history"]
    assert "2 CMIP6 models (MIROC6, CESM2)" in writing.attributes["source"]


def test_the_source_names_the_models_that_were_missing():
    champion = {"registered_model": "m", "weights_sha256": "w", "ensemble_hash": "e", "world": "w"}
    manifest = {"source_ids": ["A", "B", "C"], "smoothing_years": 1}
    attributes = product_attributes(
        "ssp370", champion, manifest, ["C", "A", "D"], "trsr", "p", "i", "r"
    )
    assert attributes["source"].endswith("2 CMIP6 models (A, C); without B")
