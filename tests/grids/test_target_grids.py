"""Every target grid the studies need, against xarray and xarray-regrid; the globe has no seam."""

import numpy as np
import pytest
import xarray as xr
import xarray_regrid  # noqa: F401  (adds .regrid)
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.errors import UserError
from soilfuse.grids.grid import EARTH_RADIUS_KM, Grid
from soilfuse.grids.interpolation import bilinear, conservative, interpolate, regridding

GRIDS = {
    "paper": (Grid.regular(89.0, 104.0, 31.0, 38.0, 0.1), (71, 151)),
    "demo": (Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25), (29, 61)),
    "China": (Grid.regular(71.125, 136.875, 18.125, 53.875, 0.25), (144, 264)),
    "globe": (Grid.regular(-179.875, 179.875, -89.875, 89.875, 0.25), (720, 1440)),
    "globe from Greenwich": (Grid.regular(0.0, 358.0, -89.0, 89.0, 2.0), (90, 180)),
}
SOURCES = {
    "Gaussian": (
        np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(64)[0])),
        360 / 128 * np.arange(128),
    ),
    "pole to pole": (np.linspace(-90, 90, 96), 2.5 * np.arange(144)),
    "half a step": (-90 + 1.25 * (np.arange(144) + 0.5), -180 + 1.875 * (np.arange(192) + 0.5)),
}
SPHERE = 4 * np.pi * EARTH_RADIUS_KM**2
TOLERANCE = 1e-6


def random_field(lat, lon, seed=1):
    return np.random.default_rng(seed).uniform(0.05, 0.5, (2, lat.size, lon.size))


def dataset(field, lat, lon):
    return xr.Dataset({"x": (("time", "lat", "lon"), field)}, coords={"lat": lat, "lon": lon})


def target(grid):
    return xr.Dataset(coords={"lat": grid.lat, "lon": grid.lon})


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", GRIDS)
def test_every_grid_equals_xarray_across_the_seam_and_up_to_the_poles(name, source):
    grid, shape = GRIDS[name]
    lat, lon = SOURCES[source]
    field = random_field(lat, lon)
    got = interpolate(bilinear(lat, lon, grid), field, grid)
    assert got.shape == (2, *shape)
    within = np.clip(grid.lat, lat[0], lat[-1])  # the outer row's cell reaches to the pole
    # A copy of the field on either side lets xarray cross the seam.
    turned = np.concatenate([lon - 360, lon, lon + 360])
    oracle = dataset(np.concatenate([field] * 3, axis=-1), lat, turned)
    expected = oracle["x"].interp(lat=within, lon=grid.lon).values
    assert np.abs(got - expected).max() < TOLERANCE


@pytest.mark.parametrize("name", GRIDS)
def test_linear_regridding_of_xarray_regrid_agrees(name):
    grid, _ = GRIDS[name]
    lat, lon = SOURCES["half a step"]
    field = random_field(lat, lon)
    expected = dataset(field, lat, lon).regrid.linear(target(grid))["x"]
    between = (grid.lat >= lat[0]) & (grid.lat <= lat[-1])  # it puts a mean on the pole
    got = interpolate(bilinear(lat, lon, grid), field, grid)
    expected = expected.transpose("time", "lat", "lon").values
    assert np.abs(got - expected)[:, between].max() < TOLERANCE


def test_a_point_on_the_seam_by_hand():
    lat, lon = np.array([30.0, 40.0]), 2.5 * np.arange(144)
    field = np.zeros((1, 2, 144))
    field[..., -1], field[..., 0] = 0.1, 0.4  # at 357.5 and 0
    grid = Grid(lat=np.array([34.0, 36.0]), lon=np.array([-2.5, -2.0, -1.25, 0.0]))
    got = interpolate(bilinear(lat, lon, grid), field, grid)
    np.testing.assert_allclose(got[0, 0], [0.1, 0.16, 0.25, 0.4], rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(start=st.integers(0, 71), seed=st.integers(0, 1000))
def test_where_a_globe_is_cut_open_does_not_matter(start, seed):
    lat, lon = np.linspace(-87.5, 87.5, 36), 5.0 * np.arange(72)
    grid = GRIDS["globe from Greenwich"][0]
    field = random_field(lat, lon, seed)
    cut = (np.roll(lon, -start) + 180) % 360 - 180
    for method in (bilinear, conservative):
        whole = interpolate(method(lat, lon, grid), field, grid)
        rolled = interpolate(method(lat, cut, grid), np.roll(field, -start, axis=2), grid)
        np.testing.assert_allclose(rolled, whole, atol=1e-7)


def test_a_column_at_0_and_again_at_360_counts_once():
    lat, lon = SOURCES["pole to pole"]
    field = random_field(lat, lon)
    grid = GRIDS["globe from Greenwich"][0]
    doubled = np.concatenate([field, field[..., :1]], axis=2)
    np.testing.assert_array_equal(
        interpolate(bilinear(lat, np.append(lon, 360.0), grid), doubled, grid),
        interpolate(bilinear(lat, lon, grid), field, grid),
    )


def test_a_source_that_ends_before_the_pole_is_refused():
    lat, lon = np.arange(-59.0, 84.0, 2.0), 2.0 * np.arange(180)
    with pytest.raises(UserError, match=r"latitude -60\.000 to 84\.000; the grid needs -89"):
        bilinear(lat, lon, GRIDS["globe from Greenwich"][0])


@pytest.mark.parametrize("lat", [source[0] for source in SOURCES.values()], ids=SOURCES)
def test_the_cells_of_a_globe_cover_the_sphere(lat):
    grid = Grid(lat=lat, lon=np.arange(0.0, 360.0, 3.0))
    assert grid.area.sum() == pytest.approx(SPHERE, rel=1e-12)
    assert grid.area.min() > 0
    assert grid.lat_bounds[[0, -1], [0, 1]].tolist() == [-90, 90]


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(30, 80),
    columns=st.integers(40, 90),
    start=st.floats(-180, 180),
    step=st.sampled_from([6.0, 10.0, 12.0]),
    seed=st.integers(0, 1000),
)
def test_conservative_keeps_the_integral_over_the_globe(rows, columns, start, step, seed):
    """Cells of any size that straddle the seam and one another, none of them nested."""
    lat = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(rows)[0]))
    fine = Grid(lat=lat, lon=start + 360 / columns * np.arange(columns))
    coarse = Grid(lat=np.arange(-87.5, 90, 5.0), lon=np.arange(-180.0, 180.0, step))
    field = random_field(fine.lat, fine.lon, seed)
    got = interpolate(conservative(fine.lat, fine.lon % 360, coarse), field, coarse)
    np.testing.assert_allclose(
        (got * coarse.area).sum(axis=(1, 2)), (field * fine.area).sum(axis=(1, 2)), rtol=1e-6
    )


