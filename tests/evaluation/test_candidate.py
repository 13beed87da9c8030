"""Candidates that params.yaml or the processed files do not fit, refused in one line."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from soilfuse.config import Domain
from soilfuse.errors import UserError
from soilfuse.evaluation import candidate as module
from soilfuse.evaluation.candidate import Candidate, _mean_and_spread
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_of

DOMAIN = {
    "name": "trsr",
    "west": 95.0,
    "east": 97.5,
    "south": 33.0,
    "north": 34.5,
    "resolution": 0.25,
    "regions": "basins",
}


def candidate_on(model_dropout=0.0, **domain):
    """A candidate trained on DOMAIN, judged where `domain` says otherwise."""
    manifest = {
        "fold": 0,
        **{f"{part}_months": ["2000-01"] for part in ("train", "inner", "outer")},
        "domain": DOMAIN,
        "regions_sha256": regions_of(Domain(**DOMAIN)).sha256,
        "source_ids": ["MIROC6", "CESM2"],
        "network": {"model_dropout": model_dropout},
    }
    compute = SimpleNamespace(device="cpu")
    params = SimpleNamespace(domain=Domain(**DOMAIN | domain), compute=compute)
    return Candidate(params, [SimpleNamespace(manifest=manifest, network=torch.nn.Identity())])


def test_the_domain_of_training_is_judged():
    assert candidate_on().grid.shape == (7, 11)


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ({"west": 95.25, "east": 97.75}, "grid of params.yaml:domain is 7x11 cells over 95.25"),
        ({"east": 98.5}, "grid of params.yaml:domain is 7x15 cells"),
        ({"regions": "china_zones"}, "regions of params.yaml:domain are arid"),
    ],
)
def test_another_domain_is_refused(domain, told):
    with pytest.raises(UserError, match="the candidate was trained") as raised:
        candidate_on(**domain)
    assert raised.value.problems[0].startswith(told)


@pytest.mark.parametrize("model_dropout", [0.0, 0.3])
def test_a_missing_climate_model_is_refused(model_dropout):
    candidate = candidate_on(model_dropout)
    crops = SimpleNamespace(source_ids=["CESM2", "X", "MIROC6"], path="ssp370.nc")
    assert candidate._order(crops) == [2, 0]
    crops.source_ids = ["CESM2"]
    with pytest.raises(UserError, match=r"^ssp370.nc lacks climate model MIROC6; the candidate"):
        candidate._order(crops)


def test_the_spread_of_the_folds_is_that_of_the_product_s_files():
    each = torch.rand(5, 3, 2, 4, 6, generator=torch.Generator().manual_seed(1))
    mean, spread = _mean_and_spread(each).numpy().swapaxes(0, 1)
    np.testing.assert_array_equal(mean, each.mean(dim=0).numpy())
    np.testing.assert_allclose(spread, np.std(each.numpy(), axis=0, ddof=1), rtol=1e-5)


def test_a_scenario_has_mean_and_spread_of_all_batches_in_order_and_history_the_mean(monkeypatch):
    """Two folds, of which one says the month's number and the other three times that."""
    candidate = candidate_on()
    candidate.params.infer = SimpleNamespace(batch=5)
    shape = 2, *candidate.grid.shape

    def member(factor):
        def predict(inputs, month):
            return factor * inputs[:, :1, None, None] * torch.ones(shape) / 1e4

        return SimpleNamespace(predict=predict, manifest=candidate.manifest)

    candidate.members = [member(factor) for factor in (1.0, 3.0)]
    months = {"historical": month_axis(1950, 2014), "ssp245": month_axis(2015, 2016)}

    def batches(crops, grid, order, batch, places):
        for start in range(0, len(places), batch):
            here = places[start : start + batch]
            yield here[:, None].astype("f4"), np.ones(len(here), int)

    def inputs_of(experiment, manifest):
        return SimpleNamespace(time=months[experiment], path=experiment)

    monkeypatch.setattr(module, "batches", batches)
    monkeypatch.setattr(module, "inputs_of", inputs_of)
    monkeypatch.setattr(candidate, "_order", lambda crops: [0])
    future = candidate.future("ssp245")
    np.testing.assert_array_equal(future.time, months["ssp245"])
    assert future.values.shape == future.spread.shape == (24, *shape)
    ramp = np.arange(24) / 1e4
    np.testing.assert_allclose(future.values[:, 0, 0, 0], 2 * ramp, rtol=1e-6)
    np.testing.assert_allclose(future.spread[:, 1, 2, 3], np.sqrt(2) * ramp, rtol=1e-5)
    assert candidate.predicted.maximum == pytest.approx(2 * 23 / 1e4)
    past = candidate.future("historical")
    assert past.spread is None and past.values.shape[0] == 240
    assert past.values[0, 0, 0, 0] == pytest.approx(2 * 45 * 12 / 1e4)
