import csv
import hashlib
import json

import numpy as np
import pytest
import torch
from training_cases import BEST, CPU, GRID

from soilfuse.errors import UserError
from soilfuse.networks.generator import Generator
from soilfuse.training import weights
from soilfuse.training.device import device_of, reproducible
from soilfuse.training.fields import Fields, write_curves
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.plan import finetune_plan
from soilfuse.training.pretrain import pretrain


@pytest.fixture(scope="module")
def tuned(params, fields, pretrained, lineage):
    return [
        finetune_fold(params, k, fields, pretrained.weights, BEST, lineage, CPU) for k in (0, 1)
    ]


def with_finetune(params, **update):
    return params.model_copy(update={"finetune": params.finetune.model_copy(update=update)})


def test_pretraining_gives_three_layers_and_its_manifest(params, pretrained):
    manifest = pretrained.manifest
    network = manifest["network"]
    assert (network["models"], network["layers"], network["grid"]) == (3, 3, list(GRID))
    assert network["width"] == params.network.width
    Generator(**network).load_state_dict(pretrained.weights)
    assert manifest["weights_sha256"] == weights.sha256(pretrained.weights)
    assert manifest["test_rmse"] > 0
    assert manifest["best_epoch"] == 1 + int(
        np.argmin([record["validation_rmse"] for record in pretrained.history])
    )
    json.dumps(manifest)


def test_pretraining_has_no_station_field(params, era5_fields, lineage):
    loss = params.pretrain.loss.model_copy(update={"insitu": 0.1})
    section = params.pretrain.model_copy(update={"loss": loss})
    with pytest.raises(UserError, match="params.yaml:pretrain.loss.insitu"):
        pretrain(params.model_copy(update={"pretrain": section}), era5_fields, lineage, CPU)


def test_a_folds_manifest_says_all_that_the_contract_asks(tuned, lineage):
    manifest = tuned[0].manifest
    assert manifest["fold"] == 0
    assert manifest["source_ids"] == ["A", "B", "C"]
    assert manifest["depth_bnds"] == lineage.depth_bnds
    assert manifest["domain"]["name"] == "smoke"
    assert manifest["train_months"][0] == "2004-01"
    assert manifest["inner_months"][-1] == "2014-12"
    assert manifest["outer_months"][0] == "2000-01"
    assert manifest["settings"]["learning_rate"] == BEST["learning_rate"]
    assert manifest["settings"]["loss"]["insitu"] == BEST["loss.insitu"]
    assert manifest["perceptual"]["weights"] == "random"
    assert len(manifest["perceptual"]["sha256"]) == 64
    assert manifest["world"] == "v1 seed 1"
    assert manifest["regions_sha256"] == lineage.regions
    assert manifest["inner_rmse"] == min(r["validation_rmse"] for r in tuned[0].history)
    json.dumps(manifest)


def test_folds_share_one_hash_and_differ_in_weights(params, fields, tuned, pretrained, lineage):
    first, second = (fold.manifest for fold in tuned)
    assert first["ensemble_hash"] == second["ensemble_hash"]
    assert first["weights_sha256"] != second["weights_sha256"]
    other = finetune_fold(
        params, 0, fields, pretrained.weights, {**BEST, "loss.insitu": 0.5}, lineage, CPU
    )
    assert other.manifest["ensemble_hash"] != first["ensemble_hash"]


def test_folds_of_other_station_settings_are_of_another_ensemble(
    params, fields, tuned, pretrained, lineage
):
    settings = params.insitu.model_copy(update={"trees": params.insitu.trees + 1})
    changed = params.model_copy(update={"insitu": settings})
    found = finetune_fold(changed, 0, fields, pretrained.weights, BEST, lineage, CPU)
    assert found.manifest["insitu"]["trees"] == params.insitu.trees + 1
    assert found.manifest["ensemble_hash"] != tuned[0].manifest["ensemble_hash"]
    assert found.manifest["weights_sha256"] == tuned[0].manifest["weights_sha256"]


def test_finetuning_never_looks_at_its_outer_block(params, fields, pretrained, lineage, tuned):
    target = fields.target
    outer = target.time < np.datetime64("2003-01-01")
    spoilt = np.where(outer[:, None, None, None], np.float32(0.9), target.values)
    changed = Fields(
        fields.inputs,
        type(target)(target.name, spoilt, target.time),
        fields.mask,
        fields.insitu,
        fields.probability,
    )
    found = finetune_fold(params, 0, changed, pretrained.weights, BEST, lineage, CPU)
    assert found.manifest["weights_sha256"] == tuned[0].manifest["weights_sha256"]


