import io
import math
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from training_cases import CPU, run

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.training import weights
from soilfuse.training.data import TrainingData
from soilfuse.training.loop import DivergedError, fit
from soilfuse.training.players import assemble
from soilfuse.training.run import shuffled_batches
from soilfuse.training.validation import masked_rmse


def only_mse(plan, **others):
    zero = dict.fromkeys(("perceptual", "adversarial", "insitu", "total_variation"), 0.0)
    loss = config.Loss(content=1, mse=1, adversarial_form="ragan", **zero)
    return replace(plan, loss=loss, **others)


def test_one_seed_gives_the_same_bytes_and_another_does_not(params, plan, train, validation):
    one, same = (run(params, plan, train, validation) for _ in range(2))
    other = run(params, replace(plan, seed=9), train, validation)
    assert weights.to_bytes(one.weights) == weights.to_bytes(same.weights)
    assert one.history == same.history
    assert weights.to_bytes(one.weights) != weights.to_bytes(other.weights)


def test_training_learns(params, plan, train, validation):
    found = run(params, replace(plan, epochs=60), train, validation)
    target = validation.target[:, :, validation.mask]
    spread = math.sqrt((target - target.mean(dim=(0, 2), keepdim=True)).square().mean())
    assert found.rmse < 0.75 * spread
    assert found.rmse == min(record["validation_rmse"] for record in found.history)
    first, last = found.history[0], found.history[-1]
    assert last["train_mse"] < 0.5 * first["train_mse"]


def test_every_loss_is_recorded_by_itself(params, plan, train, validation):
    record = run(params, replace(plan, epochs=1), train, validation).history[0]
    parts = plan.factors
    assert set(record) == {
        "epoch",
        "train_loss",
        *(f"train_{name}" for name in parts),
        "train_discriminator",
        "validation_rmse",
        "learning_rate",
        "discriminator_learning_rate",
    }
    total = sum(factor * record[f"train_{name}"] for name, factor in parts.items())
    assert record["train_loss"] == pytest.approx(total, rel=1e-5)


def test_unused_terms_are_neither_computed_nor_recorded(params, plan, train, validation):
    alone = only_mse(plan, epochs=1)
    players = assemble(params, alone, train)
    assert players.discriminator is None
    assert players.perceptual is None
    record = fit(players, train, validation, alone).history[0]
    assert record["train_loss"] == record["train_mse"]
    assert set(record) == {"epoch", "train_loss", "train_mse", "validation_rmse", "learning_rate"}


def test_the_output_begins_at_the_targets_mean(params, plan, train):
    made = assemble(params, plan, train).generator(train.inputs, train.calendar)
    made = made.mean(dim=(0, 2, 3))
    assert made.detach().numpy() == pytest.approx(np.array(train.layer_means()), abs=0.08)


def scripted(monkeypatch, scores):
    rest = iter(scores)
    monkeypatch.setattr("soilfuse.training.run.masked_rmse", lambda *_: next(rest))


def test_nan_never_counts_as_best(params, plan, train, validation, monkeypatch):
    scripted(monkeypatch, [math.nan, 0.3, math.nan, 0.2, math.nan])
    found = run(params, only_mse(plan), train, validation)
    assert (found.best_epoch, found.rmse, len(found.history)) == (4, 0.2, 5)


def test_patience_stops_and_keeps_the_best_weights(params, plan, train, validation, monkeypatch):
    best = run(params, only_mse(plan, epochs=10), train, validation)
    scripted(monkeypatch, [0.3, 0.1, 0.2, 0.2, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0])
    found = run(params, only_mse(plan, epochs=10, patience=3), train, validation)
    assert (found.best_epoch, found.rmse, len(found.history)) == (2, 0.1, 5)
    generator = assemble(params, only_mse(plan, epochs=10), train).generator
    generator.load_state_dict(found.weights)
    monkeypatch.undo()
    assert masked_rmse(generator, validation, "fp32") == best.history[1]["validation_rmse"]


def test_a_run_that_never_was_finite_is_refused(params, plan, train, validation, monkeypatch):
    scripted(monkeypatch, [math.nan] * 5)
    with pytest.raises(DivergedError, match="finetune fold 0: .* never finite"):
        run(params, only_mse(plan), train, validation)


def test_masked_rmse_by_numpy(params, plan, train, validation):
    generator = assemble(params, plan, train).generator
    with torch.no_grad():
        made = generator(validation.inputs, validation.calendar)
    error = (made - validation.target).numpy()[:, :, validation.mask.numpy()].astype(float)
    found = masked_rmse(generator, validation, "fp32")
    assert found == pytest.approx(math.sqrt((error**2).mean()), rel=1e-6)


def test_learning_rates_fall_as_a_cosine(params, plan, train, validation):
    history = run(params, replace(plan, epochs=4), train, validation).history
    steps = 4 * 3
    expected = [
        plan.learning_rate * (1 + math.cos(math.pi * (3 * e + 2) / steps)) / 2 for e in range(4)
    ]
    assert [record["learning_rate"] for record in history] == pytest.approx(expected)
    ratio = [r["discriminator_learning_rate"] / r["learning_rate"] for r in history]
    assert ratio == pytest.approx([plan.discriminator_learning_rate / plan.learning_rate] * 4)


