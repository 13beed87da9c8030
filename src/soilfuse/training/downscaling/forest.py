"""The random forest: learned on means over coarse cells, applied to fine ones.

The classic downscaling with a forest: what holds between means is taken to hold between cells.
"""

from typing import Any

import numpy as np

from soilfuse.config.sample import Forest
from soilfuse.grids.blocks import block_means
from soilfuse.seeding import derive_seed
from soilfuse.training.downscaling.inputs import Inputs
from soilfuse.training.downscaling.sample import Sample


def rows(inputs: Inputs, sample: Sample, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, K V + S) features and (N,) soil moisture of all observed coarse cells of steps."""
    features, moisture = [], []
    for step in at:
        seen = np.isfinite(sample.smap[step])
        means = block_means(inputs.stacked(np.array([step]))[0], sample.block)
        features.append(means[:, seen].T)
        moisture.append(sample.smap[step][seen])
    return np.concatenate(features), np.concatenate(moisture)


def fit(features: np.ndarray, moisture: np.ndarray, size: Forest, seed: int, threads: int) -> Any:
    """Return a scikit-learn RandomForestRegressor of these rows."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=size.trees,
        min_samples_leaf=size.min_samples_leaf,
        max_features=size.features,
        random_state=derive_seed(seed, "downscaling", "rf"),
        n_jobs=threads,
    )
    return forest.fit(features, moisture)


def predict(forest: Any, inputs: Inputs, at: np.ndarray) -> np.ndarray:
    """Return (N, H, W) m3 m-3 at the steps `at`."""
    maps = []
    for step in at:
        channels = inputs.stacked(np.array([step]))[0]
        flat = channels.reshape(len(channels), -1).T
        maps.append(forest.predict(flat).reshape(channels.shape[1:]))
    return np.asarray(maps, dtype=np.float32)
