"""A champion's folder as one version of an MLflow model: code, safetensors and JSON."""

import warnings
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.tracking import store
from soilfuse.tracking.champion import Champion

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

WEIGHTS = "weights_sha256"
MODEL_CODE = Path(__file__).with_name("ensemble_model.py")
# What loading and predicting import; the versions are those of the environment that trained.
PACKAGES = ("mlflow", "numpy", "torch", "safetensors", "pydantic", "ruamel.yaml", "shapely", "tqdm")


def log_version(
    client: "MlflowClient",
    folder: Path,
    champion: Champion,
    name: str,
    tags: Mapping[str, Any],
    run_id: str | None,
) -> int:
    """Log the ensemble in a folder as a model, and register it; return the version.

    The folder's own name is that of the artifact that loading reads. tags: of the version.
    """
    import mlflow.pyfunc
    from mlflow.models import Model

    import soilfuse

    use_store()
    experiment = (
        client.get_run(run_id).info.experiment_id if run_id else store.experiment_id(client)
    )
    logged = client.create_logged_model(experiment, name=name, source_run_id=run_id)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*input example was not provided")
        Model.log(
            artifact_path=None,
            flavor=mlflow.pyfunc,
            run_id=run_id,
            model_id=logged.model_id,
            python_model=str(MODEL_CODE),
            artifacts={"champion": str(folder)},
            code_paths=[str(Path(soilfuse.__file__).parent)],
            signature=_signature(champion),
            # MLflow predicts from an example, which single months are no example of here.
            input_example=None if champion.context_years else _example(champion),
            pip_requirements=[f"{p}=={installed(p).split('+')[0]}" for p in PACKAGES],
        )
    told = {key: champion.content.get(key) for key in ("ensemble_hash", "world")}
    marks = {**told, **tags, WEIGHTS: champion.weights_sha256}
    _have_model(client, name)
    made = client.create_model_version(
        name,
        source=f"models:/{logged.model_id}",
        run_id=run_id,
        tags={key: str(value) for key, value in marks.items()},
        model_id=logged.model_id,
    )
    return int(made.version)


def _have_model(client: "MlflowClient", name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def use_store() -> None:
    """Let those parts of MLflow that take no client use the same store."""
    import mlflow

    uri = store.tracking_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)


def _example(champion: Champion) -> dict[str, Any]:
    import numpy as np

    fields = np.full((1, *champion.inputs_shape), 0.25, dtype=np.float32)
    return {"soil_moisture": fields, "month": np.array([1])}


def _signature(champion: Champion) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    kind = np.dtype("float32")
    *trailing, _, rows, columns = champion.inputs_shape
    # As many climate models as the request names: the model itself says which it lacks.
    shape = (-1, *trailing, -1, rows, columns)
    into: list[ColSpec | TensorSpec] = [
        TensorSpec(kind, shape, "soil_moisture"),
        TensorSpec(np.dtype("int64"), (-1,), "month"),
    ]
    out = TensorSpec(kind, (-1, champion.layers, rows, columns))
    named = ParamSpec("source_ids", DataType.string, list(champion.source_ids), (-1,))
    return ModelSignature(inputs=Schema(into), outputs=Schema([out]), params=ParamSchema([named]))
