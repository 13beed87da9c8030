"""Range and completeness of predictions, taken note of as they are made."""

from dataclasses import dataclass

import numpy as np


@dataclass
class PredictionRange:
    """Range and completeness of every prediction made, inside the regions; m3 m-3."""

    inside: np.ndarray
    finite: bool = True
    minimum: float = np.inf
    maximum: float = -np.inf
    coverage: float = 1.0

    def take(self, prediction: np.ndarray) -> np.ndarray:
        """Take (T, D, H, W) into account, and return it."""
        values = prediction[..., self.inside]
        valid = np.isfinite(values)
        self.finite &= bool(valid.all())
        self.minimum = min(self.minimum, float(values.min(where=valid, initial=np.inf)))
        self.maximum = max(self.maximum, float(values.max(where=valid, initial=-np.inf)))
        self.coverage = min(self.coverage, float(valid.mean(axis=-1).min()))
        return prediction
