"""SIGKILL at any moment of a training stage: the same command goes on to the same bytes."""

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
from small_training import (
    EPOCHS,
    STAGES,
    ended,
    kill_at_write,
    kill_before_results,
    kill_inside_save,
    results,
    started,
)

from soilfuse.training import checkpoints, loop

ROOT = Path(__file__).parents[2]
KILLS = 4


@pytest.fixture(scope="module")
def wholes(tmp_path_factory):
    """Give the results of each stage without an interruption, and the seconds it took."""
    found = {}
    for stage in STAGES:
        folder = tmp_path_factory.mktemp(stage) / "whole"
        folder.mkdir()
        began = time.monotonic()
        assert ended(stage, folder) == (0, [])
        found[stage] = results(folder), time.monotonic() - began
    return found


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "killed").mkdir()
    return tmp_path / "killed"


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_kills_at_random_moments_end_in_the_bytes_of_the_uninterrupted(stage, wholes, folder):
    whole, took = wholes[stage]
    rng = np.random.default_rng(STAGES.index(stage))
    killed = amid = 0
    for _ in range(5):
        process = started(stage, folder)
        process.join(took * rng.uniform(0.05, 0.7))
        if process.is_alive():
            process.kill()
            killed += 1
        process.join()
        amid += any(path.name[0] != "." for path in (folder / "state").glob("*"))
    assert killed > 0
    assert amid > 0  # something was there to go on from
    assert ended(stage, folder) == (0, [])
    assert results(folder) == whole
    if stage != "sweep":
        assert not (folder / "state").exists()


@pytest.mark.slow
def test_kills_while_checkpoints_are_written_leave_whole_ones(wholes, folder):
    # The number-th time that something is brought to the disk: file and folder of the probe, then
    # file and folder of each checkpoint; odd ones are files that are not renamed yet.
    moments = [(kill_at_write, n) for n in (1, 3, 4, 7)] + [(kill_inside_save, n) for n in (1, 2)]
    for moment in moments:
        assert ended("finetune", folder, *moment) == (-signal.SIGKILL, []), moment
    assert ended("finetune", folder) == (0, [])
    assert results(folder) == wholes["finetune"][0]
    assert not (folder / "state").exists()


@pytest.mark.slow
def test_kills_while_results_are_written_leave_whole_ones(wholes, folder):
    whole = wholes["pretrain"][0]
    assert ended("pretrain", folder, kill_at_write, 2 + 2 * EPOCHS + 1)[0] == -signal.SIGKILL
    for number in (3, 4, 5, 6):  # nothing is left to train: probe, weights, curves
        assert ended("pretrain", folder, kill_at_write, number) == (-signal.SIGKILL, [])
        there = {name: content for name, content in results(folder).items() if name in whole}
        assert there == {name: whole[name] for name in there}
    assert ended("pretrain", folder) == (0, [])
    assert results(folder) == whole  # nothing hidden is left beside them


@pytest.mark.slow
@pytest.mark.parametrize("share", [loop.CHECKPOINT_SHARE, 1e-12])
def test_a_kill_before_results_are_written_leaves_all_epochs(share, wholes, folder):
    assert ended("pretrain", folder, kill_before_results, share) == (-signal.SIGKILL, [])
    [kept] = (folder / "state").iterdir()
    assert kept.name == checkpoints.FINISHED
    assert len(checkpoints._read(kept)["history"]) == EPOCHS
    assert ended("pretrain", folder, kill_at_write, 3)[0] == -signal.SIGKILL  # after the probe
    assert any((folder / "models").iterdir())  # so it was a result, and no epoch was trained
    assert ended("pretrain", folder) == (0, [])
    assert results(folder) == wholes["pretrain"][0]


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_who_asks_training_to_end_reads_that_the_same_command_goes_on(asked, wholes, folder):
    process = started("finetune", folder)
    while process.is_alive() and not any((folder / "state").glob("[!.]*.pt")):
        time.sleep(0.005)
    os.kill(process.pid, asked)
    process.join()
    told = (folder.parent / "told").read_text().splitlines()
    assert (process.exitcode, told) == (
        130,
        ["soilfuse: interrupted; no file is left half-written, and the same command goes on"],
    )
    assert [path.suffix for path in (folder / "state").iterdir()] == [".pt"]
    assert ended("finetune", folder) == (0, [])
    assert results(folder) == wholes["finetune"][0]


@pytest.mark.slow
def test_four_processes_share_one_sweep(folder):
    processes = [started("sweep", folder) for _ in range(4)]
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    lines = results(folder)["trials.csv"].decode().splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [[str(k), "complete"] for k in range(4)]


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
    """Give a project in which all that training reads is made."""
    project = tmp_path_factory.mktemp("prepared")
    shutil.copy(ROOT / "dvc.yaml", project)
    shutil.copytree(ROOT / "pipelines", project / "pipelines")
    shutil.copytree(ROOT / "data" / "regions", project / "data" / "regions")
    yaml = YAML(pure=True)
    content = yaml.load(ROOT / "profiles" / "smoke.yaml")
    for stage in ("pretrain", "finetune"):
        content[stage]["epochs"] = content[stage]["patience"] = 30
    content["sweep"]["trials"] = 6
    yaml.dump(content, project / "params.yaml")
    for stage, *arguments in (
        ("world",),
        ("cmip6", "historical"),
        ("era5_land",),
        ("amsmqtp",),
        ("insitu",),
    ):
        finished(project, stage, *arguments)
    return project


@pytest.mark.long
def test_killed_stages_end_in_the_bytes_of_the_uninterrupted(prepared, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    shutil.copytree(prepared, whole)
    shutil.copytree(prepared, killed)
    rng = np.random.default_rng(7)
    for stage, *arguments in (("pretrain",), ("sweep",), ("finetune", "0")):
        began = time.monotonic()
        finished(whole, stage, *arguments)
        took = time.monotonic() - began
        interrupted = 0
        for _ in range(KILLS):
            process = command(killed, stage, *arguments)
            time.sleep(took * rng.uniform(0.3, 0.8))
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                interrupted += 1
            process.communicate()
        finished(killed, stage, *arguments)
        assert interrupted > 0, stage
        assert made(killed) == made(whole), stage
        left = [path for path in (killed / ".state").rglob("*") if path.is_file()]
        assert not [path for path in left if path.suffix != ".journal"], stage  # a search's memory


def made(project):
    """Return the bytes of all weights, curves and trials."""
    folders = (project / "models", project / "results")
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(project)): path.read_bytes() for path in files}
