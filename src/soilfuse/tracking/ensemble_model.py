"""The registered ensemble, as code that MLflow runs when it loads or serves a version.

MLflow executes this file on its own; nothing else imports it. The weights are safetensors and the
architecture is JSON, so loading a version never unpickles anything.
"""

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class EnsembleModel(PythonModel):
    """The mean of the fold models of one champion."""

    def load_context(self, context: Any) -> None:
        """Load every fold's network from the artifacts of this version."""
        from soilfuse.inference.ensemble import Ensemble

        self.ensemble = Ensemble.load(Path(context.artifacts["champion"]))

    def predict(
        self,
        context: Any,
        model_input: np.ndarray,  # a dict of two: of that annotation MLflow warns at every load
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Predict soil moisture.

        model_input: `soil_moisture` (B, M, H, W) float32, layer 1 of the climate models in m3 m-3,
        in the order of `source_ids` in the folds' manifests (smoothed over `smoothing_years` there;
        (B, K, M, H, W) where the network looks at K > 1 trailing months), and `month` (B,), the
        calendar months, 1 to 12. Returns (B, D, H, W) float32, m3 m-3. Raises UserError for another
        shape, and names the models that have missing values.
        """
        inputs = np.asarray(model_input["soil_moisture"], dtype=np.float32)
        return self.ensemble.predict(inputs, np.asarray(model_input["month"]).ravel()).mean


set_model(EnsembleModel())
