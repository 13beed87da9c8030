"""Prediction of an ensemble against its networks run one by one, and champions that do not fit."""

import json

import numpy as np
import pytest
import torch
from champion_cases import NETWORK, retold, write_champion

from soilfuse.errors import UserError
from soilfuse.files import write_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_on
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.members import load_members
from soilfuse.inference.prediction import model_spread, outside_range
from soilfuse.networks.generator import Generator
from soilfuse.training import weights

OWN = Grid.regular(95, 97.5, 33, 34.5, 0.25)


def changed(path, **changes):
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | changes)


def generator_of(folder):
    manifest = json.loads((folder / "fold_0.json").read_text(encoding="utf-8"))
    return Generator(**manifest["network"])


def one_by_one(folder, inputs):
    outputs = []
    for fold in range(5):
        network = generator_of(folder)
        network.load_state_dict(weights.load(folder / f"fold_{fold}.safetensors"))
        with torch.no_grad():
            given = torch.from_numpy(inputs), torch.zeros(len(inputs), dtype=torch.int64)
            outputs.append(network.eval()(*given).numpy())
    return np.stack(outputs)


def test_mean_and_spread_are_those_of_the_folds(champion, inputs, month):
    folds = one_by_one(champion, inputs)
    got = Ensemble.load(champion).predict(inputs, month)
    assert got.mean.shape == (10, 5, 7, 11)
    assert got.mean.dtype == np.float32
    np.testing.assert_allclose(got.mean, folds.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(got.fold_spread, folds.std(axis=0, ddof=1), atol=1e-6)
    np.testing.assert_allclose(got.model_spread, inputs.std(axis=1, ddof=1), atol=1e-6)
    assert got.fold_spread.min() > 0


def test_batches_change_nothing(champion, inputs, month):
    ensemble = Ensemble.load(champion, threads=1)
    whole = ensemble.predict(inputs, month)
    parts_of = slice(0, 4), slice(4, 8), slice(8, 10)
    parts = list(ensemble.stream((inputs[p], month[p]) for p in parts_of))
    assert [len(part.mean) for part in parts] == [4, 4, 2]
    joined = np.concatenate([part.mean for part in parts])
    np.testing.assert_allclose(joined, whole.mean, atol=1e-6)


def test_streaming_is_lazy(champion, inputs, month):
    def batches():
        yield inputs[:2], month[:2]
        raise AssertionError("asked for the second batch before the first was taken")

    first = next(Ensemble.load(champion).stream(batches()))
    assert len(first.mean) == 2


def test_prediction_repeats_to_the_bit_and_leaves_threads_alone(champion, inputs, month):
    before = torch.get_num_threads()
    first = Ensemble.load(champion, threads=1).predict(inputs, month)
    second = Ensemble.load(champion, threads=1).predict(inputs, month)
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.fold_spread, second.fold_spread)
    assert torch.get_num_threads() == before


def test_what_the_folds_share(champion):
    ensemble = Ensemble.load(champion)
    assert ensemble.source_ids == ["MIROC6", "CESM2", "TaiESM1"]
    assert ensemble.grid_shape == (7, 11)
    assert ensemble.depth_bounds.shape == (5, 2)
    assert ensemble.champion["world"] == "v1 seed 1"


def test_outside_flag_by_hand(inputs):
    values = inputs.copy()
    values[2, 0, 3, 4] = 0.6
    values[5, 2, 0, 0] = 0.05
    ranges = {"a": [0.0, 0.5], "b": [0.0, 0.5], "c": [0.1, 0.4]}
    flag = outside_range(values, ["a", "b", "c"], ranges)
    assert sorted(map(tuple, np.argwhere(flag).tolist())) == [(2, 3, 4), (5, 0, 0)]


def test_range_of_a_model_that_was_not_recorded(inputs):
    with pytest.raises(UserError, match="no input_range for c;"):
        outside_range(inputs, ["a", "b", "c"], {"a": [0, 1], "b": [0, 1]})


def test_models_are_found_by_name(champion):
    ensemble = Ensemble.load(champion)
    assert ensemble.channels(["CESM2", "UKESM1-0-LL", "TaiESM1", "MIROC6"], "here") == [3, 0, 2]
    with pytest.raises(UserError, match=r"ssp370.nc lacks climate model CESM2, TaiESM1"):
        ensemble.channels(["MIROC6"], "ssp370.nc")


def test_other_grid_is_refused(champion):
    ensemble = Ensemble.load(champion)
    ensemble.require_domain(regions_on(OWN, "basins", "trsr"))
    for other in (
        Grid.regular(95, 97.5, 33, 34.5, 0.5),
        Grid.regular(95.25, 97.75, 33, 34.5, 0.25),
    ):
        with pytest.raises(UserError, match="the champion was trained on 7x11 cells over 95-97.5E"):
            ensemble.require_domain(regions_on(other, "basins", "trsr"))


def test_other_regions_are_refused_as_cells_that_training_never_saw(champion):
    ensemble = Ensemble.load(champion)
    with pytest.raises(
        UserError, match=r"regions of params.yaml:domain are arid, .*\(regions: basins\)"
    ):
        ensemble.require_domain(regions_on(OWN, "china_zones", "trsr"))


def test_missing_values_name_their_model(champion, inputs, month):
    inputs[3, 1, 2, 2] = np.nan
    with pytest.raises(UserError, match="missing values in the inputs of CESM2;"):
        Ensemble.load(champion).predict(inputs, month)


