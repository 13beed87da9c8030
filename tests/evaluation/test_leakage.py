from pathlib import Path

import numpy as np
import pytest
import torch

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.evaluation import leakage
from soilfuse.evaluation.metrics import metrics
from soilfuse.grids.months import month_axis, month_of
from soilfuse.grids.regions import regions_of
from soilfuse.training.data import Monthly
from soilfuse.training.fields import Fields
from soilfuse.training.folds import PROTOCOLS, folds

SMOKE = config.load(Path(__file__).parents[2] / "profiles" / "smoke.yaml")
NETWORK = {"depth": 1, "static": False}
MONTHS = month_axis(2000, 2014)
CPU = torch.device("cpu")


def params_with(**changed):
    network = SMOKE.network.model_copy(update=NETWORK)
    section = SMOKE.leakage.model_copy(update={"batch": 64, **changed})
    return SMOKE.model_copy(update={"network": network, "leakage": section})


@pytest.fixture(autouse=True)
def fields(monkeypatch):
    """Weather that remembers, and climate models that know the season alone."""
    regions = regions_of(SMOKE.domain)
    rng = np.random.default_rng(1)
    season = 0.3 + 0.05 * np.sin(2 * np.pi * month_of(MONTHS) / 12)[:, None, None, None]
    weather = np.zeros((MONTHS.size, 5, 1, 1))
    for t in range(1, MONTHS.size):
        weather[t] = 0.8 * weather[t - 1] + 0.02 * rng.standard_normal((5, 1, 1))
    noise = 0.01 * rng.standard_normal((MONTHS.size, 3, *regions.grid.shape))
    made = Fields(
        inputs=Monthly("models", (season + noise).astype("f4"), MONTHS),
        target=Monthly("target", (season + weather + 0 * noise[:, :1]).astype("f4"), MONTHS),
        mask=regions.inside,
    )
    monkeypatch.setattr(leakage, "target_fields", lambda params: made)
    return made


def test_every_method_layer_and_metric_stands_once_under_both_protocols(tmp_path):
    table = leakage.leakage_table(params_with(), CPU, tmp_path)
    assert list(table) == leakage.LEAKAGE_COLUMNS
    methods = ["climatology", "delta_change", "nearest_month", "network", "paper_form"]
    assert list(dict.fromkeys(table["method"])) == methods
    assert len(table) == 5 * 5 * 3
    assert not table.duplicated(["method", "layer", "metric"]).any()
    rmse = table[table["metric"] == "rmse"]
    assert np.isfinite(rmse[[*PROTOCOLS, "difference"]].to_numpy()).all()
    np.testing.assert_allclose(rmse["difference"], rmse["shuffled"] - rmse["blocked"])
    assert table["low"].isna().all()  # one fold holds out other months under each
    assert set(table["months"]) == {36}
    leakage.forget(tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))
    logged = leakage.rmse_of(table)
    assert logged["shuffled"]["network"]["layer_3"] == pytest.approx(
        rmse.query("method == 'network' and layer == 3")["shuffled"].item()
    )


def test_all_folds_hold_out_the_same_months_and_their_differences_have_intervals(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(leakage, "held_out", lambda p, fold, f, *_: f.target.at(fold.outer) + 0.01)
    table = leakage.leakage_table(params_with(folds=[3, 0, 4, 1, 2]), CPU, tmp_path)
    assert set(table["months"]) == {180}
    rows = table[(table["metric"] == "rmse") & (table["method"] == "nearest_month")]
    assert (rows["high"] < 0).all()
    assert (rows["low"] <= rows["difference"]).all()
    own = table[(table["metric"] == "rmse") & (table["method"] == "network")]
    np.testing.assert_allclose(own[["low", "high"]], 0, atol=1e-9)
    np.testing.assert_allclose(own["shuffled"], 0.01, rtol=1e-5)


def test_a_baseline_sees_its_fold_s_training_months_alone(fields, tmp_path):
    """The climatology's RMSE, by hand on one fold of each protocol."""
    params = params_with(folds=[2])
    area = regions_of(SMOKE.domain).grid.area * fields.mask
    table = leakage.leakage_table(params, CPU, tmp_path)
    for protocol in PROTOCOLS:
        fold = folds(protocol, params.seed)[2]
        train, outer = (fields.target.at(months)[:, 3].astype(float) for months in fold_parts(fold))
        normal = np.array(
            [train[month_of(fold.train) == m].mean(axis=0) for m in month_of(fold.outer)]
        )
        error = ((normal - outer) ** 2 * area).sum() / (area.sum() * len(outer))
        where = "method == 'climatology' and layer == 4 and metric == 'rmse'"
        assert table.query(where)[protocol].item() == pytest.approx(np.sqrt(error), rel=1e-4)


def fold_parts(fold):
    return fold.train, fold.outer


def test_a_network_of_the_paper_s_form_is_trained_once(tmp_path):
    plain = leakage.paper_form(params_with())
    table = leakage.leakage_table(plain, CPU, tmp_path)
    assert "network" not in set(table["method"])
    assert "paper_form" in set(table["method"])


def test_no_fold_is_no_row_and_nothing_is_read(monkeypatch, tmp_path):
    monkeypatch.setattr(leakage, "target_fields", None)
    assert leakage.leakage_table(params_with(folds=[]), CPU, tmp_path).empty


def test_missing_months_are_refused_in_one_line(fields, monkeypatch, tmp_path):
    short = Monthly("amsmqtp.nc", fields.target.values[:-5], MONTHS[:-5])
    cut = Fields(fields.inputs, short, fields.mask)
    monkeypatch.setattr(leakage, "target_fields", lambda params: cut)
    with pytest.raises(UserError, match="too few months in amsmqtp.nc for fold 1.*5 missing"):
        leakage.leakage_table(params_with(), CPU, tmp_path)


def test_constant_predictions_have_no_correlation(tmp_path):
    sums = np.zeros((3, 1, 15))
    sums[..., :2], sums[..., 2:7] = 1, [0.3, 0.3, 0.09, 0.09, 0.09]
    made = leakage.compared("x", dict.fromkeys(PROTOCOLS, (MONTHS[:3], sums)), params_with())
    assert np.isnan(made.set_index("metric").loc["r", "blocked"])
    assert np.isnan(metrics(sums.sum(axis=0))["r"]).all()
