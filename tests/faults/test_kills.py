"""SIGKILL at any moment of pre-training: the same command goes on and ends in the same bytes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
KILLS = 4

pytestmark = pytest.mark.long


def command(project, stage, *arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "DVC_"))}
    return subprocess.Popen(
        [sys.executable, f"pipelines/{stage}.py", *arguments],
        cwd=project,
        env={**environment, "MLFLOW_TRACKING_URI": f"sqlite:///{project}/mlflow.db"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(project, stage, *arguments):
    process = command(project, stage, *arguments)
    error = process.communicate()[1]
    assert process.returncode == 0, error


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Give a project in which all that pre-training reads is made."""
    project = tmp_path_factory.mktemp("prepared")
    shutil.copy(ROOT / "dvc.yaml", project)
    shutil.copytree(ROOT / "pipelines", project / "pipelines")
    shutil.copytree(ROOT / "data" / "regions", project / "data" / "regions")
    yaml = YAML(pure=True)
    content = yaml.load(ROOT / "profiles" / "smoke.yaml")
    content["pretrain"]["epochs"] = 30
    content["pretrain"]["patience"] = 30
    yaml.dump(content, project / "params.yaml")
    for stage, *arguments in (("world",), ("cmip6", "historical"), ("era5_land",)):
        finished(project, stage, *arguments)
    return project


def test_killed_pretraining_ends_in_the_bytes_of_the_uninterrupted(prepared, tmp_path):
    began = time.monotonic()
    whole = tmp_path / "whole"
    shutil.copytree(prepared, whole)
    finished(whole, "pretrain")
    took = time.monotonic() - began

    killed = tmp_path / "killed"
    shutil.copytree(prepared, killed)
    rng = np.random.default_rng(7)
    interrupted = 0
    for _ in range(KILLS):
        process = command(killed, "pretrain")
        time.sleep(took * rng.uniform(0.3, 0.8))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            interrupted += 1
        process.communicate()
    finished(killed, "pretrain")

    assert interrupted > 0
    for name in ("generator.safetensors", "curves.csv"):
        same = [(folder / "models" / "pretrain" / name).read_bytes() for folder in (whole, killed)]
        assert same[0] == same[1], name
    assert not [path for path in (killed / ".state").rglob("*.pt") if path.is_file()]
