import numpy as np
import pytest

from soilfuse import names
from soilfuse.evaluation.bootstrap import TAILS, block_counts
from soilfuse.evaluation.intervals import COLUMNS, COMPARED, headline, interval_table
from soilfuse.evaluation.metrics import metrics, pair_terms
from soilfuse.grids.months import month_axis, month_of

MONTHS = month_axis(2000, 2009)
REGIONS = ("all", "east")


def sums(error, seed):
    """(T, 2 layers, 2 regions, S) sums of 30 cells, of which the second region has ten."""
    rng = np.random.default_rng(9)
    truth = 0.3 + 0.05 * rng.standard_normal((120, 2, 30))
    predicted = truth + error * np.random.default_rng(seed).standard_normal(truth.shape)
    terms = np.moveaxis(pair_terms(predicted, truth, np.full_like(truth, 0.3)), 0, -1)
    return np.stack([terms.sum(axis=2), terms[:, :, :10].sum(axis=2)], axis=2)


@pytest.fixture(scope="module")
def table():
    counts = block_counts(120, 200, 12, np.random.default_rng(4))
    others = {"poor": sums(0.05, 2), "same": sums(0.01, 1)}
    return counts, interval_table(sums(0.01, 1), others, MONTHS, REGIONS, counts)


def one(rows, **where):
    for key, wanted in where.items():
        rows = rows[rows[key] == wanted]
    (row,) = rows.to_dict("records")
    return row


@pytest.mark.parametrize("metric", COMPARED)
@pytest.mark.parametrize("season", ["annual", "DJF"])
def test_an_interval_is_that_of_months_copied_one_by_one(table, metric, season):
    """Each sample written out: the drawn months, as often as drawn, that are of the season."""
    counts, rows = table
    own, other = (s[:, 1, 1] for s in (sums(0.01, 1), sums(0.05, 2)))
    drawn = []
    for count in counts:
        copies = np.repeat(np.arange(120), count.astype(int))
        copies = copies[np.isin(month_of(MONTHS)[copies], names.SEASONS[season])]
        scores = [metrics(s[copies].sum(axis=0), (metric,))[metric] for s in (own, other)]
        drawn.append(scores[0] - scores[1])
    where = {"method": "poor", "season": season, "region": "east", "layer": 2, "metric": metric}
    row = one(rows, **where)
    np.testing.assert_allclose([row["low"], row["high"]], np.quantile(drawn, TAILS), rtol=1e-7)


def test_a_method_does_not_differ_from_itself(table):
    same = table[1][table[1]["method"] == "same"]
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)


def test_an_interval_holds_the_difference_and_sees_the_worse_method(table):
    rows = table[1][(table[1]["method"] == "poor") & (table[1]["metric"] == "rmse")]
    assert len(rows) == 5 * 2 * 2
    assert (rows["low"] < rows["difference"]).all() and (rows["difference"] < rows["high"]).all()
    assert (rows["high"] < 0).all()


def test_a_season_without_months_is_left_out_and_one_that_a_sample_lacks_has_no_interval():
    summer = np.isin(month_of(MONTHS), (6, 7))
    short, own, other = MONTHS[summer], sums(0.01, 1)[summer], sums(0.05, 2)[summer]
    counts = np.zeros((3, 20))
    counts[0, 0], counts[1, 1], counts[2] = 20, 20, 1
    rows = interval_table(own, {"poor": other}, short, REGIONS, counts)
    assert set(rows["season"]) == {"annual", "JJA"}
    counts[0] = 0
    empty = interval_table(own, {"poor": other}, short, REGIONS, counts, ("JJA",))
    assert empty[["low", "high"]].isna().all(axis=None)
    assert empty["difference"].notna().all()


def test_the_headline_is_one_region_and_block_over_the_whole_year(table):
    rows = table[1].assign(block="final_test")[COLUMNS]
    assert len(headline(rows, "all")) == 0
    got = headline(rows, "all", "final_test")
    assert set(got["season"]) == {"annual"} and set(got["region"]) == {"all"}
    assert len(got) == 2 * 2 * len(COMPARED)


def test_sums_of_other_months_are_refused(table):
    with pytest.raises(ValueError, match="candidate is"):
        interval_table(sums(0.1, 1), {"x": sums(0.1, 1)[:5]}, MONTHS, REGIONS, table[0])
