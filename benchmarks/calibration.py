"""The calibration of the pseudo-reality as a page: the published numbers and those of five worlds.

Writes docs/calibration.md and docs/images/calibration.png; nothing is timed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.calibration_figure import Compared, write_figure
from soilfuse import names
from soilfuse.files import write_text
from soilfuse.progress import progress
from soilfuse.world import calibration
from soilfuse.world import published as record
from soilfuse.world.truth import Truth

SEEDS = (1, 2, 3, 4, 5)
HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
WORDS = HERE / "calibration_page.md"
UNIT = 1e-4
PRINTED, READ_OFF, DERIVED, INFERRED = "printed", "read off a figure", "derived", "**inferred**"
NOT_PRINTED_SON = (2, 3)  # layer indices
SIGNIFICANT_LAYERS = 3
SMALL = 20  # units of the last digit; per cent of less says little
LOWEST_AND_HIGHEST = {"lowest SSP": min, "highest SSP": max}

SLOPES = "Trend of layer 1, 2015-2100"
CHANGES = "Change by 2071-2100 against 1995-2014"
RATES = "Rates of periods"
MODELS_SD = "Standard deviation of each climate model, layer 1, 2000-2014"
MODELS_R = "Correlation of each climate model with the truth, layer 1, 2000-2014"
SPREAD = "Space-time standard deviation of the truth, 2000-2014"
MEANS = "Seasonal mean of 1995-2014"
STATIONS = "Median correlation with the stations, 2008-2019"
SECTIONS = {  # heading: unit, digits, whether differences are also told in per cent
    SLOPES: ("10^-4 m3 m-3 yr-1, Sen", 2, True),
    CHANGES: ("%", 1, True),
    RATES: ("10^-4 m3 m-3 yr-1, Sen", 2, True),
    MODELS_SD: ("m3 m-3, space and time pooled", 4, True),
    MODELS_R: ("space and time pooled", 2, False),
    SPREAD: ("m3 m-3", 4, True),
    MEANS: ("m3 m-3", 3, True),
    STATIONS: ("", 2, False),
}
Key = tuple[str, str]
Numbers = dict[Key, float]

TABLE = """
## {heading}{unit}

| | published | {seed_1} | mean | lowest to highest | difference | origin |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Published:
    """A number of the record, and whether it is printed there, read off, derived or inferred."""

    key: Key
    value: float
    origin: str


def the_record() -> Iterator[Published]:
    """Yield every number of the record in the order of the page."""
    for season in names.SEASONS:
        for ssp, slope in zip(record.SSPS, record.SLOPES[season], strict=True):
            origin = INFERRED if season == "JJA" else PRINTED
            yield Published((SLOPES, slope_name(season, ssp)), slope, origin)
    for season in names.SEASONS:
        for layer, ends in enumerate(record.CHANGES[season]):
            hidden = season == "SON" and layer in NOT_PRINTED_SON
            for end, value in zip(LOWEST_AND_HIGHEST, ends, strict=True):
                origin = INFERRED if hidden else PRINTED
                yield Published((CHANGES, change_name(season, layer, end)), value, origin)
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


def slope_name(season: str, ssp: str) -> str:
    """Return a trend's name in the table."""
    return f"{season} {names.EXPERIMENT_TITLES[ssp]}"


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
    found |= _trends(calibration.regional_means(place))
    surface = calibration.recent_surface(place)
    for source_id, field in calibration.models_on_points(truth).items():
        found[MODELS_SD, source_id] = float(field.std())
        found[MODELS_R, source_id] = calibration.correlation(field, surface)
    for product, medians in calibration.station_medians(truth).items():
        for layer, median in zip((1, 5), medians, strict=True):
            found[STATIONS, f"{product}, layer {layer}"] = median
    return found


def _trends(regional: calibration.Regional) -> Numbers:
    found: Numbers = {}

    def rate(experiment: str, season: str, layer: int, years: tuple[int, int]) -> float:
        series = calibration.series(regional, experiment, season, layer, years)
        return calibration.sen_slope(series) / UNIT

    for season in names.SEASONS:
        for ssp in record.SSPS:
            slope = rate(ssp, season, 0, names.EXPERIMENT_YEARS[ssp])
            found[SLOPES, slope_name(season, ssp)] = slope
        for layer in range(record.LAYERS):
            all_four = [
                calibration.percent_change(regional, ssp, season, layer) for ssp in record.SSPS
            ]
            for end, pick in LOWEST_AND_HIGHEST.items():
                found[CHANGES, change_name(season, layer, end)] = pick(all_four)
            mean = calibration.series(
                regional, names.HISTORICAL, season, layer, names.REFERENCE_PERIOD
            ).mean()
            found[MEANS, f"{season}, layer {layer + 1}"] = float(mean)
    long = rate(names.HISTORICAL, "annual", 0, names.EXPERIMENT_YEARS[names.HISTORICAL])
    found[RATES, "annual 1950-2014, layer 1"] = long
    for layer in range(record.LAYERS):
        recent = rate(names.HISTORICAL, "annual", layer, names.REFERENCE_PERIOD)
        found[RATES, f"annual 1995-2014, layer {layer + 1}"] = recent
        early = rate("ssp370", "MAM", layer, names.FUTURE_PERIODS[0])
        found[RATES, f"MAM 2021-2040 of SSP3-7.0, layer {layer + 1}"] = early
    return found


def page(numbers: list[Published], worlds: list[Numbers]) -> str:
    """Return the page's text."""
    tables = ""
    for heading, (unit, digits, relative) in SECTIONS.items():
        shown = f" ({unit})" if unit else ""
        tables += TABLE.format(heading=heading, unit=shown, seed_1=f"seed {SEEDS[0]}")
        for number in numbers:
            if number.key[0] == heading:
                tables += _row(number, [world[number.key] for world in worlds], digits, relative)
    seeds = ", ".join(map(str, SEEDS))
    return WORDS.read_text(encoding="utf-8").format(seeds=seeds, tables=tables)


def _row(number: Published, values: list[float], digits: int, relative: bool) -> str:
    mean = float(np.mean(values))
    difference = f"{mean - number.value:+z.{digits}f}"
    if relative and abs(number.value) > SMALL * 10**-digits:
        difference += f" ({100 * (mean - number.value) / abs(number.value):+z.0f} %)"
    low, high = f"{min(values):z.{digits}f}", f"{max(values):z.{digits}f}"
    cells = [number.key[1], f"{number.value:z.{digits}f}", f"{values[0]:z.{digits}f}"]
    cells += [f"{mean:z.{digits}f}", f"{low} to {high}", difference, number.origin]
    return f"| {' | '.join(cells)} |\n"


def compared(numbers: list[Published], worlds: list[Numbers], section: str) -> list[Compared]:
    """Return a section's numbers beside those of the worlds."""
    return [
        Compared(n.key[1], n.value, n.origin == INFERRED, [world[n.key] for world in worlds])
        for n in numbers
        if n.key[0] == section
    ]


def main() -> None:
    """Write the page and its figure."""
    numbers = list(the_record())
    worlds = [measure(seed) for seed in progress(SEEDS, "worlds")]
    write_text(DOCS / "calibration.md", page(numbers, worlds))
    drawn = (MODELS_SD, MODELS_R, SLOPES, CHANGES, STATIONS)
    panels = [compared(numbers, worlds, section) for section in drawn]
    write_figure(DOCS / "images" / "calibration.png", *panels)


if __name__ == "__main__":
    main()
