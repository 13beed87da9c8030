"""Tables in Markdown, and the units that scores are shown in."""

from collections.abc import Mapping, Sequence

import numpy as np

from soilfuse.names import BASELINE_TITLES

LAYERS = range(1, 6)
MILLI, SLOPES = 1e3, 1e5


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def mean(by_experiment: Mapping[str, Sequence[float]]) -> float:
    """Return the mean over experiments and layers."""
    return float(np.mean(list(by_experiment.values())))


def milli(layers: Sequence[float]) -> list[str]:
    """Return values in thousandths, and their mean."""
    return [f"{MILLI * value:.2f}" for value in [*layers, float(np.mean(layers))]]


def layer_heads(what: str) -> list[str]:
    """Return a head for each layer."""
    return [f"{what} {layer}" for layer in LAYERS]


def named(method: str) -> str:
    """Return a simple method's title, or an attempt's name as code."""
    return BASELINE_TITLES.get(method, f"`{method}`")
