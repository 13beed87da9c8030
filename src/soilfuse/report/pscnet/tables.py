"""The tables of the study's page."""

from typing import TYPE_CHECKING

import numpy as np

from soilfuse.evaluation.pscnet.scored import TRUTH
from soilfuse.report import labels
from soilfuse.report.pscnet import looks
from soilfuse.report.table import Table

if TYPE_CHECKING:
    import pandas as pd

NO_R = "R is missing in {} pixels: too few pairs, or a constant side."
PAPER_R, PAPER_UBRMSE = 6.0, 2.0  # percent that all methods of the paper change by at most


def smap_table(scores: "pd.DataFrame", period: str) -> Table:
    """Return the scores against SMAP in a period: means over coarse cells."""
    rows = scores[(scores["target"] == looks.SMAP) & (scores["period"] == period)]
    missing = int(rows["without_r"].max())
    return Table(
        caption=f"Against SMAP, {looks.period_title(period)}: means over coarse cells",
        head=["Method", "R", "Bias", "Mean |bias|", "ubRMSE", "R of all pairs"],
        rows=[
            [
                looks.title(row.method),
                labels.plain(row.r),
                labels.signed(row.bias, 4),
                labels.plain(row.absolute_bias, 4),
                labels.plain(row.ubrmse, 4),
                labels.plain(row.pooled_r),
            ]
            for row in rows.itertuples()
        ],
        note=f"{labels.UNIT} but R; {int(rows['pairs'].max())} pairs in "
        f"{int(rows['pixels'].max())} cells. "
        "The truth's row is what a perfect product would get: SMAP is noisy."
        + (" " + NO_R.format(missing) if missing else ""),
    )


def truth_table(scores: "pd.DataFrame", period: str) -> Table | None:
    """Return the scores against the truth at every fine cell and step, None without a truth."""
    rows = scores[(scores["target"] == TRUTH) & (scores["period"] == period)]
    if rows.empty:
        return None
    head = ["R", "Bias", "ubRMSE", "R of all pairs", "R of detail", "R of its change", "Its spread"]
    return Table(
        caption=f"Against the truth, {looks.period_title(period)}: every fine cell and step",
        head=["Method", *head],
        rows=[
            [
                looks.title(row.method),
                labels.plain(row.r),
                labels.signed(row.bias, 4),
                labels.plain(row.ubrmse, 4),
                labels.plain(row.pooled_r),
                labels.plain(row.detail_r),
                labels.plain(row.detail_change_r),
                labels.plain(row.detail_spread, 2),
            ]
            for row in rows.itertuples()
        ],
        note="Detail is a fine cell less the mean of its coarse cell, which is what downscaling "
        "adds; its change is the detail less its own mean over time. Spread is over the truth's.",
    )


def generalisation_table(table: "pd.DataFrame", period: str, target: str) -> Table | None:
    """Return R and ubRMSE on held-out days and in the test years, None without the target."""
    rows = table[(table["target"] == target) & (table["method"] != TRUTH)]
    if rows.empty:
        return None
    later = looks.period_title(period)
    words = "SMAP" if target == looks.SMAP else "the truth"
    return Table(
        caption=f"Generalisation in time, against {words}",
        head=["Method", "R, held out", f"R, {later}", "%"]
        + ["ubRMSE, held out", f"ubRMSE, {later}", "%"],
        rows=[
            [
                looks.title(row.method),
                labels.plain(row.r_held_out),
                labels.plain(row.r_later),
                labels.signed(row.r_change_percent, 1),
                labels.plain(row.ubrmse_held_out, 4),
                labels.plain(row.ubrmse_later, 4),
                labels.signed(row.ubrmse_change_percent, 1),
            ]
            for row in rows.itertuples()
        ],
        note=f"%: change from held-out days to {later}. The paper's methods keep within "
        f"{PAPER_R:g} % of R and {PAPER_UBRMSE:g} % of ubRMSE on average. Held-out days are a few "
        "blocks of days, the test years whole seasons: R also changes because the range of "
        "moisture does, as the yardsticks show.",
    )


def network_table(stations: "pd.DataFrame", period: str) -> Table:
    """Return medians over the stations of each method."""
    rows = stations[stations["period"] == period]
    medians = rows.groupby("method", sort=False)[["r", "bias", "ubrmse"]].median()
    top = top_three(stations, period)
    places = len(rows[["network", "station"]].drop_duplicates())
    return Table(
        caption=f"At {places} stations, {looks.period_title(period)}: medians",
        head=["Method", "R", "Bias", "ubRMSE", "Among the best three R at"],
        rows=[
            [
                looks.title(str(method)),
                labels.plain(row["r"]),
                labels.signed(row["bias"], 4),
                labels.plain(row["ubrmse"], 4),
                f"{top[0].get(str(method), 0)} of {top[1]}" if _learned(str(method)) else "",
            ]
            for method, row in medians.iterrows()
        ],
        note="The last column counts stations and the learned methods alone. A station is a "
        "point, a cell is 100 km²: the truth of the cell is no perfect answer either.",
    )


def station_table(stations: "pd.DataFrame", period: str) -> Table:
    """Return R of every method at every station."""
    rows = stations[stations["period"] == period]
    methods = list(dict.fromkeys(rows["method"]))
    values = rows.set_index(["network", "station", "method"])
    places = list(dict.fromkeys(zip(rows["network"], rows["station"], strict=True)))
    return Table(
        caption=f"R at every station, {looks.period_title(period)}",
        head=["Network, station", "Steps", *map(looks.title, methods)],
        rows=[
            [
                f"{network}, {station}",
                str(int(values.loc[(network, station, methods[0]), "n"])),
                *(labels.plain(values.loc[(network, station, name), "r"], 2) for name in methods),
            ]
            for network, station in places
        ],
    )


def learned_table(learned: "pd.DataFrame") -> Table:
    """Return what each method is and how long it learned."""

    def count(value: float) -> str:
        return f"{int(value):,}" if np.isfinite(value) else labels.MISSING

    return Table(
        caption="What was learned",
        head=["Method", "Weights", "Epochs", "Best epoch", "RMSE on stopping days"],
        rows=[
            [
                looks.title(row["method"]),
                count(row["parameters"]),
                count(row.get("epochs", np.nan)),
                count(row.get("best_epoch", np.nan)),
                labels.plain(row.get("stopping_rmse", np.nan), 4),
            ]
            for row in learned.to_dict("records")
        ],
        note=f"All learned from {count(learned['observations'].iloc[0])} observations of coarse "
        f"cells in {count(learned['steps_that_teach'].iloc[0])} steps. A forest's weights are its "
        "leaves.",
    )


def top_three(stations: "pd.DataFrame", period: str) -> tuple[dict[str, int], int]:
    """Return at how many stations each learned method is among the best three, and of how many."""
    rows = stations[(stations["period"] == period) & stations["method"].map(_learned)]
    counts: dict[str, int] = {}
    known = rows.dropna(subset=["r"])
    places = known.groupby(["network", "station"], sort=True)
    for _, place in places:
        for method in place.nlargest(3, "r")["method"]:
            counts[method] = counts.get(method, 0) + 1
    return counts, places.ngroups


def _learned(method: str) -> bool:
    return method not in (*looks.YARDSTICKS, TRUTH)
