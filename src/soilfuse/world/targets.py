"""What the published record asks of the forced change: by layer, season and SSP, in m3 m-3.

The record prints slopes and changes for some layers, seasons and SSPs; what it leaves out is
inferred here from its neighbours, and told apart from what is printed.
"""

import numpy as np

from soilfuse.world import published as record

UNIT = 1e-4  # the record's slopes are in 1e-4 m3 m-3 yr-1
SURFACE = 0  # the layer whose slopes are printed


def seasonal_mean(layer: int, season: str) -> float:
    """Return the regional mean of 1995-2014 in m3 m-3."""
    if season == "annual":
        return float(np.mean([means[layer] for means in record.SEASONAL_MEANS.values()]))
    return record.SEASONAL_MEANS[season][layer]


def slopes(layer: int, season: str) -> np.ndarray:
    """Return (4,) slopes of 2015-2100 in m3 m-3 yr-1, in the order of SSPS.

    Below the surface they scale with the change, except those of summer.
    """
    surface = np.array(record.SLOPES[season]) * UNIT
    if season != "JJA":
        return surface * changes(layer, season) / changes(SURFACE, season)
    if layer not in record.SUMMER_SLOPES:
        return surface
    return np.array([*record.FLAT_SUMMERS, *record.SUMMER_SLOPES[layer]]) * UNIT


def slope_is_printed(layer: int, season: str, ssp: int) -> bool:
    """Return whether the record gives this slope as a number."""
    if season == "JJA":
        return layer in record.SUMMER_SLOPES and record.SSPS[ssp] in record.SUMMER_SSPS
    return layer == SURFACE


def changes(layer: int, season: str) -> np.ndarray:
    """Return (4,) changes of 2071-2100 against 1995-2014 in m3 m-3, in the order of SSPS.

    Only the range over the SSPs is printed: each is placed in it by its slope, or in the upper
    layers' summer, where no slope is printed, by that of the year.
    """
    low, high = record.CHANGES[season][layer]
    if season == "JJA" and layer in record.SUMMER_SLOPES:
        rates = slopes(layer, season)
    else:
        rates = np.array(record.SLOPES["annual" if season == "JJA" else season])
    share = (rates - rates.min()) / np.ptp(rates)
    return (low + share * (high - low)) / 100 * seasonal_mean(layer, season)
