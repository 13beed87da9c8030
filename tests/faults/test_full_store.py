"""An MLflow store that stops taking records while a stage logs: one line, and no traceback."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from test_full_disk import small_disk

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
LIMIT = 1_200_000  # bytes, a little more than an empty store has


def log_epochs(trouble):
    """Log epochs as a stage does into the store of the current folder, which breaks after one."""
    from soilfuse import config
    from soilfuse.errors import one_line_errors
    from soilfuse.tracking.runs import stage_run

    folder = Path.cwd()
    params = config.load(ROOT / "profiles" / "smoke.yaml")
    with one_line_errors(), stage_run("world", params, ["seed"], []) as run:
        for epoch in range(1, 2000):
            with run.epochs() as log:
                log({"epoch": epoch, **{f"loss_{k}": 1.0 for k in range(50)}})
            if epoch == 1:
                trouble(folder)


def fill(folder):
    from small_training import fill_disk

    fill_disk(folder)


def limit_files(_folder):
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))


def forbid(folder):
    for path in (folder / "mlflow.db", folder):
        path.chmod(0o555)
    if os.getuid() == 0:
        os.setuid(65534)


TROUBLES = {function.__name__: function for function in (fill, limit_files, forbid)}


def ended(folder, trouble):
    """Return the exit code and the lines of log_epochs in a process of its own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "SOILFUSE_"))}
    done = subprocess.run(
        [sys.executable, __file__, trouble],
        cwd=folder,
        env={**kept, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr.splitlines()


def refusal(folder, why):
    return (
        f"soilfuse: error: the MLflow store sqlite:///{folder}/mlflow.db refused: {why}; free "
        f"space in '{folder}' or mend its permissions, and the same command goes on, or set "
        "MLFLOW_TRACKING_URI to another store"
    )


@pytest.fixture
def folder():
    """A folder below one that everybody may enter, which pytest's own are not."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o777)
    yield above / "project"
    shutil.rmtree(above)


def epochs_in(folder):
    with sqlite3.connect(folder / "mlflow.db") as database:
        assert database.execute("pragma integrity_check").fetchall() == [("ok",)]
        return database.execute("select count(distinct step) from metrics").fetchone()[0]


def test_a_full_disk_under_the_store_is_one_line(folder):
    with small_disk(folder):
        assert ended(folder, "fill") == (2, [refusal(folder, "database or disk is full")])
        (folder / "filler").unlink()
        assert epochs_in(folder) == 1


def test_a_quota_under_the_store_is_one_line(folder):
    folder.mkdir()
    assert ended(folder, "limit_files") == (2, [refusal(folder, "disk I/O error")])
    assert epochs_in(folder) >= 1


def test_a_store_that_becomes_read_only_is_one_line(folder):
    folder.mkdir()
    why = "attempt to write a readonly database"
    assert ended(folder, "forbid") == (2, [refusal(folder, why)])
    assert epochs_in(folder) == 1


def test_a_store_that_cannot_be_made_is_one_line(folder):
    with small_disk(folder, size="200k"):
        code, told = ended(folder, "fill")
    assert (code, len(told)) == (2, 1)
    assert told[0].startswith("soilfuse: error: ")


if __name__ == "__main__":
    log_epochs(TROUBLES[sys.argv[1]])
