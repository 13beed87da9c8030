"""A champion of five small networks, written as the pipeline writes it."""

import numpy as np
import pytest
import torch

from soilfuse.config import Domain
from soilfuse.files import sha256_of_files, write_json
from soilfuse.grids.regions import regions_of
from soilfuse.networks.registry import build
from soilfuse.training import weights
from soilfuse.training.folds import FOLDS

SOURCES = ["MIROC6", "CESM2", "TaiESM1"]
DOMAIN = {
    "name": "trsr",
    "west": 95.0,
    "east": 97.5,
    "south": 33.0,
    "north": 34.5,
    "resolution": 0.25,
    "regions": "basins",
}
NETWORK = {"name": "unet", "in_channels": 3, "out_channels": 5, "width": 4, "depth": 2}
LAYERS = [[0.0, 0.1], [0.1, 0.3], [0.3, 0.5], [0.5, 0.8], [0.8, 1.1]]


def write_champion(folder, folds=FOLDS):
    folder.mkdir(parents=True)
    for fold in range(folds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold)
            network = build(**NETWORK)
        manifest = {
            "fold": fold,
            "network": NETWORK,
            "source_ids": SOURCES,
            "depth_bnds": LAYERS,
            "domain": DOMAIN,
            "regions_sha256": regions_of(Domain(**DOMAIN)).sha256,
            "ensemble_hash": "e" * 64,
            "weights_sha256": weights.save(
                folder / f"fold_{fold}.safetensors", network.state_dict()
            ),
        }
        write_json(folder / f"fold_{fold}.json", manifest)
    champion = {
        "registered_model": "soilfuse-test",
        "weights_sha256": sha256_of_files(folder.glob("fold_*.safetensors")),
        "ensemble_hash": "e" * 64,
        "caveats": [],
        "input_range": {"MIROC6": [0.0, 0.5], "CESM2": [0.0, 0.5], "TaiESM1": [0.1, 0.4]},
        "world": "v1 seed 1",
    }
    write_json(folder / "champion.json", champion)
    return folder


@pytest.fixture
def champion(tmp_path):
    return write_champion(tmp_path / "champion")


@pytest.fixture
def inputs():
    rng = np.random.default_rng(5)
    return rng.uniform(0.15, 0.35, (10, 3, 7, 11)).astype(np.float32)
