"""What the gate asks of a method: range and completeness of its predictions, sums, sentences."""

from dataclasses import dataclass

import numpy as np

from soilfuse.evaluation.metrics import metrics


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


@dataclass(frozen=True)
class Contender:
    """One method: the range of its predictions, (T, D, S) sums out of fold, and its sentences."""

    seen: PredictionRange
    monthly: np.ndarray
    caveats: list[str]

    @property
    def rmse(self) -> float:
        """Out of fold, mean over layers, m3 m-3."""
        return float(metrics(self.monthly.sum(axis=0), ("rmse",))["rmse"].mean())
