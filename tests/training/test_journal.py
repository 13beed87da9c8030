"""The sweep's journal after kills, damage and restarted containers."""

import math
import multiprocessing
import os
import signal
import subprocess
import sys

import pytest
from training_cases import CPU

from soilfuse.errors import EXIT_USER_ERROR, UserError
from soilfuse.training import signs_of_life, trials, workers
from soilfuse.training.study import finished_trials, open_study, place_of, propose
from soilfuse.training.sweep import sweep
from soilfuse.training.trials import Task

HELD = """
import fcntl, sys, time
stream = open(sys.argv[1], "ab")
fcntl.flock(stream, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def scored(monkeypatch):
    """Score by a formula instead of by training."""
    monkeypatch.setattr(trials, "_score", lambda _, values, __: values["learning_rate"])


def go(params, journal):
    return sweep(params, [], {}, journal, CPU)


def with_trials(params, trials):
    return params.model_copy(update={"sweep": params.sweep.model_copy(update={"trials": trials})})


@pytest.mark.parametrize("left", [1, 40, -1])
def test_a_line_that_was_never_finished_costs_nothing_but_itself(
    params, tmp_path, scored, left, monkeypatch
):
    whole = go(with_trials(params, 5), tmp_path / "whole.journal")
    journal = tmp_path / "a.journal"
    with monkeypatch.context() as before:
        name = f"{signs_of_life.machine()}:999999999:1"
        before.setattr(signs_of_life, "process_name", lambda: name)
        go(with_trials(params, 3), journal)
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:left])
    found = go(with_trials(params, 5), journal)
    assert found.trials.to_csv() == whole.trials.to_csv()
    assert all(line.endswith(b"}\n") for line in journal.read_bytes().splitlines(keepends=True))


@pytest.mark.parametrize("content", [b"\x00" * 500 + b"\n" * 3, b"[]\n[]\n", b'{"op_code": 99}\n'])
def test_a_damaged_journal_is_set_aside_in_one_line(params, tmp_path, scored, capsys, content):
    whole = go(params, tmp_path / "whole.journal")
    journal = tmp_path / "a.journal"
    journal.write_bytes(content)
    assert go(params, journal).trials.to_csv() == whole.trials.to_csv()
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"soilfuse: note: the sweep's journal '{journal}' is damaged, now")
    assert journal.with_suffix(".damaged").read_bytes() == content


def test_what_was_set_aside_first_is_kept(params, tmp_path, scored, capsys):
    journal = tmp_path / "a.journal"
    for content in (b"[]\n[]\n", b'{"op_code": 99}\n', b"[]\n"):
        journal.write_bytes(content)
        go(params, journal)
    kept = [path.read_bytes() for path in sorted(tmp_path.glob("a.damaged*"))]
    assert kept == [b"[]\n[]\n", b'{"op_code": 99}\n', b"[]\n"]


def test_a_worker_leaves_a_damaged_journal_to_the_next_command(params, tmp_path):
    journal = tmp_path / "a.journal"
    journal.write_bytes(b"[]\n[]\n")
    task = Task(params, [], {}, CPU, "fp32", {})
    process = multiprocessing.get_context("forkserver").Process(
        target=workers._work, args=(task, {}, journal, None, math.inf)
    )
    process.start()
    process.join(60)
    assert process.exitcode == EXIT_USER_ERROR
    assert [path.name for path in tmp_path.iterdir()] == ["a.journal"]
    assert journal.read_bytes() == b"[]\n[]\n"
    with pytest.raises(UserError, match="a.journal' was damaged while .* same command sets it as"):
        open_study(journal, mends=False)


def test_the_lock_of_a_killed_process_is_free_at_once(params, tmp_path):
    journal = tmp_path / "a.journal"
    open_study(journal)
    words = [sys.executable, "-c", HELD, str(journal)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        process.kill()
    signal.alarm(10)  # a lock that stayed would hold up the next line for ever
    try:
        propose(open_study(journal), params)
    finally:
        signal.alarm(0)


def test_a_process_with_the_number_of_a_killed_one_takes_its_place(params, tmp_path):
    study = open_study(tmp_path / "a.journal")
    trial, values = propose(study, params)
    host = signs_of_life.machine()
    trial.set_user_attr(signs_of_life.WORKER, f"{host}:{os.getpid()}:1")  # began at another time
    again = open_study(tmp_path / "a.journal")
    assert [trial.state.name for trial in again.trials] == ["FAIL"]
    assert propose(again, params)[1] == values
    assert finished_trials(again) == []


def test_a_trial_that_another_process_took_for_a_dead_one_is_begun_again(
    params, tmp_path, monkeypatch
):
    study = open_study(tmp_path / "a.journal")
    ask, asked = study.ask, []

    def disturbed():
        asked.append(ask())
        if len(asked) == 1:
            open_study(tmp_path / "a.journal")  # it has no name yet
        return asked[-1]

    monkeypatch.setattr(study, "ask", disturbed)
    trial, _ = propose(study, params)
    assert place_of(trial) == 0
    assert [trial.state.name for trial in study.trials] == ["FAIL", "RUNNING"]


def test_a_journal_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "state").write_text("a file")
    with pytest.raises(UserError, match=r"the sweep's journal '.*state/a.journal' cannot be writ"):
        open_study(tmp_path / "state" / "a.journal")
