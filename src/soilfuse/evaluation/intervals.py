"""Paired differences with intervals for every block, season, region, layer and metric.

The months are drawn once a block, whole years of them where blocks are twelve months long; a
season takes from each draw the months that are its own, so that its intervals come from the same
resampled years as those of the whole year.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from soilfuse import config, names
from soilfuse.evaluation.blocks import FINAL, OUT_OF_FOLD
from soilfuse.evaluation.bootstrap import (
    INTERVAL_COLUMNS,
    block_counts,
    ends,
    require_pairs,
    resampled,
    with_whole,
)
from soilfuse.evaluation.metrics import METRICS, STATISTICS
from soilfuse.grids.months import month_of
from soilfuse.seeding import generator

if TYPE_CHECKING:
    from soilfuse.evaluation.tables import Judged

# Every metric but n, a count.
COMPARED = tuple(name for name in METRICS if name != "n")
COLUMNS = ["method", "block", "season", "region", *INTERVAL_COLUMNS, "n", "n_other"]


def _rows(
    found: tuple[np.ndarray, np.ndarray, np.ndarray],
    pairs: tuple[np.ndarray, np.ndarray],
    regions: Sequence[str],
) -> pd.DataFrame:
    metric, layer, region = np.indices(found[0].shape).reshape(3, -1)
    difference, low, high = (values.ravel() for values in found)
    n, n_other = (each.astype(int)[layer, region] for each in pairs)
    return pd.DataFrame(
        {
            "region": np.array(regions)[region],
            "layer": layer + 1,
            "metric": np.array(COMPARED)[metric],
            "difference": difference,
            "low": low,
            "high": high,
            "n": n,
            "n_other": n_other,
        }
    )


def interval_table(
    candidate: np.ndarray,
    others: Mapping[str, np.ndarray],
    months: np.ndarray,
    regions: Sequence[str],
    counts: np.ndarray,
    seasons: Sequence[str] = tuple(names.SEASONS),
) -> pd.DataFrame:
    """Return candidate minus each other by season, region, layer and metric of COMPARED.

    candidate, others: (T, D, G, S) sums of the (T,) months in order of time; counts: (N, T) how
    often each is drawn, as of bootstrap.block_counts. The interval is NaN where a sample holds no
    month of a season; a season without months is left out. n, n_other: the valid pairs of either
    side, unlike where one lacks values that the other has.
    """
    count = STATISTICS.index("count")
    every, parts = with_whole(counts), []
    for season in seasons:
        here = np.isin(month_of(months), names.SEASONS[season])
        if not here.any():
            continue
        own = resampled(every[:, here], candidate[here], COMPARED)
        for name, other in others.items():
            require_pairs(candidate, other)
            found = ends(own - resampled(every[:, here], other[here], COMPARED))
            pairs = tuple(sums[here, ..., count].sum(axis=0) for sums in (candidate, other))
            parts.append(_rows(found, pairs, regions).assign(method=name, season=season))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _of_block(
    judged: "Judged", block: str, sums: Sequence[np.ndarray], months: np.ndarray, seasons: list[str]
) -> pd.DataFrame:
    settings: config.Evaluate = judged.settings
    counts = block_counts(
        len(months),
        settings.bootstrap_samples,
        settings.bootstrap_block_months,
        generator(judged.seed, "bootstrap"),
    )
    candidate, *others = sums
    by_name = {scored.name: other for scored, other in zip(judged.scored[1:], others, strict=True)}
    regions = list(judged.material.regions)
    return interval_table(candidate, by_name, months, regions, counts, seasons).assign(block=block)


def intervals(judged: "Judged") -> dict[str, pd.DataFrame]:
    """Return the intervals of the candidate's paired differences from every baseline.

    Out of fold and in the final test by season and region; of each fold over the whole year.
    """
    material, seasons = judged.material, list(names.SEASONS)
    months, outer = material.outer_months, [scored.outer for scored in judged.scored]
    tables = [_of_block(judged, OUT_OF_FOLD, outer, months, seasons)]
    for fold in material.folds:
        here = np.isin(months, fold.outer)
        own = [sums[here] for sums in outer]
        tables.append(_of_block(judged, f"fold_{fold.index}", own, months[here], ["annual"]))
    final = [scored.final for scored in judged.scored if scored.final is not None]
    if judged.final_months is not None and len(final) == len(judged.scored):
        tables.append(_of_block(judged, FINAL, final, judged.final_months, seasons))
    return {"intervals": pd.concat(tables, ignore_index=True)[COLUMNS]}


def headline(intervals: pd.DataFrame, whole: str, block: str = OUT_OF_FOLD) -> pd.DataFrame:
    """Return the rows of all regions together, over the whole year of a block."""
    return intervals[
        (intervals["block"] == block)
        & (intervals["season"] == "annual")
        & (intervals["region"] == whole)
    ]
