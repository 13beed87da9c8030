"""Several processes of one sweep: crashes, budgets, and storages other than the journal."""

import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import suppress

import optuna
import pytest
import torch
from optuna.trial import TrialState
from sweep_cases import formula, go, with_sweep
from training_cases import CPU

from soilfuse import names
from soilfuse.errors import EXIT_INTERRUPTED, UserError, one_line_errors
from soilfuse.training import searching, signs_of_life, storage, trials
from soilfuse.training import study as study_module
from soilfuse.training.storage import without_password
from soilfuse.training.study import fail_dead, finished_trials, open_study, place_of, propose
from soilfuse.training.sweep import sweep

FORKS = multiprocessing.get_context("forkserver")


def process_of(trial):
    return int(trial.user_attrs[signs_of_life.WORKER].split(":")[1])


def kill_one(study, wanted):
    """Kill a process in the middle of a trial; return that trial's place and values."""
    while True:
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            if set(trial.params) != wanted:
                continue
            process = process_of(trial)
            os.kill(process, signal.SIGSTOP)  # so that it cannot end while it is looked at
            now = study.get_trials(deepcopy=False)[trial.number]
            os.kill(process, signal.SIGKILL if now.state == TrialState.RUNNING else signal.SIGCONT)
            if now.state == TrialState.RUNNING:
                return place_of(trial), trial.params
        time.sleep(0.01)


def arrays_of(trained):
    return {name: weight.numpy() for name, weight in trained.weights.items()}


def searched(params, fields, arrays, journal):
    """Sweep as a stage does, in a process of its own."""
    with one_line_errors():
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        sweep(params, [fields], weights, journal, CPU)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kept", "count"),
    [("journal", 12), ("sqlite", 6), pytest.param("journal", 30, marks=pytest.mark.long)],
)
def test_a_killed_workers_trial_runs_again_and_none_twice(
    kept, count, params, fields, pretrained, tmp_path, monkeypatch
):
    url = None if kept == "journal" else f"sqlite:///{tmp_path}/sweep.db"
    monkeypatch.setenv(names.SWEEP_STORAGE, url or "")
    shared = with_sweep(params, trials=count, workers=3)
    journal, heard, killed = tmp_path / "a.journal", [], []

    def on_finish(trial):
        heard.append(trial.place)
        if not killed:
            killed.append(kill_one(open_study(journal, url), set(shared.sweep.search)))

    found = sweep(shared, [fields], pretrained.weights, journal, CPU, on_finish=on_finish)
    assert list(found.trials["trial"]) == sorted(heard) == list(range(count))
    assert set(found.trials["state"]) == {"complete"}
    assert journal.exists() == (kept == "journal")
    [(place, values)] = killed
    again = found.trials.loc[place, list(values)].to_dict()
    assert again == values
    study = open_study(journal, url)
    held = [t for t in study.trials if t.user_attrs.get("place") == place and t.params]
    assert [t.state.name for t in held] == ["FAIL", "COMPLETE"]
    assert process_of(held[0]) != process_of(held[1])
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    assert len(complete) == count
    searchers = {process_of(t) for t in complete}
    assert os.getpid() not in searchers
    assert 1 < len(searchers) <= 3


@pytest.mark.slow
def test_workers_that_all_end_are_told_and_the_same_command_goes_on(
    params, fields, pretrained, tmp_path
):
    journal = tmp_path / "a.journal"
    shared = with_sweep(params, trials=5, workers=2)

    def kill_all(*_):
        study = open_study(journal)
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            with suppress(ProcessLookupError):
                os.kill(process_of(trial), signal.SIGKILL)
        for trial in study.get_trials(states=(TrialState.COMPLETE,)):
            with suppress(ProcessLookupError):
                os.kill(process_of(trial), signal.SIGKILL)

    with pytest.raises(
        UserError, match=r"of 5 trials .* all 2 workers .*exit codes -9, -9"
    ) as told:
        sweep(shared, [fields], pretrained.weights, journal, CPU, on_finish=kill_all)
    assert len(told.value.problems) == 1
    one = with_sweep(params, trials=5)
    found = sweep(one, [fields], pretrained.weights, journal, CPU)
    assert list(found.trials["state"]) == ["complete"] * 5


