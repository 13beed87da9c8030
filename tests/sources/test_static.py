"""Terrain and soil on any target grid."""

import os
import shutil
from pathlib import Path

import h5netcdf
import numpy as np
import pytest
import xarray as xr

from soilfuse.errors import UserError
from soilfuse.grids.grid import EARTH_RADIUS_KM, Grid
from soilfuse.sources.static import read_static, slope
from soilfuse.world import gridded_files
from soilfuse.world.region import points_of
from soilfuse.world.soil import soil_map
from soilfuse.world.truth import HIGHEST, LOWEST, Truth

PROJECT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("SOILFUSE_REAL_DATA", "../shared/data"))
RELIEF = (FOLDER if FOLDER.is_absolute() else PROJECT / FOLDER) / "elevation"
GRID = Grid.regular(91.0, 93.0, 33.0, 35.0, 0.5)
LAT, LON = np.arange(31.125, 37.0, 0.25), np.arange(89.125, 95.0, 0.25)
DEGREE = 1000 * EARTH_RADIUS_KM * np.pi / 180  # m


def write(root, name, maps, lat=LAT, lon=LON, dims=("lat", "lon"), world=None):
    """Write maps {variable: (values, units)}."""
    path = root / "static" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"lat": lat.size, "lon": lon.size}
        file.create_variable("lat", ("lat",), data=lat)
        file.create_variable("lon", ("lon",), data=lon)
        for variable, (values, units) in maps.items():
            stored = file.create_variable(variable, dims, data=np.asarray(values, dtype="f4"))
            if units:
                stored.attrs["units"] = units
        if world:
            file.attrs["soilfuse_world"] = world
    return path


def plane(lat=LAT, lon=LON, north=300.0, east=200.0):
    """Heights in m that rise by so many metres a degree."""
    return 4000 + north * (lat[:, None] - 34) + east * (lon - 92)


def hills(lat=LAT, lon=LON):
    return 4500 + 900 * np.sin(3 * lat[:, None]) * np.cos(2 * lon)


def test_slope_of_planes_by_hand():
    # 1000 m of height over a degree of latitude; of longitude at 60 N, half as long.
    lat, lon = np.arange(58.0, 63.0), np.arange(10.0, 15.0)
    rising_north = np.repeat(1000.0 * lat[:, None], lon.size, axis=1)
    by_hand = np.rad2deg(np.arctan(1000 / DEGREE))
    np.testing.assert_allclose(slope(rising_north, lat, lon), by_hand, rtol=1e-5)
    rising_east = np.repeat(1000.0 * lon[None], lat.size, axis=0)
    by_hand = np.rad2deg(np.arctan(1000 / (DEGREE * 0.5)))
    np.testing.assert_allclose(slope(rising_east, lat, lon)[2], by_hand, rtol=1e-5)
    both = slope(rising_north + rising_east, lat, lon)[2]
    by_hand = np.rad2deg(np.arctan(np.hypot(1000 / DEGREE, 1000 / (DEGREE * 0.5))))
    np.testing.assert_allclose(both, by_hand, rtol=1e-5)


def test_a_finer_source_is_averaged_by_area_and_its_slopes_are_not_those_of_the_means(tmp_path):
    write(tmp_path, "elevation.nc", {"elevation": (hills(), "m")})
    got = read_static(tmp_path, GRID)
    assert list(got.data_vars) == ["elevation", "slope", "latitude", "longitude"]
    assert all(got[name].shape == GRID.shape for name in got.data_vars)
    assert all(got[name].dtype == np.float32 for name in got.data_vars)
    # The cell around (34, 92) holds two by two whole source cells.
    rows, columns = np.abs(LAT - 34) < 0.25, np.abs(LON - 92) < 0.25
    assert (rows.sum(), columns.sum()) == (2, 2)
    area = np.diff(np.sin(np.deg2rad([33.75, 34.0, 34.25])))[:, None] * np.ones(2)
    by_hand = np.average(hills()[rows][:, columns], weights=area)
    here = got.sel(lat=34.0, lon=92.0)
    assert float(here.elevation) == pytest.approx(by_hand, rel=1e-6)
    steep = slope(hills(), LAT, LON)[rows][:, columns]
    assert float(here.slope) == pytest.approx(np.average(steep, weights=area), rel=1e-5)
    smooth = slope(got.elevation.values, GRID.lat, GRID.lon)
    assert got.slope.mean() > smooth.mean()
    np.testing.assert_array_equal(got.latitude[:, 0], GRID.lat.astype(np.float32))
    np.testing.assert_array_equal(got.longitude[0], GRID.lon.astype(np.float32))
    assert got.attrs["world"] == "real" and len(got.attrs["inputs_sha256"]) == 64


