"""What DVC runs again when numbers in params.yaml change: the declared stages, cheap commands."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from soilfuse.tracking.stages import declared

ROOT = Path(__file__).parents[2]
BEST = "{learning_rate: 1.0e-4, batch: 8, network.width: 9}"
SEARCH = f"""
import pathlib
pathlib.Path("results/sweep").mkdir(parents=True, exist_ok=True)
pathlib.Path("results/sweep/best.yaml").write_text("{BEST}\\n")
pathlib.Path("ran").open("a").write("sweep\\n")
"""
FINETUNE = """
import json, pathlib
from soilfuse import config
from soilfuse.training.plan import finetune_plan
from soilfuse.training.swept import read_best, tell_advice
params, best = config.load(), read_best(pathlib.Path("results/sweep/best.yaml"))
tell_advice(params, best)
plan = finetune_plan(params, 0, best)
pathlib.Path("models").mkdir(exist_ok=True)
pathlib.Path("models/plan.json").write_text(json.dumps([plan.learning_rate, plan.batch]))
pathlib.Path("ran").open("a").write("finetune\\n")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Give a project of DVC with the params that the stages really declare."""
    folder = tmp_path_factory.mktemp("project")
    yaml = YAML(pure=True)
    stages = yaml.load(ROOT / "dvc.yaml")["stages"]
    made = {
        "sweep": ("search.py", "results/sweep"),
        "finetune": ("finetune.py", "models/plan.json"),
    }
    listed = {
        stage: {
            "cmd": f"{sys.executable} {script}",
            "params": stages[stage].get("do", stages[stage])["params"],
            "deps": ["results/sweep/best.yaml"] if stage == "finetune" else [script],
            "outs": [out],
        }
        for stage, (script, out) in made.items()
    }
    yaml.dump({"stages": listed}, folder / "dvc.yaml")
    shutil.copy(ROOT / "profiles" / "demo.yaml", folder / "params.yaml")
    (folder / "search.py").write_text(SEARCH)
    (folder / "finetune.py").write_text(FINETUNE)
    (folder / ".gitignore").write_text("/ran\n")
    run(folder, "git", "init", "-q", "-b", "master")
    run(folder, "git", "config", "user.email", "a@b.c")
    run(folder, "git", "config", "user.name", "A")
    dvc(folder, "init", "-q")
    dvc(folder, "config", "core.analytics", "false")
    dvc(folder, "repro", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "Begin")
    return folder


def run(folder, *words):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def dvc(folder, *words):
    return run(folder, sys.executable, "-m", "dvc", *words)


def change(folder, *settings):
    """Run an experiment with these settings; return the stages that ran and the plan."""
    (folder / "ran").write_text("")
    words = [word for setting in settings for word in ("-S", setting)]
    told = dvc(folder, "exp", "run", *words)
    plan = json.loads((folder / "models/plan.json").read_text())
    return (folder / "ran").read_text().split(), plan, told


@pytest.mark.slow
def test_a_learning_rate_wins_without_a_search(project):
    assert json.loads((project / "models/plan.json").read_text()) == [1e-4, 8]
    ran, plan, told = change(project, "finetune.learning_rate=3e-4")
    assert (ran, plan) == (["finetune"], [3e-4, 8])
    assert "soilfuse: note: the sweep found network.width 9 best" in told
    ran, plan, _ = change(project, "finetune.learning_rate=2e-4", "finetune.batch=16")
    assert ran == ["sweep", "finetune"]  # the batch decides trials that do not search it
    assert plan == [2e-4, 16]
    assert rates_shown(project) == {"master": ["sweep"], "experiments": [2e-4, 3e-4]}


def rates_shown(project):
    """Return the learning rates that `dvc exp show` tells of the commit and its experiments."""
    [commit] = [each for each in shown(project) if each["name"] == "master"]
    experiments = [each["revs"][0] for each in commit["experiments"]]
    return {"master": rates([commit]), "experiments": sorted(rates(experiments))}


def shown(project):
    told = dvc(project, "exp", "show", "--json")
    return json.loads(told[told.index("[") : told.rindex("]") + 1])


def rates(revisions):
    tables = [each["data"]["params"]["params.yaml"]["data"] for each in revisions]
    return [table["finetune"]["learning_rate"] for table in tables]


def test_all_of_the_sweep_but_who_searches_where_is_declared(params, monkeypatch):
    monkeypatch.chdir(ROOT)
    listed = {name for name in declared("sweep", params)[0] if name.startswith("sweep.")}
    free = {"sweep.workers", "sweep.storage"}
    assert listed == {f"sweep.{name}" for name in params.sweep.model_dump()} - free
