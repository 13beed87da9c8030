"""Sentences about shares of the basins: significant trends, inputs outside the training."""

import math

from soilfuse.report import labels


def area_sentence(wetter: float, drier: float, layer: int) -> str:
    """Say how much of the area has a significant trend."""
    if not (math.isfinite(wetter) and math.isfinite(drier)):
        return ""
    return (
        f"At {labels.layer_title(layer)} the annual trend is significant and upward in "
        f"{wetter:.0f} % of the basins' area, significant and downward in {drier:.0f} %; cell "
        "by cell tests count some areas by chance alone."
    )


def outside_sentence(outside: float, period: str) -> str:
    """Say how often the climate models left the range that the networks were trained on."""
    if not math.isfinite(outside):
        return ""
    return (
        f"In {labels.years_title(period)} an input lies outside the range seen in training in "
        f"{outside:.0f} % of the basins' cells and months: there the networks extrapolate."
    )
