"""The long table of scores: method, block, layer, season, region, metric, value."""

import numpy as np
import pandas as pd

from soilfuse import names
from soilfuse.evaluation.metrics import metrics
from soilfuse.grids.months import month_of

SCORE_COLUMNS = ["method", "block", "layer", "season", "region", "metric", "value"]


def _long(values: dict[str, np.ndarray], regions: list[str]) -> pd.DataFrame:
    """Lay out metrics (D, G) as rows of layer (from 1), region, metric, value."""
    parts = []
    for metric, of_metric in values.items():
        layers, places = np.indices(of_metric.shape)
        part = {
            "layer": layers.ravel() + 1,
            "region": np.array(regions)[places.ravel()],
            "metric": metric,
            "value": of_metric.ravel(),
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def score_table(
    method: str,
    block: str,
    statistics: np.ndarray,
    months: np.ndarray,
    regions: list[str],
    seasons: tuple[str, ...] = tuple(names.SEASONS),
) -> pd.DataFrame:
    """Score one method: statistics (T, D, G, S) of its months (T,) and G regions.

    Returns SCORE_COLUMNS for every layer, season, region and metric; a season without months is
    left out, a subset without pairs is NaN with n = 0.
    """
    parts = []
    for season in seasons:
        here = np.isin(month_of(months), names.SEASONS[season])
        if not here.any():
            continue
        values = metrics(statistics[here].sum(axis=0))
        parts.append(_long(dict(values), regions).assign(season=season))
    return pd.concat(parts, ignore_index=True).assign(method=method, block=block)[SCORE_COLUMNS]
