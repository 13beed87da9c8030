"""Skill, two-step means, ratio of bias and correlations of the CMIP6 study."""

import numpy as np
import pytest
import scipy.stats

from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.evaluation.cmip6 import groups
from soilfuse.evaluation.cmip6.climatology import (
    annual_cycle,
    masks_of,
    ratio_of_bias,
    regional_series,
)
from soilfuse.evaluation.cmip6.relations import correlation_map
from soilfuse.evaluation.cmip6.skill import standardised_taylor, tss
from soilfuse.grids.grid import Grid

# Li et al. 2024, figure 7, read off the figure: standard deviation (the target has 0.0806), R, TSS.
PUBLISHED = [
    ("UNet-GAN", 0.072, 0.9048, 0.9402),
    ("ACCESS-CM2", 0.0437, 0.0023, 0.3518),
    ("MIROC6", 0.051, 0.6607, 0.6781),
    ("CESM2", 0.0771, -0.1307, 0.4338),
    ("KACE-1-0-G", 0.0987, 0.1197, 0.5377),
]


@pytest.mark.parametrize(("name", "sd", "r", "expected"), PUBLISHED)
def test_skill_score_is_the_published_one(name, sd, r, expected):
    assert tss(np.array(r), np.array(sd / 0.0806)) == pytest.approx(expected, abs=1e-3), name


def test_a_perfect_series_scores_one_and_its_inverse_nothing():
    rng = np.random.default_rng(1)
    truth = rng.normal(size=(120, 1))
    found = standardised_taylor(np.concatenate([truth, -truth], axis=1), np.tile(truth, 2))
    np.testing.assert_allclose(found["tss"], [1, 0], atol=1e-12)
    np.testing.assert_allclose(found["crmsd"], [0, 2], atol=1e-12)


def test_taylor_statistics_obey_the_law_of_cosines_and_scipy():
    rng = np.random.default_rng(2)
    truth = rng.normal(3, 2, size=(90, 4))
    series = 0.5 * truth + rng.normal(size=(90, 4)) + 7
    found = standardised_taylor(series, truth)
    s, r = found["sd_ratio"], found["r"]
    np.testing.assert_allclose(found["crmsd"] ** 2, 1 + s**2 - 2 * s * r, rtol=1e-12)
    np.testing.assert_allclose(s, series.std(axis=0) / truth.std(axis=0), rtol=1e-12)
    for i in range(4):
        expected = scipy.stats.pearsonr(series[:, i], truth[:, i])[0]
        assert r[i] == pytest.approx(expected, rel=1e-12)


def test_gaps_count_on_neither_side_and_constants_are_nan():
    rng = np.random.default_rng(3)
    truth, series = rng.normal(size=(60, 3)), rng.normal(size=(60, 3))
    gappy = series.copy()
    gappy[::7, 0] = np.nan
    gappy[:, 1] = 4.0
    gappy[2:, 2] = np.nan
    found = standardised_taylor(gappy, truth)
    kept = np.isfinite(gappy[:, 0])
    expected = standardised_taylor(series[kept, :1], truth[kept, :1])
    assert found["n"].tolist() == [kept.sum(), 60, 2]
    for name in ("r", "sd_ratio", "crmsd", "tss"):
        assert found[name][0] == pytest.approx(expected[name][0])
        assert np.isnan(found[name][1:]).all()


def test_table_1_sums_as_the_paper_says():
    shallow = [model.shallow for model in EVALUATED_MODELS.values() if model.shallow]
    deep = [model.deep for model in EVALUATED_MODELS.values() if model.deep]
    assert (len(shallow), sum(shallow)) == (26, 192)
    assert (len(deep), sum(deep)) == (25, 244)
    assert len(EVALUATED_MODELS) == 31
    assert sum(model.fine for model in EVALUATED_MODELS.values()) == 13


def test_three_submodels_of_one_parent_weigh_as_much_as_one_of_another():
    cnrm = ("CNRM-CM6-1", "CNRM-CM6-1-HR", "CNRM-ESM2-1")
    values = dict(zip((*cnrm, "MIROC6"), (1.0, 2.0, 6.0, 11.0), strict=True))
    fields = {name: np.full((2, 1, 1), value) for name, value in values.items()}
    weight = groups.weights(list(values))
    assert [weight[name] for name in cnrm] == pytest.approx([1 / 6] * 3)
    assert weight["MIROC6"] == 0.5
    np.testing.assert_allclose(groups.two_step_mean(fields), (3.0 + 11.0) / 2)


