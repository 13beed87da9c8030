"""How runs end that several stages share, and those that killed stages leave behind."""

import signal
import subprocess
import sys
from contextlib import ExitStack

import pytest

from soilfuse.processes import is_dead, process_name
from soilfuse.tracking import store
from soilfuse.tracking.runs import stage_run

KILLED_AT_ONCE = (
    "import os, signal, sys\n"
    "from soilfuse import config\n"
    "from soilfuse.tracking.runs import stage_run\n"
    "with stage_run('finetune', config.load(), ['seed'], [], sys.argv[1]):\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def statuses():
    """Return {run name: [status, oldest first]} of every run, the pipeline's as `top`."""
    client = store.open_client()
    found, order = {}, ["attributes.start_time ASC"]
    for run in client.search_runs([store.experiment_id(client)], order_by=order):
        top = run.data.tags["soilfuse.kind"] == "pipeline"
        found.setdefault("top" if top else run.info.run_name, []).append(run.info.status)
    return found


def finetune(params, fold, error=None):
    with stage_run("finetune", params, ["seed"], [], fold):
        if error:
            raise error


def killed(root, fold):
    done = subprocess.run([sys.executable, "-c", KILLED_AT_ONCE, fold], cwd=root, check=False)
    assert done.returncode == -signal.SIGKILL


def test_parents_end_with_the_last_item_that_runs(params):
    with ExitStack() as first:
        first.enter_context(stage_run("finetune", params, ["seed"], [], "0"))
        with stage_run("finetune", params, ["seed"], [], "1"):
            pass
        now = statuses()
        assert now == {
            "top": ["RUNNING"],
            "finetune": ["RUNNING"],
            "finetune@0": ["RUNNING"],
            "finetune@1": ["FINISHED"],
        }
    assert {status for each in statuses().values() for status in each} == {"FINISHED"}


def test_a_stage_beside_the_group_keeps_the_pipeline_running_and_not_the_group(params):
    with stage_run("sweep", params, ["seed"], []):
        finetune(params, "0")
        now = statuses()
        assert (now["top"], now["finetune"]) == (["RUNNING"], ["FINISHED"])
    assert statuses()["top"] == ["FINISHED"]


def test_an_item_s_failure_stands_until_that_item_succeeds(params):
    with pytest.raises(ZeroDivisionError):
        finetune(params, "0", ZeroDivisionError())
    finetune(params, "1")
    now = statuses()
    assert (now["top"], now["finetune"]) == (["FAILED"], ["FAILED"])
    finetune(params, "0")
    now = statuses()
    assert now["finetune@0"] == ["FAILED", "FINISHED"]
    assert (now["top"], now["finetune"]) == (["FINISHED"], ["FINISHED"])


def test_a_failure_beside_a_running_item_shows_when_that_ends(params):
    with stage_run("finetune", params, ["seed"], [], "0"):
        with pytest.raises(ZeroDivisionError):
            finetune(params, "1", ZeroDivisionError())
        assert statuses()["finetune"] == ["RUNNING"]
    now = statuses()
    assert (now["top"], now["finetune"]) == (["FAILED"], ["FAILED"])


def test_ending_the_parents_costs_one_request_for_runs(params, monkeypatch):
    from mlflow.tracking import MlflowClient

    asked, whole = [], MlflowClient.search_runs

    def counted(client, *arguments, **given):
        asked.append(given)
        return whole(client, *arguments, **given)

    monkeypatch.setattr(MlflowClient, "search_runs", counted)
    with stage_run("finetune", params, ["seed"], [], "0"):
        before = len(asked)
    assert len(asked) - before == 1
    assert before == 3  # pipeline, group, and what a killed process left


@pytest.mark.slow
def test_a_killed_stage_s_run_fails_as_the_stage_begins_again(root, params):
    killed(root, "0")
    assert statuses()["finetune@0"] == ["RUNNING"]
    with stage_run("finetune", params, ["seed"], [], "0"):
        assert statuses()["finetune@0"] == ["FAILED", "RUNNING"]
    now = statuses()
    assert now["finetune@0"] == ["FAILED", "FINISHED"]
    assert (now["top"], now["finetune"]) == (["FINISHED"], ["FINISHED"])
    [old] = store.open_client().search_runs(["1"], "tags.`soilfuse.error` = 'killed'")
    assert old.info.run_name == "finetune@0"
    killed(root, "1")
    finetune(params, "0")  # it must not wait for a process that is no more
    now = statuses()
    assert now["finetune@1"] == now["finetune"] == now["top"] == ["FAILED"]


def test_runs_of_living_processes_and_other_machines_are_left_alone(params):
    other = stage_run("finetune", params, ["seed"], [], "0")
    run = other.__enter__()
    with stage_run("finetune", params, ["seed"], [], "0"):
        assert statuses()["finetune@0"] == ["RUNNING", "RUNNING"]
    run.set_tags({"soilfuse.process": "elsewhere:999999999:1"})
    finetune(params, "0")
    assert statuses()["finetune@0"] == ["RUNNING", "FINISHED", "FINISHED"]
    other.__exit__(None, None, None)


def test_a_process_is_told_from_a_later_one_of_its_number():
    own = process_name()
    host, number, start = own.split(":")
    assert not is_dead(own)
    assert is_dead(f"{host}:{number}:{int(start) - 1}")
    assert is_dead(f"{host}:999999999:1")
    assert not is_dead("elsewhere:999999999:1")
    assert not is_dead("") and not is_dead(f"{host}:")
