"""A folder like the project's root, with a migrated MLflow store of its own."""

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import light_versions
import numpy as np
import pytest
import torch
from ruamel.yaml import YAML

from soilfuse import config, layout
from soilfuse.evaluation.metrics import STATISTICS
from soilfuse.evaluation.outputs import monthly_table
from soilfuse.files import read_json, sha256_of_files, write_json
from soilfuse.grids.months import month_axis
from soilfuse.networks.generator import Generator
from soilfuse.tracking import fetching, registry, store
from soilfuse.tracking.promoting import promote
from soilfuse.training import weights
from soilfuse.training.fields import month_names
from soilfuse.training.finetune import ensemble_hash_of
from soilfuse.training.folds import folds

ROOT = Path(__file__).parents[2]
DOMAIN = {
    "name": "tiny",
    "west": 90.0,
    "east": 91.75,
    "south": 32.0,
    "north": 33.75,
    "resolution": 0.25,
    "regions": "basins",
}
MONTHS = month_axis(2000, 2014)
SOURCE_IDS = ["CESM2", "MIROC6", "TaiESM1"]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """Return a store's file, made once: migrations take seconds."""
    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{database}")
        store.open_client()
    return database


@pytest.fixture
def root(tmp_path, monkeypatch, migrated):
    """Return the current folder: a root with params.yaml and a store, free of the caller's runs."""
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_RUN_ID", "SOILFUSE_PARENT_RUN_ID", "DVC_ROOT", "MLFLOW_EXPERIMENT_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'mlflow.db'}")
    shutil.copyfile(migrated, tmp_path / "mlflow.db")
    shutil.copyfile(ROOT / "profiles" / "demo.yaml", tmp_path / "params.yaml")
    (tmp_path / ".dvc").mkdir()
    return tmp_path


@pytest.fixture
def params(root):
    return config.load()


def write_champion(folder, seed, **changes):
    """Write a small champion whose weights hang on the seed; changes: of its network."""
    network = {
        "name": "unet",
        "models": 3,
        "layers": 5,
        "width": 2,
        "depth": 1,
        "grid": [8, 8],
        "model_dropout": 0.0,
        "months": 1,
        **changes,
    }
    shared = {
        "network": network,
        "smoothing_years": 1,
        "source_ids": SOURCE_IDS,
        "depth_bnds": [[0.0, 0.1], [0.1, 0.3], [0.3, 0.5], [0.5, 0.8], [0.8, 1.1]],
        "domain": DOMAIN,
        "protocol": "blocked",
        "seed": seed,
        "world": "v1 seed 1",
    }
    shared_hash = ensemble_hash_of(shared)
    torch.manual_seed(seed)
    for fold, parts in enumerate(folds("blocked", seed)):
        months = {
            f"{part}_months": month_names(getattr(parts, part))
            for part in ("train", "inner", "outer")
        }
        file = folder / f"fold_{fold}.safetensors"
        digest = weights.save(file, Generator(**network).state_dict())
        told = {"fold": fold, **months, "ensemble_hash": shared_hash, "weights_sha256": digest}
        write_json(folder / f"fold_{fold}.json", {**shared, **told})
    content = {
        "weights_sha256": sha256_of_files(folder.glob("*.safetensors")),
        "ensemble_hash": shared_hash,
        "world": "v1 seed 1",
        "input_range": {name: [0.0, 1.0] for name in SOURCE_IDS},
        "caveats": [f"caveat of seed {seed}"],
    }
    write_json(folder / "champion.json", content)
    return folder


@pytest.fixture
def champion_of():
    """Return a function (folder, seed) that writes a small champion there."""
    return write_champion


@pytest.fixture
def change_params(root):
    """Return a function that changes top-level entries of params.yaml."""

    def change(**changes):
        yaml = YAML()
        content = yaml.load(root / "params.yaml")
        content.update(changes)
        yaml.dump(content, root / "params.yaml")

    return change


