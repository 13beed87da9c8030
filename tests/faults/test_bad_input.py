"""Bad input to the real stage scripts: one line that names it, exit 2, no half-written file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import whole_files
from breaking import levels, raw, shifted, text
from broken_stations import decimal_commas
from ruamel.yaml import YAML
from whole_files import DOMAIN, MEMBER, MODEL, PROFILE, SOURCES

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give the whole raw files that the smoke profile asks for, of one model and a small domain."""
    folder = tmp_path_factory.mktemp("whole")
    content = YAML(typ="safe", pure=True).load(PROFILE)
    whole_files.write_cmip6(folder)
    whole_files.write_era5(folder, tuple(content["era5_land"].values()))
    section = content["amsmqtp"]
    whole_files.write_amsmqtp(folder, range(section["first_year"], section["last_year"] + 1))
    whole_files.write_ismn(folder)
    whole_files.write_cma(folder)
    return folder


@pytest.fixture
def project(whole, tmp_path):
    """Give a project folder with its own copy of raw files, pipeline and params."""
    shutil.copytree(whole, tmp_path / "data" / "raw" / "pseudo")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
    shutil.copy(PROFILE, tmp_path / "params.yaml")
    change(tmp_path, domain=DOMAIN, cmip6={"models": {MODEL: MEMBER}}, amsmqtp={"min_days": 3})
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


def test_an_unknown_scenario(project):
    done = stage(project, "cmip6", "ssp371")
    assert_refused(done, project, "ssp371", "did you mean 'ssp370'", "params.yaml:experiments")


@pytest.mark.parametrize(
    ("script", "source", "breaks", "words"),
    [
        ("cmip6", "cmip6", shifted(1), "outside the 1950-01 to 2014-12 of its name"),
        ("era5_land", "era5 new", raw(lambda w: w[: len(w) // 2]), "is cut off: it has"),
        ("amsmqtp", "amsmqtp", levels([4, 3, 2, 1, 0]), "is 5, 4, 3, 2, 1"),
        ("insitu", "ismn", text("0.05    0.05", "0.10    0.05"), "sensor depth from 0.1 to 0.05 m"),
        ("insitu", "cma", decimal_commas(), "a decimal comma"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_raw_file(project, script, source, breaks, words):
    raw_files = project / "data" / "raw" / "pseudo"
    path = next(raw_files.glob(SOURCES[source].broken))
    breaks(path, SOURCES[source].variables)
    done = stage(project, script, *(["historical"] if script == "cmip6" else []))
    assert_refused(done, project, str(path.relative_to(project)), words)


def test_every_bad_parameter_at_once(project):
    change(
        project,
        domain={"resolution": "fine"},
        finetune={"batch": 0, "lerning_rate": 1e-3},
        network={"name": "unett"},
    )
    done = stage(project, "era5_land")
    assert_refused(
        done,
        project,
        "domain.resolution",
        "finetune.batch",
        "did you mean 'finetune.learning_rate'",
        "did you mean 'unet'",
        lines=4,
    )