def test_finetuning_begins_at_the_pretrained_body(params, fields, pretrained, lineage):
    still = with_finetune(params, epochs=1, learning_rate=1e-30)
    found = finetune_fold(still, 0, fields, pretrained.weights, BEST, lineage, CPU)
    for name, weight in pretrained.weights.items():
        if not name.startswith("core.head."):
            torch.testing.assert_close(found.weights[name], weight, rtol=0, atol=0)
    assert found.weights["core.head.weight"].shape[0] == 5


def test_weights_of_another_network_are_refused(params, fields, lineage):
    other = Generator("unet", 3, 3, 8, 2, GRID).state_dict()
    with pytest.raises(UserError, match="do not fit this network"):
        finetune_fold(params, 0, fields, other, BEST, lineage, CPU)


def test_numbers_in_params_win_over_the_sweep(params):
    assert finetune_plan(params, 0, BEST).learning_rate == BEST["learning_rate"]
    number = with_finetune(params, learning_rate=0.5)
    assert finetune_plan(number, 0, BEST).learning_rate == 0.5


def test_every_value_that_the_sweep_lacks_is_named(params):
    with pytest.raises(UserError) as caught:
        finetune_plan(params, 0, {"learning_rate": 1e-3, "loss.insitu": 1.0})
    text = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 3
    assert "finetune.loss.perceptual is 'sweep' but results/sweep/best.yaml has no" in text


def test_weights_round_trip_and_equal_bytes(tmp_path, pretrained):
    path = tmp_path / "generator.safetensors"
    digest = weights.save(path, pretrained.weights)
    first = path.read_bytes()
    loaded = weights.load(path)
    assert digest == weights.sha256(loaded) == hashlib.sha256(first).hexdigest()
    for name, weight in pretrained.weights.items():
        assert torch.equal(loaded[name], weight)
    channels_last = {
        n: w.to(memory_format=torch.channels_last) if w.ndim == 4 else w for n, w in loaded.items()
    }
    assert weights.to_bytes(channels_last) == first


def test_missing_and_damaged_weights_are_one_line(tmp_path, pretrained):
    weights.save(tmp_path / "fold_1.safetensors", pretrained.weights)
    with pytest.raises(UserError, match=r"no weights at .*fold_2.*there: fold_1.safetensors"):
        weights.load(tmp_path / "fold_2.safetensors")
    whole = (tmp_path / "fold_1.safetensors").read_bytes()
    (tmp_path / "fold_1.safetensors").write_bytes(whole[:500])
    with pytest.raises(UserError, match="not a whole safetensors file"):
        weights.load(tmp_path / "fold_1.safetensors")


def test_curves_keep_every_digit_and_leave_empty_what_no_loss_has(tmp_path, pretrained):
    write_curves(tmp_path / "curves.csv", pretrained.history)
    with (tmp_path / "curves.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(pretrained.history)
    for row, record in zip(rows, pretrained.history, strict=True):
        assert {name: float(cell) for name, cell in row.items() if cell} == record
    assert {row["train_insitu"] for row in rows} == {""}


def test_curves_of_a_generator_that_was_not_trained_have_their_columns(tmp_path):
    write_curves(tmp_path / "curves.csv", [])
    assert (tmp_path / "curves.csv").read_text().startswith("epoch,train_loss,train_mse,")


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("auto") == device_of("cpu") == torch.device("cpu")
    with pytest.raises(UserError, match="torch sees no GPU"):
        device_of("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("auto") == torch.device("cuda")
    assert device_of("cpu") == torch.device("cpu")


def test_repeatable_kernels_are_cudnns_and_whole_float32():
    before = torch.backends.cudnn.enabled, torch.backends.cudnn.deterministic
    with reproducible(1, CPU):
        assert torch.backends.cudnn.enabled
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.allow_tf32
    assert before == (torch.backends.cudnn.enabled, torch.backends.cudnn.deterministic)


def test_finetuning_draws_a_head_even_where_the_layers_are_the_pretrained_ones(
    params, fields, lineage
):
    torch.manual_seed(5)
    given = Generator(**fields.architecture(params.network)).state_dict()  # five layers, no base
    still = with_finetune(params, epochs=1, learning_rate=1e-30)
    head, body = "core.head.weight", "core.down.0.0.weight"
    found, same = (
        finetune_fold(still, 0, fields, state, BEST, lineage, CPU).weights
        for state in (given, {**given, head: given[head] + 1})
    )
    torch.testing.assert_close(found[body], given[body], rtol=0, atol=0)
    assert found[head].shape == given[head].shape
    assert (found[head] - given[head]).abs().max() > 0.01
    assert torch.equal(found[head], same[head])  # nothing of the given one is left
