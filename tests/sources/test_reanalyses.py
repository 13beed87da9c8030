"""Reanalyses under their real names, and CMIP6 fluxes: depths, units and signs by hand."""

import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.sources.fluxes import read_flux
from soilfuse.sources.reanalyses import read_moisture, read_water_flux
from soilfuse.world.wide.globe_files import write_cmip6, write_era, write_gldas
from soilfuse.world.wide.wide_grids import GlobalGrid

GRID = GlobalGrid(np.array([-45.0, 45.0]), np.array([0.0, 120.0, 240.0]), np.ones((2, 3), bool))
YEARS = (2000, 2000)


def months_of(value):
    """Fields (12, 2, 3) near a value, no two months alike."""
    wave = 1 + 0.01 * np.sin(np.arange(12.0))[:, None, None]
    return (value * wave * np.ones((12, 2, 3))).astype(np.float32)


def era(tmp_path, **changed):
    layers = {
        f"swvl{i}": (months_of(x), "m**3 m**-3") for i, x in enumerate((0.1, 0.2, 0.3, 0.4), 1)
    }
    fluxes = {
        "tp": (months_of(0.003), "m"),
        "e": (months_of(-0.002), "m"),
        "sro": (months_of(0.0005), "m"),
        "smlt": (months_of(0.0001), "m of water equivalent"),
    }
    write_era(tmp_path / "era5" / "one.nc", GRID, layers | fluxes | changed, YEARS, "w")
    return tmp_path


def gldas(tmp_path):
    layers = {
        "SoilMoi0_10cm_inst": (months_of(20.0), "kg m-2"),
        "SoilMoi10_40cm_inst": (months_of(75.0), "kg m-2"),
        "SoilMoi40_100cm_inst": (months_of(180.0), "kg m-2"),
        "SoilMoi100_200cm_inst": (months_of(330.0), "kg m-2"),
    }
    fluxes = {
        "Rainf_f_tavg": (months_of(3 / 86400), "kg m-2 s-1"),
        "Evap_tavg": (months_of(2 / 86400), "kg m-2 s-1"),
        "Qs_acc": (months_of(0.5 / 8), "kg m-2"),
        "Qsm_acc": (months_of(0.1 / 8), "kg m-2"),
    }
    write_gldas(tmp_path / "gldas", GRID, layers | fluxes, YEARS, "w")
    return tmp_path


def test_era5_layers_fill_10_and_200_cm(tmp_path):
    found = read_moisture(era(tmp_path), "era5", YEARS)
    # 7 cm of 0.1 and 3 of 0.2; then 7, 21, 72 and 100 of the 189 cm of layer 4.
    np.testing.assert_allclose(found["shallow"], months_of(70 * 0.1 + 30 * 0.2), rtol=1e-3)
    deep = 70 * 0.1 + 210 * 0.2 + 720 * 0.3 + 1000 * 0.4
    np.testing.assert_allclose(found["deep"], months_of(deep), rtol=1e-3)
    assert found["deep"].attrs["units"] == "kg m-2"
    assert found["deep"].lat.values.tolist() == [-45.0, 45.0]


def test_gldas_layers_are_added(tmp_path):
    found = read_moisture(gldas(tmp_path), "gldas", YEARS)
    np.testing.assert_allclose(found["shallow"], months_of(20.0), rtol=1e-3)
    np.testing.assert_allclose(found["deep"], months_of(20 + 75 + 180 + 330), rtol=1e-3)


@pytest.mark.parametrize(("name", "make"), [("era5", era), ("gldas", gldas)])
def test_fluxes_of_both_are_mm_a_day_and_evaporation_is_a_loss_of_the_soil(tmp_path, name, make):
    root = make(tmp_path)
    expected = {"pr": 3.0, "evspsbl": 2.0, "mrros": 0.5, "snm": 0.1}
    for flux, value in expected.items():
        found = read_water_flux(root, name, flux, YEARS)
        np.testing.assert_allclose(found, months_of(value), rtol=1e-3, err_msg=flux)


def test_cells_without_soil_are_missing_in_every_depth(tmp_path):
    layers = {}
    for i in range(1, 5):
        values = months_of(0.3 + 0.01 * i)
        values[:, 0, 1] = 0.0
        layers[f"swvl{i}"] = (values, "m**3 m**-3")
    found = read_moisture(era(tmp_path, **layers), "era5", YEARS)
    for field in found.values():
        assert np.isnan(field.values[:, 0, 1]).all()
        assert np.isfinite(np.delete(field.values.reshape(12, -1), 1, axis=1)).all()


def test_variables_may_stand_in_a_file_each(tmp_path):
    whole = read_water_flux(era(tmp_path), "era5", "pr", YEARS)
    for name, values in (("tp", 0.003), ("e", -0.002)):
        path = tmp_path / "apart" / "era5" / f"{name}.nc"
        write_era(path, GRID, {name: (months_of(values), "m")}, YEARS, "w")
    apart = read_water_flux(tmp_path / "apart", "era5", "pr", YEARS)
    np.testing.assert_array_equal(whole, apart)
    with pytest.raises(UserError, match="no variable 'sro' in any of the 2 files"):
        read_water_flux(tmp_path / "apart", "era5", "mrros", YEARS)


def test_other_units_are_refused(tmp_path):
    root = era(tmp_path, tp=(months_of(3.0), "mm"))
    with pytest.raises(UserError, match="units 'mm' of tp"):
        read_water_flux(root, "era5", "pr", YEARS)


def test_no_files_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"no file GLDAS_NOAH\*_M.A\*.nc4 in .*gldas"):
        read_moisture(tmp_path, "gldas", YEARS)


def test_cmip6_rates_become_mm_a_day_and_headers_are_checked(tmp_path):
    named = ("MIROC6", "r1i1p1f1")
    values = months_of(3 / 86400)
    write_cmip6(tmp_path / "cmip6", *named, "pr", GRID, values, YEARS, "w")
    found = read_flux(tmp_path, *named, "pr", YEARS)
    np.testing.assert_allclose(found, months_of(3.0), rtol=1e-3)
    assert found.attrs["units"] == "mm day-1"
    with pytest.raises(UserError, match="no file snm_LImon_MIROC6_historical_r1i1p1f1"):
        read_flux(tmp_path, *named, "snm", YEARS)
