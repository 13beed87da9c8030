"""Whether the database of a store answers, asked before MLflow asks for a long time in silence."""

import time
from functools import cache

TRIES = 3  # MLflow's own ten take 100 s, and more where nothing refuses
PATIENCE = 10  # s


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
        url = url.update_query_dict({"connect_timeout": str(PATIENCE), **url.query})
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
