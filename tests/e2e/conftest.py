"""A temporary clone of the working tree, run as its users run it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
KERNELS = Path("src/soilfuse/trends/__pycache__")


@dataclass(frozen=True)
class Clone:
    """A clone of the project with its own MLflow database; commands run in its root."""

    root: Path
    environment: dict

    def run(self, *command, ok=True, **environment):
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if ok:
            assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    def client(self):
        """Return a client of the clone's own MLflow store."""
        from mlflow.tracking import MlflowClient

        store = f"sqlite:///{self.root / 'mlflow.db'}"
        return MlflowClient(tracking_uri=store, registry_uri=store)


def copy_working_tree(target):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        source = ROOT / name
        if source.is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    (target / "dvc.lock").unlink(missing_ok=True)


def copy_kernels(target):
    """Give a clone the compiled kernels of the trends, which take a clone half a minute to compile.

    The working tree compiles what it lacks; numba takes them where the source's time is the same.
    """
    import numpy as np

    from soilfuse.trends.mann_kendall import trend_test
    from soilfuse.trends.modified import with_memory
    from soilfuse.trends.seasonal_kendall import seasonal_kendall

    series = np.random.default_rng(1).normal(size=(48, 3))
    settings = SimpleNamespace(alpha=0.05, confidence=0.95, hamed_rao_lags=3)
    with_memory(series, trend_test(series), settings)
    for correlated in (False, True):
        seasonal_kendall(series, correlated)
    for compiled in (ROOT / KERNELS).glob("*.nb[ci]"):
        (target / KERNELS).mkdir(exist_ok=True)
        shutil.copy(compiled, target / KERNELS)


def cloned(target, database=True):
    """Return a clone of the working tree in a folder, with an empty MLflow database or none."""
    copy_working_tree(target)
    copy_kernels(target)
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MLFLOW_", "SOILFUSE_PARENT", "DVC_"))
    }
    binaries = Path(sys.executable).parent
    environment = {
        **kept,
        "PATH": f"{binaries}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "PYTHONPATH": str(target / "src"),
        "GIT_AUTHOR_NAME": "a user",
        "GIT_AUTHOR_EMAIL": "user@example.org",
        "GIT_COMMITTER_NAME": "a user",
        "GIT_COMMITTER_EMAIL": "user@example.org",
    }
    clone = Clone(target, environment)
    clone.run("git", "init", "-q")
    clone.run("git", "add", "-A")
    clone.run("git", "commit", "-qm", "clone")
    if database:
        clone.run("mlflow", "db", "upgrade", "sqlite:///mlflow.db")
    return clone


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """Give a clone in which `dvc repro` of the smoke profile has run."""
    clone = cloned(tmp_path_factory.mktemp("clone"))
    clone.run("soilfuse", "profile", "smoke", "--force")
    clone.run("dvc", "repro")
    return clone


@pytest.fixture
def working_tree(tmp_path):
    """Give a copy of the working tree as a new repository, with nothing set up."""
    copy_working_tree(tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path
