import h5py
import numpy as np
import pytest
import xarray as xr
from source_files import GRID, NATIVE_LAT, NATIVE_LON, write_cmip6

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.interpolation import bilinear, interpolate
from soilfuse.grids.months import month_axis
from soilfuse.sources.cmip6 import read_mrsos
from soilfuse.sources.processed import read_field, read_models, write_field, write_models
from soilfuse.sources.targets import layered
from soilfuse.sources.truth import read_truth


def crop(seed, step=1.0, world="real", years=(2000, 2001)):
    lat, lon = NATIVE_LAT, np.arange(NATIVE_LON[0], NATIVE_LON[-1], step)
    months = month_axis(*years)
    values = np.random.default_rng(seed).uniform(0, 0.5, (months.size, lat.size, lon.size))
    return xr.DataArray(
        values.astype(np.float32),
        dims=("time", "lat", "lon"),
        coords={"time": months, "lat": lat, "lon": lon},
        attrs={
            **names.SOIL_MOISTURE_ATTRIBUTES,
            "source_calendar": "360_day",
            "world": world,
            "filled_cells": 2,
            "source_id": f"M{seed}",
            "inputs_sha256": str(seed),
        },
    )


def test_models_come_back_as_written_in_their_order(tmp_path):
    models = {"M2": crop(2), "M1": crop(1, step=2.5)}
    path = tmp_path / "historical.nc"
    write_models(path, "historical", models)
    got = read_models(path)
    assert got.source_ids == ["M2", "M1"]
    np.testing.assert_array_equal(got.time, month_axis(2000, 2001))
    assert got.attrs["experiment"] == "historical"
    assert got.attrs["world"] == "real"
    for name, model in models.items():
        np.testing.assert_array_equal(got.crops[name].values, model.values)
        assert got.crops[name].attrs["source_calendar"] == "360_day"
        assert int(got.crops[name].attrs["filled_cells"]) == 2
    with xr.open_dataset(path, group="M1", engine="h5netcdf") as as_xarray:
        np.testing.assert_array_equal(as_xarray["soil_moisture"], models["M1"])
        np.testing.assert_array_equal(as_xarray.time, got.time)


def test_interpolated_view_equals_each_model_alone(tmp_path):
    models = {"M1": crop(1), "M2": crop(2, step=2.0)}
    write_models(tmp_path / "a.nc", "historical", models)
    crops = read_models(tmp_path / "a.nc")
    got = crops.interpolated(GRID)
    assert got.shape == (24, 2, *GRID.shape)
    assert got.dtype == np.float32
    for m, model in enumerate(models.values()):
        weights = bilinear(model.lat.values, model.lon.values, GRID)
        np.testing.assert_array_equal(got[:, m], interpolate(weights, model.values, GRID))
    np.testing.assert_array_equal(crops.interpolated(GRID, slice(3, 7)), got[3:7])
    np.testing.assert_array_equal(crops.interpolated(GRID, np.array([9, 2])), got[[9, 2]])
    shifted = Grid.regular(90.0, 92.0, 33.0, 35.0, 0.5)
    assert not np.array_equal(crops.interpolated(shifted), got)


@pytest.mark.parametrize("first_lon", [0.0, -180.0])
@pytest.mark.parametrize(
    "grid",
    [
        Grid.regular(71.125, 136.875, 18.125, 53.875, 0.25),
        Grid.regular(-20.0, 30.0, 31.0, 38.0, 0.5),
        Grid.regular(170.0, 190.0, 31.0, 38.0, 0.5),
        Grid.regular(-179.0, 179.0, -89.0, 89.0, 2.0),
    ],
    ids=["China", "across Greenwich", "across the date line", "globe"],
)
def test_a_global_file_serves_any_target_grid(tmp_path, grid, first_lon):
    """Read, cut, filled, stored and interpolated, against xarray on the whole globe."""
    lat, lon = np.linspace(-90, 90, 37), first_lon + 5.0 * np.arange(72)
    mrsos = np.random.default_rng(3).uniform(5, 50, (12, lat.size, lon.size)).astype(np.float32)
    write_cmip6(tmp_path, mrsos, (2000, 2000), lat=lat, lon=lon)
    crop = read_mrsos(tmp_path, "MIROC6", "r1i1p1f1", "historical", 2000, 2000, 1, grid)
    write_models(tmp_path / "a.nc", "historical", {"MIROC6": crop})
    got = read_models(tmp_path / "a.nc").interpolated(grid)
    turned = np.concatenate([lon - 360, lon, lon + 360])
    whole = xr.DataArray(
        np.concatenate([mrsos] * 3, axis=2) / 100,
        dims=("time", "lat", "lon"),
        coords={"lat": lat, "lon": turned},
    )
    expected = whole.interp(lat=grid.lat, lon=grid.lon).values
    assert np.abs(got[:, 0] - expected).max() < 1e-6


