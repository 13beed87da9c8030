"""pretrain and finetune in two processes on one CPU, by the commands that users give."""

import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from ruamel.yaml import YAML

from soilfuse import config, layout, names
from soilfuse.files import write_json
from soilfuse.grids.months import month_axis, month_of
from soilfuse.grids.regions import regions_of
from soilfuse.insitu.store import write_field as write_stations
from soilfuse.sources.processed import write_field, write_models
from soilfuse.sources.targets import layered
from soilfuse.training import weights

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
YEARS = (1990, 2014)
RATE = 1e-4
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
NOT_OURS = ("MLFLOW_", "DVC_", "SOILFUSE_", "MASTER_", "TORCHELASTIC_")
LAUNCHED = {"WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK"}


def seasonal(time, *shape, seed):
    """A seasonal cycle and noise, (T, *shape)."""
    season = 0.05 * np.cos(2 * np.pi * month_of(time) / 12)
    noise = np.random.default_rng(seed).normal(0, 0.01, (time.size, *shape))
    return (0.25 + season.reshape(-1, *(1 for _ in shape)) + noise).astype(np.float32)


def crop(time, seed):
    lat, lon = np.arange(29.0, 39.0), np.arange(90.0, 101.0)
    coords = {"time": time, "lat": lat, "lon": lon}
    told = {**names.SOIL_MOISTURE_ATTRIBUTES, "world": "v1 seed 1", "inputs_sha256": str(seed)}
    values = seasonal(time, lat.size, lon.size, seed=seed)
    return xr.DataArray(values, dims=tuple(coords), coords=coords, attrs=told)


def write_params(devices=2, epochs=2):
    yaml = YAML(pure=True)
    content = yaml.load(ROOT / "profiles" / "smoke.yaml")
    content["compute"].update(devices=devices, device="cpu")
    content["era5_land"]["first_year"] = YEARS[0]
    # Without dropout, for which each process draws numbers of its own.
    plain = {"static": False, "season": False, "dropout": 0.0, "inputs": "soil_moisture"}
    content["network"].update(smoothing_years=1, residual="none", months=1, **plain)
    rates = {"learning_rate": RATE, "discriminator_learning_rate": 1e-6}
    content["pretrain"].update(
        train_years=[1990, 1991], validation_years=[1994, 1994], test_years=[2008, 2008]
    )
    content["pretrain"].update(epochs=epochs, batch=7, patience=epochs, **rates)
    content["finetune"].update(epochs=1, batch=30, **rates)
    content["finetune"]["loss"].update(perceptual=0.006, adversarial=0.001, insitu=0.01)
    yaml.dump(content, Path("params.yaml"))
    return config.load()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A project whose processed files are there, made without the raw ones."""
    folder = tmp_path_factory.mktemp("several") / "prepared"
    folder.mkdir()
    shutil.copy(ROOT / "dvc.yaml", folder)
    shutil.copytree(ROOT / "pipelines", folder / "pipelines")
    shutil.copytree(ROOT / "data" / "regions", folder / "data" / "regions")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        params, time = write_params(), month_axis(*YEARS)
        grid = regions_of(params.domain).grid
        models = {name: crop(time, k) for k, name in enumerate(params.cmip6.models)}
        write_models(layout.climate_models(names.HISTORICAL), names.HISTORICAL, models)
        for path, layers in (
            (layout.ERA5_LAND, names.ERA5_LAND_LAYERS),
            (layout.AMSMQTP, names.PRODUCT_LAYERS),
        ):
            values = seasonal(time, len(layers), *grid.shape, seed=len(layers))
            told = {"world": "v1 seed 1"}
            write_field(path, layered(values, time, layers, grid, "standard", told))
        station = seasonal(time, len(names.PRODUCT_LAYERS), *grid.shape, seed=9)
        (layout.station_field(0)).parent.mkdir(parents=True)
        write_stations(layout.station_field(0), station, station, time, grid, {})
        (folder / params.raw_root / "static").mkdir(parents=True)
        write_json(Path(params.raw_root) / "world.json", {"version": 1, "seed": 1})
        write_json(layout.BEST, {})
    return folder


@pytest.fixture
def project(prepared, tmp_path, monkeypatch):
    """A copy of the project as the current folder, with a store of its own."""
    shutil.copytree(prepared, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def started(*command):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_OURS) and name not in LAUNCHED
    }
    job = {"SLURM_NTASKS": "1", "SLURM_JOB_NAME": "ours"}  # a job that starts its own processes
    own = {
        **job,
        "MLFLOW_TRACKING_URI": f"sqlite:///{Path.cwd()}/mlflow.db",
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, *command],
        env={**kept, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(*command):
    """Return the exit code and the lines of stderr of a command and all that it started.

    stderr ends when the last process that holds it does, so this also waits for orphans.
    """
    process = started(*command)
    try:
        told = process.communicate(timeout=90)[1]
    except subprocess.TimeoutExpired:
        raise AssertionError(f"still running: {living(Path.cwd())}") from None
    finally:
        for pid in living(Path.cwd()):
            os.kill(pid, signal.SIGKILL)
    return process.returncode, told.splitlines()


def living(folder):
    """Return the ids of the processes that run in a folder, this one left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == folder and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found