@pytest.mark.slow
def test_a_killed_command_leaves_its_trial_to_another_that_shares_the_database(
    params, fields, pretrained, tmp_path
):
    # On a busy machine a writer may wait longer than SQLite's five seconds for the other.
    url, journal = f"sqlite:///{tmp_path}/sweep.db?timeout=60", tmp_path / "a.journal"
    shared, heard, killed = with_sweep(params, trials=8, storage=url), [], []
    study, arrays = open_study(journal, url), arrays_of(pretrained)
    other = FORKS.Process(target=searched, args=(shared, fields, arrays, journal))
    other.start()
    while not study.get_trials(states=(TrialState.RUNNING,)):
        assert other.is_alive()
        time.sleep(0.05)

    def on_finish(trial):
        heard.append(trial.place)
        if not killed:  # this command is between two of its trials, so the other one's runs
            killed.append(kill_one(study, set(shared.sweep.search)))

    found = sweep(shared, [fields], pretrained.weights, journal, CPU, on_finish=on_finish)
    other.join(60)
    assert other.exitcode == -signal.SIGKILL
    assert list(found.trials["trial"]) == sorted(heard) == list(range(8))
    assert set(found.trials["state"]) == {"complete"}
    [(place, values)] = killed
    held = [t for t in study.trials if t.user_attrs.get("place") == place and t.params]
    assert [t.state.name for t in held] == ["FAIL", "COMPLETE"]
    assert [process_of(t) for t in held] == [other.pid, os.getpid()]
    assert held[0].params == held[1].params == values


@pytest.mark.long
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_no_worker_outlives_the_first_process(ending, params, fields, pretrained, tmp_path):
    journal = tmp_path / "a.journal"
    shared = with_sweep(params, trials=500, workers=2)
    first = FORKS.Process(target=searched, args=(shared, fields, arrays_of(pretrained), journal))
    first.start()
    study, working = open_study(journal), []
    while len(working) < 2 or not all(set(t.params) == set(params.sweep.search) for t in working):
        assert first.is_alive()
        time.sleep(0.05)
        working = study.get_trials(states=(TrialState.RUNNING,))
    os.kill(first.pid, ending)
    first.join(60)
    assert first.exitcode == (-ending if ending == signal.SIGKILL else EXIT_INTERRUPTED)
    until = time.monotonic() + 20
    while alive := [t for t in working if signs_of_life.may_live(t.user_attrs)]:
        assert time.monotonic() < until, alive
        time.sleep(0.05)
    running = len(study.get_trials(states=(TrialState.RUNNING,)))
    assert running == 0 if ending == signal.SIGTERM else running <= 2
    finished = len(finished_trials(open_study(journal)))
    more = with_sweep(params, trials=finished + 1)
    assert len(sweep(more, [fields], pretrained.weights, journal, CPU).trials) == finished + 1


def test_no_trial_begins_after_the_minutes(params, tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(searching, "clock", lambda: now[0])

    def score(*given):
        now[0] += 40.0
        return formula(*given)

    monkeypatch.setattr(trials, "_score", score)
    budget = with_sweep(params, trials=9, minutes=2.0)
    assert len(go(budget, tmp_path / "a.journal").trials) == 3  # 0, 40 and 80 s are before 120 s
    # an interrupted search goes on for its minutes again, but for no more than its trials
    assert len(go(budget, tmp_path / "a.journal").trials) == 6
    few = with_sweep(params, trials=2, minutes=2.0)
    assert len(go(few, tmp_path / "b.journal").trials) == 2
    short = with_sweep(params, trials=9, minutes=0.001)
    assert len(go(short, tmp_path / "c.journal").trials) == 1


def test_a_machine_without_a_sign_of_life_loses_its_trial_but_not_its_values(
    params, tmp_path, monkeypatch
):
    study = open_study(tmp_path / "a.journal")
    trial, values = propose(study, params)
    trial.set_user_attr(signs_of_life.WORKER, "elsewhere:1:1")
    fail_dead(study)
    assert study.trials[0].state == TrialState.RUNNING
    # what is known by then would have other values proposed, were these not kept
    for _ in range(2):
        other, _ = propose(study, params)
        study.tell(other, 0.5)
    assert propose(study, params) is None
    trial.set_user_attr(signs_of_life.BEAT, time.time() - signs_of_life.DEAD - 1)
    fail_dead(study)
    assert study.trials[0].state == TrialState.FAIL
    again, same = propose(study, params)
    assert (place_of(again), same) == (0, values)


def test_a_trial_taken_for_dead_meanwhile_counts_once(params, tmp_path, monkeypatch):
    journal, disturbed = tmp_path / "a.journal", []

    def score(task, values, trial):
        if not disturbed:
            disturbed.append(values)
            open_study(journal).tell(trial.number, state=TrialState.FAIL)
        return formula(task, values, trial)

    monkeypatch.setattr(trials, "_score", score)
    heard = []
    found = go(params, journal, on_finish=lambda trial: heard.append(trial.place))
    assert list(found.trials["trial"]) == heard == [0, 1, 2]
    searched = list(params.sweep.search)
    assert found.trials.loc[0, searched].to_dict() == {n: disturbed[0][n] for n in searched}


def test_signs_of_life_are_given_while_a_trial_runs(params, tmp_path, monkeypatch):
    monkeypatch.setattr(signs_of_life, "BEATS", 0.01)
    study = open_study(tmp_path / "a.journal")
    trial, _ = propose(study, params)
    first = trial.user_attrs[signs_of_life.BEAT]
    with signs_of_life.beating(trial):
        time.sleep(0.2)
    assert study.trials[0].user_attrs[signs_of_life.BEAT] > first
    kept = study.trials[0].user_attrs[signs_of_life.BEAT]
    time.sleep(0.05)
    assert study.trials[0].user_attrs[signs_of_life.BEAT] == kept


def test_a_place_that_two_processes_took_at_once_is_given_up_by_the_later(
    params, tmp_path, monkeypatch
):
    """Each counted the failed trials before the other one's ended."""
    study, free, raced = open_study(tmp_path / "a.journal"), study_module._free_place, []

    def disturbed(given, trial):
        place = free(given, trial)
        if not raced:
            raced.append(trial)
            other = given.ask()
            signs_of_life.named(other)
            other.set_user_attr("place", place)
        return place

    monkeypatch.setattr(study_module, "_free_place", disturbed)
    trial, _ = propose(study, params)
    assert place_of(trial) == 1
    held = [t for t in study.trials if t.state == TrialState.RUNNING]
    assert sorted(place_of(t) for t in held) == [0, 1]
    assert study.trials[raced[0].number].state == TrialState.FAIL


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("sqlite:////shared/a.db", {"pool_pre_ping": True, "connect_args": {"timeout": 60}}),
        ("postgresql://me@host/sweeps", {"pool_pre_ping": True}),
    ],
)
def test_databases_are_asked_whether_they_answer_and_writers_wait(url, options, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        optuna.storages, "RDBStorage", lambda *given, **named: asked.update({given: named})
    )
    storage._storage(url)
    assert asked == {(url,): {"engine_kwargs": options}}


