"""Registered champions: versions of one MLflow model, with the aliases champion and previous."""

import tempfile
from collections.abc import Mapping
from importlib.metadata import version as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError
from soilfuse.tracking import store
from soilfuse.tracking.champion import Champion, read_champion, swap_in

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

CHAMPION = "champion"
PREVIOUS = "previous"
WEIGHTS = "weights_sha256"
MODEL_CODE = Path(__file__).with_name("ensemble_model.py")
# What loading and predicting import; the versions are those of the environment that trained.
PACKAGES = ("mlflow", "numpy", "torch", "safetensors", "pydantic", "ruamel.yaml")


def register_champion(
    champion_dir: Path, name: str, tags: Mapping[str, Any], run_id: str | None = None
) -> int:
    """Register a champion's folder and let the alias `champion` point to it; return the version.

    Weights that are registered already get no second version. `previous` keeps the version that was
    champion before. tags: of the new version; run_id: the run it came from.
    Raises UserError when the folder holds no champion or the store cannot be used.
    """
    champion = read_champion(champion_dir)
    client = store.open_client()
    with store.store_errors(store.tracking_uri()), store.locked(store.tracking_uri()):
        version = _version_of(client, name, champion.weights_sha256)
        if version is None:
            version = _log_version(client, Path(champion_dir), champion, name, tags, run_id)
        _point(client, name, version)
    return version


def require_champion(champion_dir: Path, name: str, run_id: str | None = None) -> int:
    """Return the registered version of the champion in a folder, and see that both agree.

    Where nothing is registered as champion (a fresh clone with `dvc pull`), it is registered now.
    Raises UserError when the alias points to other weights than the folder holds.
    """
    champion = read_champion(champion_dir)
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        aliased = _aliases(client, name).get(CHAMPION)
        if aliased is None:
            tags = {"registered_from": str(champion_dir)}
            return register_champion(champion_dir, name, tags, run_id)
        weights = client.get_model_version(name, str(aliased)).tags.get(WEIGHTS, "unknown")
    if weights != champion.weights_sha256:
        raise UserError(
            f"alias '{CHAMPION}' of {name} points to version {aliased} (weights {weights[:8]}), "
            f"but {champion_dir} holds weights {champion.weights_sha256[:8]}: moved by hand or "
            f"promoted elsewhere; to keep version {aliased}: `soilfuse rollback {aliased}`, then "
            "`dvc repro promote`; to go back to the folder's: `dvc repro -f -s promote`"
        )
    return aliased


def fetch_version(name: str, version: int, champion_dir: Path) -> int:
    """Put the champion of a registered version into a folder, and point the alias to that version.

    This is how params.yaml:promote.pin keeps or brings back a version. Returns the version.
    Raises UserError when that version does not exist.
    """
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        versions = sorted(int(v.version) for v in client.search_model_versions(f"name='{name}'"))
    if version not in versions:
        known = ", ".join(map(str, versions)) or "none yet"
        raise UserError(
            f"no version {version} of {name}; registered: {known}: edit params.yaml:promote.pin"
        )
    target = Path(champion_dir)
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        store.store_errors(store.tracking_uri()),
        tempfile.TemporaryDirectory(dir=target.parent) as aside,
    ):
        _use_store()
        from mlflow.artifacts import download_artifacts

        place = f"models:/{name}/{version}/artifacts/champion"
        fetched = Path(download_artifacts(artifact_uri=place, dst_path=aside))
        swap_in(fetched, target)
        with store.locked(store.tracking_uri()):
            _point(client, name, version)
    return version


def _aliases(client: "MlflowClient", name: str) -> dict[str, int]:
    from mlflow.exceptions import MlflowException

    try:
        return {a: int(v) for a, v in client.get_registered_model(name).aliases.items()}
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return {}
        raise


def _version_of(client: "MlflowClient", name: str, weights: str) -> int | None:
    found = client.search_model_versions(f"name='{name}' and tags.{WEIGHTS} = '{weights}'")
    return max((int(each.version) for each in found), default=None)


def _point(client: "MlflowClient", name: str, version: int) -> None:
    before = _aliases(client, name).get(CHAMPION)
    if before == version:
        return
    if before is not None:
        client.set_registered_model_alias(name, PREVIOUS, str(before))
    client.set_registered_model_alias(name, CHAMPION, str(version))


def _use_store() -> None:
    """Let those parts of MLflow that take no client use the same store."""
    import mlflow

    uri = store.tracking_uri()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)


def _log_version(
    client: "MlflowClient",
    folder: Path,
    champion: Champion,
    name: str,
    tags: Mapping[str, Any],
    run_id: str | None,
) -> int:
    """Log the ensemble as a model made of code, safetensors and JSON, and register it."""
    import mlflow.pyfunc
    import numpy as np
    from mlflow.models import Model

    import soilfuse

    _use_store()
    experiment = (
        client.get_run(run_id).info.experiment_id if run_id else store.experiment_id(client)
    )
    logged = client.create_logged_model(experiment, name=name, source_run_id=run_id)
    example = {
        "soil_moisture": np.full((1, *champion.inputs_shape), 0.25, dtype=np.float32),
        "month": np.array([1]),
    }
    Model.log(
        artifact_path=None,
        flavor=mlflow.pyfunc,
        run_id=run_id,
        model_id=logged.model_id,
        python_model=str(MODEL_CODE),
        artifacts={"champion": str(folder)},
        code_paths=[str(Path(soilfuse.__file__).parent)],
        signature=_signature(champion),
        input_example=example,
        pip_requirements=[f"{p}=={installed(p).split('+')[0]}" for p in PACKAGES],
    )
    told = {key: champion.content.get(key) for key in ("ensemble_hash", "world")}
    marks = {**told, **tags, WEIGHTS: champion.weights_sha256}
    if not client.search_registered_models(f"name='{name}'"):
        client.create_registered_model(name)
    made = client.create_model_version(
        name,
        source=f"models:/{logged.model_id}",
        run_id=run_id,
        tags={key: str(value) for key, value in marks.items()},
        model_id=logged.model_id,
    )
    return int(made.version)


def _signature(champion: Champion) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    kind = np.dtype("float32")
    rows, columns = champion.grid_shape
    into: list[ColSpec | TensorSpec] = [
        TensorSpec(kind, (-1, *champion.inputs_shape), "soil_moisture"),
        TensorSpec(np.dtype("int64"), (-1,), "month"),
    ]
    out = TensorSpec(kind, (-1, champion.layers, rows, columns))
    return ModelSignature(inputs=Schema(into), outputs=Schema([out]))