def stage_runs():
    with sqlite3.connect("mlflow.db") as database:
        rows = database.execute("select name, status from runs").fetchall()
    return sorted((name, status) for name, status in rows if not name.startswith("smoke"))


def curves(path):
    with path.open() as stream:
        rows = list(csv.DictReader(stream))
    return [{key: float(value) for key, value in row.items() if value} for row in rows]


def made():
    """Return the files that training left."""
    places = (Path("models"), Path("results/finetune"), Path(".state"))
    return sorted(str(p) for place in places for p in place.rglob("*") if p.is_file())


def assert_alike(one, other):
    """The records to rounding, each weight to a fifth of the step that Adam takes at this rate."""
    for row, same in zip(one[0], other[0], strict=True):
        assert same == pytest.approx(row, rel=1e-4)
    for name, weight in one[1].items():
        assert (other[1][name] - weight).abs().max() <= 0.2 * RATE, name


def results():
    folder = layout.PRETRAIN
    return curves(folder / "curves.csv"), weights.load(folder / "generator.safetensors")


def test_two_processes_train_what_one_does_and_write_it_once(project):
    assert ended("pipelines/pretrain.py") == (0, [])
    names = "curves.csv", "generator.json", "generator.safetensors"
    assert made() == [f"models/pretrain/{name}" for name in names]
    pretrained = results()
    assert ended("pipelines/finetune.py", "0") == (0, [])
    file = "models/finetune/fold_0"
    assert {f"{file}.json", f"{file}.safetensors", "results/finetune/fold_0.csv"} < set(made())
    runs = "finetune", "finetune@0", "pretrain"
    assert stage_runs() == [(name, "FINISHED") for name in runs]
    write_params(devices=1)
    assert ended("pipelines/pretrain.py") == (0, [])
    assert_alike(results(), pretrained)


@pytest.mark.long
def test_torchrun_starts_the_processes_in_our_place(project):
    write_params(devices=1)
    code, told = ended(*TORCHRUN, "pipelines/pretrain.py")
    assert code == 0, told
    assert stage_runs() == [("pretrain", "FINISHED")]
    assert len(made()) == 3


def test_a_missing_input_ends_both_processes_in_a_line_each(project):
    layout.ERA5_LAND.unlink()
    code, told = ended("pipelines/pretrain.py")
    assert code == 2
    assert 1 <= len(told) <= 2
    for line in told:
        assert line.startswith("soilfuse: error: ")
        assert str(layout.ERA5_LAND) in line
    assert made() == []


def begun():
    """Start to pre-train for long, and return when there is a checkpoint."""
    write_params(epochs=10_000)
    process = started("pipelines/pretrain.py")
    while not any(Path(".state").glob("pretrain/[!.]*.pt")):
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def test_a_store_that_breaks_ends_both_processes_and_keeps_the_checkpoint(project):
    process = begun()
    with sqlite3.connect("mlflow.db") as database:
        database.execute("drop table metrics")  # as good as a full disk, and needs no rights
    told = process.communicate(timeout=60)[1].splitlines()
    assert (process.returncode, len(told), living(project)) == (2, 1, [])
    assert told[0].startswith("soilfuse: error: the MLflow store")
    assert "no such table: metrics" in told[0]
    assert [path.suffix for path in Path(".state/pretrain").iterdir()] == [".pt"]
    assert stage_runs() == [("pretrain", "FAILED")]


@pytest.mark.parametrize(
    ("whom", "how", "code", "line"),
    [
        (
            "second",
            signal.SIGKILL,
            2,
            "soilfuse: error: the process of rank 1 ended with exit code -9",
        ),
        pytest.param(
            *("first", signal.SIGTERM, 130, "soilfuse: interrupted; no file is left half-written"),
            marks=pytest.mark.long,
        ),
        ("first", signal.SIGKILL, -9, None),
    ],
)
def test_no_process_outlives_another(project, whom, how, code, line):
    process = begun()
    try:
        [second] = set(living(project)) - {process.pid}
        os.kill(process.pid if whom == "first" else second, how)
        told = process.communicate(timeout=60)[1].splitlines()
    finally:
        left = living(project)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
    assert (process.returncode, left) == (code, [])
    assert len(told) == (line is not None), told
    assert not line or told[0].startswith(line)
    if how != signal.SIGKILL or whom == "second":
        assert stage_runs() == [("pretrain", "FAILED")]
    assert [path.suffix for path in Path(".state/pretrain").iterdir()] == [".pt"]
