"""Sentences about shares of the regions: significant trends, inputs outside their past range."""

import math

from soilfuse.product.layout import HISTORY
from soilfuse.report import labels


def area_sentence(wetter: float, drier: float, layer: int) -> str:
    """Say how much of the area has a significant trend."""
    if not (math.isfinite(wetter) and math.isfinite(drier)):
        return ""
    return (
        f"At {labels.layer_title(layer)} the annual trend is significant and upward in "
        f"{wetter:.0f} % of the regions' area, significant and downward in {drier:.0f} %; cell "
        "by cell tests count some areas by chance alone."
    )


def outside_sentence(outside: float, period: str) -> str:
    """Say how often a climate model left the range of its own historical values."""
    if not math.isfinite(outside):
        return ""
    return (
        f"In {labels.years_title(period)}, {outside:.0f} % of the regions' cells and months have "
        "at least one climate model outside the range of its own values over the domain in "
        f"{labels.years_title(HISTORY)}: there the method may extrapolate."
    )
