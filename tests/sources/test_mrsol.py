"""Moisture of model layers, integrated to any depth."""

import contextlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace

import h5netcdf
import numpy as np
import pytest
from source_files import GRID, NATIVE_LAT, NATIVE_LON, mid_months, rippled, write_cmip6

from soilfuse import config
from soilfuse.cli import doctor
from soilfuse.errors import UserError
from soilfuse.sources.cmip6 import read_model, read_mrsol
from soilfuse.sources.depths import shares
from soilfuse.sources.processed import read_models

PROJECT = Path(__file__).parents[2]

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
    return rippled(np.tile(mass[:, None, None], (months, 1, NATIVE_LAT.size, NATIVE_LON.size)))


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


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """Give the stage cmip6 as a function of cmip6.depth, on tmp_path's own raw files."""
    spec = importlib.util.spec_from_file_location("stage_cmip6", PROJECT / "pipelines" / "cmip6.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.chdir(tmp_path)
    run = SimpleNamespace(log_metrics=lambda metrics: None)
    monkeypatch.setattr(script, "declared_run", lambda *_: contextlib.nullcontext(run))

    profile = config.load(PROJECT / "profiles" / "smoke.yaml")

    def of(depth):
        edges = {"west": 91.0, "east": 93.0, "south": 33.0, "north": 35.0, "resolution": 0.5}
        models = {"CESM2": "r1i1p1f1"}
        params = profile.model_copy(
            update={
                "raw_root": str(tmp_path),
                "domain": config.Domain(name="tiny", regions="basins", **edges),
                "cmip6": config.Cmip6(models=models, depth=depth, fill_cells=0),
            }
        )
        monkeypatch.setattr(config, "load", lambda: params)
        return script.main

    return of


def test_the_stage_writes_the_mean_between_the_depths_of_params(stage, tmp_path):
    write_mrsol(tmp_path, uniform(780), years=(1950, 2014))
    stage((0.1, 0.3))("historical")
    processed = read_models(Path("data/processed/cmip6/historical.nc"))
    # 0.15 m of 0.20 and 0.05 m of 0.30 in 0.2 m.
    by_hand = (0.15 * 0.20 + 0.05 * 0.30) / 0.20
    np.testing.assert_allclose(processed.interpolated(GRID), by_hand, rtol=1e-6)
    assert processed.time.size == 780
    about = processed.crops["CESM2"].attrs
    assert (about["depth_top"], about["depth_bottom"]) == (0.1, 0.3)


def test_the_pseudo_realitys_files_have_no_layers_and_the_refusal_says_so(stage, tmp_path):
    shape = (780, NATIVE_LAT.size, NATIVE_LON.size)
    world = {"source_id": "CESM2", "world": "v1 seed 1"}
    write_cmip6(tmp_path, rippled(np.full(shape, 20.0)), (1950, 2014), **world)
    with pytest.raises(UserError, match="the pseudo-reality has mrsos only") as caught:
        stage((0.0, 1.0))("historical")
    (line,) = caught.value.problems
    assert "mrsol_Emon_CESM2_historical_r1i1p1f1_*.nc" in line
    assert "set cmip6.depth: null in params.yaml" in line
    assert not Path("data").exists()
    stage(None)("historical")
    processed = read_models(Path("data/processed/cmip6/historical.nc"))
    np.testing.assert_allclose(processed.interpolated(GRID), 0.2, rtol=1e-6)
    assert "depth_top" not in processed.crops["CESM2"].attrs


def test_real_mrsos_without_mrsol_is_a_missing_file(tmp_path):
    shape = (24, NATIVE_LAT.size, NATIVE_LON.size)
    write_cmip6(tmp_path, np.full(shape, 20.0), (2000, 2001), source_id="CESM2")
    section = config.Cmip6(models={"CESM2": "r1i1p1f1"}, depth=(0.0, 1.0), fill_cells=0)
    named = tmp_path, "CESM2", "r1i1p1f1", "historical", (2000, 2001)
    with pytest.raises(UserError, match="no file mrsol_Emon_CESM2_historical.* add it"):
        read_model(*named, section)


def test_the_doctor_looks_for_the_layers_that_params_ask_for(stage, tmp_path):
    stage((0.0, 1.0))
    params = config.load().model_copy(update={"experiments": ["historical"]})
    write_mrsol(tmp_path, uniform(780), years=(1950, 2014))
    _, first, *_ = doctor.examine(params)
    assert (first.source, first.files, first.verdict) == ("CMIP6 CESM2 historical", 1, doctor.OK)
    assert (first.period, first.units) == ("1950-01 to 2014-12", "kg m-2")
    too_deep = config.Cmip6(models=params.cmip6.models, depth=(0.0, 5.0), fill_cells=0)
    _, first, *_ = doctor.examine(params.model_copy(update={"cmip6": too_deep}))
    assert "cover 4 m of 0 to 5 m" in first.verdict


@pytest.mark.parametrize(
    "depth",
    [[0.3, 0.1], [-0.1, 0.1], [0.1, 0.1], "10 cm", [0.0, "1 m"], [0, 100], [0.1], [0, True], 0.1],
)
def test_depths_that_make_no_sense_are_refused_in_plain_words(depth):
    content = config.load(PROJECT / "profiles" / "demo.yaml").model_dump()
    content["cmip6"]["depth"] = depth
    with pytest.raises(UserError) as caught:
        config.validate(content)
    assert caught.value.problems == [
        f"cmip6.depth is {depth!r}; expected null or [top, bottom] in m, "
        "0 <= top < bottom <= 10: edit params.yaml:cmip6.depth"
    ]


def test_layers_below_bedrock_may_be_zero_and_copied_ones_may_not(tmp_path):
    mass = uniform()
    mass[:, 2:] = 0.0
    write_mrsol(tmp_path, mass)
    expected = (0.05 * 0.10 + 0.20 * 0.20) / 0.25
    np.testing.assert_allclose(read(tmp_path, 0.0, 0.25).mean(), expected, rtol=0.01)
    copied = uniform()
    copied[:, 1] = 4 * copied[:, 0]  # as wet as the layer above, which is four times thinner
    write_mrsol(tmp_path, copied)
    with pytest.raises(UserError, match="layers 1 and 2 of .* are equal everywhere"):
        read(tmp_path, 0.0, 0.25)
