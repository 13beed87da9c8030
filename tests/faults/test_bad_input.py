"""Bad input to the real stage scripts: one line that names it, exit 2, no half-written file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.world.build import write_world

ROOT = Path(__file__).parents[2]
MODELS = {"MIROC6": "r1i1p1f1", "KACE-1-0-G": "r1i1p1f1"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Give the raw files of a tiny world of two models, and the params that go with it."""
    text = (ROOT / "profiles" / "smoke.yaml").read_text()
    content = YAML(typ="safe", pure=True).load(text)
    content["cmip6"]["models"] = MODELS
    params = config.validate(content)
    folder = tmp_path_factory.mktemp("world") / "pseudo"
    write_world(folder, params.domain, params.world, MODELS)
    return folder, content


@pytest.fixture
def project(world, tmp_path):
    """Give a project folder with its own copy of raw files, pipeline and params."""
    folder, content = world
    shutil.copytree(folder, tmp_path / "data" / "raw" / "pseudo")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    YAML().dump(content, tmp_path / "params.yaml")
    return tmp_path


def stage(project, name, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    return subprocess.run(
        [sys.executable, f"pipelines/{name}.py", *arguments],
        cwd=project,
        env={**environment, "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"},
        capture_output=True,
        text=True,
        check=False,
    )


def change(project, **sections):
    yaml = YAML(pure=True)
    path = project / "params.yaml"
    content = yaml.load(path)
    for section, values in sections.items():
        content[section].update(values)
    yaml.dump(content, path)


def assert_refused(done, project, *words, lines=1):
    said = done.stderr.splitlines()
    assert done.returncode == 2, done.stderr
    assert len(said) == lines, done.stderr
    assert all(line.startswith("soilfuse: error: ") for line in said)
    for word in words:
        assert word in done.stderr
    outputs = project / "data" / "processed"
    assert not outputs.exists() or not [p for p in outputs.rglob("*") if p.is_file()]


def files_of(project, source_id, experiment):
    folder = project / "data" / "raw" / "pseudo" / "cmip6" / source_id
    return sorted(folder.glob(f"*_{experiment}_*.nc"))


def test_an_unknown_scenario(project):
    done = stage(project, "cmip6", "ssp371")
    assert_refused(done, project, "ssp371", "did you mean 'ssp370'", "params.yaml:experiments")


def test_a_missing_model_file(project):
    for path in files_of(project, "KACE-1-0-G", "ssp245"):
        path.unlink()
    done = stage(project, "cmip6", "ssp245")
    assert_refused(done, project, "mrsos_Lmon_KACE-1-0-G_ssp245_r1i1p1f1", "KACE-1-0-G")


def test_a_missing_month(project):
    files = files_of(project, "MIROC6", "historical")
    assert len(files) > 2
    files[1].unlink()
    done = stage(project, "cmip6", "historical")
    assert_refused(done, project, "missing month 19", "MIROC6")


def test_wrong_units(project):
    path = files_of(project, "KACE-1-0-G", "ssp245")[0]
    with h5py.File(path, "r+") as file:
        file["mrsos"].attrs["units"] = "percent"
    done = stage(project, "cmip6", "ssp245")
    assert_refused(done, project, "percent", path.name, "kg m-2")


def test_a_text_file_with_the_name_of_a_netcdf(project):
    path = files_of(project, "KACE-1-0-G", "ssp245")[0]
    path.write_text("<html>please log in</html>")
    done = stage(project, "cmip6", "ssp245")
    assert_refused(done, project, path.name)


def test_a_target_on_another_grid(project):
    change(project, domain={"west": 80.0})
    done = stage(project, "amsmqtp")
    assert_refused(done, project, "AMSMQTP", "80")


def test_every_bad_parameter_at_once(project):
    change(
        project,
        domain={"resolution": "fine"},
        finetune={"epochs": 0, "lerning_rate": 1e-3},
        network={"name": "unett"},
    )
    done = stage(project, "era5_land")
    assert_refused(
        done,
        project,
        "domain.resolution",
        "finetune.epochs",
        "did you mean 'finetune.learning_rate'",
        "did you mean 'unet'",
        lines=4,
    )
