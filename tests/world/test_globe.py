"""The globe's pseudo-reality: water closes, seeds repeat, and signs are as the paper finds them."""

import numpy as np
import pytest

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.grids.grid import Grid
from soilfuse.grids.land import land_mask
from soilfuse.grids.months import month_axis
from soilfuse.grids.region_sets import BOXES
from soilfuse.world.wide import bucket
from soilfuse.world.wide.globe import profile, write_globe
from soilfuse.world.wide.globe_files import ERA_LAYERS, MODEL_LAYERS, rounded
from soilfuse.world.wide.sources import REANALYSES, simulate
from soilfuse.world.wide.sphere import Waves, smooth
from soilfuse.world.wide.wide_grids import model_grid, reanalysis_grid

GRID = Grid.regular(-177.5, 177.5, -57.5, 82.5, 5)
ROWS, COLUMNS = np.nonzero(land_mask(GRID))
LAT, LON = GRID.lat[ROWS], GRID.lon[COLUMNS]
YEARS = (1995, 2000)


@pytest.fixture(scope="module")
def made():
    chosen = ("era5", "gldas", "CESM2", "MIROC6", "CNRM-CM6-1")
    return {name: simulate(name, "r1i1p1f1", LAT, LON, YEARS, 1) for name in chosen}


def inside(region):
    south, north, west, east = BOXES[region]
    return (south <= LAT) & (north > LAT) & (west <= LON) & (east > LON)


@pytest.mark.parametrize("source", ["era5", "gldas", "MIROC6"])
def test_water_closes(made, source):
    f = made[source]
    gained = np.diff(f.stored, axis=0)
    kept = (f.pr - f.evspsbl - f.mrros - f.drainage)[1:] * bucket.DAYS
    np.testing.assert_allclose(gained, kept, atol=1e-9)


def test_nothing_is_negative_or_beyond_what_soil_holds(made):
    for source, f in made.items():
        for name in ("pr", "evspsbl", "mrros", "snm", "drainage", "shallow", "deep"):
            assert (getattr(f, name) >= 0).all(), (source, name)
        assert max(f.shallow.max(), f.deep.max()) < 0.95


def test_the_globe_s_water_is_of_the_earth_s_size(made):
    weight = np.cos(np.deg2rad(LAT))
    for source, f in made.items():
        mean = {
            n: np.average(getattr(f, n).mean(axis=0), weights=weight) for n in ("pr", "evspsbl")
        }
        assert 1.3 < mean["pr"] < 2.8, source  # land's is 2.2 mm a day
        assert 0.5 < mean["evspsbl"] / mean["pr"] < 0.9


def test_moisture_goes_with_p_less_e_in_the_cold_for_reanalyses_and_not_for_models(made):
    cells = inside("SIB")

    def mean_r(f):
        gained = (f.pr - f.evspsbl)[:, cells]
        moisture = f.shallow[:, cells]
        return np.mean([np.corrcoef(x, y)[0, 1] for x, y in zip(moisture.T, gained.T, strict=True)])

    for source, f in made.items():
        r = mean_r(f)
        assert (r > 0.2) if source in REANALYSES else (r < 0), (source, r)


def test_gldas_has_less_snowmelt_variation_over_tibet_than_models(made):
    melt = {name: f.snm[:, inside("TIB")].mean(axis=1).std() for name, f in made.items()}
    for model in ("CESM2", "MIROC6", "CNRM-CM6-1"):
        assert melt[model] > 2 * melt["gldas"]


def test_reanalyses_share_the_weather_and_models_do_not(made):
    def anomalies(name):
        pr = made[name].pr.mean(axis=1).reshape(-1, 12)
        return (pr - pr.mean(axis=0)).ravel()

    def r(one, other):
        return np.corrcoef(anomalies(one), anomalies(other))[0, 1]

    assert r("era5", "gldas") > 0.9
    assert abs(r("era5", "MIROC6")) < 0.5


def test_values_depend_on_the_place_and_not_on_the_grid():
    months = month_axis(1995, 1995)
    few = simulate("MIROC6", "r1i1p1f1", LAT[:7], LON[:7], (1995, 1995), 3)
    many = simulate("MIROC6", "r1i1p1f1", LAT[:40], LON[:40], (1995, 1995), 3)
    assert len(few.pr) == months.size
    np.testing.assert_allclose(few.shallow, many.shallow[:, :7], rtol=1e-4)


def test_fields_on_the_sphere_have_unit_variance_and_no_seam():
    lat, lon = np.zeros(4000), np.linspace(-180, 180, 4000)
    drawn = np.concatenate([smooth(np.random.default_rng(i), 10, lat, lon) for i in range(30)])
    assert drawn.mean() == pytest.approx(0, abs=0.15)
    assert drawn.std() == pytest.approx(1, abs=0.1)
    waves = Waves.draw(np.random.default_rng(1), 10)
    np.testing.assert_allclose(waves(np.zeros(1), [-180.0]), waves(np.zeros(1), [180.0]), atol=1e-5)


def test_layers_hold_what_the_two_stores_hold(made):
    f = made["MIROC6"]
    thick = np.diff(np.array(MODEL_LAYERS), axis=1)
    layers = profile(f, MODEL_LAYERS)
    np.testing.assert_allclose(layers[:, 0], f.shallow)
    total = (layers * thick).sum(axis=1)
    np.testing.assert_allclose(total, 0.1 * f.shallow + 1.9 * f.deep, rtol=1e-3)
    era = profile(f, ERA_LAYERS)
    np.testing.assert_allclose(era[:, 0], f.shallow)


def test_native_grids_have_their_lines():
    whole = model_grid("CNRM-CM6-1", 1)
    assert (whole.lat.size, whole.lon.size) == (128, 256)
    coarse = model_grid("CESM2", 4)
    assert (coarse.lat.size, coarse.lon.size) == (48, 72)
    assert coarse.lat[[0, -1]].tolist() == [-90, 90]
    assert model_grid("NorESM2-LM", 8).lat.size == 32
    gldas = reanalysis_grid("gldas", 2)
    assert (gldas.lat[[0, -1]].tolist(), gldas.land.shape) == ([-59.5, 89.5], (150, 360))
    for source_id in EVALUATED_MODELS:
        grid = model_grid(source_id, 8)
        assert (
            0.22 < np.average(grid.land, weights=np.cos(np.deg2rad(grid.lat)), axis=0).mean() < 0.36
        )


def test_rounding_keeps_twelve_bits_and_gaps():
    values = np.random.default_rng(1).normal(size=1000).astype(np.float32)
    np.testing.assert_allclose(rounded(values), values, rtol=2.0**-13)
    assert np.unique(rounded(values).view(np.uint32) & np.uint32(0x7FF)).tolist() == [0]
    assert np.isnan(rounded(np.array([np.nan]))).all()


def test_the_same_seed_writes_the_same_bytes_and_table_1_s_variables(tmp_path):
    models = {"CNRM-ESM2-1": ["r1i1p1f2"], "GFDL-CM4": ["r1i1p1f1"]}
    for folder in ("one", "two"):
        write_globe(tmp_path / folder, models, (1995, 1995), 8, 7)
    one = {p.relative_to(tmp_path / "one"): p for p in (tmp_path / "one").rglob("*") if p.is_file()}
    assert len(one) == 5 + 5 + 12 + 2 + 1
    for name, path in one.items():
        assert path.read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    names = {path.name for path in one.values()}
    assert not any(name.startswith("mrsos_Lmon_CNRM-ESM2-1") for name in names)
    assert not any(name.startswith("mrsol_Emon_GFDL-CM4") for name in names)