def test_wrong_shape_is_refused(champion, inputs, month):
    with pytest.raises(UserError, match=r"shape \(10, 2, 7, 11\)"):
        Ensemble.load(champion).predict(inputs[:, :2], month)


def test_months_that_are_none_are_refused(champion, inputs, month):
    for wrong in (month - 1, month[:3]):
        with pytest.raises(UserError, match="expected 10 calendar months, 1 to 12"):
            Ensemble.load(champion).predict(inputs, wrong)


def test_the_calendar_month_reaches_every_fold(tmp_path, inputs, month):
    ensemble = Ensemble.load(write_champion(tmp_path / "seasonal", season=True))
    january = ensemble.predict(inputs, np.ones(10, dtype=int)).mean
    july = ensemble.predict(inputs, np.full(10, 7)).mean
    assert np.abs(january - july).max() > 1e-3
    mixed = ensemble.predict(inputs, np.array([1, 7] * 5)).mean
    np.testing.assert_allclose(mixed[::2], january[::2], atol=1e-6)
    np.testing.assert_allclose(mixed[1::2], july[1::2], atol=1e-6)


def test_a_missing_model_is_no_error_after_model_dropout(tmp_path, inputs, month):
    ensemble = Ensemble.load(write_champion(tmp_path / "sparing", model_dropout=0.3))
    assert ensemble.channels(["TaiESM1", "MIROC6"], "here") == [1, None, 0]
    whole = ensemble.predict(inputs, month)
    inputs[:, 1] = np.nan
    without = ensemble.predict(inputs, month)
    assert np.isfinite(without.mean).all()
    assert np.abs(without.mean - whole.mean).max() > 1e-4
    np.testing.assert_allclose(
        without.model_spread, inputs[:, [0, 2]].std(axis=1, ddof=1), atol=1e-6
    )
    inputs[:, 2] = np.nan
    alone = ensemble.predict(inputs, month)
    assert np.isfinite(alone.mean).all() and np.isnan(alone.model_spread).all()
    inputs[:, :] = np.nan
    with pytest.raises(UserError, match="missing values in the inputs of MIROC6, CESM2, TaiESM1"):
        ensemble.predict(inputs, month)
    with pytest.raises(UserError, match="here lacks climate model MIROC6, CESM2, TaiESM1"):
        ensemble.channels([], "here")


def test_folds_of_two_trainings_are_not_averaged(champion):
    changed(champion / "fold_1.json", ensemble_hash="f" * 64)
    with pytest.raises(UserError, match="different trainings.*fold_1 ffffffffffff"):
        load_members(champion)


def test_folds_of_two_precisions_are_told_by_it(champion):
    shared = {"settings": {"precision": "fp32", "batch": 4}, "inner_rmse": 0.1}
    for fold in range(5):
        changed(champion / f"fold_{fold}.json", **shared)
    other = {"settings": {"precision": "bf16", "batch": 4}, "inner_rmse": 0.2}
    changed(champion / "fold_1.json", **other, ensemble_hash="f" * 64)
    with pytest.raises(UserError) as raised:
        load_members(champion)
    [line] = raised.value.problems
    assert line.startswith(
        f"folds in {champion} come from different trainings (settings.precision fold_0 fp32, "
        "fold_1 bf16, fold_2 fp32, fold_3 fp32, fold_4 fp32); expected the same of all: write "
    )
    assert "params.yaml:finetune.precision" in line


def test_folds_of_two_data_sets_name_what_differs(champion):
    for fold in range(5):
        inputs = {"a.nc": "b" if fold == 3 else "a", **({"s.nc": "s"} if fold < 3 else {})}
        hashed = str(fold == 3) * 16
        changed(champion / f"fold_{fold}.json", inputs=inputs, ensemble_hash=hashed)
    with pytest.raises(UserError) as raised:
        load_members(champion)
    [line] = raised.value.problems
    assert "inputs.a.nc fold_0 a, fold_1 a, fold_2 a, fold_3 b, fold_4 a; inputs.s.nc" in line
    assert "fold_3 absent" in line
    assert "precision" not in line


def test_exchanged_weights_are_noticed(champion):
    network = generator_of(champion)
    weights.save(champion / "fold_2.safetensors", network.state_dict())
    with pytest.raises(UserError, match="fold_2.safetensors has SHA-256"):
        load_members(champion)


def test_weights_of_another_width_are_refused(champion):
    retold(champion, network=NETWORK | {"width": 8})
    with pytest.raises(UserError, match="does not fit the network of fold_0.json"):
        load_members(champion)


def test_missing_folds_are_named(champion):
    (champion / "fold_1.json").unlink()
    (champion / "fold_4.json").unlink()
    with pytest.raises(UserError, match="lacks fold_1.json, fold_4.json; expected fold_0.json to"):
        load_members(champion)


def test_manifest_without_an_entry(champion):
    content = json.loads((champion / "fold_1.json").read_text(encoding="utf-8"))
    del content["source_ids"]
    write_json(champion / "fold_1.json", content)
    with pytest.raises(UserError, match="fold_1.json lacks source_ids"):
        load_members(champion)


def test_no_champion_yet(tmp_path):
    with pytest.raises(UserError, match="no champion.json in"):
        Ensemble.load(tmp_path)


def test_one_climate_model_has_no_spread_and_two_have_half_their_distance_times_root_two(inputs):
    assert np.isnan(model_spread(inputs[:, :1])).all()
    apart = np.abs(inputs[:, 0] - inputs[:, 1])
    np.testing.assert_allclose(model_spread(inputs[:, :2]), apart / np.sqrt(2), rtol=1e-5)
