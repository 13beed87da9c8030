"""Pre-training for the architectures of a sweep: once each, by whom it may be, and alike."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sweep_cases import with_sweep
from training_cases import CPU

from soilfuse import config
from soilfuse.training import architectures, trials
from soilfuse.training.architectures import Architectures
from soilfuse.training.sweep import sweep


@pytest.fixture
def made(pretrained, monkeypatch):
    """Take the same weights for all pre-trainings; return the parameters that each was given."""
    asked = []

    def pretrain(params, *_):
        asked.append(params)
        time.sleep(0.2)
        return pretrained

    monkeypatch.setattr(architectures, "pretrain", pretrain)
    return asked


def test_each_architecture_is_pretrained_once_with_the_dropout_of_params_yaml(
    params, lineage, made, tmp_path, monkeypatch
):
    content = params.model_dump(mode="json")
    content["network"]["dropout"] = 0.25
    search = {
        "learning_rate": {"low": 1e-4, "high": 1e-2},
        "network.width": [2, 4],
        "network.dropout": {"low": 0.3, "high": 0.5},
    }
    content["finetune"] |= {"discriminator_learning_rate": 1e-6, "batch": 48}
    content["finetune"]["loss"] |= {"perceptual": 0.0, "adversarial": 0.0, "insitu": 0.0}
    searched = with_sweep(config.validate(content), search, trials=8, pretrain_epochs=1, folds=1)
    dropouts = []

    def assemble(given, *_):
        dropouts.append(given.network.dropout)

    class Fields:
        target = type("Target", (), {"time": None, "name": "amsmqtp"})
        static = None

        def training(self, *_):
            pass

        validation = training

    monkeypatch.setattr(trials, "assemble", assemble)
    monkeypatch.setattr(trials, "fold_of", lambda *_: type("Fold", (), {"train": 0, "inner": 0}))
    monkeypatch.setattr(trials, "fit", lambda *_, **__: type("Found", (), {"rmse": 0.1}))
    given = Architectures(None, lineage, tmp_path / "weights")
    journal = tmp_path / "a.journal"
    found = sweep(searched, [Fields()], {}, journal, CPU, architectures=given).trials
    assert sorted(each.network.width for each in made) == [2, 4]
    assert {each.network.dropout for each in made} == {0.25}
    assert {each.pretrain.epochs for each in made} == {1}
    assert dropouts == list(found["network.dropout"])  # fine-tuning has the trial's own
    assert all(0.3 <= dropout <= 0.5 for dropout in dropouts)


def test_workers_that_need_one_architecture_at_once_make_it_once(params, lineage, made, tmp_path):
    def beginning(_):
        # of its own, as each process has
        return Architectures(None, lineage, tmp_path / "weights").beginning(params, CPU)

    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(beginning, range(4)))
    assert len(made) == 1
    assert all(set(each) == set(found[0]) for each in found)
