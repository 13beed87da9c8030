import weakref

import numpy as np
import pytest

from soilfuse import names
from soilfuse.baselines.registry import build
from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.errors import UserError
from soilfuse.evaluation.material import Series
from soilfuse.evaluation.yardsticks import ClimateModels, predicted
from soilfuse.grids.months import month_axis, year_of

KEPT = month_axis(2000, 2014)
FINAL = month_axis(2016, 2018)


class Reader:
    """Climate models as an evaluation reads them; counts the reads and those still in memory."""

    def __init__(self):
        self.reads, self.alive, self.most = [], [], 0

    def __call__(self, experiment):
        time = month_axis(*names.EXPERIMENT_YEARS[experiment])
        rng = np.random.default_rng(len(experiment) + year_of(time)[0])
        values = (0.3 + 0.02 * rng.standard_normal((len(time), 4, 2, 3))).astype(np.float32)
        self.reads.append(experiment)
        self.alive.append(weakref.ref(values))
        self.most = max(self.most, sum(one() is not None for one in self.alive))
        return Series(time, values)


@pytest.fixture
def reader():
    return Reader()


@pytest.fixture
def models(reader):
    return ClimateModels(reader, {"historical": KEPT, "ssp245": FINAL})


def fitted(name, reader, months=KEPT):
    target = np.random.default_rng(3).random((len(months), 2, 2, 3)).astype(np.float32)
    return build(name).fit(reader("historical").at(months, "x"), target, months)


def test_means_are_read_once_and_all_models_anew(reader, models):
    for _ in range(2):
        models.mean("historical")
        models.kept("historical")
        models.mean("ssp245")
    assert reader.reads == ["historical", "ssp245"]
    models.whole("historical")
    assert reader.reads == ["historical", "ssp245", "historical"]
    np.testing.assert_allclose(
        models.mean("ssp245").values[:, 0], multi_model_mean(reader("ssp245").values)
    )


def test_all_models_of_no_two_experiments_are_in_memory(reader, models):
    baselines = [fitted(name, reader) for name in names.BASELINES]
    reader.most, reader.alive = 0, []
    for baseline in baselines:
        for experiment in ("historical", "ssp245", "ssp585"):
            predicted(baseline, models, experiment)
        predicted(baseline, models, "ssp245", FINAL)
    assert reader.most == 1


@pytest.mark.parametrize("name", sorted(set(names.BASELINES) - {"quantile_delta_mapping"}))
def test_months_are_predicted_from_themselves(name, reader, models):
    baseline = fitted(name, reader)
    got = predicted(baseline, models, "ssp245", FINAL)
    expected = baseline.predict(reader("ssp245").at(FINAL, "x"), FINAL)
    np.testing.assert_array_equal(got.time, FINAL)
    np.testing.assert_allclose(got.values, expected, atol=1e-6)
    whole = predicted(baseline, models, "ssp245")
    np.testing.assert_allclose(whole.at(FINAL, "x"), expected, atol=1e-6)
    np.testing.assert_array_equal(whole.time, reader("ssp245").time)


@pytest.mark.parametrize("experiment", ["historical", "ssp245"])
def test_delta_mapping_sees_the_years_around_across_2014(experiment, reader, models):
    baseline = fitted("quantile_delta_mapping", reader)
    months = FINAL if experiment == "ssp245" else month_axis(2003, 2005)
    past, after = reader("historical"), reader("ssp245")
    time = np.concatenate([past.time, after.time])
    both = np.concatenate([past.values, after.values])
    expected = Series(time, baseline.predict(both, time))
    got = predicted(baseline, models, experiment, months)
    np.testing.assert_array_equal(got.time, months)
    np.testing.assert_allclose(got.values, expected.at(months, "x"), atol=1e-6)
    whole, own = predicted(baseline, models, experiment), reader(experiment).time
    np.testing.assert_array_equal(whole.time, own)
    np.testing.assert_allclose(whole.values, expected.at(own, "x"), atol=1e-6)


def test_without_the_final_test_historical_stands_alone(reader):
    models = ClimateModels(reader, {"historical": KEPT})
    baseline = fitted("quantile_delta_mapping", reader)
    past = reader("historical")
    reader.reads.clear()
    got = predicted(baseline, models, "historical", KEPT)
    expected = Series(past.time, baseline.predict(past.values, past.time)).at(KEPT, "x")
    np.testing.assert_allclose(got.values, expected, atol=1e-6)
    assert reader.reads == ["historical"]


@pytest.mark.parametrize("name", ["delta_change", "quantile_delta_mapping", "ridge"])
def test_a_month_that_the_models_lack_is_named(name, reader, models):
    with pytest.raises(
        UserError, match="12 months missing in the climate models of ssp245, .* 2199-01"
    ):
        wanted = np.concatenate([month_axis(2016, 2016), month_axis(2199, 2199)])
        predicted(fitted(name, reader), models, "ssp245", wanted)
