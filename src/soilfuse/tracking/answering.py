"""Whether a store's database answers, asked before MLflow asks for long in silence; refusals."""

import time
from functools import cache
from pathlib import Path

from soilfuse.errors import shortened

TRIES = 3  # MLflow's own ten take 100 s, and more where nothing refuses
CONNECTED_WITHIN = 10  # s
# What sqlite says of a file that cannot be written, and of one that is damaged.
NO_ROOM = ("disk is full", "disk i/o", "readonly", "read-only", "unable to open")
DAMAGED = ("malformed", "not a database")


@cache
def require_answer(uri: str) -> None:
    """Connect to a database once; an address of a server or folder is not looked at.

    Raises what SQLAlchemy and the driver raise: DBAPIError where nothing answers, ArgumentError or
    ValueError where the address is none, ImportError where the driver is not installed.
    """
    from mlflow.store.db.db_types import DATABASE_ENGINES
    from mlflow.store.db.utils import create_sqlalchemy_engine
    from sqlalchemy import make_url
    from sqlalchemy.exc import DBAPIError

    kind = uri.split(":")[0].split("+")[0]
    if kind not in DATABASE_ENGINES:
        return
    url = make_url(uri)
    if kind in ("postgresql", "mysql"):
        url = url.update_query_dict({"connect_timeout": str(CONNECTED_WITHIN), **url.query})
    engine = create_sqlalchemy_engine(url.render_as_string(hide_password=False))
    for left in reversed(range(TRIES)):
        try:
            engine.connect().close()
            break
        except DBAPIError:
            if not left:
                raise
        time.sleep(0.5)
    engine.dispose()


def reason(error: Exception) -> str:
    """Return the database's own words, without the statement and values that it refused."""
    drivers = [getattr(each, "orig", None) for each in (error, error.__cause__)]
    own = next(filter(None, drivers), getattr(error, "message", error))
    return shortened(str(own).split("[SQL:")[0].split("(Background")[0])


def remedy(uri: str, database: Path | None, error: Exception) -> str:
    """Return what to do; database: the file of a sqlite address."""
    other = "set MLFLOW_TRACKING_URI to one that answers"
    if database is None:
        return other
    told = reason(error).lower()
    if any(words in told for words in DAMAGED):
        return f"restore a copy of '{database}', or move it away and a new one is begun"
    if any(words in told for words in NO_ROOM):
        return (
            f"free space in '{database.parent}' or mend its permissions, and the same command goes "
            "on, or set MLFLOW_TRACKING_URI to another store"
        )
    return f"{other}, or `mlflow db upgrade {uri}` where its tables are old"
