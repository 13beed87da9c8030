import numpy as np
import pytest

from soilfuse.evaluation.fields import field_statistics
from soilfuse.evaluation.taylor import cross_statistics, target_rows, taylor_rows
from soilfuse.grids.months import month_axis


@pytest.fixture
def data():
    rng = np.random.default_rng(2)
    truth = (0.3 + 0.1 * rng.standard_normal((24, 2, 4, 5))).astype(np.float32)
    models = (0.5 * truth[:, :1] + 0.05 * rng.standard_normal((24, 3, 4, 5))).astype(np.float32)
    truth[3, 1, 2, 2] = models[5, 2, 1, 1] = np.nan
    weight = np.zeros((4, 5))
    weight[1:, 1:] = np.linspace(1, 2, 3)[:, None]
    return models, truth, weight


def test_numbers_agree_with_numpy_for_every_model_and_layer(data):
    models, truth, weight = data
    sums = cross_statistics(models, truth, weight)
    for m in range(3):
        rows = taylor_rows("model", sums[m])
        for d in range(2):
            valid = np.isfinite(models[:, m] + truth[:, d]) & (weight > 0)
            x, y = models[:, m][valid].astype(float), truth[:, d][valid].astype(float)
            w = np.broadcast_to(weight, valid.shape)[valid]
            covariance = np.cov(x, y, aweights=w, ddof=0)
            sd = np.sqrt(np.diag(covariance))
            assert rows["sd"][d] == pytest.approx(sd[0], rel=1e-9)
            assert rows["r"][d] == pytest.approx(covariance[0, 1] / sd.prod(), rel=1e-9)
            centred = x - y - np.average(x - y, weights=w)
            crmsd = np.sqrt(np.average(centred**2, weights=w))
            assert rows["crmsd"][d] == pytest.approx(crmsd, rel=1e-9)
            target = target_rows("target", sums[m])
            assert target["sd"][d] == pytest.approx(sd[1], rel=1e-9)


def test_a_layered_method_gets_the_same_numbers_from_both_ways(data):
    _, truth, weight = data
    prediction = (truth + np.float32(0.1)) * np.float32(0.7)
    months = month_axis(2000, 2001)
    of_field = field_statistics(prediction, truth, months, {"part": weight})[:, :, 0].sum(axis=0)
    crossed = cross_statistics(prediction, truth, weight)
    for d in range(2):
        one = taylor_rows("method", of_field).iloc[d]
        other = taylor_rows("method", crossed[d]).iloc[d]
        assert one[["sd", "r", "crmsd"]].tolist() == pytest.approx(
            other[["sd", "r", "crmsd"]].tolist(), rel=1e-7
        )


def test_a_constant_model_has_no_correlation_and_the_targets_spread_as_difference(data):
    models, truth, weight = data
    models = np.full_like(models, 0.3)
    row = taylor_rows("flat", cross_statistics(models, truth, weight)[0]).iloc[0]
    target = target_rows("target", cross_statistics(models, truth, weight)[0]).iloc[0]
    assert row["sd"] == 0
    assert np.isnan(row["r"])
    assert row["crmsd"] == pytest.approx(target["sd"])
