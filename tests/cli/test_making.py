"""`soilfuse infer`, `trends` and `report` on a small pipeline with the real DVC, and their help."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from soilfuse import config
from soilfuse.cli import making
from soilfuse.cli.commands import app
from soilfuse.errors import UserError

ROOT = Path(__file__).parents[2]
PIPELINE = """
stages:
  promote:
    cmd: mkdir -p models && cp candidate models/weights
    deps: [candidate]
    outs: [models/weights]
  infer:
    foreach: [historical, ssp370]
    do:
      cmd: mkdir -p products && cp models/weights products/${item}.nc && echo infer ${item} >> log
      deps: [models/weights]
      outs: ["products/${item}.nc"]
  trends:
    foreach: [historical, ssp370]
    do:
      cmd: mkdir -p results/trends && cp products/${item}.nc results/trends/${item}.nc
      deps: ["products/${item}.nc"]
      outs: ["results/trends/${item}.nc"]
"""


class Given:
    experiments = ("historical", "ssp370")

    def __init__(self):
        self.experiments = list(Given.experiments)


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(config, "load", Given)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "candidate").write_text("weights")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    return tmp_path


def repro(*arguments):
    command = [sys.executable, "-m", "dvc", "repro", "-q", *arguments]
    subprocess.run(command, check=True)


@pytest.mark.slow
def test_only_the_named_stages_run(project):
    with pytest.raises(
        UserError, match=r"infer@ssp370 is made from is stale.*`dvc repro infer@ssp370`"
    ):
        making.made("infer", ["ssp370"])
    assert not (project / "log").exists()
    advice = r"run `dvc repro trends@historical trends@ssp370`, which makes that too"
    with pytest.raises(UserError, match=advice):
        making.made("trends", [])
    repro("promote")
    assert making.made("infer", ["ssp370"]) == [Path("products/ssp370.nc")]
    assert (project / "log").read_text() == "infer ssp370\n"
    making.made("infer", [])
    assert (project / "log").read_text() == "infer ssp370\ninfer historical\n"
    making.made("infer", ["ssp370"], force=True)
    assert (project / "log").read_text().endswith("infer historical\ninfer ssp370\n")
    assert making.made("trends", ["ssp370", "ssp370"]) == [Path("results/trends/ssp370.nc")]
    (project / "candidate").write_text("other weights")
    with pytest.raises(UserError, match="promote .*dvc repro trends@ssp370`, which makes that too"):
        making.made("trends", ["ssp370"])


def test_what_another_command_holds_is_told_with_the_way_out(project):
    repro("promote")
    (project / ".dvc" / "tmp" / "rwlock").write_text("garbage")
    with pytest.raises(UserError, match=r"corrupted; remove .dvc/tmp/rwlock while no other"):
        making.made("infer", ["ssp370"])


def test_a_lost_lock_is_told_before_all_is_made_anew(project):
    with pytest.raises(UserError, match=r"no dvc.lock: where git has one, `git checkout dvc.lock`"):
        making.made("infer", ["ssp370"])


def test_an_unknown_experiment_is_told_with_the_near_one(project):
    with pytest.raises(UserError, match="unknown experiment 'ssp37'.*did you mean 'ssp370'"):
        making.made("infer", ["ssp37"])


def test_every_command_is_documented_and_has_help():
    from typer.main import get_command

    commands = get_command(app).commands
    shown = {name for name, one in commands.items() if not one.hidden}
    told = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in shown:
        assert re.search(rf"`(soilfuse )?{name}\b", told), name
        assert commands[name].help
        for parameter in commands[name].params:
            assert getattr(parameter, "help", None), (name, parameter.name)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("soilfuse inf", ["infer"]),
        ("soilfuse infer ssp3", ["ssp370"]),
        ("soilfuse profile p", ["paper"]),
    ],
)
def test_a_shell_is_told_what_may_follow(typed, offered):
    environment = {
        **os.environ,
        "_SOILFUSE_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split()) - 1),
    }
    done = subprocess.run(
        [Path(sys.executable).parent / "soilfuse"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == offered
