"""Where a sweep's study is kept: a journal file, or any storage that Optuna knows by its URL."""

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import config, names
from soilfuse.errors import UserError, shortened, without_passwords, without_words_of
from soilfuse.progress import note

if TYPE_CHECKING:
    import optuna

STUDY = "finetune"
TRIES = 5  # processes that create the tables of one database together trip each other up
# What optuna raises on lines of a journal that are not its own: it checks none of them.
DAMAGES = (ValueError, KeyError, TypeError, IndexError, AttributeError, AssertionError)


def storage_url(params: config.Params) -> str | None:
    """Return the storage's URL, None for a journal file; the environment wins over params.yaml."""
    return os.environ.get(names.SWEEP_STORAGE) or params.sweep.storage


def load_study(journal: Path, url: str | None, mends: bool = True) -> "optuna.Study":
    """Open or create the study: at the URL, under the journal's name, or in the journal.

    A damaged journal is set aside with one line, and the search begins again. mends: whether this
    process may do so: only before others share the journal, or each would set aside the one that
    another has just begun. Raises UserError where it may not, the journal cannot be written, or
    the storage not be used.
    """
    import optuna

    # Its warnings tell of its own workings, such as packages that would propose faster.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is not None:
        return _at_url(url, f"soilfuse-{journal.stem}")
    try:
        return _in_journal(journal)
    except DAMAGES:
        if not mends:
            raise UserError(
                f"the sweep's journal '{journal}' was damaged while its workers used it: the same "
                "command sets it aside and begins the search again"
            ) from None
        aside = _unused(journal.with_suffix(".damaged"))
        journal.replace(aside)
        note(f"the sweep's journal '{journal}' is damaged, now '{aside}'; the search begins again")
        return _in_journal(journal)


def _unused(path: Path) -> Path:
    """Return this path or, where there is such a file already, the first numbered one."""
    numbered = (path.with_suffix(f"{path.suffix}-{number}") for number in count(2))
    return next(place for place in chain([path], numbered) if not place.exists())


def _in_journal(journal: Path) -> "optuna.Study":
    import optuna

    from soilfuse.training.journal import Journal

    return _created(optuna.storages.JournalStorage(Journal(journal)), STUDY)


def _created(storage: "optuna.storages.BaseStorage", name: str) -> "optuna.Study":
    import optuna

    return optuna.create_study(
        storage=storage, study_name=name, direction="minimize", load_if_exists=True
    )


def _at_url(url: str, name: str) -> "optuna.Study":
    for left in reversed(range(TRIES)):
        try:
            return _created(_storage(url), name)
        except Exception as error:
            if isinstance(error, ImportError) or not left:
                raise UserError(
                    f"the sweep's storage {without_password(url)} cannot be used "
                    f"({_told(error, url)}); expected a running database and its driver: edit "
                    f"params.yaml:sweep.storage or the environment variable {names.SWEEP_STORAGE}"
                ) from None
        time.sleep(random.uniform(0.1, 0.5))  # noqa: S311
    raise AssertionError("unreachable")


def _storage(url: str) -> "optuna.storages.BaseStorage":
    import optuna

    if url.startswith("redis"):
        return optuna.storages.get_storage(url)
    options: dict[str, object] = {"pool_pre_ping": True}  # hours may lie between two requests
    if url.startswith("sqlite"):  # writers of one file wait for each other
        options["connect_args"] = {"timeout": 60}
    return optuna.storages.RDBStorage(url, engine_kwargs=options)


@contextmanager
def reachable(url: str | None) -> Iterator[None]:
    """Tell in one line of a database that is lost inside the block; None is a journal."""
    if url is None:
        yield
        return
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(
            f"the sweep's storage {without_password(url)} was lost ({_told(error, url)}); the "
            "trials that it has are kept: mend it, and the same command goes on"
        ) from None


def without_password(url: str) -> str:
    """Return a URL that may be shown."""
    if "://" not in url:
        return "(no URL)"
    return without_passwords(url.replace(" ", "%20"))


def _told(error: Exception, url: str) -> str:
    """Return an error in a few words, without the password that it may repeat."""
    error = (
        error.__cause__ if isinstance(error.__cause__, Exception) else error
    )  # Optuna's is vague
    # Drivers explain after a line break, and SQLAlchemy adds the statement and a link.
    line = str(error).split("\n[SQL:")[0].split("\n(Background")[0].replace(url, "")
    line = without_words_of(url, line)
    return f"{type(error).__name__}: {shortened(line, 150)}"
