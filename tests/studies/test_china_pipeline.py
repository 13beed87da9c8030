"""The whole of studies/china on a small window: three models, one scenario, two epochs."""

import runpy
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "china"
STAGES = (
    ("world.py", ""),
    ("../../pipelines/cmip6.py", "historical"),
    ("../../pipelines/cmip6.py", "ssp585"),
    ("target.py", ""),
    ("../../pipelines/pretrain.py", ""),
    ("predict.py", "historical"),
    ("predict.py", "ssp585"),
    ("evaluate.py", ""),
    ("trends.py", "ssp585"),
    ("page.py", ""),
)


def small_params():
    params = YAML(typ="safe", pure=True).load((STUDY / "params.yaml").read_text())
    params["experiments"], params["scenarios"] = ["historical", "ssp585"], ["ssp585"]
    params["domain"] |= {"west": 99.0, "east": 104.75, "south": 33.0, "north": 36.75}
    kept = ("CanESM5", "FGOALS-g3", "GISS-E2-1-G")
    params["cmip6"]["models"] = {name: params["cmip6"]["models"][name] for name in kept}
    params["era5_land"]["first_year"] = 1994
    years = {"train_years": [1995, 1996], "validation_years": [2007, 2007]}
    params["pretrain"] |= {"epochs": 2, **years}
    params["network"]["width"] = 4
    return params


@pytest.mark.slow
def test_every_stage_runs_and_the_page_holds_its_figures(tmp_path, monkeypatch):
    folder = tmp_path / "studies" / "china"
    shutil.copytree(STUDY, folder, ignore=shutil.ignore_patterns("data", "results", "models"))
    for name in ("src", "pipelines"):
        (tmp_path / name).symlink_to(ROOT / name)
    with (folder / "params.yaml").open("w") as stream:
        YAML().dump(small_params(), stream)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(folder)
    for script, item in STAGES:
        monkeypatch.setattr(sys, "argv", [script, *([item] if item else [])])
        runpy.run_path(script, run_name="__main__")
    scores = pd.read_csv("results/evaluate/scores.csv").set_index("method")
    assert list(scores.index) == ["ynet", "ensemble_mean", "climatology", "delta_change"]
    assert (scores[["mae", "rmsd", "ubrmsd"]] > 0).all(axis=None)
    slopes = xr.load_dataset("results/trends/ssp585/slopes.nc")["slope"]
    assert slopes.sizes["season"] == 5
    assert list(slopes["method"].values) == ["ynet", "ensemble_mean", "truth"]
    page = Path("results/page/index.html").read_text()
    assert "no evidence about China" in page
    pictures = list(Path("results/page/figures").glob("*.png"))
    assert len(pictures) == 8
    assert page.count("data:image/png;base64,") == len(pictures)
    assert "http://" not in page.replace("http://www.w3.org", "")
