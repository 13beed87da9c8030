"""The registered champion, as code that MLflow runs when it loads or serves a version.

MLflow executes this file on its own; nothing else imports it. The weights, or what a simple method
has learned, are safetensors and the rest is JSON, so loading a version never unpickles anything.
"""

from pathlib import Path
from typing import Any

import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class EnsembleModel(PythonModel):
    """The mean of a champion's networks, or the fit to all months of a simple method."""

    def load_context(self, context: Any) -> None:
        """Load every fold's network, or every fit, from the artifacts of this version."""
        from soilfuse.inference.ensemble import Ensemble

        self.ensemble = Ensemble.load(Path(context.artifacts["champion"]))

    def predict(
        self,
        context: Any,
        model_input: np.ndarray,  # a dict of two: of that annotation MLflow warns at every load
        params: dict[str, Any] | None = None,
    ) -> np.ndarray:
        """Predict soil moisture.

        model_input: `soil_moisture` (B, M, H, W) float32, layer 1 of the climate models in m3 m-3
        (smoothed over `smoothing_years` of the folds' manifests; (B, K, M, H, W) where the network
        looks at K > 1 trailing months), and `month` (B,), the calendar months, 1 to 12.
        params: `source_ids` names the M models, by default all of training in their order.
        Returns (B, D, H, W) float32, m3 m-3. Raises MlflowException, which a server answers with
        400, for another shape, and names the models that are missing or have missing values.
        """
        from soilfuse.errors import UserError

        fields = np.asarray(model_input["soil_moisture"], dtype=np.float32)
        month = np.asarray(model_input["month"]).ravel()
        named = [str(name) for name in (params or {}).get("source_ids", self.ensemble.source_ids)]
        try:
            return self.ensemble.predict(self._ordered(fields, named), month).mean
        except UserError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None

    def _ordered(self, fields: np.ndarray, named: list[str]) -> np.ndarray:
        """Return the fields in the order of training, models to be done without as NaN."""
        from soilfuse.errors import UserError

        own = self.ensemble.source_ids
        if fields.ndim < 4 or fields.shape[-3] != len(named):
            shape = (*fields.shape[:-3], len(named), *self.ensemble.grid_shape)
            raise UserError(
                f"soil_moisture has shape {fields.shape}; expected {shape}, one field for each of "
                f"{', '.join(named)}: give all of them, or name those given in params:source_ids"
            )
        places = self.ensemble.channels(named, "the request")
        if places == list(range(len(own))) and len(named) == len(own):
            return fields
        ordered = fields[..., [0 if place is None else place for place in places], :, :]
        ordered[..., [n for n, place in enumerate(places) if place is None], :, :] = np.nan
        return ordered


set_model(EnsembleModel())
