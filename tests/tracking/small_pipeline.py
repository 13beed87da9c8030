"""A small pipeline with the real one's names, run by DVC: two experiments, one fold, a gate."""

import os
import subprocess
import sys

PIPELINE = """
stages:
  world:
    cmd: >-
      mkdir -p data/raw/pseudo/cmip6/CESM2 &&
      for e in historical ssp585; do
      echo $e > data/raw/pseudo/cmip6/CESM2/mrsos_Lmon_CESM2_${e}_r1i1p1f1_gn_1-2.nc; done
    outs: [data/raw/pseudo]
  cmip6:
    foreach: [historical, ssp585]
    do:
      cmd: cat data/raw/pseudo/cmip6/CESM2/*_${item}_* > data/processed/cmip6/${item}.nc
      deps: [data/raw/pseudo/cmip6]
      outs: ["data/processed/cmip6/${item}.nc"]
  finetune:
    foreach: [0, 1]
    do:
      cmd: >-
        echo fold ${item} | cat - data/processed/cmip6/historical.nc data/own/static.nc
        > models/finetune/fold_${item}.safetensors
        && echo '{"ensemble_hash":"abcdef0123","pretrained_sha256":"88aa","inputs":{}}'
        > models/finetune/fold_${item}.json
      params: [seed]
      deps: [data/processed/cmip6/historical.nc, data/own/static.nc]
      outs: ["models/finetune/fold_${item}.safetensors", "models/finetune/fold_${item}.json"]
  evaluate:
    cmd: cat data/processed/cmip6/*.nc models/finetune/* > results/evaluate/scores.csv
    deps: [data/processed/cmip6, models/finetune]
    outs: [results/evaluate/scores.csv]
  promote:
    cmd: >-
      mkdir -p models/champion && cp models/finetune/* models/champion/ &&
      echo '{"weights_sha256":"77bb"}' > models/champion/champion.json
      && echo '{"promoted":true}' > results/promote/verdict.json
    deps: [models/finetune, results/evaluate]
    outs: [{models/champion: {persist: true}}, results/promote/verdict.json]
  infer:
    foreach: [historical, ssp585]
    do:
      cmd: cat data/processed/cmip6/${item}.nc models/champion/* > products/${item}.nc
      deps: ["data/processed/cmip6/${item}.nc", models/champion]
      outs: ["products/${item}.nc"]
  page:
    foreach: [historical, ssp585]
    do:
      cmd: cp products/${item}.nc reports/${item}.html
      deps: ["products/${item}.nc"]
      outs: ["reports/${item}.html"]
""".replace("${e}", "\\${e}")
FOLDERS = (
    *("data/processed/cmip6", "data/own", "models/finetune", "results/evaluate"),
    *("results/promote", "products", "reports"),
)
RAW = "data/raw/pseudo/cmip6/CESM2/mrsos_Lmon_CESM2_{}_r1i1p1f1_gn_1-2.nc"


def dvc(*arguments, cwd=None):
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr


def run_pipeline(folder):
    """Lay the pipeline out in a folder and run it; data/own is tracked by `dvc add`."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("seed: 1\n")
    (folder / "data/own/static.nc").write_text("soil")
    dvc("init", "-q", "--no-scm", cwd=folder)
    dvc("add", "data/own", cwd=folder)
    dvc("repro", cwd=folder)
    return folder