def test_any_url_is_a_storage_and_gives_the_trials_of_the_journal(params, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "_score", formula)
    whole = go(params, tmp_path / "a.journal")
    at_url = with_sweep(params, storage=f"sqlite:///{tmp_path}/sweep.db")
    assert go(at_url, tmp_path / "b.journal").trials.equals(whole.trials)
    assert not (tmp_path / "b.journal").exists()
    calls = []
    monkeypatch.setattr(trials, "_score", lambda *given: calls.append(given) or formula(*given))
    assert go(at_url, tmp_path / "b.journal").trials.equals(whole.trials)
    assert calls == []
    go(at_url, tmp_path / "other.journal")  # another search has another name in the database
    assert len(calls) == params.sweep.trials


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cr3t@nowhere.invalid/sweeps",
        "postgresql://me@corp:s3cr3t@nowhere.invalid/sweeps",
        "postgresql://me:a@s3cr3t/b@nowhere.invalid/sweeps",
        "postgresql://me:a:s3cr3t@b@nowhere.invalid/sweeps",
        "postgresql://nowhere.invalid/sweeps?user=me&password=s3cr3t",
        "nodatabase://me:s3cr3t@nowhere.invalid/sweeps",
        "me:s3cr3t",
    ],
)
def test_a_storage_that_cannot_be_used_is_one_line_without_its_password(
    url, params, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv(names.SWEEP_STORAGE, url)
    with pytest.raises(UserError, match=names.SWEEP_STORAGE) as caught:
        go(params, tmp_path / "a.journal")
    [line] = caught.value.problems
    shown = line + capsys.readouterr().err + without_password(url)
    assert "s3cr3t" not in shown
    assert caught.value.__suppress_context__


def test_a_storage_that_is_lost_as_it_is_opened_is_one_line(params, tmp_path, monkeypatch):
    load = study_module.load_study

    def lost(*given):
        study = load(*given)
        with sqlite3.connect(tmp_path / "sweep.db") as database:
            database.execute("DROP TABLE trials")
        return study

    monkeypatch.setattr(study_module, "load_study", lost)
    at_url = with_sweep(params, storage=f"sqlite:///{tmp_path}/sweep.db")
    with pytest.raises(UserError, match="was lost .*no such table.*same command"):
        go(at_url, tmp_path / "a.journal")


def test_a_storage_that_is_lost_on_the_way_is_one_line(params, tmp_path, monkeypatch):
    def score(*given):
        with sqlite3.connect(tmp_path / "sweep.db") as database:
            database.execute("DROP TABLE trial_values")
        return formula(*given)

    monkeypatch.setattr(trials, "_score", score)
    at_url = with_sweep(params, storage=f"sqlite:///{tmp_path}/sweep.db")
    with pytest.raises(UserError, match="was lost .*no such table.*same command") as caught:
        go(at_url, tmp_path / "a.journal")
    assert len(caught.value.problems) == 1
