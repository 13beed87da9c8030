"""A tree ensemble's prediction over a whole regular grid, by the boxes of its leaves.

Every leaf of a decision tree is a box in feature space. On a grid, a box's value is the cumulative
sum, along every axis, of that value written with alternating signs at the box's corners. So a
forest costs a few writes a leaf and one sum over the grid, whatever the number of trees, instead
of one walk down every tree for every grid point. Sums are taken in 64-bit integers of a fixed
scale: they are exact, so the order of leaves and threads cannot change a byte.
"""

from itertools import product
from typing import Any, NamedTuple

import numpy as np

CHUNK_ROWS = 4096  # that fit the processor's cache
SUM_BITS = 62  # int64 less the sign and one bit of rounding


class Nodes(NamedTuple):
    """The nodes of all trees one after another; children are -1 at a leaf."""

    feature: np.ndarray
    cut: np.ndarray  # axis points with index < cut go left
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray
    roots: np.ndarray


class Boxes(NamedTuple):
    """Leaves that hold a grid point: index bounds lower <= i < upper (L, A) and values (L,)."""

    lower: np.ndarray
    upper: np.ndarray
    value: np.ndarray


def _values(tree: Any, output: int) -> np.ndarray:
    counts = tree.value[:, 0, :]
    if counts.shape[1] == 1:
        return counts[:, 0]
    return counts[:, output] / counts.sum(axis=1)


def _nodes(forest: Any, axes: list[np.ndarray], output: int) -> Nodes:
    trees = [estimator.tree_ for estimator in forest.estimators_]
    sizes = np.array([tree.node_count for tree in trees])
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    feature = np.concatenate([tree.feature for tree in trees])
    threshold = np.concatenate([tree.threshold for tree in trees])
    cut = np.zeros(feature.size, dtype=np.int64)
    for axis, points in enumerate(axes):
        here = feature == axis
        # scikit-learn compares float32 features with float64 thresholds; <= goes left.
        single = np.asarray(points, dtype=np.float32).astype(np.float64)
        cut[here] = np.searchsorted(single, threshold[here], side="right")
    children = [
        np.concatenate(
            [
                np.where(side < 0, -1, side + offset)
                for side, offset in zip(sides, offsets, strict=True)
            ]
        )
        for sides in (
            [tree.children_left for tree in trees],
            [tree.children_right for tree in trees],
        )
    ]
    value = np.concatenate([_values(tree, output) for tree in trees])
    return Nodes(feature, cut, children[0], children[1], value, offsets)


def _leaf_boxes(nodes: Nodes, shape: tuple[int, ...]) -> Boxes:
    node = nodes.roots
    lower = np.zeros((node.size, len(shape)), dtype=np.int64)
    upper = np.broadcast_to(np.array(shape, dtype=np.int64), lower.shape).copy()
    found = []
    while node.size:
        leaf = nodes.left[node] < 0
        found.append((lower[leaf], upper[leaf], nodes.value[node[leaf]]))
        node, lower, upper = node[~leaf], lower[~leaf], upper[~leaf]
        row, axis, cut = np.arange(node.size), nodes.feature[node], nodes.cut[node]
        left_upper, right_lower = upper.copy(), lower.copy()
        left_upper[row, axis] = np.minimum(upper[row, axis], cut)
        right_lower[row, axis] = np.maximum(lower[row, axis], cut)
        goes_left = lower[row, axis] < left_upper[row, axis]
        goes_right = right_lower[row, axis] < upper[row, axis]
        node = np.concatenate([nodes.left[node[goes_left]], nodes.right[node[goes_right]]])
        lower = np.concatenate([lower[goes_left], right_lower[goes_right]])
        upper = np.concatenate([left_upper[goes_left], upper[goes_right]])
    return Boxes(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _corner_differences(boxes: Boxes, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    strides = np.array([int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))])
    differences = np.zeros(int(np.prod(shape)), dtype=np.int64)
    low, high = boxes.lower * strides, boxes.upper * strides
    beyond = boxes.upper >= np.array(shape)
    for corner in product((False, True), repeat=len(shape)):
        at_upper = np.array(corner)
        kept = ~beyond[:, at_upper].any(axis=1)
        place = low[kept][:, ~at_upper].sum(axis=1) + high[kept][:, at_upper].sum(axis=1)
        sign = -1 if at_upper.sum() % 2 else 1
        np.add.at(differences, place, sign * values[kept])
    return differences.reshape(shape)


def _cumulate(differences: np.ndarray) -> None:
    for axis in range(differences.ndim - 1):
        slices = np.moveaxis(differences, axis, 0)
        for index in range(1, slices.shape[0]):
            slices[index] += slices[index - 1]
    rows = differences.reshape(-1, differences.shape[-1])
    for start in range(0, len(rows), CHUNK_ROWS):
        here = slice(start, start + CHUNK_ROWS)
        rows[here] = np.cumsum(rows[here], axis=-1)


def grid_prediction(forest: Any, axes: list[np.ndarray], output: int = 0) -> np.ndarray:
    """Return a fitted forest's prediction at every point of a grid, as float64.

    forest: scikit-learn RandomForestRegressor or RandomForestClassifier with one target; `axes`:
    the grid's ascending points of each feature, in the features' order; `output`: the index in
    `classes_` whose probability is wanted. Returns an array of the axes' lengths, equal to
    `predict` (or a column of `predict_proba`) to 1e-9.
    """
    shape = tuple(len(points) for points in axes)
    nodes = _nodes(forest, axes, output)
    boxes = _leaf_boxes(nodes, shape)
    trees = nodes.roots.size
    largest = max(float(np.abs(boxes.value).max()), float(np.finfo(np.float32).tiny))
    scale = 2.0 ** (SUM_BITS - int(np.ceil(np.log2(trees * largest))))
    sums = _corner_differences(boxes, np.rint(boxes.value * scale).astype(np.int64), shape)
    _cumulate(sums)
    return sums / (scale * trees)
