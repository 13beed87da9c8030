import math
import subprocess
import sys

import pytest
from optuna.trial import TrialState
from training_cases import BEST, CPU

from soilfuse.errors import UserError
from soilfuse.training import signs_of_life, trials
from soilfuse.training import study as study_module
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.loop import DivergedError
from soilfuse.training.study import finished_trials, open_study, place_of, propose
from soilfuse.training.sweep import sweep


@pytest.fixture
def scored(monkeypatch):
    """Score by a formula instead of by training; counts its calls."""
    calls = []

    def score(_, values, __):
        calls.append(values)
        return abs(math.log10(values["learning_rate"]) + 2.5)

    monkeypatch.setattr(trials, "_score", score)
    return calls


def go(params, journal, **callbacks):
    return sweep(params, [], {}, journal, CPU, **callbacks)


def of_trials(params, trials):
    return params.model_copy(update={"sweep": params.sweep.model_copy(update={"trials": trials})})


def test_a_real_sweep_is_the_inner_score_of_short_finetuning(
    params, fields, pretrained, lineage, tmp_path
):
    few = of_trials(params, 2)
    found = sweep(few, [fields] * 5, pretrained.weights, tmp_path / "a.journal", CPU)
    assert set(found.best) == set(params.sweep.search)
    assert list(found.trials["state"]) == ["complete", "complete"]
    assert found.rmse == found.trials["inner_rmse"].min()
    for name, bounds in params.sweep.search.items():
        assert found.trials[name].between(bounds.low, bounds.high).all()
    short = params.model_copy(
        update={"finetune": params.finetune.model_copy(update={"epochs": params.sweep.epochs})}
    )
    again = finetune_fold(short, 0, fields, pretrained.weights, found.best, lineage, CPU)
    assert again.manifest["inner_rmse"] == found.rmse


def test_the_mean_over_folds_is_the_score(params, fields, pretrained, tmp_path, monkeypatch):
    rmse = iter([0.1, 0.3])

    class Found:
        def __init__(self):
            self.rmse = next(rmse)

    monkeypatch.setattr(trials, "fit", lambda *_, **__: Found())
    section = params.sweep.model_copy(update={"folds": 2, "trials": 1})
    two = params.model_copy(update={"sweep": section})
    found = sweep(two, [fields] * 5, pretrained.weights, tmp_path / "a.journal", CPU)
    assert found.rmse == pytest.approx(0.2)


def test_finished_trials_are_never_repeated(params, tmp_path, scored):
    journal = tmp_path / "state" / "a.journal"
    first = go(of_trials(params, 4), journal)
    second = go(of_trials(params, 4), journal)
    assert len(scored) == 4
    assert first.trials.equals(second.trials)
    go(of_trials(params, 6), journal)
    assert len(scored) == 6


