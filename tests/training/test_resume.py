import errno
import hashlib
import io
import itertools
import math
import os
import pickle
import signal
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from training_cases import run

from soilfuse.errors import UserError, sigterm_interrupts
from soilfuse.training import checkpoints, loop, weights
from soilfuse.training.fingerprint import fingerprint
from soilfuse.training.players import assemble


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


def changed_settings(plan, train):
    return replace(plan, learning_rate=1e-4), train


def changed_data(plan, train):
    return plan, replace(train, target=train.target * 0.9)


@pytest.mark.parametrize("change", [changed_settings, changed_data])
def test_other_settings_neither_use_nor_overwrite_a_checkpoint(
    params, plan, train, validation, tmp_path, capsys, change
):
    with pytest.raises(Interrupted):
        run(params, plan, train, validation, tmp_path, interrupt_at(1))
    [kept] = tmp_path.glob("*.pt")
    before = kept.read_bytes()
    other = change(plan, train)
    found = run(params, *other, validation, tmp_path)
    fresh = run(params, *other, validation)
    assert weights.to_bytes(found.weights) == weights.to_bytes(fresh.weights)
    assert "keeps 1 checkpoints of other settings" in capsys.readouterr().err
    checkpoints.clear(tmp_path)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [before]


def cut(content):
    return content[:1000]


def one_bit(content):
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def emptied(_):
    return b""


def pickled(_):
    return pickle.dumps({"fingerprint": "x"})


def with_its_digest(_):
    content = b"whole, but of no network"
    return hashlib.sha256(content).digest() + content


@pytest.mark.parametrize("damage", [cut, one_bit, emptied, pickled, with_its_digest])
def test_a_damaged_checkpoint_is_set_aside_in_one_line(
    params, plan, train, validation, tmp_path, capsys, damage
):
    with pytest.raises(Interrupted):
        run(params, plan, train, validation, tmp_path, interrupt_at(1))
    [file] = tmp_path.glob("*.pt")
    spoilt = damage(file.read_bytes())
    file.write_bytes(spoilt)
    found = run(params, plan, train, validation, tmp_path)
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"soilfuse: note: the checkpoint '{file}' is damaged")
    assert file.with_suffix(".damaged").read_bytes() == spoilt
    fresh = run(params, plan, train, validation)
    assert weights.to_bytes(found.weights) == weights.to_bytes(fresh.weights)
    checkpoints.clear(tmp_path)
    assert not tmp_path.exists()


def test_a_checkpoint_under_anothers_name_is_not_taken(tmp_path):
    checkpoints.save(tmp_path, "a" * 32, {"history": []})
    checkpoints.path_of(tmp_path, "a" * 32).rename(checkpoints.path_of(tmp_path, "b" * 32))
    assert checkpoints.load(tmp_path, "b" * 32) is None


def test_settings_that_stand_in_no_weight_are_told_apart(params, plan, train, validation):
    def of(generator):
        players = replace(assemble(params, plan, train), generator=generator)
        return fingerprint(players, train, validation, plan)

    generator = assemble(params, plan, train).generator
    first = of(generator)
    assert of(assemble(params, plan, train).generator) == first
    generator.train()
    generator(train.inputs[:2], train.calendar[:2])
    generator.eval()
    generator.load_state_dict(assemble(params, plan, train).generator.state_dict())
    assert of(generator) == first
    generator.inputs = "anomalies"
    assert of(generator) != first


def test_checkpoints_are_rare_where_they_are_dear(
    params, plan, train, validation, tmp_path, monkeypatch
):
    written = []
    monkeypatch.setattr(loop.checkpoints, "save", lambda *_: written.append(1))
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", 1e-12)
    run(params, plan, train, validation, tmp_path)
    assert len(written) == 2  # after the first epoch, and the finished training


@pytest.fixture
def dear(monkeypatch):
    """Let a checkpoint take a second by the clock, and an epoch hardly more: few are written."""
    seconds = itertools.count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))


def test_a_finished_training_is_kept_to_its_last_epoch(
    params, plan, train, validation, tmp_path, monkeypatch, dear
):
    heard, trained = [], []
    whole = run(params, plan, train, validation, tmp_path)
    [kept] = tmp_path.iterdir()
    assert kept.name == checkpoints.FINISHED
    assert len(checkpoints._read(kept)["history"]) == plan.epochs
    monkeypatch.setattr("soilfuse.training.run.Run.epoch", lambda *_: trained.append(1))
    again = run(params, plan, train, validation, tmp_path, heard.append)
    assert trained == []
    assert weights.to_bytes(again.weights) == weights.to_bytes(whole.weights)
    assert again.history == whole.history == heard


