"""Real files of the archives through the same door as the pseudo-reality's."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate, regridding
from soilfuse.grids.months import month_axis
from soilfuse.sources import ismn
from soilfuse.sources.door import Request, read
from soilfuse.sources.quantities import Quantity
from soilfuse.sources.stations import monthly_means

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SOILFUSE_REAL_DATA", "../shared/data"))
REAL = FOLDER if FOLDER.is_absolute() else PROJECT / FOLDER
TRSR = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)
AIR_TEMPERATURE = Quantity("air_temperature", {"K": 1.0}, 150.0, 350.0, 0.0)


def files(folder, pattern):
    found = sorted((REAL / folder).glob(pattern))
    if not found:
        pytest.skip(f"no real files {folder}/{pattern}: set SOILFUSE_REAL_DATA")
    return found


def ec_earth(**kwargs):
    paths = files("cmip6_mrsos_ecearth3veg", "mrsos_*.nc")
    request = Request(
        "EC-Earth3-Veg", "mrsos", (1970, 1970), frequency="day", complete=False, **kwargs
    )
    return paths[0], read(paths, request)


def test_ec_earth_january_by_hand_with_its_land_mask():
    path, field = ec_earth()
    with h5py.File(path) as file:
        stored = file["mrsos"][:].astype(float)
        lat = file["lat"][:]
    with h5py.File(path.with_name("landmask.nc")) as file:
        land = file["landmask"][:].astype(bool)
    assert stored.min() < 0
    stored[stored > 1e19] = np.nan
    expected = np.clip(stored, 0, None).mean(axis=0)[np.argsort(lat)] / 100
    np.testing.assert_allclose(field.values[0], expected, atol=2e-7)
    land = land[np.argsort(lat)]
    assert np.isfinite(field.values[0][land]).all()
    assert field.values[0][land].min() >= 0.0
    assert 0.1 < np.nanmean(field.values[0][land]) < 0.45
    assert field.time.values[0] == np.datetime64("1970-01-01")


def test_ec_earth_reaches_the_region_by_clamping_and_no_farther_west():
    _, field = ec_earth(grid=TRSR)
    assert field.lon.values[0] == pytest.approx(89.297, abs=1e-3)
    weights = bilinear(field.lat.values, field.lon.values, TRSR)
    on_grid = interpolate(weights, field.values, TRSR)[0]
    np.testing.assert_array_equal(on_grid[:, 0], on_grid[:, 1])
    assert np.isfinite(on_grid).all()
    assert 0.0 <= on_grid.min() < on_grid.max() < 0.6
    with pytest.raises(UserError, match=r"longitude 88\.9\d\d to .*; the grid needs 88 to 104"):
        bilinear(field.lat.values, field.lon.values, Grid.regular(88, 104, 31, 38, 0.25))


def test_hadgem2_360_days_in_eleven_files_become_94_years_of_months():
    paths = files("cmip5_mrsos_hadgem2es", "mrsos_day_HadGEM2-ES_rcp45_*.nc")
    field = read(paths, Request("HadGEM2-ES", "mrsos", (2006, 2099), frequency="day"))
    np.testing.assert_array_equal(field.time, month_axis(2006, 2099))
    assert field.attrs["source_calendar"] == "360_day"
    land = field.sel(lat=35.0, lon=0.0).values
    assert land.shape == (94 * 12,)
    assert 0.0 < land.min() < land.max() < 0.5
    assert np.isnan(field.sel(lat=35.0, lon=187.5)).all()


def test_hadgem2_first_month_is_the_mean_of_thirty_days():
    paths = files("cmip5_mrsos_hadgem2es", "mrsos_day_HadGEM2-ES_rcp45_*2005*.nc")
    with netcdf_file(paths[0], mmap=False) as file:
        december = file.variables["mrsos"].data[:30, 1, 0].astype(float)
    request = Request(
        "HadGEM2-ES", "mrsos", (2005, 2005), frequency="day", complete=False, min_records=30
    )
    field = read(paths, request)
    assert field.sizes["time"] == 1
    assert field.values[0, 1, 0] == pytest.approx(december.mean() / 100, rel=1e-6)


@pytest.mark.parametrize(
    ("model", "first_year", "count", "calendar"),
    [
        ("ACCESS-CM2", 1950, 1, "proleptic_gregorian"),
        ("CESM2", 1850, 1, "365_day"),
        ("KACE-1-0-G", 1850, 1, "360_day"),
        ("MIROC6", 1950, 7, "gregorian"),
        ("NorESM2-LM", 1950, 7, "365_day"),
    ],
)
def test_real_time_axes_give_every_month_once(model, first_year, count, calendar):
    paths = files("cmip6_time_axes", f"ta_Amon_{model}_*.nc")
    assert len(paths) == count
    whole = Request(model, "ta", (first_year, 2014), level="plev", quantity=AIR_TEMPERATURE)
    field = read(paths, whole)
    np.testing.assert_array_equal(field.time, month_axis(first_year, 2014))
    assert field.attrs["source_calendar"] == calendar
    assert (np.diff(field.lat) > 0).all()
    # Near the pole the warmest month is a summer one: months are not shifted.
    cycle = field.isel(plev=0).mean(("lat", "lon")).groupby("time.month").mean()
    assert int(cycle.month[cycle.values.argmax()]) in (7, 8)


def test_a_missing_decade_of_a_real_model_is_named():
    paths = files("cmip6_time_axes", "ta_Amon_MIROC6_*.nc")
    request = Request("MIROC6", "ta", (1950, 2014), level="plev", quantity=AIR_TEMPERATURE)
    with pytest.raises(UserError, match=r"missing month 1970-01.*117 more.*MIROC6") as caught:
        read([path for path in paths if "_1970" not in path.name], request)
    assert len(caught.value.problems) == 1


def test_global_gaussian_and_uneven_grids_reach_the_region():
    for pattern, years, complete in (
        ("tas_Amon_CanESM5_*.nc", (1870, 1874), True),
        ("tas_Amon_FGOALS-g3_*.nc", (1850, 1850), False),
    ):
        paths = files("cmip6_native_grids", pattern)
        asked = {"years": years, "complete": complete, "quantity": AIR_TEMPERATURE}
        whole = read(paths, Request("CMIP6", "tas", **asked))
        cut = read(paths, Request("CMIP6", "tas", grid=TRSR, **asked))
        assert cut.size < whole.size / 20
        expected = whole[:1].interp(lat=TRSR.lat, lon=TRSR.lon).values
        weights = bilinear(cut.lat.values, cut.lon.values, TRSR)
        np.testing.assert_allclose(interpolate(weights, cut.values[:1], TRSR), expected, rtol=1e-6)


def test_gldas_mass_becomes_volume_on_the_region():
    paths = files("gldas_noah", "GLDAS_NOAH025_3H*.nc4")
    asked = {"years": (2016, 2016), "complete": False, "grid": TRSR}
    top = read(paths, Request("GLDAS", "SoilMoi0_10cm_inst", thickness=0.1, **asked))
    below = read(paths, Request("GLDAS", "SoilMoi10_40cm_inst", thickness=0.3, **asked))
    for field in (top, below):
        weights = regridding(field.lat.values, field.lon.values, TRSR)
        on_grid = interpolate(weights, field.values, TRSR)[0]
        assert 0.0 < np.nanmin(on_grid) < np.nanmax(on_grid) < 0.5
        # Qinghai lake and the like are gaps in GLDAS; averaging must not widen them.
        assert 0 < np.isnan(field.values).sum() < 40
        assert np.isnan(on_grid).sum() <= np.isnan(field.values).sum()
    inner = top.sel(lat=34.125, lon=95.125).item()
    with h5py.File(paths[0]) as file:
        row, column = (
            np.abs(file["lat"][:] - 34.125).argmin(),
            np.abs(file["lon"][:] - 95.125).argmin(),
        )
        assert inner == pytest.approx(file["SoilMoi0_10cm_inst"][0, row, column] / 100, rel=1e-6)


def test_maqu_station_with_bare_carriage_returns():
    path = files("ismn", "MAQU/CST-01/*.stm")[0]
    records = ismn.read_record(path, ["U"])
    assert len(records) == path.read_bytes().count(b" U M")
    assert (records["network"][0], records["station"][0]) == ("MAQU", "CST_01")
    assert (records["lat"][0], records["lon"][0]) == (33.8833, 102.1333)
    table = monthly_means([records], min_records=100)
    assert table["soil_moisture"].between(0.05, 0.55).all()
    assert (table["year"].min(), table["year"].max()) == (2008, 2010)
    july = [
        float(line.split()[2])
        for line in path.read_text(errors="replace").splitlines()
        if line.startswith("2008/07/") and line.split()[3] == "U"
    ]
    first = table.iloc[0]
    assert first["records"] == len(july)
    assert first["soil_moisture"] == pytest.approx(np.mean(july))
    assert len(ismn.read_record(path, ["G"])) == 0


def test_narbonne_in_the_ceop_form_by_hand():
    path = files("ismn", "format_samples/ceop*.stm")[0]
    records = ismn.read_record(path, ["U"])
    rows = [line.split() for line in path.read_bytes().decode().split("\r") if line.strip()]
    good = [float(row[12]) for row in rows if row[13] == "U"]
    assert len(rows) > 700
    assert records["soil_moisture"].tolist() == good
    assert set(records["year"]) | set(records["month"]) == {2007, 1}
    first = records.iloc[0]
    assert (first["network"], first["station"]) == ("SMOSMANIA", "Narbonne")
    assert (first["lat"], first["lon"]) == (43.15, 2.9567)
    assert (first["depth_from"], first["depth_to"]) == (0.05, 0.05)
