"""The whole of studies/pscnet by `dvc repro` in a copy of the project, at a tiny size."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from ruamel.yaml import YAML
from sample_cases import small_content

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "pscnet"
MADE = ("data", "results", "models", "dvc.lock", "tmp", "cache", "config.local")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    folder = root / "studies" / "pscnet"
    shutil.copytree(STUDY, folder, ignore=shutil.ignore_patterns(*MADE))
    (root / "src").symlink_to(ROOT / "src")
    content = small_content(methods=["pscnet", "rf"])
    content["train"]["epochs"] = 1
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump(content, stream)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    run(root, "init", "-q")
    done = run(folder, "repro")
    return folder, done.stdout + done.stderr


def run(folder, *arguments, check=True):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("MLFLOW_TRACKING_URI", None)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.mark.slow
def test_every_method_is_scored_in_both_periods(project):
    folder, _ = project
    scores = pd.read_csv(folder / "results" / "evaluate" / "scores.csv", dtype={"period": str})
    assert set(scores["period"]) == {"held_out", "2018"}
    assert set(scores["target"]) == {"smap", "truth"}
    assert {"pscnet", "rf", "smap_carried", "era5_land_rescaled", "climatology", "truth"} == set(
        scores["method"]
    )
    assert np.isfinite(scores["pairs"]).all()
    made = xr.load_dataset(folder / "models" / "pscnet" / "moisture.nc")["soil_moisture"]
    assert made.shape[1:] == (12, 16)


@pytest.mark.slow
def test_the_page_is_whole_and_asks_for_nothing(project):
    folder, _ = project
    page = (folder / "results" / "page" / "index.html").read_text()
    pictures = list((folder / "results" / "page" / "figures").glob("*.png"))
    assert len(pictures) == 6
    assert page.count("data:image/png;base64,") == len(pictures)
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "no evidence about any real product" in page
    assert "PSCNet is a reconstruction" in page
    assert ">nan<" not in page


@pytest.mark.slow
def test_dvc_shows_metrics_and_has_nothing_left_to_do(project):
    folder, _ = project
    assert "smap/2018/pscnet/r" in run(folder, "metrics", "show", "--json").stdout
    assert "up to date" in run(folder, "status").stdout
    assert (folder.parents[1] / "mlflow.db").exists()


@pytest.mark.slow
def test_an_unknown_method_is_refused_in_one_line(project):
    folder, _ = project
    command = [sys.executable, "train.py", "pscnett"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "unknown method 'pscnett'" in done.stderr
    assert "did you mean 'pscnet'" in done.stderr
    assert "Traceback" not in done.stderr