def test_a_coarser_source_is_interpolated(tmp_path):
    lat, lon = np.arange(30.0, 39.0, 2.0), np.arange(88.0, 97.0, 2.0)
    write(tmp_path, "elevation.nc", {"elevation": (plane(lat, lon), "m")}, lat, lon)
    got = read_static(tmp_path, GRID)
    expected = plane(GRID.lat, GRID.lon)
    np.testing.assert_allclose(got.elevation, expected, rtol=1e-6)
    cosine = np.cos(np.deg2rad(GRID.lat))[:, None]
    by_hand = np.rad2deg(np.arctan(np.hypot(300 / DEGREE, 200 / (DEGREE * cosine))))
    np.testing.assert_allclose(got.slope, np.broadcast_to(by_hand, GRID.shape), rtol=1e-3)


def test_axes_in_any_order_and_convention_give_the_same_maps(tmp_path):
    east, west = LON + 160, LON - 200  # 249 to 255 east is 111 to 105 west
    write(tmp_path / "a", "elevation.nc", {"elevation": (hills(), "m")}, lon=east)
    turned = {"z": (hills()[::-1].T, "metres")}
    write(tmp_path / "b", "elevation.nc", turned, LAT[::-1], west, ("lon", "lat"))
    target = Grid.regular(251.0, 253.0, 33.0, 35.0, 0.5)
    first, second = (read_static(tmp_path / name, target) for name in "ab")
    for name in first.data_vars:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6)


def soil(**changed):
    shape = (LAT.size, LON.size)
    maps = {
        "sand": (np.full(shape, 45.0), "%"),
        "clay": (np.full(shape, 200.0), "g kg-1"),
        "theta_s": (np.full(shape, 0.5), "m3 m-3"),
        "residual_moisture": (np.full(shape, 0.05), "1"),
    }
    return maps | changed


def test_soil_comes_in_as_fractions_whatever_its_units(tmp_path):
    write(tmp_path, "elevation.nc", {"elevation": (plane(), "m")})
    write(tmp_path, "soil.nc", soil())
    got = read_static(tmp_path, GRID)
    for name, fraction in (("sand", 0.45), ("clay", 0.2), ("porosity", 0.5)):
        np.testing.assert_allclose(got[name], fraction, rtol=1e-6)
        assert got[name].attrs["units"] == "1"
    np.testing.assert_allclose(got.residual_moisture, 0.05, rtol=1e-6)
    assert got.sand.attrs["filled_cells"] == 0


def test_lakes_of_a_soil_map_take_the_nearest_soil_and_are_counted(tmp_path):
    write(tmp_path, "elevation.nc", {"elevation": (plane(), "m")})
    sand = np.where(LON < 92, 30.0, 60.0) * np.ones((LAT.size, 1))
    lake = (np.abs(LAT - 34) < 0.5)[:, None] & (np.abs(LON - 91.0) < 0.5)
    write(tmp_path, "soil.nc", {"sand": (np.where(lake, np.nan, sand), "%")})
    got = read_static(tmp_path, GRID)
    assert float(got.sand.sel(lat=34.0, lon=91.0)) == pytest.approx(0.3)
    assert got.sand.attrs["filled_cells"] == 1
    assert "clay" not in got


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"elevation": (hills(), "ft")}, "units 'ft' of elevation"),
        ({"elevation": (hills(), None)}, "units '' of elevation"),
        ({"z": (hills() * 9.81, "m**2 s**-2")}, r"units 'm\*\*2 s\*\*-2' of z"),
        ({"elevation": (hills() * 1000, "m")}, "expected -11500 to 9000"),
        ({"height": (hills(), "m")}, "no variable of elevation, orog, z in"),
        (
            {"elevation": (np.where(LON > 92.3, np.nan, hills()), "m")},
            "elevation is missing in 10 cells of the grid",
        ),
    ],
)
def test_wrong_elevation_is_one_line_naming_the_file(tmp_path, change, message):
    path = write(tmp_path, "elevation.nc", change)
    with pytest.raises(UserError, match=message) as caught:
        read_static(tmp_path, GRID)
    assert len(caught.value.problems) == 1
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sand": (np.full((LAT.size, LON.size), 0.45), "kg m-2")}, "units 'kg m-2' of sand"),
        ({"sand": (np.full((LAT.size, LON.size), 45.0), "1")}, "percent instead of a fraction"),
        ({"sand": (np.full((LAT.size, LON.size), 90.0), "%")}, "come to 1.100; expected 1 at most"),
        ({"residual_moisture": (np.full((LAT.size, LON.size), 0.6), "1")}, "not below porosity"),
        ({"clay": (np.full((LAT.size, LON.size), np.nan), "%")}, "clay is missing in 25 cells"),
    ],
)
def test_wrong_soil_is_one_line_naming_the_file(tmp_path, change, message):
    write(tmp_path, "elevation.nc", {"elevation": (plane(), "m")})
    path = write(tmp_path, "soil.nc", soil(**change))
    with pytest.raises(UserError, match=message) as caught:
        read_static(tmp_path, GRID)
    assert len(caught.value.problems) == 1
    assert str(path) in str(caught.value)


