"""Samplers and pruners by name, the paper's hand search, and what a search may be about."""

import math
from pathlib import Path

import pytest
from optuna.distributions import IntDistribution
from sweep_cases import formula, go, with_sweep
from training_cases import CPU

from soilfuse import config, names
from soilfuse.errors import UserError
from soilfuse.training import searching, trials
from soilfuse.training.architectures import Architectures
from soilfuse.training.plan import finetune_plan
from soilfuse.training.space import HAND_TRIED, distributions, hand_tried
from soilfuse.training.study import open_study
from soilfuse.training.sweep import sweep
from soilfuse.training.swept import tell_advice

LOSSES = ("content", "mse", "perceptual", "adversarial", "insitu", "total_variation")
SPACE = {
    "learning_rate": {"low": 1e-5, "high": 1e-2},
    "discriminator_learning_rate": {"low": 1e-7, "high": 1e-4},
    "loss.perceptual": [0.0, 0.006, 0.1],
    "loss.adversarial": {"low": 1e-5, "high": 1e-2},
    "loss.insitu": {"low": 1e-3, "high": 1.0},
    "batch": {"low": 8, "high": 128},
    "network.dropout": {"low": 0.0, "high": 0.5},
}


@pytest.fixture
def profiles():
    root = Path(__file__).parents[2] / "profiles"
    return {name: config.load(root / f"{name}.yaml") for name in ("paper", "authors")}


@pytest.mark.parametrize("sampler", names.SAMPLERS)
def test_each_sampler_proposes_within_the_space_whether_interrupted_or_not(
    sampler, params, tmp_path, monkeypatch
):
    monkeypatch.setattr(trials, "_score", formula)
    space = {name: SPACE[name] for name in (*SPACE,) if name != "loss.perceptual"}
    space["loss.perceptual"] = {"low": 1e-4, "high": 1e-1}
    six = with_sweep(params, space, sampler=sampler, trials=6)
    whole = go(six, tmp_path / "whole.journal").trials
    assert list(whole["state"]) == ["complete"] * 6
    assert set(whole["origin"]) == {sampler}
    for name, bounds in space.items():
        assert whole[name].between(bounds["low"], bounds["high"]).all(), name
        assert whole[name].nunique() > 3, name
    assert whole["batch"].dtype.kind == "i"
    calls = []

    def interrupted(*given):
        calls.append(given)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return formula(*given)

    monkeypatch.setattr(trials, "_score", interrupted)
    with pytest.raises(KeyboardInterrupt):
        go(six, tmp_path / "other.journal")
    assert go(six, tmp_path / "other.journal").trials.to_csv() == whole.to_csv()


@pytest.mark.parametrize("pruner", names.PRUNERS)
def test_each_pruner_ends_with_all_trials_by_real_training(
    pruner, params, fields, pretrained, tmp_path
):
    folds = 4 if pruner == names.WILCOXON else 1
    few = with_sweep(params, pruner=pruner, trials=4, folds=folds)
    found = sweep(few, [fields] * 4, pretrained.weights, tmp_path / "a.journal", CPU)
    assert len(found.trials) == 4
    best = found.trials.set_index("state").loc[["complete"], "inner_rmse"].min()
    assert found.rmse == best