def test_conservative_equals_xarray_regrid_where_cells_are_nested():
    """It weights a source cell by its whole area: the same only where none is cut in latitude.

    And it adds a mean row on either pole, which changes the first and last row.
    """
    fine = Grid.regular(-179.5, 179.5, -89.5, 89.5, 1.0)
    coarse = Grid(lat=np.arange(-87.5, 90, 5.0), lon=np.arange(-180.0, 180.0, 4.0))
    field = random_field(fine.lat, fine.lon)
    field[:, np.random.default_rng(2).random(fine.shape) < 0.3] = np.nan
    theirs = dataset(field, fine.lat, fine.lon).regrid.conservative(
        target(coarse), latitude_coord="lat", skipna=True, nan_threshold=1.0
    )
    expected = theirs["x"].transpose("time", "lat", "lon").values
    got = interpolate(conservative(fine.lat, fine.lon, coarse), field, coarse)
    assert np.isfinite(got).all()
    assert np.abs(got - expected)[:, 1:-1].max() < TOLERANCE


@settings(max_examples=30, deadline=None)
@given(
    value=st.floats(0.0, 1.0),
    share=st.floats(0.0, 0.95),
    resolution=st.sampled_from([0.25, 1.0, 2.0]),
    seed=st.integers(0, 1000),
)
def test_a_constant_stays_constant_whatever_the_gaps(value, share, resolution, seed):
    rng = np.random.default_rng(seed)
    lat = 28 + np.cumsum(rng.uniform(0.3, 1.5, 14))
    lon = 86 + np.cumsum(rng.uniform(0.3, 1.5, 24))
    # The last centre may lie half a step beyond the edge asked for.
    grid = Grid.regular(lon[2], lon[-5], lat[2], lat[-5], resolution)
    field = np.full((3, lat.size, lon.size), value)
    field[rng.random(field.shape) < share] = np.nan
    for method in (bilinear, conservative, regridding):
        got = interpolate(method(lat, lon, grid), field, grid)
        np.testing.assert_allclose(got[np.isfinite(got)], value, atol=1e-7)


@settings(max_examples=30, deadline=None)
@given(
    slopes=st.tuples(*[st.floats(-0.01, 0.01)] * 3),
    seed=st.integers(0, 1000),
    name=st.sampled_from(["paper", "demo", "China"]),
)
def test_bilinear_reproduces_a_linear_field(slopes, seed, name):
    rng = np.random.default_rng(seed)
    grid, _ = GRIDS[name]
    lat = np.sort(np.append(rng.uniform(17, 55, 30), [grid.lat[0], grid.lat[-1]]))
    lon = np.sort(np.append(rng.uniform(70, 138, 30), [grid.lon[0], grid.lon[-1]]))

    def plane(lat, lon):
        y, x = lat[:, None] - 36, lon[None, :] - 100
        return slopes[0] * y + slopes[1] * x + slopes[2] * x * y / 20

    got = interpolate(bilinear(lat, lon, grid), plane(lat, lon)[None], grid)[0]
    np.testing.assert_allclose(got, plane(grid.lat, grid.lon), atol=3e-7)


def test_a_part_of_a_larger_array_is_filled_in_place():
    grid, shape = GRIDS["demo"]
    lat, lon = SOURCES["pole to pole"]
    field = random_field(lat, lon)
    weights = bilinear(lat, lon, grid)
    whole = np.full((2, 3, *shape), -1, np.float32)
    interpolate(weights, field, grid, out=whole[:, 1])
    np.testing.assert_array_equal(whole[:, 1], interpolate(weights, field, grid))
    assert (whole[:, [0, 2]] == -1).all()
