"""The pseudo-reality shows the published record: trends, changes, correlations, spreads."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from soilfuse import names
from soilfuse.world import forcing
from soilfuse.world import published as record
from soilfuse.world.calibration import (
    correlation,
    models_on_points,
    percent_change,
    recent_surface,
    region_of,
    regional_means,
    sen_slope,
    series,
    station_medians,
)
from soilfuse.world.sensitivity import Sensitivity
from soilfuse.world.truth import Truth

SEED = 1
UNIT = 1e-4


@pytest.fixture(scope="module")
def truth():
    return Truth(SEED)


@pytest.fixture(scope="module")
def place(truth):
    return region_of(truth)


@pytest.fixture(scope="module")
def regional(place):
    return regional_means(place)


def significant(values):
    """Mann-Kendall with ties, 95 %."""
    return kendalltau(np.arange(len(values)), values).pvalue < 0.05


def lowest_and_highest_change(regional, season, layer):
    got = [percent_change(regional, ssp, season, layer) for ssp in record.SSPS]
    return min(got), max(got)


@pytest.mark.parametrize("season", ["annual", "DJF", "MAM", "SON"])
@pytest.mark.parametrize(("number", "ssp"), list(enumerate(record.SSPS)))
def test_layer_1_slopes_of_the_century(regional, season, number, ssp):
    wanted = record.SLOPES[season][number] * UNIT
    values = series(regional, ssp, season, 0)
    assert sen_slope(values) == pytest.approx(wanted, rel=0.2)
    assert significant(values)


@pytest.mark.parametrize("layer", range(5))
def test_summers_turn_significant_below_layer_2_under_the_two_higher_ssps(regional, layer):
    summers = {ssp: series(regional, ssp, "JJA", layer) for ssp in record.SSPS}
    wetting = [ssp for ssp, values in summers.items() if significant(values)]
    assert wetting == (list(record.SUMMER_SSPS) if layer in record.SUMMER_SLOPES else [])
    got = [sen_slope(summers[ssp]) for ssp in wetting]
    wanted = np.array(record.SUMMER_SLOPES.get(layer, ())) * UNIT
    assert got == pytest.approx(wanted, rel=0.2)


@pytest.mark.parametrize("layer", range(5))
@pytest.mark.parametrize("season", names.SEASONS)
def test_changes_span_the_published_range(regional, season, layer):
    got = lowest_and_highest_change(regional, season, layer)
    assert got == pytest.approx(record.CHANGES[season][layer], rel=0.2)


@pytest.mark.parametrize("layer", range(5))
def test_the_year_wets_more_under_the_higher_ssp(regional, layer):
    for measure in (
        lambda ssp: percent_change(regional, ssp, "annual", layer),
        lambda ssp: sen_slope(series(regional, ssp, "annual", layer)),
    ):
        got = [measure(ssp) for ssp in record.SSPS]
        assert got == sorted(got)


def test_historical_rates_fade_with_depth(regional):
    years = [
        series(regional, "historical", "annual", layer, names.REFERENCE_PERIOD)
        for layer in range(5)
    ]
    got = [sen_slope(values) for values in years]
    assert got[:3] == pytest.approx(np.array(record.HISTORICAL_RATES[:3]) * UNIT, rel=0.2)
    assert got == sorted(got, reverse=True)
    assert [significant(values) for values in years] == [True, True, True, False, False]


def test_wetting_is_early_and_late_and_flat_between(regional):
    found = {
        (ssp, layer): [
            series(regional, ssp, "annual", layer, period) for period in names.FUTURE_PERIODS
        ]
        for ssp in record.SSPS
        for layer in range(5)
    }
    for (ssp, _), periods in found.items():
        early, middle, late = map(sen_slope, periods)
        assert early > late > middle and middle < 0.25 * early
        assert significant(periods[0])
        assert ssp == "ssp126" or significant(periods[2])
    # "Almost no significant trends" of 2041-2070.
    assert sum(significant(periods[1]) for periods in found.values()) <= 3


def test_spring_of_2021_2040_under_ssp370_wets_fastest(regional):
    early = [
        sen_slope(series(regional, "ssp370", "MAM", layer, (2021, 2040))) for layer in range(5)
    ]
    assert early == pytest.approx(np.array(record.EARLY_SPRING_RATES) * UNIT, rel=0.2)
    assert early == sorted(early, reverse=True)
    # Below layer 2 the published changes leave no room for it (published.py).
    for layer in range(2):
        rates = [
            sen_slope(series(regional, ssp, season, layer, period))
            for ssp in record.SSPS
            for season in names.SEASONS
            for period in names.FUTURE_PERIODS
        ]
        assert max(rates) == early[layer]


def test_spread_and_range_of_the_truth(place):
    values = place.soil_moisture("historical", slice(600, 780))
    assert values.std(axis=(0, 2)) == pytest.approx(record.LAYER_SD, rel=0.08)
    assert values.min() >= 0.02 and values.max() <= 0.6


def test_change_is_larger_where_the_record_sees_it(truth):
    places = {
        "west yangtze": (34.6, 91.6),
        "south-east yellow": (33.4, 102.0),
        "lancang": (32.2, 96.0),
    }
    lat, lon = np.array(list(places.values())).T
    here = truth.at(lat, lon)
    future = here.soil_moisture("ssp585", slice(-360, None))[:, 0]
    west, south_east, lancang = future.mean(axis=0) - here.climatology[:, 0].mean(axis=0)
    assert min(west, south_east) > 1.15 * lancang > 0


def test_weather_remembers_longer_with_depth(place):
    values = place.soil_moisture("historical").astype(float).reshape(65, 12, 5, -1)
    anomalies = (values - values.mean(axis=0)).reshape(780, 5, -1)
    memory = [np.corrcoef(a[1:].ravel(), a[:-1].ravel())[0, 1] for a in anomalies.swapaxes(0, 1)]
    assert memory == sorted(memory) and memory[4] > memory[0] + 0.25
    shallow, deep = values.mean(axis=(0, 3)).T[[0, 4]]
    assert np.ptp(shallow) > 2 * np.ptp(deep)


@pytest.fixture(scope="module")
def models(truth):
    return models_on_points(truth)


@pytest.fixture(scope="module")
def recent(place):
    return recent_surface(place)


@pytest.mark.parametrize("source_id", record.TAYLOR)
def test_models_stand_where_the_taylor_diagram_has_them(models, recent, source_id):
    sd, published = record.TAYLOR[source_id]
    field = models[source_id]
    assert field.std() == pytest.approx(sd, rel=0.2)
    assert correlation(field, recent) == pytest.approx(published, abs=0.08)


def test_the_mean_of_the_models_is_not_the_best_of_them(models, recent):
    single = [correlation(field, recent) for field in models.values()]
    together = correlation(np.mean(list(models.values()), axis=0), recent)
    assert max(single) > together + 0.1
    assert sum(r < 0 for r in single) in (4, 5)


def detrended_anomalies(field):
    years = field.reshape(15, 12, -1)
    years = years - years.mean(axis=0)
    time = np.arange(15) - 7.0
    slope = np.einsum("t,tmn->mn", time, years) / (time @ time)
    return (years - time[:, None, None] * slope).ravel()


def test_models_have_weather_of_their_own(models, recent):
    true = detrended_anomalies(recent)
    found = [correlation(detrended_anomalies(field), true) for field in models.values()]
    assert np.abs(found).max() < 0.12
    assert abs(np.mean(found)) < 0.03


def test_truth_is_one_more_draw_of_the_models_sensitivities():
    logs = np.array(
        [
            [np.log(Sensitivity.draw(seed, name).by_season.mean()) for name in record.TAYLOR]
            for seed in range(40)
        ]
    )
    # One draw for the truth shifts all models of a world together, by as much as they differ.
    assert abs(logs.mean()) < 0.1
    assert logs.mean(axis=1).std() == pytest.approx(logs.std(axis=1).mean(), rel=0.35)


def test_stations_see_the_products_as_published(truth):
    for name, medians in station_medians(truth).items():
        assert medians == pytest.approx(record.STATION_R[name], abs=0.1), name


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_other_worlds_show_the_record_too(seed):
    other = Truth(seed)
    here = region_of(other)
    means = regional_means(here)
    for season in names.SEASONS:
        for layer in range(5):
            got = lowest_and_highest_change(means, season, layer)
            assert got == pytest.approx(record.CHANGES[season][layer], rel=0.2)
        if season != "JJA":
            got = [sen_slope(series(means, ssp, season, 0)) for ssp in record.SSPS]
            assert got == pytest.approx(np.array(record.SLOPES[season]) * UNIT, rel=0.25)
    for layer, slopes in record.SUMMER_SLOPES.items():
        got = [sen_slope(series(means, ssp, "JJA", layer)) for ssp in record.SUMMER_SSPS]
        assert got == pytest.approx(np.array(slopes) * UNIT, rel=0.3)
    surface = recent_surface(here)
    for source_id, field in models_on_points(other).items():
        sd, published = record.TAYLOR[source_id]
        assert field.std() == pytest.approx(sd, rel=0.2), source_id
        assert correlation(field, surface) == pytest.approx(published, abs=0.08), source_id
    for name, medians in station_medians(other).items():
        assert medians == pytest.approx(record.STATION_R[name], abs=0.1), name


def test_month_weights_keep_seasonal_means():
    weights = forcing.month_weights()
    seasons = np.array([weights[s == forcing.SEASON_OF_MONTH].mean(axis=0) for s in range(4)])
    assert np.allclose(seasons, np.eye(4))