def test_files_that_are_absent_or_too_small_or_of_two_worlds_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file .*static/elevation\.nc"):
        read_static(tmp_path, GRID)
    small = LON < 92
    write(tmp_path, "elevation.nc", {"elevation": (hills()[:, small], "m")}, lon=LON[small])
    with pytest.raises(UserError, match="source cells span longitude 90.250 to 92.000"):
        read_static(tmp_path, GRID)
    write(tmp_path, "elevation.nc", {"elevation": (hills(), "m")}, world="v1 seed 1")
    write(tmp_path, "soil.nc", {"bulk_density": (hills(), "kg m-3")}, world="v1 seed 2")
    with pytest.raises(UserError, match="no variable of sand, clay, porosity, theta_s"):
        read_static(tmp_path, GRID)
    write(tmp_path, "soil.nc", soil(), world="v1 seed 2")
    with pytest.raises(UserError, match="data of 2 worlds"):
        read_static(tmp_path, GRID)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The static files of a world on the demo's grid, and its truth."""
    root = tmp_path_factory.mktemp("world")
    grid, truth = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25), Truth(1)
    lat, lon = points_of(grid)
    height = truth.terrain.elevation(lat, lon)
    drawn = soil_map(1, truth.terrain, lat, lon)
    gridded_files.write_elevation(root / "static" / "elevation.nc", grid, height, "v seed 1")
    gridded_files.write_soil(root / "static" / "soil.nc", grid, drawn, "v seed 1")
    return root, grid, truth


@pytest.mark.parametrize("step", [0.1, 0.25, 1.0])
def test_the_worlds_own_files_come_in_on_any_grid(world, step):
    root, grid, truth = world
    target = Grid.regular(90.0, 103.0, 32.0, 37.0, step)
    got = read_static(root, target)
    assert all(np.isfinite(got[name]).all() for name in got.data_vars)
    assert (got.sizes["lat"], got.sizes["lon"]) == target.shape
    assert 2500 < float(got.elevation.min()) < float(got.elevation.max()) < 6200
    if step == 0.25:
        lat, lon = points_of(target)
        there = truth.terrain.elevation(lat, lon).reshape(target.shape)
        np.testing.assert_allclose(got.elevation, there, rtol=1e-5)
    assert got.attrs["world"] == "v seed 1"


def test_the_worlds_soil_map_encloses_the_truth_and_knows_it_only_in_part(world):
    root, grid, truth = world
    got = read_static(root, grid)
    assert float(got.residual_moisture.max()) < LOWEST and float(got.porosity.min()) > HIGHEST
    place = truth.at(*points_of(grid))
    wetness = place.climatology.mean(axis=(0, 1))
    pattern = truth.terrain.soil(*points_of(grid))
    for name in ("sand", "clay", "porosity", "residual_moisture"):
        values = got[name].values.ravel()
        assert 0.4 < abs(np.corrcoef(values, pattern)[0, 1]) < 0.85
        assert abs(np.corrcoef(values, wetness)[0, 1]) < 0.75


def test_the_worlds_static_files_are_the_same_bytes_again(world, tmp_path):
    root, grid, truth = world
    lat, lon = points_of(grid)
    gridded_files.write_soil(
        tmp_path / "soil.nc", grid, soil_map(1, truth.terrain, lat, lon), "v seed 1"
    )
    assert (tmp_path / "soil.nc").read_bytes() == (root / "static" / "soil.nc").read_bytes()


@pytest.mark.parametrize("step", [0.1, 0.25, 1.0])
def test_real_relief(tmp_path, step):
    found = sorted(RELIEF.glob("*topoWorld*.nc"))
    if not found:
        pytest.skip("no real relief elevation/*topoWorld*.nc: set SOILFUSE_REAL_DATA")
    (tmp_path / "static").mkdir()
    shutil.copy(found[0], tmp_path / "static" / "elevation.nc")
    got = read_static(tmp_path, Grid.regular(90.0, 103.0, 32.0, 37.5, step))
    # The region's own cells have 1269 to 5499 m; Qaidam in the north lies below the south-west.
    assert 1269 <= float(got.elevation.min()) < float(got.elevation.max()) <= 5499
    low = got.elevation.sel(lat=slice(36.5, 37.5), lon=slice(93, 96)).mean()
    assert low < 3300 < 4800 < got.elevation.sel(lat=slice(32, 34), lon=slice(90, 92)).mean()
    assert float(got.slope.min()) >= 0 and 0.3 < float(got.slope.mean()) < 3
    with xr.open_dataset(found[0]) as relief:
        whole = relief.z.sel(lat=slice(31.5, 38), lon=slice(89.5, 103.5)).mean()
    assert float(got.elevation.mean()) == pytest.approx(float(whole), rel=0.05)
