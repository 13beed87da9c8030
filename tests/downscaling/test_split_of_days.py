"""Which steps teach: blocks of days, gaps beside them, whole years."""

import numpy as np
import pytest
from sample_cases import PARAMS, small_content, small_params

from soilfuse import config
from soilfuse.config.sample import Split
from soilfuse.errors import UserError
from soilfuse.training.downscaling.split import HELD_OUT, STOPPING, TEST, TRAIN, UNUSED, roles

SEASON = np.concatenate(
    [np.arange(f"{y}-06-01", f"{y}-10-01", 3, dtype="datetime64[h]") for y in (2016, 2017, 2018)]
)


def split(**changes):
    given = {"train_years": [2016, 2017], "test_years": [2018], "block_days": 10, "gap_days": 2}
    return Split(**(given | changes))


def test_blocks_by_hand():
    found = roles(SEASON, split())
    days = SEASON.astype("datetime64[D]")

    def role_of(day):
        (role,) = set(found[days == np.datetime64(day)])
        return role

    assert role_of("2016-06-01") == role_of("2016-06-08") == TRAIN
    assert role_of("2016-06-09") == role_of("2016-06-10") == UNUSED
    assert role_of("2016-06-11") == role_of("2016-06-20") == HELD_OUT
    assert role_of("2016-06-22") == UNUSED
    assert role_of("2016-06-23") == TRAIN
    assert role_of("2016-07-11") == role_of("2016-07-20") == STOPPING
    # the cycle of six blocks moves by two from year to year
    assert role_of("2017-06-21") == STOPPING
    assert role_of("2017-07-21") == HELD_OUT
    assert {role_of("2018-06-01"), role_of("2018-09-30")} == {TEST}


@pytest.mark.parametrize("gap", [0, 1, 3])
def test_days_that_teach_keep_their_distance(gap):
    found = roles(SEASON, split(gap_days=gap))
    days = SEASON.astype("datetime64[D]")
    teaching = np.unique(days[found == TRAIN])
    others = np.unique(days[np.isin(found, (HELD_OUT, STOPPING, TEST))])
    assert np.abs(teaching[:, None] - others).min() == np.timedelta64(gap + 1, "D")


def test_held_out_days_are_of_both_years_and_all_months():
    found = roles(SEASON, split())
    months = SEASON[found == HELD_OUT].astype("datetime64[M]").astype(int)
    assert len(set(months // 12)) == 2
    assert len(set(months % 12)) == 4


def test_years_are_read_in_order_whichever_of_them_teach():
    assert split(train_years=[2017, 2018], test_years=[2016]).years == [2016, 2017, 2018]


def test_a_sample_that_is_too_short_is_refused():
    with pytest.raises(UserError, match="no step of the sample stops the training") as caught:
        roles(SEASON[(SEASON.astype("datetime64[D]").astype(int) % 365) < 170], split())
    assert "params.yaml:split" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("section", "change", "told"),
    [
        ("split", {"test_years": [2017]}, r"share \[2017\]"),
        ("split", {"train_years": [2015, 2016]}, r"split has years \[2015\]"),
        ("split", {"train_years": [2017, 2016]}, r"train_years are \[2017, 2016\].*in order"),
        ("split", {"train_years": [2016, 2016]}, "split.train_years are .* each once"),
        ("split", {"test_years": [2018, 2018]}, "split.test_years are .* each once"),
        ("sample", {"block": 5}, "expected a multiple of sample.block"),
        ("sample", {"months": [7, 6]}, "each once, in order"),
        ("methods", ["pscnet", "restnet"], "unknown method 'restnet'.*did you mean 'resnet'"),
        ("methods", ["rf", "rf"], "each once"),
        ("networks", {"unnet": {"width": 4, "depth": 1, "dropout": 0}}, "did you mean 'unet'"),
        ("inputs", {"daily_means": ["t2n"]}, "unknown variable 't2n'.*did you mean 't2m'"),
    ],
)
def test_parameters_that_do_not_fit_are_refused(section, change, told):
    with pytest.raises(UserError, match=told):
        small_params(**{section: change})


def test_inputs_that_reach_beyond_the_gap_are_refused():
    """The first held-out step must see nothing of the last step that teaches, and the reverse."""
    steps = small_params(inputs={"steps": 10}).inputs  # 9 steps and the 7 before the earliest
    assert steps.hours_before(3) == 48
    with pytest.raises(UserError, match="gap_days is 2, but inputs reach 51 hours .* at least 3"):
        small_params(inputs={"steps": 11})
    assert small_params(inputs={"steps": 17, "daily_means": []}).split.gap_days == 2
    with pytest.raises(UserError, match="gap_days is 2, but inputs reach 51 hours"):
        small_params(inputs={"steps": 18, "daily_means": []})


@pytest.mark.parametrize("name", ["params.yaml", "params.full.yaml"])
def test_no_step_is_in_the_inputs_of_both_sides_of_a_gap(name):
    """Counted in what a step is made of, not by the rule of the schema."""
    params = config.load(PARAMS.with_name(name))
    found = roles(SEASON, params.split)
    seen = np.arange(len(SEASON))[:, None] - np.arange(params.inputs.steps)
    read = (seen[..., None] - np.arange(24 // params.sample.step_hours)).reshape(len(SEASON), -1)
    in_season = SEASON[np.maximum(read, 0)].astype("datetime64[Y]")
    read = np.where(in_season == SEASON.astype("datetime64[Y]")[:, None], read, -1)
    taught, held = (set(read[found == role].ravel()) - {-1} for role in (TRAIN, HELD_OUT))
    assert not taught & held


def test_a_method_without_a_size_is_refused():
    content = small_content()
    del content["networks"]["vit"]
    with pytest.raises(UserError, match="networks has no size of vit"):
        config.validate(content)