def test_a_gap_of_one_model_is_no_gap_of_the_mean():
    fields = {name: np.ones((1, 1, 2)) for name in ("MIROC6", "CESM2", "CESM2-WACCM")}
    fields["CESM2"] = np.array([[[np.nan, 3.0]]])
    fields["MIROC6"] = np.array([[[np.nan, 4.0]]])
    np.testing.assert_allclose(groups.two_step_mean(fields)[0, 0], [1.0, 3.0])
    nothing = {"MIROC6": np.full((1, 1, 1), np.nan)}
    assert np.isnan(groups.two_step_mean(nothing)).all()


def test_groups_hold_their_own_models_and_empty_ones_are_left_out():
    fields = {"CESM2": np.ones((1, 1, 1)), "MIROC6": np.full((1, 1, 1), 3.0)}
    means = {name: one.item() for name, one in groups.group_means(fields).items()}
    assert means == {"MMEM": 2.0, "MMEM-high": 1.0, "MMEM-low": 3.0}
    assert set(groups.group_means({"MIROC6": fields["MIROC6"]})) == {"MMEM", "MMEM-low"}


def test_ratio_of_bias_by_hand():
    model = np.array([4.0, 2.0, 0.0, np.nan, 1.0])
    reference = np.array([3.0, 4.0, 1.0, 1.0, np.nan])
    np.testing.assert_allclose(ratio_of_bias(model, reference)[:2], [0.25, -1.0])
    assert np.isnan(ratio_of_bias(model, reference)[2:]).all()


def test_regional_means_weigh_by_area_and_take_whole_cells_only():
    masks = {"both": np.array([[True, True, True]]), "none": np.zeros((1, 3), bool)}
    area = np.array([[1.0, 3.0, 5.0]])
    field = np.array([[[1.0, 5.0, 100.0]], [[2.0, 6.0, np.nan]]])
    series = regional_series(field, masks, area)
    np.testing.assert_allclose(series["both"], [4.0, 5.0])
    assert np.isnan(series["none"]).all()
    months = np.tile(np.arange(12.0), 3) + np.repeat([0, 1, 2], 12)
    np.testing.assert_allclose(annual_cycle(months), np.arange(12) + 1)


def test_regions_are_land_and_hemispheres_part_it():
    grid = Grid.regular(-178.75, 178.75, -58.75, 83.75, 2.5)
    masks = masks_of(grid)
    assert len(masks) == 15
    assert not (masks["NH"] & masks["SH"]).any()
    land = masks["NH"] | masks["SH"]
    assert all((mask <= land).all() and mask.any() for mask in masks.values())
    assert 25 <= masks["TIB"].sum() <= 33


def test_correlation_and_p_are_scipy_s_and_memory_weakens_them():
    rng = np.random.default_rng(4)
    shocks = rng.normal(size=(2, 200, 1, 3))
    one, other = shocks[0].copy(), 0.2 * shocks[0] + shocks[1]
    for field in (one, other):
        for month in range(1, 200):
            field[month, 0, 1] += 0.9 * field[month - 1, 0, 1]
    one[5, 0, 2] = np.nan
    found = correlation_map(one, other)
    for cell in (0, 1):
        r, p = scipy.stats.pearsonr(one[:, 0, cell], other[:, 0, cell])
        assert found.r[0, cell] == pytest.approx(r)
        assert found.p[0, cell] == pytest.approx(p)
    assert found.p_effective[0, 0] == pytest.approx(found.p[0, 0], rel=0.5)
    assert found.p_effective[0, 1] > 10 * found.p[0, 1]
    assert all(np.isnan(values[0, 2]) for values in found)


def test_a_constant_cell_has_no_correlation():
    found = correlation_map(np.ones((24, 1, 1)), np.random.default_rng(5).normal(size=(24, 1, 1)))
    assert all(np.isnan(values).all() for values in found)
