"""One climate model alone, as a user without any ensemble would take it."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from soilfuse.baselines.methods import Baseline


@dataclass
class SingleModel(Baseline):
    """One climate model as it is, its upper 10 cm in every layer; nothing is learned.

    place: the model's along the second axis of the inputs.
    """

    needs: ClassVar[str] = "models"
    place: int = 0
    layers: int = 0

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "SingleModel":
        """Take note of the number of layers."""
        self.layers = target.shape[1]
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Repeat the model in every layer."""
        return np.repeat(inputs[:, self.place, None], self.layers, axis=1)
