"""Where runs and registered models are kept, and a client of that store.

MLflow is imported inside functions only: it costs more than a second, and most commands need none.
"""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError, without_words_of
from soilfuse.files import written_aside
from soilfuse.layout import project_of
from soilfuse.tracking.answering import reason, remedy, require_answer

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "soilfuse"
DATABASE = "mlflow.db"
SQLITE = "sqlite:///"
MARKERS = (".dvc", "MLproject")
QUIET = {
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


def project_root() -> Path:
    """Return the nearest folder, from the current one upwards, that holds the project."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if any((folder / marker).exists() for marker in MARKERS):
            return project_of(folder)
    return here


def tracking_uri() -> str:
    """Return the store's address: MLFLOW_TRACKING_URI, else mlflow.db in the project's root.

    DVC_ROOT comes before the root that is found, because queued experiments run elsewhere. A
    relative sqlite address is made absolute, since stages of a study run in their own folder.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if not given:
        root = project_of(Path(os.environ.get("DVC_ROOT") or project_root()))
        return f"{SQLITE}{(root / DATABASE).resolve()}"
    database = _database(given)
    return f"{SQLITE}{database.absolute()}" if database else given


def _database(uri: str) -> Path | None:
    """Return the file of a sqlite address, None for any other address."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def quiet() -> None:
    """Silence MLflow's news and deprecations, and its calls home; its errors stay."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Its tracebacks of what the database refuses: store_errors tells the same in one line.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    for category in (DeprecationWarning, FutureWarning, PendingDeprecationWarning):
        warnings.filterwarnings("ignore", category=category, module=r"mlflow|alembic|google")


@contextmanager
def store_errors(uri: str) -> Iterator[None]:
    """Turn a refusal of the store (unreachable, full, read-only, old, locked) into a UserError."""
    quiet()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (MlflowException, DBAPIError) as error:
        raise UserError(
            f"the MLflow store {uri} refused: {without_words_of(uri, reason(error))}; "
            f"{remedy(uri, _database(uri), error)}"
        ) from None


def locked(uri: str, what: str = "") -> Any:
    """Return a lock that processes of one machine share for a sqlite store, else no lock.

    what: the one thing that is locked, the whole store by default. A server keeps its own order;
    there two first stages may make two parent runs: harmless.
    """
    database = _database(uri)
    if database is None:
        return nullcontext()
    from filelock import FileLock

    database.parent.mkdir(parents=True, exist_ok=True)
    name = f"{database}.{what}.lock" if what else f"{database}.lock"
    return FileLock(name, is_singleton=True)  # so that one process may nest it


def open_client() -> "MlflowClient":
    """Return a client of the store; a sqlite store that is absent is made first.

    Raises UserError when the store cannot be used.
    """
    uri = tracking_uri()
    with store_errors(uri):
        from mlflow.tracking import MlflowClient
        from sqlalchemy.exc import ArgumentError

        database = _database(uri)
        if database is not None and database.is_dir():
            raise UserError(
                f"MLFLOW_TRACKING_URI is {uri}, and '{database}' is a folder; expected a file, "
                f"such as {SQLITE}{database / DATABASE}"
            )
        if database is not None and not database.exists():
            _create(database)
        try:
            require_answer(uri)
            return MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (ValueError, ArgumentError):  # neither is told: both may quote half a password
            raise UserError(
                "MLFLOW_TRACKING_URI is no address that MLflow can read; expected one such as "
                "https://host, sqlite:///file or postgresql://host/database; in a name or password "
                "before the host write @ : / # % ? as %40 and so on"
            ) from None
        except ImportError as error:
            raise UserError(
                f"the MLflow store {uri} needs the driver {error.name}, which is not installed: "
                "install it (for PostgreSQL `pip install 'psycopg[binary]'`), or set "
                "MLFLOW_TRACKING_URI to another store"
            ) from None


def _create(database: Path) -> None:
    # Processes that meet no database at the same time would all crash in its migrations; one that
    # is made aside and renamed is never seen half made.
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    with locked(f"{SQLITE}{database}"):
        if database.exists():
            return
        with written_aside(database) as aside:
            engine = create_sqlalchemy_engine(f"{SQLITE}{aside}")
            _initialize_tables(engine)
            engine.dispose()


def experiment_id(client: "MlflowClient") -> str:
    """Return the identifier of the experiment `soilfuse`, made on first use.

    Artifacts of a sqlite store lie in mlruns/ beside it. Their place is frozen when the experiment
    is made, so it must not hang on the folder in which the first stage happened to run.
    """
    uri = tracking_uri()
    with locked(uri):
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            return _create_experiment(client, _database(uri))
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _create_experiment(client: "MlflowClient", database: Path | None) -> str:
    from mlflow.exceptions import MlflowException

    place = str(database.parent / "mlruns" / EXPERIMENT) if database else None
    try:
        return str(client.create_experiment(EXPERIMENT, artifact_location=place))
    except MlflowException:
        # Another process was faster on a server; anything else is raised again here.
        found = client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            raise
        return str(found.experiment_id)
