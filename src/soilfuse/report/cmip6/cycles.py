"""Annual cycles of every region: each model, their mean, ERA5 and GLDAS (figures 5 and 6)."""

from typing import TYPE_CHECKING

from soilfuse.evaluation.cmip6.climatology import REGIONS
from soilfuse.evaluation.cmip6.groups import ALL
from soilfuse.report import style
from soilfuse.report.cmip6 import looks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, WIDTH, HEIGHT = 4, 11.4, 9.6
BOLD = ("era5", "gldas", ALL)


def cycle_figure(cycles: "pd.DataFrame", depth: str) -> "Figure":
    """Draw a panel a region; the last place holds the legend."""
    chosen = cycles[cycles["variable"] == depth]
    models = sorted(chosen.loc[chosen["kind"] == "model", "source"].unique())
    colours = looks.model_colours(models) | looks.COLOURS
    figure = style.new_figure(WIDTH, HEIGHT)
    axes = figure.subplots(4, COLUMNS, sharex=True)
    figure.subplots_adjust(0.05, 0.075, 0.99, 0.97, wspace=0.2, hspace=0.24)
    for place, region in zip(axes.flat, REGIONS, strict=False):
        _panel(place, chosen[chosen["region"] == region], [*models, *BOLD], colours)
        place.set_title(region, fontweight="bold")
    for place in axes.flat[len(REGIONS) :]:
        place.axis("off")
        handles, names = axes.flat[0].get_legend_handles_labels()
        place.legend(handles[::-1], names[::-1], loc="center", fontsize=7.2, labelspacing=0.25)
    for place in axes[:, 0]:
        place.set_ylabel("kg m⁻²")
    return figure


def _panel(axes: "Axes", rows: "pd.DataFrame", sources: list[str], colours: dict[str, str]) -> None:
    for source in sources:
        line = rows[rows["source"] == source].sort_values("month")
        bold = source in BOLD
        axes.plot(
            line["month"],
            line["mean"],
            color=colours[source],
            linewidth=2.0 if bold else 0.9,
            alpha=1.0 if bold else 0.75,
            label=looks.title(source),
            zorder=3 if bold else 2,
        )
    axes.set_xticks(range(1, 13), list("JFMAMJJASOND"))
    axes.grid(axis="y")
