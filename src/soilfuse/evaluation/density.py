"""How often target and prediction meet in each pair of classes: figure 6 of Li et al. (2024)."""

import numpy as np
import pandas as pd

from soilfuse.evaluation.fields import CHUNK_MONTHS

# m3 m-3; what lies beyond an end is counted in the last class before it.
EDGES = np.linspace(0.0, 0.8, 101)


def joint_histogram(
    prediction: np.ndarray, truth: np.ndarray, weight: np.ndarray, edges: np.ndarray = EDGES
) -> np.ndarray:
    """Return the (D, B, B) weights of pairs by class of truth (rows) and prediction (columns).

    prediction, truth: (T, D, H, W) m3 m-3, pairs with a NaN left out; weight: (H, W), 0 outside;
    edges: (B + 1,) of equal width. A few months are looked at together.
    """
    layers, classes = truth.shape[1], edges.size - 1
    cells = np.flatnonzero(weight.ravel() > 0)
    sums = np.zeros(layers * classes * classes)
    for start in range(0, len(truth), CHUNK_MONTHS):
        x, y = (
            field[start : start + CHUNK_MONTHS].reshape(-1, layers, weight.size)[:, :, cells]
            for field in (truth, prediction)
        )
        valid = np.isfinite(x) & np.isfinite(y)
        layer = np.broadcast_to(np.arange(layers)[:, None], x.shape)[valid]
        place = (layer * classes + _class(x[valid], edges)) * classes + _class(y[valid], edges)
        weights = np.broadcast_to(weight.ravel()[cells], x.shape)[valid]
        sums += np.bincount(place, weights, sums.size)
    return sums.reshape(layers, classes, classes)


def _class(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.searchsorted(edges, values, side="right").clip(1, edges.size - 1) - 1


def density_table(sums: np.ndarray, edges: np.ndarray = EDGES) -> pd.DataFrame:
    """Return the shares of the (D, B, B) weights, a row a layer and pair of classes that occurs.

    x: middle of the target's class, y: of the prediction's; shares of a layer add up to 1.
    """
    middles = (edges[1:] + edges[:-1]) / 2
    layer, x, y = np.nonzero(sums)
    shares = sums[layer, x, y] / sums.sum(axis=(1, 2))[layer]
    return pd.DataFrame({"layer": layer + 1, "x": middles[x], "y": middles[y], "share": shares})
