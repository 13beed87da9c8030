"""The simple methods. Shapes: inputs (T, M, H, W), target (T, D, H, W), months (T,) keys.

Each is fitted on training months alone and predicts any months of any experiment. Soil moisture
in m3 m-3; cells where the training target is NaN stay NaN.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from soilfuse.baselines.statistics import multi_model_mean
from soilfuse.grids.climatology import monthly_climatology, monthly_spread
from soilfuse.grids.months import month_of

SMALLEST_SPREAD = 1e-6  # m3 m-3; below it a float32 series is constant but for its rounding
UNFITTED = np.empty(0, dtype=np.float32)


class Baseline(Protocol):
    """What every simple method can do.

    needs: "mean" where the multi-model mean alone, (T, 1, H, W), gives the same as all models do,
    else "models". context_years: how many years before and after the wanted months `predict` must
    be given too, as far as the series goes; it predicts all that it is given.
    """

    needs: ClassVar[str] = "mean"
    context_years: ClassVar[int] = 0

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "Baseline":
        """Learn from the training months."""

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return (T, D, H, W) float32."""

    def prepare(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return what `predict_prepared` takes of each month; the same for every fit of a method.

        Only a method with context_years needs the whole series here, and single months there.
        """
        return inputs

    def predict_prepared(self, prepared: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Return what `predict` does, from what `prepare` made."""
        return self.predict(prepared, months)


@dataclass
class Climatology(Baseline):
    """The training months' mean per calendar month, layer and cell; it ignores its inputs."""

    target: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "Climatology":
        """Average the target by calendar month."""
        self.target = monthly_climatology(target, months)
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Repeat the climatology."""
        return self.target[month_of(months) - 1]


@dataclass
class EnsembleMean(Baseline):
    """The raw mean of the climate models, the same value in every layer; nothing is learned."""

    layers: int = 0

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "EnsembleMean":
        """Take note of the number of layers."""
        self.layers = target.shape[1]
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Repeat the multi-model mean in every layer."""
        mean = multi_model_mean(inputs)
        return np.repeat(mean[:, None], self.layers, axis=1)


@dataclass
class BiasCorrectedMean(Baseline):
    """The multi-model mean with the target's mean and spread per calendar month, layer and cell.

    y = target mean + (x - training mean of x) * sd(target) / sd(x); where the multi-model mean
    never varies in training, its anomaly counts for nothing.
    """

    target: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)
    models: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, H, W)
    ratio: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)

    def fit(
        self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray
    ) -> "BiasCorrectedMean":
        """Learn both climatologies and the ratio of the spreads."""
        mean = multi_model_mean(inputs)
        self.target = monthly_climatology(target, months)
        self.models = monthly_climatology(mean, months)
        spread = monthly_spread(mean, months)[:, None]
        own = monthly_spread(target, months)
        self.ratio = np.divide(own, spread, out=np.zeros_like(own), where=spread > SMALLEST_SPREAD)
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Scale the multi-model mean's anomaly and add it to the target's climatology."""
        index = month_of(months) - 1
        anomaly = multi_model_mean(inputs) - self.models[index]
        predicted = self.ratio[index]
        predicted *= anomaly[:, None]
        predicted += self.target[index]
        return predicted


@dataclass
class DeltaChange(Baseline):
    """The target's climatology plus the multi-model mean's departure from its own climatology.

    The departure of the models' upper 10 cm is added to every layer as it is.
    """

    target: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, D, H, W)
    models: np.ndarray = field(default_factory=lambda: UNFITTED)  # (12, H, W)

    def fit(self, inputs: np.ndarray, target: np.ndarray, months: np.ndarray) -> "DeltaChange":
        """Learn both climatologies on the same months."""
        self.target = monthly_climatology(target, months)
        self.models = monthly_climatology(multi_model_mean(inputs), months)
        return self

    def predict(self, inputs: np.ndarray, months: np.ndarray) -> np.ndarray:
        """Add the multi-model mean's anomaly to the target's climatology."""
        index = month_of(months) - 1
        predicted = self.target[index]
        predicted += (multi_model_mean(inputs) - self.models[index])[:, None]
        return predicted
