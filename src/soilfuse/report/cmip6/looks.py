"""Names, colours and scales of the study's sources and variables."""

from soilfuse.evaluation.cmip6 import groups
from soilfuse.report.style import Scale
from soilfuse.sources.reanalyses import REANALYSES

TITLES = {name: about.title for name, about in REANALYSES.items()} | {
    groups.ALL: "Multi-model mean",
    groups.FINE: "Mean, high resolution",
    groups.COARSE: "Mean, low resolution",
}
DEPTH_TITLES = {"shallow": "0–10 cm", "deep": "0–200 cm"}
FLUX_TITLES = {
    "pr": "Precipitation P",
    "evspsbl": "Evaporation E",
    "mrros": "Surface runoff R",
    "snm": "Snowmelt",
    "P-E": "P − E",
    "P-E-R": "P − E − R",
}
COLOURS = {
    "era5": "#111111",
    "era_interim": "#777777",
    "gldas": "#d1495b",
    groups.ALL: "#225ea8",
    groups.FINE: "#6a1b4d",
    groups.COARSE: "#2f8f83",
}
MARKERS = {"reanalysis": "s", "mean": "D"}


def title(source: str) -> str:
    """Return the written name of a source; a model's is its own."""
    return TITLES.get(source, source)


def model_colours(source_ids: list[str]) -> dict[str, str]:
    """Return a colour for each model, the same in every figure."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    palette = colormaps["turbo"]
    last = max(len(source_ids) - 1, 1)
    return {name: to_hex(palette(0.05 + 0.9 * i / last)) for i, name in enumerate(source_ids)}


def _even(colours: str, top: float, steps: int, label: str, low: float = 0.0) -> Scale:
    levels = tuple(round(low + (top - low) * i / steps, 6) for i in range(steps + 1))
    return Scale(colours, levels, label, levels[:: max(steps // 5, 1)])


MOISTURE_SCALES = {
    "shallow": _even("YlGnBu", 45, 15, "soil moisture of the upper 10 cm (kg m⁻²)"),
    "deep": _even("YlGnBu", 750, 15, "soil moisture of the upper 200 cm (kg m⁻²)"),
}
RATIO_SCALE = _even("BrBG", 1, 20, "(mean of models − reference) / mean of models", low=-1)
FLUX_SCALE = _even("YlGnBu", 2500, 10, "mm a year")
RUNOFF_SCALE = _even("YlGnBu", 1000, 10, "mm a year")
GAIN_SCALE = _even("BrBG", 600, 12, "mm a year", low=-600)
CORRELATION_SCALE = _even("RdBu", 1, 20, "correlation R of monthly values", low=-1)
