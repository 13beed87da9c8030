import math
from dataclasses import replace

import pytest
import torch
from training_cases import run

from soilfuse.training import checkpoints, loop, weights


class Interrupted(Exception):
    pass


def interrupt_at(epoch):
    def on_epoch(record):
        if record["epoch"] == epoch:
            raise Interrupted

    return on_epoch


@pytest.mark.parametrize("epoch", [1, 3, 5])
def test_an_interrupted_run_ends_in_the_same_bytes(
    params, plan, train, validation, tmp_path, monkeypatch, epoch
):
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", math.inf)
    whole = run(params, plan, train, validation)
    with pytest.raises(Interrupted):
        run(params, plan, train, validation, tmp_path, interrupt_at(epoch))
    torch.rand(7)  # whatever else draws numbers meanwhile
    heard = []
    resumed = run(params, plan, train, validation, tmp_path, heard.append)
    assert weights.to_bytes(resumed.weights) == weights.to_bytes(whole.weights)
    assert resumed.history == whole.history == heard
    assert resumed.best_epoch == whole.best_epoch


def test_a_resumed_run_does_not_train_again(params, plan, train, validation, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", math.inf)
    run(params, plan, train, validation, tmp_path)
    trained = []
    monkeypatch.setattr("soilfuse.training.run.Run.epoch", lambda *_: trained.append(1))
    run(params, plan, train, validation, tmp_path)
    assert trained == []


@pytest.mark.parametrize("change", ["settings", "data", "damage"])
def test_a_checkpoint_of_anything_else_is_left_alone(
    params, plan, train, validation, fields, tmp_path, change
):
    with pytest.raises(Interrupted):
        run(params, plan, train, validation, tmp_path, interrupt_at(1))
    if change == "settings":
        plan = replace(plan, learning_rate=1e-4)
    if change == "data":
        train = replace(train, target=train.target * 0.9)
    if change == "damage":
        file = tmp_path / checkpoints.FILE
        file.write_bytes(file.read_bytes()[:1000])
    fresh = run(params, plan, train, validation)
    found = run(params, plan, train, validation, tmp_path)
    assert weights.to_bytes(found.weights) == weights.to_bytes(fresh.weights)


def test_checkpoints_are_rare_where_they_are_dear(
    params, plan, train, validation, tmp_path, monkeypatch
):
    written = []
    monkeypatch.setattr(loop.checkpoints, "save", lambda *_: written.append(1))
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e-12)
    run(params, plan, train, validation, tmp_path)
    assert len(written) == 1


def test_clearing_removes_the_checkpoint(tmp_path):
    checkpoints.save(tmp_path, "a", {"history": []})
    assert checkpoints.load(tmp_path, "a") is not None
    assert checkpoints.load(tmp_path, "b") is None
    checkpoints.clear(tmp_path)
    checkpoints.clear(tmp_path)
    assert checkpoints.load(tmp_path, "a") is None
