"""The files of a registered version, fetched from its artifact store and checked."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError, shortened
from soilfuse.files import read_mapping
from soilfuse.layout import CHAMPION_FILE
from soilfuse.tracking import store
from soilfuse.tracking.aliases import weights_of
from soilfuse.tracking.champion import read_champion, require_whole
from soilfuse.tracking.packing import use_store

OTHER = "choose another version, or mend the artifact store"


def fetch_files(name: str, version: int, into: Path, file: str = "") -> Path:
    """Fetch the folder of a version's ensemble, or one file of it, into a folder; return its path.

    Raises UserError where the store refuses, or does not have the file.
    """
    from mlflow.exceptions import MlflowException

    with store.store_errors(store.tracking_uri()):
        use_store()
        from mlflow.artifacts import download_artifacts

        place = f"models:/{name}/{version}/artifacts/champion"
        place = f"{place}/{file}" if file else place
        try:
            return Path(download_artifacts(artifact_uri=place, dst_path=str(into)))
        except (MlflowException, OSError) as error:
            if not _is_absence(error):
                raise
            raise UserError(
                f"the files of version {version} of {name} are gone from its artifact store "
                f"({shortened(error, 120)}); expected what was registered: {OTHER}"
            ) from None


def fetch_ensemble(name: str, version: int, into: Path) -> Path:
    """Fetch the folder of a version's ensemble, which is whole; return its path.

    Raises UserError as `fetch_files` does, and where the files are not those that were registered.
    """
    folder = fetch_files(name, version, into)
    whose = f"version {version} of {name}: {OTHER}"
    require_whole(folder, weights_of(store.open_client(), name, version), whose)
    try:
        champion = read_champion(folder)
    except UserError as error:
        raise _damaged(CHAMPION_FILE, name, version, error) from None
    require_whole(folder, champion.weights_sha256, whose)
    return folder


def fetch_mapping(
    name: str, version: int, file: str, required: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the entries of a JSON file of a version; raise UserError where it is damaged."""
    with tempfile.TemporaryDirectory() as aside:
        path = fetch_files(name, version, Path(aside), file)
        try:
            return read_mapping(path, required)
        except UserError as error:
            raise _damaged(file, name, version, error) from None


def _is_absence(error: Exception) -> bool:
    code = getattr(error, "error_code", None)
    return code == "RESOURCE_DOES_NOT_EXIST" or "No such" in str(error)


def _damaged(file: str, name: str, version: int, error: UserError) -> UserError:
    # Without the temporary place that it was fetched to.
    why = error.problems[0].partition("; expected")[0].split(" ", 1)[1]
    return UserError(f"{file} of version {version} of {name} {why}: {OTHER}")
