import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid, cell_bounds
from soilfuse.grids.interpolation import bilinear, conservative, interpolate, regridding

GRID = Grid.regular(89.0, 104.0, 31.0, 38.0, 0.25)
GAUSSIAN = np.rad2deg(np.arcsin(np.polynomial.legendre.leggauss(64)[0]))


def random_field(shape, seed=3):
    return np.random.default_rng(seed).uniform(0.05, 0.5, shape)


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (np.arange(28.0, 42.0, 1.25), np.arange(84.375, 110.0, 1.875)),
        (GAUSSIAN[(GAUSSIAN > 26) & (GAUSSIAN < 43)], np.arange(84.375, 110.0, 2.8125)),
        (np.array([30.5, 31.7, 33.0, 35.9, 36.0, 38.4]), np.array([88.0, 93.1, 94.0, 105.0])),
        (GRID.lat, GRID.lon),
    ],
)
def test_bilinear_equals_xarray(lat, lon):
    field = random_field((4, lat.size, lon.size))
    oracle = xr.DataArray(field, dims=("time", "lat", "lon"), coords={"lat": lat, "lon": lon})
    expected = oracle.interp(lat=GRID.lat, lon=GRID.lon).values
    got = interpolate(bilinear(lat, lon, GRID), field, GRID)
    assert got.dtype == np.float32
    assert np.abs(got - expected).max() < 1e-6


def test_global_longitudes_of_any_convention_wrap_round():
    lon = np.arange(0.0, 360.0, 2.5)
    lat = np.arange(28.0, 42.0, 2.0)
    grid = Grid.regular(-3.0, 3.0, 31.0, 38.0, 0.5)
    field = np.cos(np.deg2rad(lon))[None, None, :] * np.ones((1, lat.size, 1))
    got = interpolate(bilinear(lat, lon, grid), field, grid)
    expected = np.interp(np.abs(grid.lon), lon[:3], np.cos(np.deg2rad(lon[:3])))
    np.testing.assert_allclose(got[0, 0], expected, atol=1e-6)


def test_edge_is_clamped_within_half_a_cell_and_refused_beyond():
    lat, lon = np.arange(30.0, 40.0), np.arange(89.4, 106.0, 1.0)
    field = random_field((1, lat.size, lon.size))
    got = interpolate(bilinear(lat, lon, GRID), field, GRID)
    np.testing.assert_allclose(got[0, 0, 0], field[0, 1, 0], atol=1e-6)
    with pytest.raises(UserError, match=r"longitude 89\.100 to 106\.100; the grid needs 89 to 104"):
        bilinear(lat, lon + 0.2, GRID)
    with pytest.raises(UserError, match="one latitude only"):
        bilinear(lat[:1], lon, GRID)


def test_gaps_take_the_valid_neighbours_only():
    lat, lon = np.array([30.0, 40.0]), np.array([88.0, 106.0])
    grid = Grid(lat=np.array([35.0]), lon=np.array([92.5]))
    field = np.array([[[0.1, 0.3], [0.2, np.nan]], [[np.nan] * 2] * 2])
    got = interpolate(bilinear(lat, lon, grid), field, grid)
    weights = np.array([0.5 * 0.75, 0.5 * 0.25, 0.5 * 0.75])
    np.testing.assert_allclose(got[0, 0, 0], weights @ [0.1, 0.3, 0.2] / weights.sum(), rtol=1e-6)
    assert np.isnan(got[1, 0, 0])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0.0, 0.9))
def test_gaps_never_leave_the_range_and_never_spread(seed, share):
    rng = np.random.default_rng(seed)
    lat, lon = np.arange(30.0, 40.0, 1.0), np.arange(88.0, 106.0, 1.0)
    field = rng.uniform(0, 1, (2, lat.size, lon.size))
    field[:, rng.random(field.shape[1:]) < share] = np.nan
    weights = bilinear(lat, lon, GRID)
    got = interpolate(weights, field, GRID)
    reached = (weights @ np.isfinite(field[0]).ravel().astype(float)).reshape(GRID.shape) > 1e-9
    np.testing.assert_array_equal(np.isfinite(got[0]), reached)
    if reached.any():
        assert np.nanmin(got) >= np.nanmin(field) - 1e-6
        assert np.nanmax(got) <= np.nanmax(field) + 1e-6


def test_weights_of_steady_and_changing_gaps_agree():
    lat, lon = np.arange(30.0, 40.0, 1.0), np.arange(88.0, 106.0, 1.0)
    field = random_field((3, lat.size, lon.size))
    field[1, 4, 5] = np.nan
    weights = bilinear(lat, lon, GRID)
    together = interpolate(weights, field, GRID)
    alone = np.concatenate([interpolate(weights, field[t : t + 1], GRID) for t in range(3)])
    np.testing.assert_array_equal(together, alone)


def test_conservative_keeps_the_integral():
    fine = Grid.regular(89.05, 103.95, 31.05, 37.95, 0.1)
    coarse = Grid.regular(89.25, 103.75, 31.25, 37.75, 0.5)
    field = random_field((1, *fine.shape))
    got = interpolate(conservative(fine.lat, fine.lon, coarse), field, coarse)
    np.testing.assert_allclose(
        (got[0] * coarse.area).sum(), (field[0] * fine.area).sum(), rtol=1e-6
    )
    block = np.average(field[0, :5, :5], weights=fine.area[:5, :5])
    assert got[0, 0, 0] == pytest.approx(block, rel=1e-6)


def test_conservative_equals_a_brute_force_overlap():
    lat, lon = np.linspace(30.0, 39.0, 37), np.linspace(88.0, 105.0, 53)
    grid = Grid.regular(89.0, 104.0, 31.0, 38.0, 1.0)
    weights = conservative(lat, lon, grid).toarray()
    i, j = 3, 7
    south, north = grid.lat_bounds[i]
    west, east = grid.lon_bounds[j]
    expected = np.zeros((lat.size, lon.size))
    for a, (low, high) in enumerate(cell_bounds(lat)):
        for b, (left, right) in enumerate(cell_bounds(lon)):
            low_, high_ = max(low, south), min(high, north)
            width = min(right, east) - max(left, west)
            if high_ > low_ and width > 0:
                expected[a, b] = width * (np.sin(np.deg2rad(high_)) - np.sin(np.deg2rad(low_)))
    row = weights[i * grid.shape[1] + j].reshape(lat.size, lon.size)
    np.testing.assert_allclose(row, expected / expected.sum(), atol=1e-12)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


def test_regridding_averages_fine_sources_and_interpolates_coarse_ones():
    fine, coarse = Grid.regular(88.0, 105.0, 30.0, 39.0, 0.1), Grid.regular(88, 105, 30, 39, 1.0)
    assert (regridding(fine.lat, fine.lon, GRID) != conservative(fine.lat, fine.lon, GRID)).nnz == 0
    assert (
        regridding(coarse.lat, coarse.lon, GRID) != bilinear(coarse.lat, coarse.lon, GRID)
    ).nnz == 0


def test_regridding_to_the_same_grid_changes_nothing():
    field = random_field((2, *GRID.shape)).astype(np.float32)
    field[:, 3, 4] = np.nan
    got = interpolate(regridding(GRID.lat, GRID.lon, GRID), field, GRID)
    np.testing.assert_array_equal(got, field)