@pytest.mark.parametrize(("count", "batch"), [(90, 16), (96, 16), (5, 2), (3, 10), (7, 7)])
def test_batches_hold_every_month_once_and_differ_by_one(count, batch):
    batches = shuffled_batches(count, batch)
    sizes = [len(part) for part in batches]
    assert sorted(torch.cat(batches).tolist()) == list(range(count))
    assert max(sizes) <= batch
    assert max(sizes) - min(sizes) <= 1


def test_training_leaves_torchs_generators_as_they_were(params, plan, train, validation):
    before = torch.get_rng_state()
    run(params, replace(plan, epochs=1), train, validation)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_station_loss_needs_a_station_field(params, plan, train, validation):
    with pytest.raises(UserError, match="no station field.*params.yaml:finetune.loss.insitu"):
        run(params, plan, replace(train, insitu=None), validation)


def test_a_single_image_is_too_few_for_the_discriminator(params, plan, train, validation):
    with pytest.raises(UserError, match="batches of 1 image"):
        run(params, replace(plan, batch=1), train, validation)


def test_a_loss_of_nothing_is_refused(params, plan, train):
    loss = plan.loss.model_copy(
        update={n: 0.0 for n in config.Loss.model_fields if "form" not in n}
    )
    with pytest.raises(UserError, match="every loss weight is 0"):
        assemble(params, replace(plan, loss=loss), train)


def test_bf16_is_close_to_fp32_and_other_words_are_refused(params, plan, train, validation):
    half = run(params, replace(plan, precision="bf16", epochs=2), train, validation)
    full = run(params, replace(plan, epochs=2), train, validation)
    assert half.rmse == pytest.approx(full.rmse, rel=0.1)
    assert half.rmse != full.rmse
    with pytest.raises(UserError, match="unknown precision 'fp16'"):
        run(params, replace(plan, precision="fp16"), train, validation)


def test_the_untrained_network_counts_as_epoch_0(params, plan, train, validation, monkeypatch):
    scripted(monkeypatch, [0.1, 0.2, 0.3, 0.4, 0.5])
    counted = only_mse(plan, counts_untrained=True, patience=2)
    players = assemble(params, counted, train)
    first = weights.to_bytes(players.generator.state_dict())
    found = fit(players, train, validation, counted)
    assert (found.best_epoch, found.rmse, len(found.history)) == (0, 0.1, 2)
    assert weights.to_bytes(found.weights) == first


def test_no_epochs_are_enough_where_the_untrained_network_counts(params, plan, train, validation):
    found = run(params, replace(plan, epochs=0, counts_untrained=True), train, validation)
    assert (found.best_epoch, found.history) == (0, [])
    assert math.isfinite(found.rmse)
    with pytest.raises(DivergedError):
        run(params, replace(plan, epochs=0), train, validation)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_shows_one_line_that_says_how_far_and_how_well(
    params, plan, train, validation, monkeypatch
):
    scripted(monkeypatch, [0.3, 0.1, 0.25, 0.25, 0.25])
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("tqdm.tqdm.monitor_interval", 0)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TQDM_MININTERVAL", "0")
    run(params, only_mse(plan), train, validation)
    drawn = [line.strip() for line in screen.getvalue().split("\r") if line.strip()]
    assert "\n" not in screen.getvalue()
    assert drawn[-1].startswith("finetune fold 0:")
    assert re.search(" [45]/5 ", drawn[-1])
    assert "epoch" in drawn[-1]
    assert "validation RMSE 0.2500, best 0.1000 in epoch 2" in drawn[-1]


def test_without_a_terminal_training_is_silent(params, plan, train, validation, capfd):
    run(params, only_mse(plan, epochs=2), train, validation)
    assert capfd.readouterr() == ("", "")


def test_data_without_station_field_can_be_joined(fields):
    data = fields.validation(month_axis(2000, 2000), CPU)
    assert isinstance(data, TrainingData)
    assert data.insitu is None


def test_a_refused_trial_of_a_sweep_names_parameters_that_there_are(
    params, plan, train, validation
):
    trial = replace(plan, name="sweep fold 0")
    with pytest.raises(UserError, match="params.yaml:finetune.batch"):
        run(params, replace(trial, batch=1), train, validation)
    with pytest.raises(UserError, match="params.yaml:finetune.loss.insitu"):
        run(params, trial, replace(train, insitu=None), validation)


def test_a_diverged_training_leaves_no_checkpoint(
    params, plan, train, validation, monkeypatch, tmp_path
):
    scripted(monkeypatch, [math.nan] * 5)
    with pytest.raises(DivergedError):
        run(params, only_mse(plan), train, validation, tmp_path / "state")
    assert not (tmp_path / "state").exists()
