from dataclasses import replace

import numpy as np
import pytest

from soilfuse.evaluation.cells import Cells
from soilfuse.evaluation.spectrum import radial_power, rings_of, spacing_km
from soilfuse.grids.grid import Grid

GRID = Grid.regular(89, 104, 31, 38, 0.25)
EVERYWHERE = np.ones(GRID.shape, dtype=bool)
DY, DX = spacing_km(GRID)
Y, X = np.meshgrid(DY * np.arange(29), DX * np.arange(61), indexing="ij")


def wave(length_km, degrees=0.0):
    """A sine of that wavelength whose crests stand across the direction, (1, 1, H, W)."""
    way = np.cos(np.deg2rad(degrees)) * X + np.sin(np.deg2rad(degrees)) * Y
    return np.sin(2 * np.pi * way / length_km)[None, None]


@pytest.mark.parametrize("degrees", [0, 40, 90, 140])
@pytest.mark.parametrize("length", [100.0, 160.0, 250.0])
def test_a_sine_has_its_power_at_its_wavelength_whatever_its_direction(length, degrees):
    rings = rings_of(GRID, EVERYWHERE)
    power = radial_power(wave(length, degrees), rings).mean[0]
    near = np.abs(1 / rings.wavelength - 1 / length) < 2.5 / (29 * DY)  # what a taper smears
    assert power[near].sum() > 0.95 * power.sum()
    peak = rings.wavelength[power.argmax()]
    assert 1 / peak == pytest.approx(1 / length, abs=1.1 / (29 * DY))


def test_power_over_all_waves_is_the_mean_square_of_the_tapered_field():
    rng = np.random.default_rng(1)
    for shape in ((29, 61), (28, 60)):
        grid = Grid(GRID.lat[: shape[0]], GRID.lon[: shape[1]])
        fields = rng.standard_normal((30, 2, *shape))
        rings = rings_of(grid, np.ones(shape, dtype=bool))
        one = replace(rings, ring=np.zeros_like(rings.ring), wavelength=np.ones(1))
        tapered = (fields - fields.mean(axis=(2, 3), keepdims=True)) * rings.window
        expected = (tapered**2).mean(axis=(0, 2, 3))
        np.testing.assert_allclose(radial_power(fields, one).mean[:, 0], expected, rtol=1e-12)


def test_a_smoothed_field_lacks_its_short_waves_and_keeps_its_long_ones():
    rng = np.random.default_rng(2)
    rough = wave(400.0) + 0.3 * rng.standard_normal((20, 1, *GRID.shape))
    smooth = sum(np.roll(rough, step, axis=(2, 3)) for step in [(0, 0), (0, 1), (1, 0), (1, 1)]) / 4
    rings = rings_of(GRID, EVERYWHERE)
    ratio = (radial_power(smooth, rings).mean / radial_power(rough, rings).mean)[0]
    assert ratio[rings.wavelength > 300].min() > 0.8
    assert ratio[rings.wavelength < 70].max() < 0.5


def test_cells_in_a_row_give_what_their_grid_does_and_what_lies_outside_does_not_count():
    mask = (Y - 400) ** 2 + (X - 700) ** 2 < 300**2
    cells = Cells(GRID.lat, GRID.lon, np.flatnonzero(mask | (X < DX)))  # others for stations
    fields = np.random.default_rng(3).standard_normal((5, 2, *GRID.shape))
    whole = radial_power(fields, rings_of(GRID, mask)).mean
    row = radial_power(cells.take(fields), rings_of(cells, cells.take(mask))).mean
    np.testing.assert_allclose(row, whole, rtol=1e-12)
    other = np.where(mask, fields, 99.0)
    np.testing.assert_array_equal(radial_power(other, rings_of(GRID, mask)).mean, whole)


def test_missing_cells_take_the_mean_and_a_month_without_any_does_not_count():
    fields = np.random.default_rng(4).standard_normal((2, 1, *GRID.shape))
    holed, filled = fields.copy(), fields.copy()
    holed[0, 0, 3:5, 7] = np.nan
    filled[0, 0, 3:5, 7] = np.nanmean(holed[0, 0])
    rings = rings_of(GRID, EVERYWHERE)
    np.testing.assert_allclose(radial_power(holed, rings).mean, radial_power(filled, rings).mean)
    assert radial_power(holed, rings).filled.tolist() == [2]
    empty = np.concatenate([fields, np.full((1, 1, *GRID.shape), np.nan)])
    found = radial_power(empty, rings)
    np.testing.assert_allclose(found.mean, radial_power(fields, rings).mean)
    assert (found.months.tolist(), found.filled.tolist()) == ([2], [0])
    none = radial_power(empty[2:], rings)
    assert np.isnan(none.mean).all() and none.months.tolist() == [0]


def test_a_region_of_one_cell_has_no_wavelength():
    mask = np.zeros(GRID.shape, dtype=bool)
    mask[3, 4] = True
    rings = rings_of(GRID, mask)
    assert radial_power(np.ones((2, 5, *GRID.shape)), rings).mean.shape == (5, 0)
    assert spacing_km(Grid(GRID.lat[:1], GRID.lon)) == pytest.approx(
        (DY, 0.25 * 111.195 * 0.857), rel=1e-3
    )
