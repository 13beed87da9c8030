"""Every number of the published record, and what a world has in its place."""

from collections.abc import Iterator
from dataclasses import dataclass

from soilfuse import names
from soilfuse.world import calibration, targets
from soilfuse.world import published as record
from soilfuse.world.truth import Truth

UNIT = 1e-4
PRINTED, READ_OFF, DERIVED, INFERRED = "printed", "read off a figure", "derived", "**inferred**"
NOT_PRINTED_SON = (2, 3)  # layer indices
SIGNIFICANT_LAYERS = 3
ENDS = {"lowest SSP": min, "highest SSP": max}

SLOPES = "Trend of layer 1, 2015-2100"
SUMMERS = "Trend of summers (JJA) below layer 2, 2015-2100"
CHANGES = "Change by 2071-2100 against 1995-2014"
RATES = "Rates of periods"
MODELS_SD = "Standard deviation of each climate model, layer 1, 2000-2014"
MODELS_R = "Correlation of each climate model with the truth, layer 1, 2000-2014"
SPREAD = "Space-time standard deviation of the truth, 2000-2014"
MEANS = "Seasonal mean of 1995-2014"
STATIONS = "Median correlation with the stations, 2008-2019"
Key = tuple[str, str]
Numbers = dict[Key, float]


@dataclass(frozen=True)
class Published:
    """A number of the record, and whether it is printed there, read off, derived or inferred."""

    key: Key
    value: float
    origin: str


def the_record() -> Iterator[Published]:
    """Yield every number of the record in the order of the page."""
    yield from _trends_and_changes()
    yield Published((RATES, "annual 1950-2014, layer 1"), record.LONG_HISTORICAL_RATE, INFERRED)
    for layer, rate in enumerate(record.HISTORICAL_RATES):
        origin = PRINTED if layer < SIGNIFICANT_LAYERS else INFERRED
        yield Published((RATES, f"annual 1995-2014, layer {layer + 1}"), rate, origin)
    for layer, rate in enumerate(record.EARLY_SPRING_RATES):
        yield Published((RATES, f"MAM 2021-2040 of SSP3-7.0, layer {layer + 1}"), rate, PRINTED)
    for section, column in ((MODELS_SD, 0), (MODELS_R, 1)):
        for source_id, point in record.TAYLOR.items():
            yield Published((section, source_id), point[column], READ_OFF)
    for layer, sd in enumerate(record.LAYER_SD):
        yield Published((SPREAD, f"layer {layer + 1}"), sd, DERIVED)
    for season, means in record.SEASONAL_MEANS.items():
        for layer, mean in enumerate(means):
            yield Published((MEANS, f"{season}, layer {layer + 1}"), mean, INFERRED)
    for product, medians in record.STATION_R.items():
        for layer, median in zip((1, 5), medians, strict=True):
            yield Published((STATIONS, f"{product}, layer {layer}"), median, PRINTED)


def _trends_and_changes() -> Iterator[Published]:
    for season in names.SEASONS:
        for ssp, slope in zip(record.SSPS, record.SLOPES[season], strict=True):
            origin = INFERRED if season == "JJA" else PRINTED
            yield Published((SLOPES, slope_name(season, ssp)), slope, origin)
    for layer in record.SUMMER_SLOPES:
        for number, ssp in enumerate(record.SSPS):
            slope = float(targets.slopes(layer, "JJA")[number]) / UNIT
            origin = PRINTED if ssp in record.SUMMER_SSPS else INFERRED
            yield Published((SUMMERS, summer_name(layer, ssp)), slope, origin)
    for season in names.SEASONS:
        for layer, ends in enumerate(record.CHANGES[season]):
            hidden = season == "SON" and layer in NOT_PRINTED_SON
            for end, value in zip(ENDS, ends, strict=True):
                origin = INFERRED if hidden else PRINTED
                yield Published((CHANGES, change_name(season, layer, end)), value, origin)


def slope_name(season: str, ssp: str) -> str:
    """Return a trend's name in the table."""
    return f"{season} {names.EXPERIMENT_TITLES[ssp]}"


def summer_name(layer: int, ssp: str) -> str:
    """Return a summer trend's name in the table."""
    return f"layer {layer + 1}, {names.EXPERIMENT_TITLES[ssp]}"


def change_name(season: str, layer: int, end: str) -> str:
    """Return a change's name in the table."""
    return f"{season}, layer {layer + 1}, {end}"


def measure(seed: int) -> Numbers:
    """Return what the world of a seed has in the place of each number of the record."""
    truth = Truth(seed)
    place = calibration.region_of(truth)
    values = place.soil_moisture(names.HISTORICAL, calibration.TAYLOR_MONTHS)
    spread = values.std(axis=(0, 2), dtype=float)
    found: Numbers = {(SPREAD, f"layer {i + 1}"): float(sd) for i, sd in enumerate(spread)}
    regional = calibration.regional_means(place)
    found |= _slopes_and_rates(regional) | _changes_and_means(regional)
    surface = calibration.recent_surface(place)
    for source_id, field in calibration.models_on_points(truth).items():
        found[MODELS_SD, source_id] = float(field.std())
        found[MODELS_R, source_id] = calibration.correlation(field, surface)
    for product, medians in calibration.station_medians(truth).items():
        for layer, median in zip((1, 5), medians, strict=True):
            found[STATIONS, f"{product}, layer {layer}"] = median
    return found


def _slopes_and_rates(regional: calibration.Regional) -> Numbers:
    found: Numbers = {}

    def rate(experiment: str, season: str, layer: int, years: tuple[int, int] | None) -> float:
        series = calibration.series(regional, experiment, season, layer, years)
        return calibration.sen_slope(series) / UNIT

    for ssp in record.SSPS:
        for season in names.SEASONS:
            found[SLOPES, slope_name(season, ssp)] = rate(ssp, season, 0, None)
        for layer in record.SUMMER_SLOPES:
            found[SUMMERS, summer_name(layer, ssp)] = rate(ssp, "JJA", layer, None)
    found[RATES, "annual 1950-2014, layer 1"] = rate(names.HISTORICAL, "annual", 0, None)
    for layer in range(record.LAYERS):
        recent = rate(names.HISTORICAL, "annual", layer, names.REFERENCE_PERIOD)
        found[RATES, f"annual 1995-2014, layer {layer + 1}"] = recent
        early = rate(record.EARLY_SPRING_SSP, "MAM", layer, names.FUTURE_PERIODS[0])
        found[RATES, f"MAM 2021-2040 of SSP3-7.0, layer {layer + 1}"] = early
    return found


def _changes_and_means(regional: calibration.Regional) -> Numbers:
    found: Numbers = {}
    past, period = names.HISTORICAL, names.REFERENCE_PERIOD
    for season in names.SEASONS:
        for layer in range(record.LAYERS):
            all_four = [
                calibration.percent_change(regional, ssp, season, layer) for ssp in record.SSPS
            ]
            for end, pick in ENDS.items():
                found[CHANGES, change_name(season, layer, end)] = pick(all_four)
            mean = calibration.series(regional, past, season, layer, period).mean()
            found[MEANS, f"{season}, layer {layer + 1}"] = float(mean)
    return found
