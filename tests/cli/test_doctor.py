"""The doctor's table on a tiny world: all well at first, then one file after another damaged."""

import json
import shutil
from pathlib import Path

import h5py
import pytest
from typer.testing import CliRunner

from soilfuse import config
from soilfuse.cli import doctor
from soilfuse.cli.commands import app
from soilfuse.world.build import write_world

PROFILE = Path(__file__).parents[2] / "profiles" / "smoke.yaml"
DOMAIN = {"name": "tiny", "west": 93, "east": 95, "south": 33, "north": 35, "resolution": 0.5}
DOMAIN["regions"] = "basins"
MODELS = {"KACE-1-0-G": "r1i1p1f1", "NorESM2-LM": "r1i1p1f1"}
EXPERIMENTS = ["historical", "ssp245"]
KACE = "cmip6/KACE-1-0-G/mrsos_Lmon_KACE-1-0-G_{}_r1i1p1f1_gr_{}.nc"
SSP245 = KACE.format("ssp245", "201501-210012")


def params_of(root):
    params = config.load(PROFILE)
    return params.model_copy(
        update={
            "raw_root": str(root),
            "experiments": EXPERIMENTS,
            "domain": config.Domain(**DOMAIN),
            "world": config.World(seed=7, amsmqtp_day_step=5, station_hour_step=72, stations=0.05),
            "cmip6": config.Cmip6(models=MODELS, depth=None, fill_cells=2),
            "era5_land": config.Era5Land(first_year=1950, last_year=2014),
            "amsmqtp": config.Amsmqtp(first_year=2000, last_year=2021, min_days=5),
        }
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "pseudo"
    params = params_of(path)
    write_world(path, params.domain, params.world, MODELS)
    return path


@pytest.fixture
def raw(whole, tmp_path):
    """A copy that a test may damage."""
    return Path(shutil.copytree(whole, tmp_path / "raw"))


def found(root):
    return {finding.source: finding for finding in doctor.examine(params_of(root))}


def refused(root):
    return {source: f.verdict for source, f in found(root).items() if f.verdict != doctor.OK}


@pytest.fixture(scope="module")
def findings(whole):
    return found(whole)


def test_a_whole_world_is_well(findings):
    assert {source: f.verdict for source, f in findings.items() if f.verdict != "ok"} == {}
    models = [f"CMIP6 {model} {experiment}" for model in MODELS for experiment in EXPERIMENTS]
    years = [f"AMSMQTP {year}" for year in range(2000, 2022)]
    networks = ["ISMN CTP_SMTMN", "ISMN MAQU", "ISMN NAQU"]
    cma = [f"CMA {year}" for year in range(2015, 2019)]
    static = ["static elevation", "static soil"]
    truth = [f"truth {experiment}" for experiment in EXPERIMENTS]
    assert list(findings) == [*models, "ERA5-Land", *years, *networks, *cma, *static, *truth]


@pytest.mark.parametrize(
    ("source", "files", "period", "calendar", "units"),
    [
        ("CMIP6 KACE-1-0-G historical", 1, "1950-01 to 2014-12", "360_day", "kg m-2"),
        ("CMIP6 NorESM2-LM ssp245", 9, "2015-01 to 2100-12", "365_day", "kg m-2"),
        ("ERA5-Land", 4, "1950-01 to 2021-12", "gregorian, proleptic_gregorian", "m**3 m**-3"),
        ("AMSMQTP 2003", 1, "2003-01 to 2003-12", "standard", "m3/m3"),
        ("CMA 2016", 1, "2016-01 to 2016-12", "standard", "%"),
        ("static elevation", 1, "-", "-", "m"),
        ("static soil", 1, "-", "-", "%, m3 m-3"),
        ("truth ssp245", 1, "2015-01 to 2100-12", "proleptic_gregorian", "1"),
    ],
)
def test_a_row_tells_what_the_files_hold(findings, source, files, period, calendar, units):
    assert findings[source] == doctor.Finding(source, True, files, period, calendar, units, "ok")


def test_a_missing_file_is_named(raw):
    (raw / SSP245).unlink()
    (raw / "amsmqtp" / "AMSMQTP_ensemble_2011.nc").unlink()
    (raw / "truth" / "truth_historical.nc").unlink()
    shutil.rmtree(raw / "ismn" / "MAQU")
    rows = found(raw)
    verdicts = {source: f.verdict for source, f in rows.items() if f.verdict != "ok"}
    absent = ["CMIP6 KACE-1-0-G ssp245", "AMSMQTP 2011", "ISMN MAQU", "truth historical"]
    assert list(verdicts) == absent
    assert not any(rows[source].present or rows[source].files for source in absent)
    assert "mrsos_Lmon_KACE-1-0-G_ssp245" in verdicts["CMIP6 KACE-1-0-G ssp245"]
    assert "AMSMQTP_*_2011.nc" in verdicts["AMSMQTP 2011"]


def test_wrong_units_are_named(raw):
    with h5py.File(raw / SSP245, "r+") as file:
        file["mrsos"].attrs["units"] = "mm day-1"
    row = found(raw)["CMIP6 KACE-1-0-G ssp245"]
    assert (row.present, row.units) == (True, "mm day-1")
    assert "units 'mm day-1'" in row.verdict and SSP245 in row.verdict


def test_a_missing_month_is_named(raw):
    with h5py.File(raw / SSP245, "r+") as file:
        # March 2017 stamped as May 1830: outside every experiment.
        file["time"][26], file["time_bnds"][26] = -7000.0, (-7015.0, -6985.0)
    verdicts = refused(raw)
    assert list(verdicts) == ["CMIP6 KACE-1-0-G ssp245"]
    assert verdicts["CMIP6 KACE-1-0-G ssp245"].startswith("missing month 2017-03 in ")


def test_damage_is_told_in_the_readers_words(raw):
    (raw / "era5_land" / "era5_land_1970-1989.nc").write_text("<html>log in first</html>")
    with h5py.File(raw / "amsmqtp" / "AMSMQTP_ensemble_2005.nc", "r+") as file:
        file["SM"][...] = file["SM"][...] * 100
    station = next((raw / "ismn" / "NAQU").glob("*/*.stm"))
    station.write_text("no header\n")
    verdicts = refused(raw)
    assert list(verdicts) == ["ERA5-Land", "AMSMQTP 2005", "ISMN NAQU"]
    assert "is not a NetCDF file" in verdicts["ERA5-Land"]
    assert "percent instead of a fraction?" in verdicts["AMSMQTP 2005"]
    assert f"first line of {station}" in verdicts["ISMN NAQU"]


def test_files_of_another_world_or_month_twice_are_refused(raw):
    decades = sorted((raw / "cmip6" / "NorESM2-LM").glob("*_ssp245_*.nc"))
    with h5py.File(decades[3], "r+") as file:
        file.attrs["soilfuse_world"] = "v0 seed 0"
    with h5py.File(raw / KACE.format("historical", "195001-201412"), "r+") as file:
        file["time"][5], file["time_bnds"][5] = file["time"][4], file["time_bnds"][4]
    verdicts = refused(raw)
    assert f"{decades[3]} is of world 'v0 seed 0'" in verdicts["CMIP6 NorESM2-LM ssp245"]
    assert "month 1950-05 stands 2 times" in verdicts["CMIP6 KACE-1-0-G historical"]


def test_static_maps_may_be_absent_but_not_wrong(raw):
    (raw / "static" / "soil.nc").unlink()
    with h5py.File(raw / "static" / "elevation.nc", "r+") as file:
        file["elevation"].attrs["units"] = "ft"
    rows = found(raw)
    assert (rows["static soil"].present, rows["static soil"].verdict) == (False, "ok")
    assert rows["static elevation"].verdict.startswith("units 'ft' of elevation in ")
    assert list(refused(raw)) == ["static elevation"]


def test_real_files_need_no_truth(raw):
    (raw / "world.json").unlink()
    shutil.rmtree(raw / "truth")
    assert not any(source.startswith("truth") for source in found(raw))


@pytest.fixture
def command(monkeypatch):
    def run(root, *options):
        params = params_of(root)
        monkeypatch.setattr(config, "load", lambda: params)
        return CliRunner().invoke(app, ["doctor", *options])

    return run


def test_the_command_shows_an_aligned_table(command, whole):
    done = command(whole)
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and lines[-1] == "38 of 38 ok"
    at = lines[0].index("verdict")
    assert lines[0].split() == list(doctor.HEADINGS)
    assert {line[at:] for line in lines[1:-1]} == {"ok"}


def test_the_command_fails_and_writes_json(command, raw):
    (raw / "cma" / "CMA_2017.csv").unlink()
    done = command(raw, "--json")
    rows = json.loads(done.stdout)
    assert done.exit_code == 1 and len(rows) == 38
    assert [row["source"] for row in rows if not row["present"]] == ["CMA 2017"]
    assert set(rows[0]) == set(doctor.HEADINGS)
