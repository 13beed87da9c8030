"""Machines with nothing installed: `make demo` in a fresh clone, and a registered champion."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long


def test_make_demo_sets_everything_up_and_a_second_run_skips_it(working_tree):
    shutil.copy(working_tree / "profiles" / "smoke.yaml", working_tree / "params.yaml")
    own = os.environ.get("VIRTUAL_ENV") or str(ROOT / ".venv")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if own not in p)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def make(target):
        return subprocess.run(
            ["make", target],
            cwd=working_tree,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    first = make("demo")
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert (working_tree / "products" / "ssp370.nc").is_file()
    assert (working_tree / "reports" / "index.html").is_file()
    second = make("demo")
    assert second.returncode == 0
    assert "pip install" not in second.stdout
    assert "up to date" in second.stdout


def test_a_registered_champion_loads_in_an_environment_of_its_own_requirements(
    smoke, tmp_path_factory
):
    """`models:/<name>@champion`, with neither this repository nor what else its venv holds."""
    away = tmp_path_factory.mktemp("away")
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("PYTHONPATH", "VIRTUAL_ENV") and not key.startswith("MLFLOW_")
    }
    environment["MLFLOW_TRACKING_URI"] = f"sqlite:///{smoke.root / 'mlflow.db'}"
    (packed,) = (smoke.root / "mlruns").rglob("MLmodel")
    needed = packed.with_name("requirements.txt")
    index = os.environ.get("TORCH_INDEX")
    if index:  # the build of torch, as `make setup` takes it
        torch = next(line for line in needed.read_text().split() if line.startswith("torch=="))
        made = [["install", "-q", "--index-url", index, torch]]
    else:
        made = []
    made.append(["install", "-q", "-r", str(needed)])

    def ran(*command):
        done = subprocess.run(
            command, cwd=away, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    ran(sys.executable, "-m", "venv", str(away / "venv"))
    own = str(away / "venv" / "bin" / "python")
    for arguments in made:
        ran(own, "-m", "pip", "--disable-pip-version-check", *arguments)
    code = (
        "import importlib.util, json, sys, numpy as np, mlflow.pyfunc\n"
        "assert importlib.util.find_spec('xarray') is None\n"
        "assert importlib.util.find_spec('soilfuse') is None\n"
        "model = mlflow.pyfunc.load_model(sys.argv[1])\n"
        "shape = [abs(n) for n in model.metadata.signature.inputs.inputs[0].shape]\n"
        "named = model.metadata.signature.params.params[0].default\n"
        "shape[-3] = len(named)\n"
        "fields = np.full(shape, 0.25, np.float32)\n"
        "print(model.predict({'soil_moisture': fields, 'month': np.array([7])}).shape)\n"
    )
    told = ran(own, "-c", code, f"models:/{registered_name(smoke)}@champion")
    assert told.startswith("(1, 5, ")


def registered_name(clone):
    text = (clone.root / "params.yaml").read_text()
    return YAML(typ="safe").load(text)["promote"]["registered_model"]
