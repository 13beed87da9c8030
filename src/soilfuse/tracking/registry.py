"""Registered ensembles: versions of one MLflow model, and the champion among them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError
from soilfuse.files import folder_aside, read_mapping, swap_in
from soilfuse.layout import CHAMPION_FILE
from soilfuse.tracking import store
from soilfuse.tracking.aliases import (
    CHALLENGER,
    CHAMPION,
    PIN_PLACE,
    PINNED,
    VERDICT,
    aliases_of,
    point,
    promoted_after,
    resolve,
    version_with,
    weights_of,
)
from soilfuse.tracking.champion import read_champion, require_whole
from soilfuse.tracking.fetching import fetch_ensemble
from soilfuse.tracking.packing import log_version
from soilfuse.tracking.turns import Turn, one_promotion

SEE_FOLDS = "`dvc status` says which fold's weights differ from what was trained"

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient


def register_champion(
    champion_dir: Path, name: str, tags: Mapping[str, Any], run_id: str | None = None
) -> int:
    """Register a champion's folder and let the alias `champion` point to it; return the version.

    Weights that are registered already get no second version. `previous` keeps the version that was
    champion before. tags: of the version; run_id: the run it came from.
    Raises UserError when the folder holds no champion or the store cannot be used.
    """
    with one_promotion(name) as turn:
        version = _registered(turn.client, Path(champion_dir), name, tags, run_id)
        point(turn.client, name, version)
    return version


def register_challenger(folder: Path, name: str, tags: Mapping[str, Any]) -> int:
    """Register an ensemble's folder as challenger; alias `champion` stays; return the version."""
    with one_promotion(name) as turn:
        version = _registered(turn.client, Path(folder), name, tags, None)
        turn.client.set_registered_model_alias(name, CHALLENGER, str(version))
    return version


def install_champion(
    turn: Turn, fresh: Path, folder: Path, tags: Mapping[str, Any], run_id: str | None
) -> int:
    """Register the ensemble in `fresh`, put it in the place of `folder`, and make it champion.

    fresh: named as the artifact, in a temporary folder on the same disk. Nothing but a version that
    no alias names is left behind where another promotion was faster; then raises UserError.
    """
    weights = read_champion(fresh).weights_sha256
    turn.require(weights)
    version = _registered(turn.client, fresh, turn.name, tags, run_id)
    turn.require(weights, version)
    swap_in(fresh, folder)
    point(turn.client, turn.name, version)
    return version


def take_over(turn: Turn, folder: Path) -> int | None:
    """Put the champion that was promoted elsewhere after the folder's into the folder.

    Returns its version; None where the folder's own is the latest that was promoted, also where the
    alias was moved by hand to another. Raises UserError where the version's files cannot be had.
    """
    own, path = None, Path(folder) / CHAMPION_FILE
    if path.exists():
        weights = read_mapping(path, ("weights_sha256",))["weights_sha256"]
        own = version_with(turn.client, turn.name, weights)
    if not turn.champion or not promoted_after(turn.client, turn.name, turn.champion, own):
        return None
    with folder_aside(folder) as aside:
        swap_in(fetch_ensemble(turn.name, turn.champion, aside), Path(folder))
    return turn.champion


def require_champion(champion_dir: Path, name: str, run_id: str | None = None) -> int:
    """Return the registered version of the champion in a folder, and see that both agree.

    Where nothing is registered as champion (a fresh clone with `dvc pull`), it is registered now.
    Raises UserError when the alias points to other weights than the folder holds.
    """
    champion = read_champion(champion_dir)
    client = store.open_client()
    with store.store_errors(store.tracking_uri()):
        aliased = aliases_of(client, name).get(CHAMPION)
        if aliased is None:
            tags = {"registered_from": str(champion_dir)}
            return register_champion(champion_dir, name, tags, run_id)
        weights = weights_of(client, name, aliased)
    if weights != champion.weights_sha256:
        raise UserError(
            f"alias '{CHAMPION}' of {name} points to version {aliased} (weights {weights[:8]}), "
            f"but {champion_dir} holds weights {champion.weights_sha256[:8]}: moved by hand or "
            f"promoted elsewhere; to keep version {aliased}: `soilfuse rollback {aliased}`, then "
            "`dvc repro promote`; to judge again: `dvc repro -f -s promote`, which takes over what "
            "was promoted elsewhere, and puts back an alias that was moved by hand"
        )
    return aliased


def fetch_version(name: str, version: int, champion_dir: Path) -> int:
    """Put the champion of a registered version into a folder, and point the alias to that version.

    This is how params.yaml:promote.pin keeps or brings back a version. Returns the version.
    Raises UserError when that version does not exist, or another promotion was faster.
    """
    resolve(name, str(version), PIN_PLACE)
    with one_promotion(name) as turn, folder_aside(champion_dir) as aside:
        fetched = fetch_ensemble(name, version, aside)
        turn.require(weights_of(turn.client, name, version))
        swap_in(fetched, Path(champion_dir))
        turn.client.set_model_version_tag(name, str(version), VERDICT, PINNED)
        point(turn.client, name, version)
    return version


def _registered(
    client: "MlflowClient",
    folder: Path,
    name: str,
    tags: Mapping[str, Any],
    run_id: str | None,
) -> int:
    """Return the version of a folder's weights, registered now where it is not; it has the tags."""
    champion = read_champion(folder)
    require_whole(folder, champion.weights_sha256, f"{folder}: {SEE_FOLDS}")
    version = version_with(client, name, champion.weights_sha256)
    if version is None:
        return log_version(client, folder, champion, name, tags, run_id)
    for key, value in tags.items():
        client.set_model_version_tag(name, str(version), key, str(value))
    return version
