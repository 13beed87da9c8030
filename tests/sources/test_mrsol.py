"""Moisture of model layers, integrated to any depth."""

import h5netcdf
import numpy as np
import pytest
from source_files import NATIVE_LAT, NATIVE_LON, mid_months

from soilfuse.errors import UserError
from soilfuse.sources.cmip6 import read_mrsol
from soilfuse.sources.depths import shares

BOUNDS = np.array([[0.0, 0.05], [0.05, 0.25], [0.25, 1.0], [1.0, 4.0]])
THETA = np.array([0.10, 0.20, 0.30, 0.40])  # in each layer


def write_mrsol(root, mass, years=(2000, 2001), bounds=BOUNDS, depth_units="m", level="depth"):
    """One ESGF file of mrsol; `mass` (T, D, h, w) kg m-2."""
    folder = root / "cmip6" / "CESM2"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"mrsol_Emon_CESM2_historical_r1i1p1f1_gn_{years[0]}01-{years[1]}12.nc"
    units = "days since 1850-01-01"
    middle, _ = mid_months(years, "365_day", units)
    with h5netcdf.File(path, "w") as file:
        sizes = (middle.size, mass.shape[1], NATIVE_LAT.size, NATIVE_LON.size)
        dims = ("time", level, "lat", "lon")
        file.dimensions = {**dict(zip(dims, sizes, strict=True)), "bnds": 2}
        time = file.create_variable("time", ("time",), data=middle)
        time.attrs.update({"units": units, "calendar": "365_day"})
        file.create_variable("lat", ("lat",), data=NATIVE_LAT)
        file.create_variable("lon", ("lon",), data=NATIVE_LON)
        depth = file.create_variable(level, (level,), data=np.arange(mass.shape[1], dtype=float))
        depth.attrs["units"] = depth_units
        if bounds is not None:
            depth.attrs["bounds"] = f"{level}_bnds"
            file.create_variable(f"{level}_bnds", (level, "bnds"), data=bounds)
        stored = np.where(np.isnan(mass), 1e20, mass).astype(np.float32)
        file.create_variable("mrsol", dims, data=stored, fillvalue=np.float32(1e20))
        file.variables["mrsol"].attrs["units"] = "kg m-2"
    return path


def uniform(months=24):
    """Mass (T, D, h, w) of THETA in BOUNDS, the same everywhere."""
    mass = 1000.0 * THETA * np.diff(BOUNDS)[:, 0]
    return np.tile(mass[:, None, None], (months, 1, NATIVE_LAT.size, NATIVE_LON.size))


def read(root, top, bottom, fill_cells=0, years=(2000, 2001)):
    return read_mrsol(
        root, "CESM2", "r1i1p1f1", "Emon", "historical", *years, top, bottom, fill_cells
    )


@pytest.mark.parametrize(
    ("top", "bottom", "theta"),
    [
        (0.0, 0.05, 0.10),
        (0.0, 0.10, (0.05 * 0.10 + 0.05 * 0.20) / 0.10),
        (0.10, 0.30, (0.15 * 0.20 + 0.05 * 0.30) / 0.20),
        (0.30, 0.50, 0.30),
        (0.80, 1.10, (0.20 * 0.30 + 0.10 * 0.40) / 0.30),
        (0.0, 2.0, (0.05 * 0.10 + 0.20 * 0.20 + 0.75 * 0.30 + 1.0 * 0.40) / 2.0),
        (0.0, 4.0, (0.05 * 0.10 + 0.20 * 0.20 + 0.75 * 0.30 + 3.0 * 0.40) / 4.0),
    ],
)
def test_any_range_by_hand(tmp_path, top, bottom, theta):
    write_mrsol(tmp_path, uniform())
    field = read(tmp_path, top, bottom)
    assert field.dims == ("time", "lat", "lon")
    assert field.dtype == np.float32
    np.testing.assert_allclose(field.values, theta, rtol=1e-6)
    assert (field.attrs["depth_top"], field.attrs["depth_bottom"]) == (top, bottom)
    assert field.attrs["source_id"] == "CESM2"


def test_ranges_add_up_to_the_column(tmp_path):
    mass = uniform() * np.random.default_rng(0).uniform(0.5, 1.2, uniform().shape)
    write_mrsol(tmp_path, mass)
    edges = [0.0, 0.1, 0.3, 0.5, 0.8, 1.1, 4.0]
    water = sum(
        read(tmp_path, top, bottom).values * (bottom - top) * 1000.0
        for top, bottom in zip(edges, edges[1:], strict=False)
    )
    np.testing.assert_allclose(water, mass.sum(axis=1), rtol=1e-5)


def test_a_cell_is_empty_where_a_layer_of_the_range_is(tmp_path):
    mass = uniform()
    mass[:, 3, 2, 2] = np.nan
    mass[:, :, 0, 0] = np.nan
    write_mrsol(tmp_path, mass, level="solth")
    shallow, deep = read(tmp_path, 0.0, 1.0), read(tmp_path, 0.0, 1.1)
    assert np.isnan(shallow.values).sum() == 24
    assert np.isfinite(shallow.values[:, 2, 2]).all()
    assert np.isnan(deep.values[:, 2, 2]).all()
    assert read(tmp_path, 0.0, 1.0, fill_cells=1).attrs["filled_cells"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bounds": None}, "bounds missing; expected bounds in m"),
        ({"depth_units": "cm"}, "units 'cm'"),
        ({"bounds": BOUNDS - 0.1}, "none overlapping"),
        ({"bounds": BOUNDS * [[1, 1.5]]}, "none overlapping"),
        ({"bounds": BOUNDS / 10}, r"cover 0\.4 m of 0 to 1 m"),
        ({"bounds": BOUNDS + [[0, 0], [0.2, 0.2], [0.2, 0.2], [0.2, 0.2]]}, "cover 0.8 m"),
    ],
)
def test_layers_that_make_no_sense_are_one_line_naming_the_file(tmp_path, change, message):
    path = write_mrsol(tmp_path, uniform(), **change)
    with pytest.raises(UserError, match=message) as caught:
        read(tmp_path, 0.0, 1.0)
    assert str(path) in str(caught.value)
    assert len(caught.value.problems) == 1


def test_files_of_other_layers_do_not_join(tmp_path):
    write_mrsol(tmp_path, uniform())
    other = write_mrsol(tmp_path, uniform(), years=(2002, 2003), bounds=BOUNDS * 1.1)
    with pytest.raises(UserError, match="layers of mrsol in") as caught:
        read(tmp_path, 0.0, 1.0, years=(2000, 2003))
    assert str(other) in str(caught.value)


def test_depths_beyond_the_soil_or_upside_down_are_refused(tmp_path):
    path = write_mrsol(tmp_path, uniform())
    with pytest.raises(UserError, match=r"cover 4 m of 0 to 5 m; they reach from 0 to 4 m") as hit:
        read(tmp_path, 0.0, 5.0)
    assert str(path) in str(hit.value)
    with pytest.raises(UserError, match=r"depths 1 to 0\.5 m are no range"):
        read(tmp_path, 1.0, 0.5)
    np.testing.assert_allclose(shares(BOUNDS[::-1], 0.0, 0.1, "x"), [0, 0, 0.5, 0.5])
