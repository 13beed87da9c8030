"""What a reader sees in place of the names in the files: titles, units and written numbers."""

import math

from soilfuse import names

UNIT = "m³ m⁻³"
RATE_UNIT = "10⁻³ m³ m⁻³ per decade"
RATE_SCALE = 1e4  # from m3 m-3 a year to 10^-3 m3 m-3 a decade
MISSING = "–"

REGION_TITLES = {
    "TRSR": "Three-River-Source Region",
    "yangtze": "Yangtze basin",
    "yellow": "Yellow River basin",
    "lancang": "Lancang basin",
}
SEASON_TITLES = {
    "annual": "Annual mean",
    "DJF": "Winter (DJF)",
    "MAM": "Spring (MAM)",
    "JJA": "Summer (JJA)",
    "SON": "Autumn (SON)",
}
QUARTERS = tuple(season for season in SEASON_TITLES if season != "annual")
MARKS = (
    "* significant trend (Mann-Kendall test); † also where the memory of the years is taken into "
    "account (Hamed and Rao)"
)
CANDIDATE = "candidate"  # the ensemble's name where it is not the champion behind the products
ENSEMBLE_TITLES = {names.ENSEMBLE: "soilfuse ensemble", CANDIDATE: "Candidate ensemble"}


def region_title(region: str) -> str:
    """Return the written name of a region, or the name itself for one that has no other."""
    return REGION_TITLES.get(region, region.replace("_", " "))


def region_words(region: str) -> str:
    """Return a region as it stands inside a sentence."""
    return f"{'the' if region in REGION_TITLES else 'region'} {region_title(region)}"


def season_title(season: str) -> str:
    """Return the written name of a season."""
    return SEASON_TITLES.get(season, season)


def method_title(method: str) -> str:
    """Return the written name of a method, or its own name with spaces."""
    if method in names.BASELINE_TITLES:
        title = names.BASELINE_TITLES[method].removeprefix("the ")
        return title[0].upper() + title[1:]
    return ENSEMBLE_TITLES.get(method, method.replace("_", " "))


def method_words(method: str) -> str:
    """Return a method as it stands inside a sentence."""
    return names.BASELINE_TITLES.get(method, method_title(method))


def experiment_title(experiment: str) -> str:
    """Return the written name of an experiment."""
    return names.EXPERIMENT_TITLES.get(experiment, experiment)


def layer_title(layer: int) -> str:
    """Return the depth of a layer (1 to 5) as "0-10 cm"."""
    top, bottom = names.PRODUCT_LAYERS[layer - 1]
    return f"{100 * top:.0f}–{100 * bottom:.0f} cm"


def years_title(period: str) -> str:
    """Return "2071-2100" with the dash that ranges are written with."""
    return period.replace("-", "–")


def years_of(period: str) -> tuple[int, int]:
    """Return the first and last year of a period label such as "2071-2100"."""
    first, last = period.split("-")
    return int(first), int(last)


def signed(number: float, digits: int = 2) -> str:
    """Write a number with its sign (a true minus), or a dash where it is missing."""
    if number is None or not math.isfinite(number):
        return MISSING
    written = f"{abs(number):.{digits}f}"
    if float(written) == 0:
        return written
    return ("+" if number > 0 else "−") + written


def plain(number: float, digits: int = 3) -> str:
    """Write a number, or a dash where it is missing."""
    if number is None or not math.isfinite(number):
        return MISSING
    return f"{number:.{digits}f}".replace("-", "−")


def rate(slope: float, digits: int = 2) -> str:
    """Write a slope in m3 m-3 a year as 10^-3 m3 m-3 a decade, without its unit."""
    return signed(slope * RATE_SCALE, digits)


def starred(slope: float, significant: bool, with_memory: bool = False) -> str:
    """Write a rate with a star where it is significant, a dagger where with memory too."""
    if not math.isfinite(slope):
        return rate(slope)
    return rate(slope) + "*" * significant + "†" * (significant and with_memory)
