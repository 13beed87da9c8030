"""The figures that runs carry: a training's curves, and the scores of an evaluation."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Record = Mapping[str, float]
UNIT = "m³ m⁻³"
OWN_COLOUR = "#225ea8"
DPI = 110


def training_curves(history: Sequence[Record], title: str) -> "Figure":
    """Draw losses, validation RMSE and learning rates against the epoch, one panel each.

    history: one record an epoch, as training.loop tells them. The best epoch is marked.
    """
    from matplotlib.ticker import MaxNLocator

    figure, (losses, errors, rates) = _panels(3, title)
    names = list(dict.fromkeys(name for record in history for name in record))
    _lines(losses, history, [name for name in names if name.startswith("train_")], "train_")
    losses.set(title="Losses in training", ylabel="loss (no unit)")
    _lines(errors, history, ["validation_rmse"])
    errors.set(title="Validation", ylabel=f"RMSE of soil moisture ({UNIT})", yscale="linear")
    _mark_best(errors, history)
    _lines(rates, history, [name for name in names if name.endswith("learning_rate")])
    rates.set(title="Learning rates", ylabel="learning rate (no unit)")
    for axes in (losses, errors, rates):
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize=8, frameon=False)
    return figure


def layer_scores(own: Mapping[str, Any], others: Mapping[str, Any], title: str) -> "Figure":
    """Draw the RMSE of the candidate and of each baseline by layer.

    own: {"layer_1": {"rmse": value}}; others: {baseline: the same}.
    """
    figure, (axes,) = _panels(1, title)
    axes.set_prop_cycle(color=["#9aa5ad", "#c77a2e", "#6f9456", "#b5527a", "#4fa3a5", "#c9b27c"])
    for name, scores in others.items():
        axes.plot(*_by_layer(scores), "o-", linewidth=1, markersize=4, label=_words(name))
    axes.plot(*_by_layer(own), "D-", color=OWN_COLOUR, linewidth=2.2, label="candidate")
    axes.set(xlabel="layer (1 is the uppermost)", ylabel=f"RMSE of soil moisture ({UNIT})", ylim=0)
    axes.set_xticks(
        sorted({layer for each in (own, *others.values()) for layer in _by_layer(each)[0]})
    )
    axes.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _by_layer(scores: Mapping[str, Mapping[str, float]]) -> tuple[list[int], list[float]]:
    layers = [int(name.removeprefix("layer_")) for name in scores]
    return layers, [each.get("rmse", math.nan) for each in scores.values()]


def _panels(count: int, title: str) -> "tuple[Figure, Sequence[Axes]]":
    # Not pyplot, which would keep every figure of the process and ask for a screen.
    from matplotlib.figure import Figure

    # Fixed margins: a layout engine draws all twice, which short trainings notice.
    size, margins = (7.5, 3.8), {"left": 0.1, "right": 0.72}
    if count > 1:
        size, margins = (4.2 * count, 3.8), {"left": 0.06, "right": 0.985, "wspace": 0.28}
    figure = Figure(figsize=size, dpi=DPI)
    figure.subplots_adjust(bottom=0.14, top=0.84, **margins)
    figure.suptitle(title, fontsize=11)
    panels = figure.subplots(1, count, squeeze=False)[0]
    for axes in panels:
        axes.grid(color="#e4e8eb", linewidth=0.7)
        axes.spines[["right", "top"]].set_visible(False)
    return figure, panels


def _lines(axes: "Axes", history: Sequence[Record], names: Sequence[str], prefix: str = "") -> None:
    """Draw the named series, on a log scale where all their numbers are positive."""
    drawn: list[float] = []
    for name in names:
        points = [(r["epoch"], r[name]) for r in history if math.isfinite(r.get(name, math.nan))]
        drawn += [value for _, value in points]
        if points:
            style = ".-" if len(points) < 60 else "-"
            axes.plot(*zip(*points, strict=True), style, label=_words(name.removeprefix(prefix)))
    if drawn and min(drawn) > 0:
        axes.set_yscale("log")


def _mark_best(axes: "Axes", history: Sequence[Record]) -> None:
    scored = [r for r in history if math.isfinite(r["validation_rmse"])]
    if not scored:
        return
    best = min(scored, key=lambda record: record["validation_rmse"])
    told = f"best epoch {best['epoch']:.0f}: {best['validation_rmse']:.4f}"
    axes.plot(best["epoch"], best["validation_rmse"], "o", color="#d1495b", label=told)


def _words(name: str) -> str:
    return name.replace("_", " ")
