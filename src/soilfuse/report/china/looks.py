"""Names, colours and scales of the study's methods and maps."""

from soilfuse.inference.china.fields import (
    CLIMATOLOGY,
    DELTA_CHANGE,
    ENSEMBLE_MEAN,
    TRUTH,
    YNET,
)
from soilfuse.report.style import Scale

ERA5_LAND = "era5_land"
TITLES = {
    YNET: "YNet",
    ENSEMBLE_MEAN: "Ensemble mean",
    CLIMATOLOGY: "Climatology",
    DELTA_CHANGE: "Delta change",
    TRUTH: "Truth of the pseudo-reality",
    ERA5_LAND: "ERA5-Land, 0–7 cm",
}
SHORT = {**TITLES, TRUTH: "Truth"}  # beside a row of maps
COLOURS = {
    YNET: "#225ea8",
    ENSEMBLE_MEAN: "#9aa5ad",
    CLIMATOLOGY: "#c9b27c",
    DELTA_CHANGE: "#6f9456",
    ERA5_LAND: "#22303a",
}
ZONES = {"arid": "Arid", "semi_arid": "Semi-arid", "humid": "Humid", "plateau": "Plateau"}
SSMI_LABEL = "Sen slope of SSMI per decade"


def _even(colours: str, low: float, top: float, steps: int, label: str, every: int) -> Scale:
    levels = tuple(round(low + (top - low) * i / steps, 6) for i in range(steps + 1))
    return Scale(colours, levels, label, levels[::every])


MAE_SCALE = _even("YlOrRd", 0.01, 0.12, 11, "mean absolute error (m³ m⁻³)", 2)
SLOPE_SCALE = _even("BrBG", -0.3, 0.3, 12, SSMI_LABEL, 3)


def zone_title(zone: str) -> str:
    """Return the written name of a zone, or the name itself for one that has no other."""
    return ZONES.get(zone, zone.replace("_", " "))
