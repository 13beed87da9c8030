import numpy as np
import pytest

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.evaluation.future_spread import LEVELS, block_of, future_rows
from soilfuse.evaluation.material import Series
from soilfuse.evaluation.spread_tables import Inside, coverage_table, crps_table
from soilfuse.grids.months import month_axis, year_of

TIME = month_axis(2015, 2100)
CELLS = np.array([0, 2, 3])
WEIGHTS = np.array([[1.0, 0.0], [2.0, 2.0], [3.0, 3.0]])
REGIONS = ["all", "east"]
INSIDE = Inside(CELLS, WEIGHTS, REGIONS)
LAST = block_of("ssp585", names.FUTURE_PERIODS[-1])


@pytest.fixture
def fields():
    rng = np.random.default_rng(4)
    truth = (0.3 + 0.05 * rng.standard_normal((TIME.size, 2, 2, 2))).astype("f4")
    predicted = (truth + 0.02 * rng.standard_normal(truth.shape)).astype("f4")
    spread = (0.01 + 0.02 * rng.random(truth.shape)).astype("f4")
    predicted[1000, 0, 0, 0] = truth[1001, 1, 1, 0] = spread[1002, 0, 1, 1] = np.nan
    residuals = 0.02 * rng.standard_normal((180, 2, 3))
    widths = np.quantile(np.abs(residuals), LEVELS, axis=0)
    return predicted, truth, spread, widths


def rows(predicted, truth, spread, widths):
    return future_rows(
        "m", "ssp585", Series(TIME, predicted, spread), Series(TIME, truth), widths, INSIDE
    )


def test_a_period_s_streamed_rows_are_those_of_its_months_at_once(fields):
    predicted, truth, spread, widths = fields
    made = rows(*fields)
    first, last = names.FUTURE_PERIODS[-1]
    here = (year_of(TIME) >= first) & (year_of(TIME) <= last)
    x, y, sd = (INSIDE.take(values[here]) for values in (predicted, truth, spread))
    crps = made["crps"][made["crps"]["block"] == LAST].reset_index(drop=True)
    expected = crps_table(x - y, sd, WEIGHTS, REGIONS)
    for name in expected:
        same = crps[name] == expected[name] if name == "region" else None
        if same is None:
            np.testing.assert_allclose(crps[name], expected[name], rtol=1e-10)
        else:
            assert same.all()
    covered = made["spread"][made["spread"]["block"] == LAST]
    whole = coverage_table(x - y, x[:0], sd, WEIGHTS, REGIONS, LEVELS)
    own, other = (
        table[table["interval"] == "spread"].reset_index(drop=True) for table in (covered, whole)
    )
    for name in ("layer", "level", "n", "n_missing", "coverage", "width", "score"):
        np.testing.assert_allclose(own[name], other[name], rtol=1e-10)


def test_coverage_by_hand_and_missing_pairs_are_counted(fields):
    predicted, truth, spread, widths = fields
    made = rows(*fields)["spread"]
    first, last = names.FUTURE_PERIODS[-1]
    here = (year_of(TIME) >= first) & (year_of(TIME) <= last)
    error = np.abs(INSIDE.take(predicted[here]) - INSIDE.take(truth[here]))[:, 1]
    valid = np.isfinite(error)
    held = (error <= widths[1][1]) & valid
    where = (made["block"] == LAST) & (made["layer"] == 2) & (made["level"] == 0.9)
    row = made[where & (made["region"] == "all") & (made["interval"] == "residuals")].iloc[0]
    weight = WEIGHTS[:, 0]
    assert row["coverage"] == pytest.approx((held @ weight).sum() / (valid @ weight).sum())
    assert row["width"] == pytest.approx(
        (valid @ (2 * widths[1][1] * weight)).sum() / (valid @ weight).sum()
    )
    assert (row["n"], row["n_missing"]) == (360 * 3 - 1, 1)


def test_a_method_without_spread_has_intervals_from_residuals_alone(fields):
    predicted, truth, _, widths = fields
    made = rows(predicted, truth, None, widths)
    assert set(made["spread"]["interval"]) == {"residuals"}
    assert made["spread"]["factor"].isna().all()
    assert (made["crps"]["crps"] == made["crps"]["mae"]).all()
    assert made["crps"]["spread"].isna().all()


def test_a_truth_that_ends_early_is_refused(fields):
    predicted, truth, spread, widths = fields
    with pytest.raises(UserError, match="months missing in the truth of ssp585"):
        future_rows(
            "m",
            "ssp585",
            Series(TIME, predicted, spread),
            Series(TIME[:600], truth[:600]),
            widths,
            INSIDE,
        )
