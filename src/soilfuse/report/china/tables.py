"""The tables of the study's page."""

from typing import TYPE_CHECKING

from soilfuse.inference.china.fields import (
    DELTA_CHANGE,
    ENSEMBLE_MEAN,
    TRUTH,
    YNET,
)
from soilfuse.report import labels
from soilfuse.report.china import looks
from soilfuse.report.table import Table
from soilfuse.sources.netcdf import REAL
from soilfuse.trends.china import Changes

if TYPE_CHECKING:
    import pandas as pd

PAPER = {  # Feng et al. 2022, table 2: MAE, RMSD, ubRMSD, spatial R
    YNET: (0.0325, 0.0461, 0.0452, 0.9515),
    ENSEMBLE_MEAN: (0.0868, 0.1042, 0.0982, 0.7943),
}
SCORES = ("mae", "rmsd", "ubrmsd", "spatial_r")


def score_table(scores: "pd.DataFrame", world: str) -> Table:
    """Return table 2 of this study beside the paper's."""
    rows = []
    for row in scores.to_dict("records"):
        own = [labels.plain(row[name], 4) for name in SCORES]
        if published := PAPER.get(row["method"]):
            own = [f"{x} ({labels.plain(y, 4)})" for x, y in zip(own, published, strict=True)]
        mean = labels.plain(row["spatial_r_mean"], 4)
        rows.append([looks.TITLES[row["method"]], *own, mean])
    head = ["MAE", "RMSD", "ubRMSD", "Spatial R"]
    return Table(
        caption="Errors in the test years against ERA5-Land (m³ m⁻³); in brackets the paper's",
        head=["Method", *head, "R of mean maps"],
        rows=rows,
        note="Weighted by area. Spatial R is the mean over months of the pattern correlation."
        + ("" if world == REAL else " A pseudo-reality need not agree with the paper."),
    )


def slope_table(scenario: str, found: Changes) -> Table:
    """Return the index's slopes over all zones, a row a method and season."""
    table = found.tables["slopes"]
    whole = str(table["region"].iloc[0])
    chosen = table[table["region"] == whole]
    return Table(
        caption=f"{labels.experiment_title(scenario)}: SSMI a decade, all zones together",
        head=["Method and season", "Mean slope", "Area that dries (%)", "RMSE", "Spatial R"],
        rows=[
            [
                f"{looks.SHORT[row.method]}, {labels.season_title(row.season)}",
                labels.signed(row.slope, 3),
                f"{100 * row.share_drying:.0f}",
                labels.plain(row.rmse, 3),
                labels.plain(row.spatial_r, 2),
            ]
            for row in chosen.itertuples()
        ],
        note="RMSE and spatial R are against the truth's slopes, where there is a truth.",
    )


def change_table(scenario: str, found: Changes) -> Table:
    """Return the yearly change in the last period, a row a method."""
    table = found.tables["change"]
    last = sorted(set(table["period"]))[-1]
    chosen = table[(table["period"] == last) & (table["unit"] == "annual")]
    methods = [
        name for name in (YNET, ENSEMBLE_MEAN, DELTA_CHANGE, TRUTH) if name in set(chosen["method"])
    ]
    values = chosen.set_index(["method", "region"])["percent"]
    return Table(
        caption=f"{labels.experiment_title(scenario)}: yearly mean, {labels.years_title(last)} (%)",
        head=["Method", "North", "South"],
        rows=[
            [
                looks.SHORT[name],
                *(labels.signed(values[name, side], 1) for side in ("north", "south")),
            ]
            for name in methods
        ],
    )
