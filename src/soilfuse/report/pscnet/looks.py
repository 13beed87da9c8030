"""Names, colours and scales of the study's methods and maps."""

from soilfuse import names
from soilfuse.evaluation.pscnet.scored import HELD_OUT_DAYS, TRUTH
from soilfuse.evaluation.pscnet.yardsticks import CLIMATOLOGY, ERA5_LAND, SMAP_CARRIED
from soilfuse.report import labels
from soilfuse.report.style import Scale

PSCNET, SMAP = "pscnet", "smap"
TITLES = {
    PSCNET: "PSCNet",
    names.FOREST: "RF",
    "lstm": "LSTM",
    "resnet": "ResNet",
    "unet": "UNet",
    "vit": "ViT",
    SMAP_CARRIED: "SMAP interpolated",
    ERA5_LAND: "ERA5-Land rescaled",
    CLIMATOLOGY: "Climatology of SMAP",
    TRUTH: "Truth",
    SMAP: "SMAP",
}
COLOURS = {
    PSCNET: "#225ea8",
    names.FOREST: "#c77a2e",
    "lstm": "#b5527a",
    "resnet": "#6f9456",
    "unet": "#4fa3a5",
    "vit": "#8a6d9e",
    SMAP_CARRIED: "#9aa5ad",
    ERA5_LAND: "#d1a63b",
    CLIMATOLOGY: "#c9b27c",
    TRUTH: "#22303a",
}
YARDSTICKS = (SMAP_CARRIED, ERA5_LAND, CLIMATOLOGY)


def _even(colours: str, low: float, top: float, steps: int, label: str, every: int) -> Scale:
    levels = tuple(round(low + (top - low) * i / steps, 6) for i in range(steps + 1))
    return Scale(colours, levels, label, levels[::every])


R_SCALE = _even("YlGnBu", 0.3, 1.0, 14, "R", 4)
BIAS_SCALE = _even("BrBG", -0.06, 0.06, 12, f"bias ({labels.UNIT})", 3)
UBRMSE_SCALE = _even("YlOrRd", 0.01, 0.07, 12, f"ubRMSE ({labels.UNIT})", 4)
MOISTURE_SCALE = _even("YlGnBu", 0.05, 0.5, 18, f"soil moisture ({labels.UNIT})", 6)
CHANGE_SCALE = _even("BrBG", -0.12, 0.12, 12, f"change in a day ({labels.UNIT})", 3)
METRIC_SCALES = {"r": R_SCALE, "bias": BIAS_SCALE, "ubrmse": UBRMSE_SCALE}


def title(method: str) -> str:
    """Return the written name of a method, or its own for one that has no other."""
    return TITLES.get(method, method)


def period_title(period: str) -> str:
    """Return a period as a table names it."""
    return "Held-out days" if period == HELD_OUT_DAYS else period.replace("-", ", ")