@pytest.mark.slow
def test_hyperband_gives_a_hopeless_learning_rate_up(
    params, fields, pretrained, tmp_path, monkeypatch
):
    epochs = []
    real = trials.fit

    def counted(*given, on_epoch):
        epochs.append(0)

        def heard(record):
            epochs[-1] += 1
            on_epoch(record)

        return real(*given, on_epoch=heard)

    monkeypatch.setattr(trials, "fit", counted)
    # the first learns, the second as good as nothing
    space = {"learning_rate": [1e-9, 3e-3]}
    given = {"discriminator_learning_rate": 1e-6}
    content = params.model_dump(mode="json")
    content["finetune"] |= given
    content["finetune"]["loss"] |= {"perceptual": 0.0, "adversarial": 0.0, "insitu": 0.0}
    plain = type(params).model_validate(content)
    section = with_sweep(plain, space, pruner="hyperband", trials=10, epochs=4, sampler="random")
    found = sweep(section, [fields], pretrained.weights, tmp_path / "a.journal", CPU)
    states = found.trials.groupby("learning_rate")["state"].agg(set)
    assert "pruned" in states[1e-9]
    assert "complete" in states[3e-3]
    assert found.best["learning_rate"] == 3e-3
    given_up = found.trials["state"] == "pruned"
    assert (found.trials.loc[given_up, "inner_rmse"] > found.rmse).all()  # what they had reached
    assert all(count < 4 for count, up in zip(epochs, given_up, strict=True) if up)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_hyperband_goes_on_as_if_it_had_not_been_interrupted(
    sampler, params, fields, tmp_path, monkeypatch
):
    calls, stop_at = [], [0]

    class Found:
        rmse = 0.0

    def fit(_players, _train, _inner, plan, on_epoch):
        found = Found()
        for epoch in range(1, plan.epochs + 1):
            calls.append(epoch)
            if len(calls) == stop_at[0]:
                raise KeyboardInterrupt
            found.rmse = abs(math.log10(plan.learning_rate) + 2.5) + 1.0 / epoch
            on_epoch({"epoch": float(epoch), "validation_rmse": found.rmse})
        return found

    monkeypatch.setattr(trials, "fit", fit)
    monkeypatch.setattr(trials, "assemble", lambda *_: None)
    nine = with_sweep(params, pruner="hyperband", sampler=sampler, trials=12, epochs=9)
    whole = sweep(nine, [fields], {}, tmp_path / "whole.journal", CPU).trials
    assert {"complete", "pruned"} == set(whole["state"])
    total = len(calls)
    assert total < 12 * 9
    for stop in (total // 3, total // 2, total - 2):
        calls.clear()
        stop_at[0] = stop
        with pytest.raises(KeyboardInterrupt):
            sweep(nine, [fields], {}, tmp_path / f"{stop}.journal", CPU)
        again = sweep(nine, [fields], {}, tmp_path / f"{stop}.journal", CPU).trials
        assert again.to_csv() == whole.to_csv()


def test_wilcoxon_gives_up_after_folds_and_keeps_their_mean(params, fields, tmp_path, monkeypatch):
    asked, trained = [], []

    class Found:
        def __init__(self, rmse):
            self.rmse = rmse

    def fit(_players, _train, _inner, plan, **_):
        trained.append(plan.name)
        # every later trial is worse than the first one on each fold
        return Found(0.1 + 0.01 * len({*asked}) + 0.001 * len(trained))

    def assemble(params, plan, *_):
        asked.append(plan.learning_rate)

    monkeypatch.setattr(trials, "fit", fit)
    monkeypatch.setattr(trials, "assemble", assemble)
    five = with_sweep(params, pruner="wilcoxon", folds=5, trials=3)
    found = sweep(five, [fields] * 5, {}, tmp_path / "a.journal", CPU)
    assert list(found.trials["state"]) == ["complete", "pruned", "pruned"]
    assert len(trained) == 5 + 3 + 3
    assert trained[5:8] == [f"sweep fold {k}" for k in range(3)]
    study = open_study(tmp_path / "a.journal")
    second = list(study.trials[1].intermediate_values.values())
    assert found.trials["inner_rmse"][1] == pytest.approx(sum(second) / 3)
    assert found.rmse == found.trials["inner_rmse"][0]


def test_a_trial_that_was_given_up_never_wins_with_a_lower_mean(
    params, fields, tmp_path, monkeypatch
):
    """The folds that it did not come to may be the harder ones."""
    # each fold of the first trial, then of the second, which is given up after an easy fold
    rmse = iter([0.1, 0.9, 0.9, 0.9, 0.2])

    class Found:
        def __init__(self):
            self.rmse = next(rmse)

    class Second:
        def prune(self, study, trial):
            return trial.number == 1

    monkeypatch.setattr(trials, "fit", lambda *_, **__: Found())
    monkeypatch.setattr(trials, "assemble", lambda *_: None)
    monkeypatch.setattr(searching, "pruner_of", lambda *_: Second())
    two = with_sweep(params, pruner="wilcoxon", folds=4, trials=2)
    found = sweep(two, [fields] * 4, {}, tmp_path / "a.journal", CPU)
    assert list(found.trials["state"]) == ["complete", "pruned"]
    assert list(found.trials["inner_rmse"]) == pytest.approx([0.7, 0.2])
    assert found.rmse == pytest.approx(0.7)
    assert found.best == found.trials.loc[0, list(found.best)].to_dict()


def test_rates_weights_batch_and_width_are_searched_on_a_log_scale_and_dropout_is_not(params):
    bounds = {
        "learning_rate": {"low": 1e-5, "high": 1e-2},
        "discriminator_learning_rate": {"low": 1e-7, "high": 1e-4},
        **{f"loss.{name}": {"low": 1e-3, "high": 1.0} for name in LOSSES},
        "batch": {"low": 8, "high": 128},
        "network.width": {"low": 8, "high": 64},
        "network.dropout": {"low": 0.0, "high": 0.5},
    }
    space = distributions(with_sweep(params, bounds))
    assert {name: each.log for name, each in space.items()} == {
        name: name != "network.dropout" for name in bounds
    }
    whole = {name for name, each in space.items() if isinstance(each, IntDistribution)}
    assert whole == {"batch", "network.width"}
    for name, each in space.items():
        assert (each.low, each.high) == (bounds[name]["low"], bounds[name]["high"])


def test_a_number_for_the_batch_wins_over_the_searched_one(params):
    best = {"learning_rate": 1e-3, "batch": 7, "network.width": 9, "network.name": "ynet"}
    content = params.model_dump(mode="json")
    content["finetune"] |= {"discriminator_learning_rate": 1e-6, "batch": names.SWEEP}
    content["finetune"]["loss"] |= {"perceptual": 0.0, "adversarial": 0.0, "insitu": 0.0}
    assert finetune_plan(config.validate(content), 0, best).batch == 7
    content["finetune"]["batch"] = 24
    assert finetune_plan(config.validate(content), 0, best).batch == 24
    content["finetune"]["batch"] = names.SWEEP
    with pytest.raises(UserError, match="finetune.batch is 'sweep' but results/sweep/best.yaml"):
        finetune_plan(config.validate(content), 0, {"learning_rate": 1e-3})
    for bad in (0, 2.5, "swep"):
        content["finetune"]["batch"] = bad
        with pytest.raises(UserError, match="params.yaml:finetune.batch") as caught:
            config.validate(content)
        assert len(caught.value.problems) == 1


def test_another_network_that_was_found_best_is_told_once(params, capsys):
    network = params.network
    tell_advice(params, {"learning_rate": 1e-3, "network.width": network.width})
    assert capsys.readouterr().err == ""
    tell_advice(params, {"network.width": 99, "network.name": "ynet", "network.dropout": 0.0})
    [line] = capsys.readouterr().err.splitlines()
    assert "found network.name ynet, network.width 99 best, which params.yaml does not" in line


def test_the_papers_settings_within_the_space_come_first(params, tmp_path, monkeypatch):
    monkeypatch.setattr(trials, "_score", formula)
    search = {**SPACE, "network.name": ["unet", "mbconv_unet"]}
    search["loss.insitu"] = [0.0, 0.01]
    del search["network.dropout"]
    hand = with_sweep(params, search, hand_search=True, trials=5)
    found = go(hand, tmp_path / "a.journal").trials
    assert list(found["origin"]) == ["hand"] * 3 + ["tpe"] * 2
    assert list(found["learning_rate"][:3]) == [5e-4, 5e-4, 3.5e-4]
    assert list(found["network.name"][:3]) == ["unet", "mbconv_unet", "unet"]
    assert list(found["batch"][:3]) == [100, 100, 50]
    assert list(found["loss.perceptual"][:3]) == [0.006] * 3
    # what the paper is silent of is proposed; what lies outside is left out; each comes once
    silent = with_sweep(params, SPACE, hand_search=True)
    assert [len(tried) for tried in hand_tried(silent)] == [len(SPACE) - 1]
    narrow = with_sweep(params, {"learning_rate": {"low": 4e-4, "high": 1e-2}}, hand_search=True)
    assert hand_tried(narrow) == [{"learning_rate": 5e-4}]
    assert hand_tried(with_sweep(params, SPACE)) == []
    assert go(silent, tmp_path / "b.journal").trials["network.dropout"].between(0, 0.5).all()


def test_the_papers_settings_are_those_of_its_profiles(profiles):
    paper, scripts = profiles["paper"].finetune, profiles["authors"].finetune
    for setting, finetune in ((HAND_TRIED[0], paper), (HAND_TRIED[2], scripts)):
        loss = {f"loss.{name}": value for name, value in finetune.loss if isinstance(value, float)}
        rates = {
            name: getattr(finetune, name)
            for name in ("learning_rate", "discriminator_learning_rate", "batch")
        }
        assert {n: setting[n] for n in (*loss, *rates)} == {**loss, **rates}
    assert HAND_TRIED[0]["network.width"] == profiles["paper"].network.width


def test_architectures_are_pretrained_alike_once_and_stay_advice(
    params, fields, era5_fields, lineage, pretrained, tmp_path, monkeypatch
):
    folder = tmp_path / "weights"
    search = {"learning_rate": {"low": 1e-4, "high": 1e-2}, "network.width": [2, 4]}
    content = params.model_dump(mode="json")
    for name in ("discriminator_learning_rate", "batch"):
        content["finetune"][name] = 1e-6 if name != "batch" else 48
    content["finetune"]["loss"] |= {"perceptual": 0.0, "adversarial": 0.0, "insitu": 0.0}
    plain = type(params).model_validate(content)
    wide = with_sweep(plain, search, trials=4, pretrain_epochs=1)
    made = Architectures(era5_fields, lineage, folder)
    began = []
    real = trials.assemble

    def assemble(given, plan, train, weights, static):
        began.append((given.network.width, len(list(folder.iterdir()))))
        return real(given, plan, train, weights, static)

    monkeypatch.setattr(trials, "assemble", assemble)
    found = sweep(
        wide, [fields], pretrained.weights, tmp_path / "a.journal", CPU, architectures=made
    )
    assert list(found.trials["network.width"]) == [width for width, _ in began]
    assert {width for width, _ in began} == {2, 4}
    assert len(list(folder.glob("*.safetensors"))) == 2
    # none of them is that of models/pretrain, which had more epochs
    assert found.best["network.width"] in (2, 4)
    assert finetune_plan(plain, 0, found.best).batch == 48
    made.forget()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"sampler": "tpi"}, "unknown sampler 'tpi'; expected one of tpe, random, gp, cmaes, qmc"),
        ({"pruner": "wilcox"}, "unknown pruner 'wilcox'; .*none, wilcoxon, hyperband .*'wilcoxon'"),
        ({"pruner": "wilcoxon", "folds": 3}, "sweep.folds has 3; expected 4 or 5"),
        ({"storage": "postgresql://me:s3cr3t@host/db"}, names.SWEEP_STORAGE),
        ({"storage": "postgresql://me@corp:s3cr3t@host/db"}, names.SWEEP_STORAGE),
        ({"storage": "postgresql://host/db?user=me&password=s3cr3t"}, names.SWEEP_STORAGE),
        ({"storage": "postgresql://host/db?sslpassword=s3cr3t"}, names.SWEEP_STORAGE),
        ({"storage": "mssql+pyodbc:///?odbc_connect=PWD%3Ds3cr3t"}, names.SWEEP_STORAGE),
        ({"storage": "s3cr3t"}, "sweep.storage is no URL"),
        ({"minutes": 0}, "greater than 0"),
        ({"workers": 0}, "greater than or equal to 1"),
        ({"search": {"batch": {"low": 1.5, "high": 4}}}, "search.batch has 1.5; expected whole"),
        ({"search": {"batch": [4, "eight"]}}, "search.batch has eight; expected whole numbers"),
        ({"search": {"network.dropout": [0.1, 1.0]}}, "dropout has 1.0; expected shares"),
        ({"search": {"network.width": [4, 4]}}, "expected each choice once"),
        ({"search": {"network.name": {"low": 1, "high": 2}}}, "expected a list of unet"),
        ({"search": {"network.name": ["unett"]}}, "did you mean 'unet'"),
        ({"search": {"loss.insitu": {"low": 0, "high": 1}}}, "insitu has 0.0; expected numbers ab"),
        ({"search": {"batch": []}}, "params.yaml:sweep.search.batch$"),
        ({"search": {"batch": {"low": 4}}}, "missing parameter 'sweep.search.batch.high'"),
    ],
)
def test_what_no_sweep_can_do_is_one_line_with_what_it_can(params, section, message):
    content = params.model_dump(mode="json")
    search = {**content["sweep"]["search"], **section.pop("search", {})}
    with pytest.raises(UserError, match=message) as caught:
        with_sweep(params, search, **section)
    [line] = caught.value.problems
    assert "params.yaml" in line
    assert "s3cr3t" not in line


def test_a_network_that_cannot_be_is_told_as_params_yaml_would_be(
    params, fields, pretrained, tmp_path
):
    months = params.model_copy(
        update={"network": params.network.model_copy(update={"name": "pscnet", "months": 3})}
    )
    search = {"learning_rate": [1e-3], "network.name": ["unet"]}
    asked = months.model_copy(update={"sweep": with_sweep(params, search).sweep})
    finetune = asked.finetune.model_copy(
        update={
            "discriminator_learning_rate": 1e-6,
            "loss": asked.finetune.loss.model_copy(
                update={"perceptual": 0.0, "adversarial": 0.0, "insitu": 0.0}
            ),
        }
    )
    asked = asked.model_copy(update={"finetune": finetune})
    with pytest.raises(UserError, match="network 'unet' looks at one month"):
        sweep(asked, [fields], pretrained.weights, tmp_path / "a.journal", CPU)
