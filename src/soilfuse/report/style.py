"""One look for every figure: colours, fixed scales, the source line and reproducible PNG bytes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse.files import written_aside
from soilfuse.report import labels

if TYPE_CHECKING:
    from matplotlib.colors import BoundaryNorm, Colormap
    from matplotlib.figure import Figure

DPI = 125
PAGE_WIDTH = 11.4  # inches
INK = "#22303a"
PALE = "#c9d1d6"
FAINT = "#55626b"  # small print, still 4.5 to 1 on white
LAYER_COLOURS = ("#d98c21", "#9b4a1f", "#5aa9a0", "#2b6ca3", "#2a1e52")
EXPERIMENT_COLOURS = {
    "historical": "#8a8a8a",
    "ssp126": "#0072b2",
    "ssp245": "#e69f00",
    "ssp370": "#c9405a",
    "ssp585": "#4a1040",
}
ENSEMBLE_COLOUR = "#225ea8"
METHOD_COLOURS = {
    "amsmqtp": "#3b2f6b",
    "era5_land": "#8a6d9e",
    "climatology": "#c9b27c",
    "ensemble_mean": "#9aa5ad",
    "bias_corrected_mean": "#c77a2e",
    "delta_change": "#6f9456",
    "quantile_delta_mapping": "#b5527a",
    "ridge": "#4fa3a5",
}

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.edgecolor": "#7b8790",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.unicode_minus": True,
    "grid.color": "#e4e8eb",
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": "#55626b",
    "xtick.labelsize": 8.0,
    "ytick.color": "#55626b",
    "ytick.labelsize": 8.0,
}


def method_colour(method: str) -> str:
    """Return a method's colour, the same in every figure; the network's is the strong blue."""
    return METHOD_COLOURS.get(method.lower().replace("-", "_"), ENSEMBLE_COLOUR)


def period_colour(period: str) -> str:
    """Return a period's colour: grey before the scenarios begin, then darker with time."""
    middle = sum(labels.years_of(period)) / 2
    if middle < 2015:
        return "#9aa5ad"
    return "#7fcdbb" if middle < 2040 else "#41a0c4" if middle < 2070 else "#225ea8"


@dataclass(frozen=True)
class Scale:
    """A fixed colour scale in steps, so that maps of all scenarios compare."""

    colours: str
    levels: tuple[float, ...]
    label: str
    ticks: tuple[float, ...]

    def colouring(self) -> "tuple[Colormap, BoundaryNorm]":
        """Return the colour map and the norm; values beyond the ends take the end colours."""
        from matplotlib import colormaps
        from matplotlib.colors import BoundaryNorm, ListedColormap

        # The darkest ends would hide outlines and dots.
        chosen = colormaps[self.colours](np.linspace(0.06, 0.92, len(self.levels) + 1))
        colour_map = ListedColormap(chosen).with_extremes(bad="white")
        return colour_map, BoundaryNorm(self.levels, colour_map.N, extend="both")


def _diverging(upper: tuple[float, ...], label: str) -> Scale:
    levels = (*(-level for level in reversed(upper)), 0.0, *upper)
    return Scale("BrBG", levels, label, levels[::2])


def moisture_scale() -> Scale:
    """Return the scale of mean soil moisture, the same for every layer and experiment."""
    levels = tuple(round(0.05 + 0.025 * step, 3) for step in range(17))
    return Scale("YlGnBu", levels, f"soil moisture ({labels.UNIT})", levels[::4])


def spread_scale() -> Scale:
    """Return the scale of the standard deviation over the fold models."""
    levels = tuple(round(0.002 * step, 3) for step in range(1, 11))
    label = f"standard deviation over the folds ({labels.UNIT})"
    return Scale("PuRd", levels, label, levels[::3])


# Steps above 0 of the diverging scales, finer near 0 so that one serves all layers, seasons and
# scenarios. Rates in 10^-3 m3 m-3 per decade, over a century and over three decades or less, where
# weather makes steeper slopes; changes in percent.
CENTURY_LEVELS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
DECADES_LEVELS = (0.5, 1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0)
CHANGE_LEVELS = (1.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0)


def is_short(period: str) -> bool:
    """Return whether a period has no more than three decades."""
    first, last = labels.years_of(period)
    return last - first + 1 <= 30


def slope_scale(period: str) -> Scale:
    """Return the scale of Sen slopes over a period."""
    upper = DECADES_LEVELS if is_short(period) else CENTURY_LEVELS
    return _diverging(upper, labels.RATE_UNIT)


def change_scale() -> Scale:
    """Return the scale of percent changes."""
    return _diverging(CHANGE_LEVELS, "change (%)")


@contextmanager
def drawing() -> Iterator[None]:
    """Draw under this style whatever the user's own matplotlib settings are."""
    import matplotlib
    from matplotlib import rc_context

    with rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure in inches that belongs to no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: "Figure", target: Path, source: str, product_sha256: str) -> None:
    """Write a PNG with the source line at its foot: equal input, equal bytes.

    The text chunk `product_sha256` ties the picture to the file it was drawn from.
    """
    height = figure.get_size_inches()[1]
    figure.text(0.008, 0.06 / height, source, fontsize=6.5, color=FAINT, va="bottom")
    metadata = {"Software": None, "product_sha256": product_sha256}
    with written_aside(target) as aside:
        figure.savefig(aside, format="png", dpi=DPI, metadata=metadata)