def test_epochs_since_the_last_checkpoint_are_trained_again_to_the_same_bytes(
    params, plan, train, validation, tmp_path, dear
):
    whole = run(params, plan, train, validation)
    with pytest.raises(Interrupted):
        run(params, plan, train, validation, tmp_path, interrupt_at(4))
    [kept] = tmp_path.iterdir()
    assert len(checkpoints._read(kept)["history"]) == 1
    resumed = run(params, plan, train, validation, tmp_path)
    assert weights.to_bytes(resumed.weights) == weights.to_bytes(whole.weights)
    assert resumed.history == whole.history


def test_a_finished_training_that_cannot_be_kept_says_so(
    params, plan, train, validation, tmp_path, monkeypatch, dear
):
    real = checkpoints.save

    def save(folder, name, state):
        if len(state["history"]) == plan.epochs:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(folder, name, state)

    monkeypatch.setattr(loop.checkpoints, "save", save)
    with pytest.raises(UserError, match="no checkpoint of epoch 5 .*epoch 1 is kept"):
        run(params, plan, train, validation, tmp_path)
    assert checkpoints.FINISHED not in [path.name for path in tmp_path.iterdir()]


def test_what_is_finished_is_cleared_and_what_is_not_stays(tmp_path):
    first, second = "a" * 32, "b" * 32
    for name in (first, second):
        checkpoints.save(tmp_path, name, {"history": []})
    checkpoints.finish(tmp_path, first)
    assert checkpoints.load(tmp_path, first) is not None  # its weights may not be written yet
    checkpoints.clear(tmp_path)
    assert checkpoints.load(tmp_path, first) is None
    assert checkpoints.load(tmp_path, second) is not None
    checkpoints.finish(tmp_path, second)
    checkpoints.clear(tmp_path)
    checkpoints.clear(tmp_path)
    assert not tmp_path.exists()


def test_sigterm_ends_training_as_ctrl_c_does(params, plan, train, validation, tmp_path):
    def terminate(record):
        if record["epoch"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    whole = run(params, plan, train, validation)
    with pytest.raises(KeyboardInterrupt), sigterm_interrupts():
        run(params, plan, train, validation, tmp_path, terminate)
    resumed = run(params, plan, train, validation, tmp_path)
    assert weights.to_bytes(resumed.weights) == weights.to_bytes(whole.weights)


def test_an_untrained_network_that_is_best_survives_an_interruption(
    params, plan, train, validation, tmp_path, monkeypatch
):
    monkeypatch.setattr(loop, "CHECKPOINT_SHARE", math.inf)
    scores = iter([0.1, 0.2, 0.3, 0.4])
    monkeypatch.setattr("soilfuse.training.run.masked_rmse", lambda *_: next(scores))
    counted = replace(plan, counts_untrained=True, epochs=3)
    first = weights.to_bytes(assemble(params, counted, train).generator.state_dict())
    with pytest.raises(Interrupted):
        run(params, counted, train, validation, tmp_path, interrupt_at(2))
    found = run(params, counted, train, validation, tmp_path)
    assert (found.best_epoch, found.rmse, len(found.history)) == (0, 0.1, 3)
    assert weights.to_bytes(found.weights) == first


@pytest.mark.parametrize("junk", [[1], {"history": []}, torch.zeros(2)])
@pytest.mark.parametrize("finished", [False, True])
def test_whole_files_of_something_else_are_set_aside(tmp_path, capsys, junk, finished):
    content = io.BytesIO()
    torch.save(junk, content)
    digest = hashlib.sha256(content.getvalue()).digest()
    file = tmp_path / checkpoints.FINISHED if finished else checkpoints.path_of(tmp_path, "a" * 32)
    file.write_bytes(digest + content.getvalue())
    assert checkpoints.load(tmp_path, "a" * 32) is None
    [line] = capsys.readouterr().err.splitlines()
    assert f"'{file}' is damaged" in line
    assert not file.exists()
    assert file.with_suffix(".damaged").exists()
