"""The doctor's table on a tiny world: all well at first, then one file after another damaged."""

import json
import shutil
from pathlib import Path

import h5py
import pytest
from typer.testing import CliRunner

from soilfuse import config
from soilfuse.cli import doctor
from soilfuse.cli import findings as told
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
    assert list(findings)[0] == "regions"
    models = [f"CMIP6 {model} {experiment}" for model in MODELS for experiment in EXPERIMENTS]
    years = [f"AMSMQTP {year}" for year in range(2000, 2022)]
    networks = ["ISMN CTP_SMTMN", "ISMN MAQU", "ISMN NAQU", "ISMN places"]
    cma = [f"CMA {year}" for year in range(2015, 2019)]
    static = ["static elevation", "static soil"]
    truth = [f"truth {experiment}" for experiment in EXPERIMENTS]
    assert list(findings)[1:] == [*models, "ERA5-Land", *years, *networks, *cma, *static, *truth]


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
    assert verdicts["ISMN MAQU"] == told.ABSENT
    assert [source for source in absent if not rows[source].refused] == ["ISMN MAQU"]
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
    assert "is text, not NetCDF; it starts with '<html>" in verdicts["ERA5-Land"]
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
    assert (rows["static soil"].present, rows["static soil"].verdict) == (False, told.ABSENT)
    assert rows["static elevation"].verdict.startswith("units 'ft' of elevation in ")
    assert list(refused(raw)) == ["static elevation", "static soil"]
    assert [source for source, row in rows.items() if row.refused] == ["static elevation"]


def test_real_files_need_no_truth(raw):
    (raw / "world.json").unlink()
    shutil.rmtree(raw / "truth")
    assert not any(source.startswith("truth") for source in found(raw))


@pytest.fixture
def command(monkeypatch):
    load = config.load

    def run(root, *options):
        params = params_of(root)
        monkeypatch.setattr(config, "load", lambda *path: load(*path) if path else params)
        return CliRunner().invoke(app, ["doctor", *options])

    return run


def test_the_command_shows_an_aligned_table(command, whole):
    done = command(whole)
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and lines[-1] == "40 of 40 ok"
    at = lines[0].index("verdict")
    assert lines[0].split() == list(told.HEADINGS)
    assert max(map(len, lines)) <= 100
    assert {line[at:] for line in lines[1:-1]} == {"ok"}


def test_the_command_fails_and_writes_json(command, raw):
    (raw / "amsmqtp" / "AMSMQTP_ensemble_2011.nc").unlink()
    done = command(raw, "--json")
    rows = json.loads(done.stdout)
    assert done.exit_code == 1 and len(rows) == 40
    assert [row["source"] for row in rows if not row["present"]] == ["regions", "AMSMQTP 2011"]
    assert set(rows[0]) == {*told.HEADINGS, "present"}


def test_what_the_stages_do_without_is_no_failure(command, raw):
    shutil.rmtree(raw / "ismn" / "MAQU")
    for year in (2016, 2017):
        (raw / "cma" / f"CMA_{year}.csv").unlink()
    shutil.rmtree(raw / "static")
    done = command(raw)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (
        0,
        "35 of 35 ok, 5 optional and absent",
    )
    shutil.rmtree(raw / "ismn")
    shutil.rmtree(raw / "cma")
    done = command(raw)
    assert done.exit_code == 1
    assert "[1] ISMN: no file */*/*_sm_*.stm in " in done.stdout
    assert "[2] CMA: no file CMA_*.csv in " in done.stdout


def test_refusals_alike_are_folded_and_told_below(command, raw):
    shutil.rmtree(raw / "amsmqtp")
    lines = command(raw).stdout.splitlines()
    folder = raw / "amsmqtp"
    assert lines[-1] == "18 of 40 ok"
    assert lines[-2] == (
        f"[1] AMSMQTP 2000: no file AMSMQTP_*_2000.nc in {folder} (AMSMQTP): put them there, or "
        "edit params.yaml:raw_root (21 more like this, to AMSMQTP 2021)"
    )
    assert [line.split()[-2:] for line in lines if line.startswith("AMSMQTP")] == [["see", "[1]"]]


def test_an_absent_world_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pseudo = command(Path("data/raw/pseudo"))
    assert pseudo.exit_code == 1
    lines = pseudo.stdout.splitlines()
    assert lines[-2] == "[1] raw_root: no folder data/raw/pseudo: run `dvc repro world`"
    assert len(lines) == 5
    assert "no folder data/raw/real: put your files there" in command("data/raw/real").stdout


def test_a_world_json_that_was_left_over_is_named(raw):
    shutil.rmtree(raw / "truth")
    ((source, verdict),) = refused(raw).items()
    assert source == "world.json"
    assert "says pseudo-reality v2 seed 7" in verdict
    assert "delete it if these are your own files" in verdict


def test_regions_that_cannot_be_read_are_named(raw):
    params = params_of(raw)
    domain = config.Domain(**DOMAIN | {"regions": "data/regions/none.geojson"})
    rows = doctor.examine(params.model_copy(update={"domain": domain}))
    (row,) = [row for row in rows if row.refused]
    assert row.source == "regions" and "data/regions/none.geojson" in row.verdict


def test_stations_astray_and_files_that_are_not_read_have_a_row(raw):
    station = next((raw / "ismn" / "NAQU").glob("*/*.stm"))
    station.rename(station.with_name(station.name.replace("_sm_", "_ts_")))
    for path in (raw / "ismn" / "MAQU").glob("*/*.stm"):
        lines = path.read_text().splitlines()
        place = lines[0].split()[4]
        path.write_text("\n".join([lines[0].replace(f" {place}", f"-{place}"), *lines[1:]]) + "\n")
    rows = found(raw)
    assert rows["ISMN others"].verdict.startswith("not read: such as ")
    assert not rows["ISMN others"].refused
    assert [source for source, row in rows.items() if row.refused] == ["ISMN places"]
    assert "degrees from any other" in rows["ISMN places"].verdict
