"""Trailing steps, day means and standardisation, against slow loops over single steps."""

from dataclasses import replace

import numpy as np
import pytest
from sample_cases import datasets

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.training.downscaling.inputs import Inputs
from soilfuse.training.downscaling.sample import of_datasets

V = names.SAMPLE_VARIABLES


@pytest.fixture(scope="module")
def sample():
    return of_datasets(datasets()[0])


def teaching(sample):
    return np.arange(len(sample.time)) < 300


def test_runs_begin_after_every_gap(sample):
    starts = np.unique(sample.run_starts)
    assert [str(t) for t in sample.time[starts]] == [
        f"{year}-{month:02d}-01T00" for year in (2016, 2017, 2018) for month in (6, 7)
    ]


def test_a_series_is_the_last_steps_and_its_first_step_stands_in_before_a_run(sample):
    inputs = Inputs(sample, teaching(sample), 4, [])
    begin = int(np.unique(sample.run_starts)[1])
    seen = inputs.series(np.array([begin + 1, begin + 9]))
    assert seen.shape == (2, 4, 6 + 4, 12, 16)
    for place, step in enumerate((begin, begin, begin, begin + 1)):
        assert np.array_equal(seen[0, place, :6], inputs.fine[step])
    for place, step in enumerate(range(begin + 6, begin + 10)):
        assert np.array_equal(seen[1, place, :6], inputs.fine[step])
    assert (seen[:, :, 6:] == inputs.maps).all()


def test_stacked_steps_are_those_of_the_series(sample):
    inputs = Inputs(sample, teaching(sample), 3, ["t2m"])
    at = np.array([50, 7, 0])
    series, stacked = inputs.series(at), inputs.stacked(at)
    assert stacked.shape == (3, 3 * 6 + 4, 12, 16)
    assert np.array_equal(stacked[:, :18].reshape(3, 3, 6, 12, 16), series[:, :, :6])
    assert np.array_equal(stacked[:, 18:], series[:, 0, 6:])


def test_day_means_are_means_of_the_last_eight_steps_of_the_run(sample):
    raw, inputs = sample.fine[:, V.index("t2m")], Inputs(sample, teaching(sample), 1, ["t2m"])
    means = np.empty(raw.shape)
    for step, start in enumerate(sample.run_starts):
        means[step] = raw[max(start, step - 7) : step + 1].mean(axis=0, dtype=np.float64)
    known = means[teaching(sample)]
    expected = (means - known.mean()) / known.std()
    assert np.allclose(inputs.fine[:, V.index("t2m")], expected, atol=1e-3)


def test_standardised_on_the_steps_that_teach_alone(sample):
    inputs = Inputs(sample, teaching(sample), 1, [])
    known = inputs.fine[teaching(sample)]
    assert np.allclose(known.mean(axis=(0, 2, 3)), 0, atol=1e-4)
    assert np.allclose(known.std(axis=(0, 2, 3)), 1, atol=1e-4)
    other = replace(sample, fine=np.where(teaching(sample)[:, None, None, None], sample.fine, 1e3))
    assert np.array_equal(Inputs(other, teaching(sample), 1, []).fine[teaching(sample)], known)


def test_rain_counts_by_its_logarithm_in_mm(sample):
    inputs = Inputs(sample, teaching(sample), 1, [])
    rain = np.log1p(1000 * sample.fine[:, V.index("tp")].astype(float))
    known = rain[teaching(sample)]
    expected = (rain - known.mean()) / known.std()
    assert np.allclose(inputs.fine[:, V.index("tp")], expected, atol=1e-3)


def test_a_variable_that_never_changes_says_nothing(sample):
    fine = sample.fine.copy()
    fine[:, V.index("ssrd")] = 5.0
    inputs = Inputs(replace(sample, fine=fine), teaching(sample), 1, [])
    assert (inputs.fine[:, V.index("ssrd")] == 0).all()
    assert np.isfinite(inputs.fine).all()


def test_smap_of_other_steps_is_not_in_the_map_of_its_mean(sample):
    known = teaching(sample)
    other = replace(sample, smap=np.where(known[:, None, None], sample.smap, 0.9))
    assert np.array_equal(Inputs(sample, known, 1, []).maps, Inputs(other, known, 1, []).maps)


def test_years_on_different_grids_are_refused():
    years, _ = datasets()
    moved = years[1].assign_coords(lat=years[1]["lat"] + 0.1)
    with pytest.raises(UserError, match="differ in lat; expected one grid"):
        of_datasets([years[0], moved])
    with pytest.raises(UserError, match="not in order"):
        of_datasets(years[::-1])