def test_an_interrupted_sweep_ends_with_the_same_trials(params, tmp_path, scored, monkeypatch):
    six = of_trials(params, 6)
    whole = go(six, tmp_path / "whole.journal")
    score = trials._score

    def interrupted(task, values, trial):
        if len(scored) == len(whole.trials) + 3:
            raise KeyboardInterrupt
        return score(task, values, trial)

    monkeypatch.setattr(trials, "_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(six, tmp_path / "other.journal")
    monkeypatch.setattr(trials, "_score", score)
    assert len(finished_trials(open_study(tmp_path / "other.journal"))) == 3
    resumed = go(six, tmp_path / "other.journal")
    assert resumed.trials.to_csv() == whole.trials.to_csv()
    assert resumed.best == whole.best


def test_processes_that_begin_together_propose_other_values(params, tmp_path):
    journal = tmp_path / "a.journal"
    first, second = open_study(journal), open_study(journal)
    (one, values), (two, others) = propose(first, params), propose(second, params)
    assert (place_of(one), place_of(two)) == (0, 1)
    assert values != others
    # The first fails while the second goes on: its place, not the second's, is taken again.
    first.tell(one, state=TrialState.FAIL)
    again, same = propose(second, params)
    assert place_of(again) == 0
    assert same == values


def test_a_place_is_left_to_who_asked_first(params, tmp_path):
    study = open_study(tmp_path / "a.journal")
    early = study.ask()  # another process, which has not come to choosing its place
    trial, _ = propose(study, params)
    assert place_of(trial) == 1
    assert study_module._free_place(study, early) == 0


def test_an_exception_inside_a_trial_fails_it(params, tmp_path, monkeypatch):
    def broken(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(trials, "_score", broken)
    with pytest.raises(RuntimeError):
        go(params, tmp_path / "a.journal")
    assert [t.state.name for t in open_study(tmp_path / "a.journal").trials] == ["FAIL"]


def test_trials_of_dead_processes_are_failed_and_living_ones_left(params, tmp_path):
    study = open_study(tmp_path / "a.journal")
    for worker in ("host:1", None, "dead"):
        trial, _ = propose(study, params)
        if worker == "dead":
            process = subprocess.run(
                [sys.executable, "-c", "import os; print(os.getpid())"],
                capture_output=True,
                text=True,
                check=True,
            )
            name = f"{signs_of_life.machine()}:{process.stdout.strip()}"
            trial.set_user_attr(signs_of_life.WORKER, name)
        elif worker:
            trial.set_user_attr(signs_of_life.WORKER, worker)
    states = [trial.state.name for trial in open_study(tmp_path / "a.journal").trials]
    assert states == ["RUNNING", "RUNNING", "FAIL"]
    assert finished_trials(study) == []


def test_diverged_trials_count_and_never_win(params, tmp_path, monkeypatch):
    scores = iter([DivergedError("a"), 0.5, DivergedError("b")])

    def score(*_):
        found = next(scores)
        if isinstance(found, DivergedError):
            raise found
        return found

    monkeypatch.setattr(trials, "_score", score)
    heard = []
    found = go(
        params, tmp_path / "a.journal", on_finish=lambda trial: heard.append(trial.inner_rmse)
    )
    assert list(found.trials["state"]) == ["diverged", "complete", "diverged"]
    assert found.rmse == 0.5
    assert math.isnan(heard[0])
    assert heard[1] == 0.5


def test_a_residual_that_diverges_is_not_scored_as_its_base(params, fields, pretrained, tmp_path):
    network = params.network.model_copy(update={"residual": "climatology"})
    bounds = dict(params.sweep.search)
    bounds["learning_rate"] = type(bounds["learning_rate"])(low=1e29, high=1e30)
    section = params.sweep.model_copy(update={"trials": 1, "search": bounds})
    wild = params.model_copy(update={"network": network, "sweep": section})
    with pytest.raises(UserError, match="every trial of the sweep diverged"):
        sweep(wild, [fields] * 5, pretrained.weights, tmp_path / "a.journal", CPU)


def test_a_sweep_that_only_diverged_is_refused(params, tmp_path, monkeypatch):
    def score(*_):
        raise DivergedError("always")

    monkeypatch.setattr(trials, "_score", score)
    with pytest.raises(UserError, match="every trial of the sweep diverged"):
        go(params, tmp_path / "a.journal")


def test_each_trial_is_told_as_it_ends(params, tmp_path, scored):
    heard = []
    finished = []

    def on_finish(trial):
        heard.append(trial)
        finished.append(len(finished_trials(open_study(tmp_path / "a.journal"))))

    found = go(params, tmp_path / "a.journal", on_finish=on_finish)
    assert [trial.place for trial in heard] == list(found.trials["trial"]) == [0, 1, 2]
    assert finished == [1, 2, 3]
    for trial, (_, row) in zip(heard, found.trials.iterrows(), strict=True):
        assert trial.inner_rmse == row["inner_rmse"]
        assert trial.values == row[list(trial.values)].to_dict()
    # a command that finds them finished tells of them too
    again = []
    go(params, tmp_path / "a.journal", on_finish=again.append)
    assert again == heard


def test_searched_keys_do_not_depend_on_finetunes_numbers(params, tmp_path, scored):
    numbers = params.finetune.model_copy(update={"learning_rate": 0.25})
    changed = params.model_copy(update={"finetune": numbers})
    one = go(params, tmp_path / "a.journal")
    two = go(changed, tmp_path / "b.journal")
    assert one.trials.equals(two.trials)


def test_the_search_finds_the_valley(params, tmp_path, scored):
    found = go(of_trials(params, 25), tmp_path / "a.journal")
    assert abs(math.log10(found.best["learning_rate"]) + 2.5) < 0.1


def test_a_word_that_is_not_searched_is_refused(params, tmp_path):
    search = {k: v for k, v in params.sweep.search.items() if k != "loss.insitu"}
    section = params.sweep.model_copy(update={"search": search})
    with pytest.raises(UserError, match="finetune.loss.insitu is 'sweep' but is not searched"):
        go(params.model_copy(update={"sweep": section}), tmp_path / "a.journal")
    assert set(BEST) == set(params.sweep.search)
