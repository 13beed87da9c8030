"""The registered ensemble, as code that MLflow runs when it loads or serves a version.

MLflow executes this file on its own; nothing else imports it. The weights are safetensors and the
architecture is JSON, so loading a version never unpickles anything.
"""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np


class EnsembleModel(mlflow.pyfunc.PythonModel):
    """The mean of the fold models of one champion."""

    def load_context(self, context: Any) -> None:
        """Load every fold's network from the artifacts of this version."""
        from soilfuse.inference.ensemble import Ensemble
        from soilfuse.tracking.champion import read_champion

        folder = Path(context.artifacts["champion"])
        self.champion = read_champion(folder)
        self.ensemble = Ensemble.load(folder)

    def predict(
        self, context: Any, model_input: np.ndarray, params: dict[str, Any] | None = None
    ) -> np.ndarray:
        """Predict soil moisture.

        model_input: (B, M, H, W) float32, layer-1 soil moisture of the climate models, m3 m-3, in
        the order of `source_ids` in champion.json's folds. Returns (B, D, H, W) float32, m3 m-3.
        Raises ValueError that names the models when one is missing (NaN) or the shape is not this.
        """
        values = np.asarray(model_input, dtype=np.float32)
        self._refuse(values)
        return np.asarray(self.ensemble.predict(values).mean, dtype=np.float32)

    def _refuse(self, values: np.ndarray) -> None:
        sources = self.champion.source_ids
        expected = (len(sources), *self.champion.grid_shape)
        if values.ndim != 4 or values.shape[1:] != expected:
            raise ValueError(
                f"input has shape {values.shape}; expected (B, {', '.join(map(str, expected))}): "
                f"one channel for each of {', '.join(sources)}, in this order"
            )
        missing = [name for m, name in enumerate(sources) if not np.isfinite(values[:, m]).all()]
        if missing:
            raise ValueError(
                f"input has missing values in {', '.join(missing)}; every model is needed in "
                "every cell: fill them or give the month without gaps"
            )


mlflow.models.set_model(EnsembleModel())
