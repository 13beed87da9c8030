"""Prediction in bfloat16: near float32, on the networks' own convolutions, and chosen with care."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from champion_cases import write_champion

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.inference import opening
from soilfuse.inference.ensemble import Ensemble
from soilfuse.training import device


class Crops:
    """What `model_batches` asks of climate models, with given inputs."""

    def __init__(self, ensemble, values):
        self.source_ids, self.path, self.values = ensemble.source_ids, "made.nc", values
        start = np.datetime64("2015-01")
        self.time = (start + np.arange(len(values))).astype("datetime64[ns]")
        self.asked = []

    def inputs(self, grid, here):
        self.asked += np.arange(len(self.values))[here].tolist()
        return self.values[here].copy()


@pytest.fixture
def native(monkeypatch):
    monkeypatch.setattr(device, "native_bf16", lambda _: True)


def near(champion, inputs, within=opening.WITHIN):
    """Scale the heads so that bf16 stays, or does not stay, within the bound."""
    ensemble = Ensemble.load(champion)
    for member in ensemble.members:
        with torch.no_grad():
            member.network.core.head.weight.mul_(within)
    return ensemble, Crops(ensemble, inputs)


def test_auto_takes_bf16_where_it_is_near(champion, inputs, native):
    ensemble, crops = near(champion, inputs, 1e-3)
    chosen = opening.at_precision(ensemble, "auto", crops)
    assert chosen.precision == "bf16"
    month = np.arange(10) % 12 + 1
    exact, short = (one.predict(inputs, month) for one in (ensemble, chosen))
    assert short.mean.dtype == short.fold_spread.dtype == np.float32
    assert 0 < np.abs(short.mean - exact.mean).max() <= opening.WITHIN
    np.testing.assert_array_equal(chosen.predict(inputs, month).mean, short.mean)


def test_auto_stays_in_fp32_where_it_is_not_and_says_so(champion, inputs, native, capsys):
    ensemble, crops = near(champion, inputs, 100.0)
    chosen = opening.at_precision(ensemble, "auto", crops)
    assert chosen is ensemble
    assert (
        "m3 m-3 in 10 months of made.nc, more than 0.0001: fp32 is used" in capsys.readouterr().err
    )


def test_bf16_that_is_not_near_is_refused(champion, inputs, native):
    ensemble, crops = near(champion, inputs, 100.0)
    with pytest.raises(UserError, match=r"bf16 differs .* more than 0.0001: write fp32 into"):
        opening.at_precision(ensemble, "bf16", crops)
    near_one, crops = near(champion, inputs, 1e-5)
    assert opening.at_precision(near_one, "bf16", crops).precision == "bf16"


def test_months_are_tried_from_the_first_to_the_last(champion, inputs, native):
    ensemble, crops = near(champion, np.tile(inputs, (10, 1, 1, 1)), 1e-3)
    opening.at_precision(ensemble, "auto", crops)
    assert crops.asked == [0, 9, 18, 27, 36, 45, 54, 63, 72, 81, 90, 99]


def test_a_spread_that_is_not_near_is_enough_for_fp32(champion, inputs, native, monkeypatch):
    ensemble, crops = near(champion, inputs, 1e-3)
    predict = Ensemble.predict

    def wider(self, *given):
        found = predict(self, *given)
        off = 2e-4 if self.precision == "bf16" else 0
        return replace(found, fold_spread=found.fold_spread + np.float32(off))

    monkeypatch.setattr(Ensemble, "predict", wider)
    assert opening.at_precision(ensemble, "auto", crops) is ensemble


@pytest.mark.parametrize(
    ("far", "expected"), [((), "bf16"), (("historical",), "fp32"), (("ssp585",), None)]
)
def test_all_experiments_of_a_champion_have_the_precision_of_historical(
    champion, inputs, native, monkeypatch, far, expected
):
    ensemble, _ = near(champion, inputs, 1e-3)
    crops = {
        name: Crops(ensemble, inputs + np.float32(0.5 if name in far else 0))
        for name in ("historical", "ssp126", "ssp585")
    }
    monkeypatch.setattr(opening, "inputs_of", lambda name, manifest: crops[name])
    predict = Ensemble.predict

    def off_where_far(self, *given):
        found = predict(self, *given)
        off = 2e-4 if self.precision == "bf16" and given[0].min() > 0.5 else 0
        return replace(found, mean=found.mean + np.float32(off))

    monkeypatch.setattr(Ensemble, "predict", off_where_far)
    chosen = {
        name: opening.of_champion(ensemble, "auto", name, crops[name]).precision
        for name in ("historical", "ssp126")
    }
    assert set(chosen.values()) == {expected or "bf16"}
    if expected is None:
        with pytest.raises(UserError, match="write fp32 into params.yaml:infer.precision"):
            opening.of_champion(ensemble, "auto", "ssp585", crops["ssp585"])
    else:
        last = opening.of_champion(ensemble, "auto", "ssp585", crops["ssp585"])
        assert last.precision == expected


def test_auto_is_fp32_where_no_processor_has_bf16(champion, inputs, monkeypatch):
    monkeypatch.setattr(device, "native_bf16", lambda _: False)
    ensemble, crops = near(champion, inputs)
    assert opening.at_precision(ensemble, "auto", crops) is ensemble
    assert opening.at_precision(ensemble, "fp32", crops) is ensemble


def test_a_simple_method_is_never_shortened(champion, native):
    ensemble = Ensemble.load(champion)
    told = {**ensemble.manifest, "method": "delta_change"}
    simple = SimpleNamespace(manifest=told, device=torch.device("cpu"))
    assert opening.at_precision(simple, "bf16", None) is simple


@pytest.mark.parametrize("name", names.NETWORKS)
def test_every_network_keeps_its_last_convolution_in_fp32(tmp_path, name, native):
    months = 3 if name in names.TRAILING else 1
    folder = write_champion(tmp_path / "champion", name=name, months=months)
    ensemble = Ensemble.load(folder)
    seen = []
    for member in ensemble.members:
        member.network.core.head.register_forward_hook(lambda *a: seen.append(a[2].dtype))
    shape = (4, 3, 7, 11) if months == 1 else (4, months, 3, 7, 11)
    inputs = np.random.default_rng(2).uniform(0.1, 0.4, shape).astype(np.float32)
    short = replace(ensemble, precision="bf16").predict(inputs, np.arange(4) + 1)
    exact = ensemble.predict(inputs, np.arange(4) + 1)
    assert set(seen) == {torch.float32}
    assert 0 < np.abs(short.mean - exact.mean).max() < 0.02