@pytest.fixture
def git(root):
    """Return a function that runs git in the root, a repository with one commit of params.yaml."""

    def run(*arguments):
        who = ("-c", "user.name=a user", "-c", "user.email=user@example.org")
        done = subprocess.run(
            ["git", *who, *arguments], cwd=root, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run("init", "-q")
    (root / ".gitignore").write_text("/mlflow.db*\n/mlruns/\n/.dvc/\n")
    run("add", "params.yaml", ".gitignore")
    run("commit", "-qm", "params")
    return run


@pytest.fixture
def versions(monkeypatch):
    """Let versions be registered without packing the model, which the packing tests cover."""
    monkeypatch.setattr(registry, "log_version", light_versions.log_version)


def sums(error):
    """Return (T, D, S) sums whose RMSE is about `error` in every month."""
    every = np.ones((MONTHS.size, 5, len(STATISTICS)))
    wobble = 1 + 0.05 * np.random.default_rng(3).standard_normal((MONTHS.size, 5))
    every[..., STATISTICS.index("squared_error")] = (error * wobble) ** 2
    return every


@pytest.fixture
def toy():
    """Return what the small champions are made of: domain, climate models, months and sums."""
    return SimpleNamespace(domain=DOMAIN, source_ids=SOURCE_IDS, months=MONTHS, sums=sums)


def write_candidate(place, seed, error=0.03, **changes):
    """Lay out folds and their evaluation below a root; return the hash of their weights."""
    folds_of, evaluated = place / layout.FINETUNE, place / layout.EVALUATE
    write_champion(folds_of, seed, **changes)
    (folds_of / layout.CHAMPION_FILE).unlink()
    for path in folds_of.glob("*.json"):
        write_json(path, {**read_json(path), "world": "v1 seed 1"})
    evaluated.mkdir(parents=True, exist_ok=True)
    monthly_table(MONTHS, sums(error)).to_csv(evaluated / "monthly.csv", index=False)
    write_json(evaluated / "metrics.json", {"outer": {"layer_1": {"rmse": error}}})
    write_json(evaluated / "caveats.json", [f"sentence {seed}"])
    facts = {
        "finite": True,
        "minimum": 0.1,
        "maximum": 0.4,
        "coverage": 1.0,
        "rmse": error,
        "baselines": {"ensemble_mean": 0.08},
        "comparable": {"world": "v1 seed 1"},
        "weights_sha256": sha256_of_files(folds_of.glob("fold_*.safetensors")),
        "input_range": {name: [0.0, 1.0] for name in SOURCE_IDS},
    }
    write_json(evaluated / "facts.json", facts)
    return facts["weights_sha256"]


@pytest.fixture
def candidate_of(root):
    """Return a function (seed, error) that lays out folds and their evaluation.

    place: another root than the current folder; changes: of the network.
    """

    def lay_out(seed, error=0.03, place=root, **changes):
        return write_candidate(place, seed, error, **changes)

    return lay_out


@pytest.fixture
def kept(root, monkeypatch, versions):
    """Keep the folders of versions aside, in place of the artifacts that packing would make."""
    light = registry.log_version
    folders = {}

    def log_version(client, folder, *rest):
        version = light(client, folder, *rest)
        folders[version] = root / "kept" / str(version)
        folders[version].mkdir(parents=True)
        for path in folder.iterdir():
            (folders[version] / path.name).write_bytes(path.read_bytes())
        return version

    def fetch_files(name, version, into, file=""):
        return folders[version] / file

    monkeypatch.setattr(registry, "log_version", log_version)
    monkeypatch.setattr(fetching, "fetch_files", fetch_files)
    return folders


@pytest.fixture
def two(params, candidate_of, kept):
    """Register version 1 and, better and wider, version 2, the champion."""
    candidate_of(1, 0.03)
    promote(params)
    candidate_of(2, 0.02, width=4)
    promote(params)
    return kept
