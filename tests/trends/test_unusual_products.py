"""Trends of products that are short or constant, and of folders that cannot be written."""

import resource
from dataclasses import replace

import numpy as np
import pytest
from test_product_trends import REGIONS, SETTINGS, small_product

from soilfuse.trends.product_trends import product_trends, write_trends

PERIODS = [(2021, 2023), (2021, 2024)]


def trends_of(first, last, values=None, **settings):
    scenario = small_product(first, last, "ssp370")
    historical = small_product(1950, 2014, "historical")
    for product in (scenario, historical):
        if values is not None:
            product["soil_moisture"][:] = np.float32(values)
    chosen = SETTINGS.model_copy(update=settings)
    return product_trends(scenario, historical, REGIONS, chosen)


def test_fewer_than_four_years_are_counted_and_not_tested():
    found = trends_of(2015, 2030, future_periods=PERIODS)
    short = found.regions.query("period == '2021-2023' and season == 'annual'")
    assert set(short["n"]) == {3}
    for column in ("slope", "p", "z", "slope_low", "slope_high", "p_hamed_rao", "p_yue_wang"):
        assert short[column].isna().all(), column
    assert not short["significant"].any()
    maps = found.maps.sel(period="2021-2023", season="annual")
    assert np.isnan(maps["sens_slope"]).all()
    assert np.isnan(maps["p_value"]).all()
    assert not (maps["significant"] == 1).any()
    assert not (maps["significant_fdr"] == 1).any()
    enough = found.regions.query("period == '2021-2024' and season == 'annual'")
    assert set(enough["n"]) == {4}
    assert enough[["slope", "p"]].notna().all(axis=None)


def test_a_constant_product_has_no_trend_anywhere():
    found = trends_of(2015, 2070, values=0.25)
    assert (found.regions["slope"] == 0).all()
    assert (found.regions["p"] == 1).all()
    assert not found.regions["significant"].any()
    assert (found.regions["slope_low"] == 0).all()
    assert (found.regions["slope_high"] == 0).all()
    maps = found.maps
    assert (maps["sens_slope"] == 0).all()
    assert (maps["p_value"] == 1).all()
    assert not (maps["significant"] == 1).any()
    assert not (maps["significant_fdr"] == 1).any()
    assert (maps["change_percent"] == 0).all()


@pytest.fixture(scope="module")
def trends():
    return trends_of(2015, 2070)


def test_a_file_in_the_folder_s_place_is_named(trends, tmp_path):
    (tmp_path / "trends").write_text("a file")
    with pytest.raises(OSError, match="trends"):
        write_trends(tmp_path / "trends", "ssp370", trends)
    assert (tmp_path / "trends").read_text() == "a file"


@pytest.mark.parametrize("limit", [1_000, 20_000])
def test_no_room_leaves_the_trends_of_before(trends, tmp_path, limit, capfd):
    older = replace(trends, maps=trends.maps * 0)
    write_trends(tmp_path, "ssp370", older)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write_trends(tmp_path, "ssp370", trends)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.filename == str(tmp_path / "ssp370.nc")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert capfd.readouterr().err == ""