def test_empty_cells_and_short_models_name_model_and_file(tmp_path):
    lake = crop(1)
    lake.values[:, 2:4, 3:7] = np.nan
    write_models(tmp_path / "a.nc", "historical", {"M1": lake})
    with pytest.raises(UserError, match=r"cells of the grid have no land value of M1 in .*a\.nc"):
        read_models(tmp_path / "a.nc").interpolated(GRID)
    with pytest.raises(UserError, match=r"M1 in .*a\.nc: source cells span longitude"):
        read_models(tmp_path / "a.nc").interpolated(Grid.regular(91, 120, 33, 35, 0.5))


def test_equal_content_gives_equal_bytes(tmp_path):
    models = {"M1": crop(1), "M2": crop(2)}
    dataset = target()
    for name in ("first", "second"):
        write_models(tmp_path / name / "a.nc", "historical", models)
        write_field(tmp_path / name / "b.nc", dataset)
    for name in ("a.nc", "b.nc"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()
    write_models(tmp_path / "c.nc", "historical", {**models, "M2": crop(3)})
    assert (tmp_path / "c.nc").read_bytes() != (tmp_path / "first" / "a.nc").read_bytes()


def test_worlds_and_months_do_not_mix(tmp_path):
    models = {"M1": crop(1, world="v1 seed 1"), "M2": crop(2, world="v1 seed 2")}
    with pytest.raises(UserError, match=r"2 worlds in .*a\.nc.*M2 is of 'v1 seed 2'"):
        write_models(tmp_path / "a.nc", "historical", models)
    with pytest.raises(UserError, match="months of M2 differ from those of M1"):
        write_models(
            tmp_path / "a.nc", "historical", {"M1": crop(1), "M2": crop(2, years=(2001, 2002))}
        )
    assert list(tmp_path.iterdir()) == []


def target():
    shape = (24, 5, *GRID.shape)
    values = np.random.default_rng(5).uniform(0, 0.5, shape).astype(np.float32)
    values[:, :, 0, 0] = np.nan
    attributes = {"world": "v1 seed 1"}
    return layered(
        values, month_axis(2000, 2001), names.PRODUCT_LAYERS, GRID, "standard", attributes
    )


def test_layered_fields_come_back_whole(tmp_path):
    field = target()
    write_field(tmp_path / "b.nc", field)
    got = read_field(tmp_path / "b.nc")
    xr.testing.assert_identical(got, field)
    assert got["soil_moisture"].dtype == np.float32


def test_absent_and_damaged_files_are_one_line(tmp_path):
    with pytest.raises(UserError, match=r"no file .*a\.nc"):
        read_models(tmp_path / "a.nc")
    write_models(tmp_path / "a.nc", "historical", {"M1": crop(1)})
    whole = (tmp_path / "a.nc").read_bytes()
    (tmp_path / "a.nc").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"a\.nc .*is cut off: it has \d+ of \d+ bytes"):
        read_models(tmp_path / "a.nc")


def hole(whole):
    """Bytes in the middle of the compressed values, which headers do not cover, are others."""
    middle = len(whole) // 2
    return whole[:middle] + bytes(4000) + whole[middle + 4000 :]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (None, "no file"),
        (lambda _: b"", "is empty"),
        (lambda _: b"<html>", "is text, not NetCDF"),
        (lambda whole: whole[: len(whole) // 2], "is cut off"),
        (lambda whole: whole[:8], "truncated or damaged (8 bytes)"),
        (hole, "truncated or damaged"),
    ],
)
@pytest.mark.parametrize("read", [read_models, read_field])
def test_a_damaged_output_of_a_stage_is_made_again_and_not_downloaded(tmp_path, read, harm, told):
    path = tmp_path / "a.nc"
    if read is read_models:
        write_models(path, "historical", {"M1": crop(1, step=0.1, years=(2000, 2009))})
    else:
        write_field(path, target())
    if harm is None:
        path.unlink()
    else:
        path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(UserError) as raised:
        read(path)
    [line] = raised.value.problems
    assert told in line
    assert line.endswith(f"run `dvc checkout {path}`, or `dvc repro` for the stage that writes it")
    assert "download" not in line
    assert "raw_root" not in line


@pytest.mark.parametrize(
    ("part", "told"), [("M1", "no group 'M1'"), ("M1/soil_moisture", "no variable 'soil_moisture'")]
)
def test_an_output_of_a_stage_that_lacks_a_part_is_made_again(tmp_path, part, told):
    path = tmp_path / "a.nc"
    write_models(path, "historical", {"M1": crop(1), "M2": crop(2)})
    with h5py.File(path, "r+") as file:
        del file[part]
    with pytest.raises(UserError, match=rf"{told} .*: run `dvc checkout {path}`"):
        read_models(path)


def test_truth_is_there_or_none(tmp_path):
    assert read_truth(tmp_path, "ssp245") is None
    write_field(tmp_path / "truth" / "truth_ssp245.nc", target())
    assert read_truth(tmp_path, "ssp245").dims == ("time", "depth", "lat", "lon")
