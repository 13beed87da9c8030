"""Champions of five small networks, written as the pipeline writes them."""

import torch

from soilfuse.config import Domain
from soilfuse.files import read_json, sha256_of_files, write_json
from soilfuse.grids.regions import regions_of
from soilfuse.networks.generator import Generator
from soilfuse.training import weights
from soilfuse.training.fields import month_names
from soilfuse.training.finetune import ensemble_hash_of
from soilfuse.training.folds import folds

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
NETWORK = {
    "name": "unet",
    "models": 3,
    "layers": 5,
    "width": 4,
    "depth": 2,
    "grid": [7, 11],
    "dropout": 0.0,
    "model_dropout": 0.0,
    "inputs": "soil_moisture",
    "static": 0,
    "season": False,
    "residual": "none",
    "months": 1,
}
LAYERS = [[0.0, 0.1], [0.1, 0.3], [0.3, 0.5], [0.5, 0.8], [0.8, 1.1]]


PROTOCOL, SEED = "blocked", 1


def months_of(fold):
    return {
        "train_months": month_names(fold.train),
        "inner_months": month_names(fold.inner),
        "outer_months": month_names(fold.outer),
    }


def retold(folder, **changes):
    """Change entries of all manifests as a training with other settings would have written them."""
    for path in folder.glob("fold_*.json"):
        manifest = read_json(path) | changes
        write_json(path, manifest | {"ensemble_hash": ensemble_hash_of(manifest)})


def write_champion(folder, **network):
    """network: what differs from NETWORK."""
    arguments = NETWORK | network
    folder.mkdir(parents=True)
    for fold, parts in enumerate(folds(PROTOCOL, SEED)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(fold)
            network = Generator(**arguments)
        manifest = {
            "fold": fold,
            **months_of(parts),
            "protocol": PROTOCOL,
            "seed": SEED,
            "network": arguments,
            "source_ids": SOURCES,
            "smoothing_years": 1,
            "depth_bnds": LAYERS,
            "domain": DOMAIN,
            "regions_sha256": regions_of(Domain(**DOMAIN)).sha256,
            "weights_sha256": weights.save(
                folder / f"fold_{fold}.safetensors", network.state_dict()
            ),
        }
        manifest["ensemble_hash"] = ensemble_hash_of(manifest)
        write_json(folder / f"fold_{fold}.json", manifest)
    champion = {
        "registered_model": "soilfuse-test",
        "weights_sha256": sha256_of_files(folder.glob("fold_*.safetensors")),
        "ensemble_hash": manifest["ensemble_hash"],
        "caveats": [],
        "input_range": {"MIROC6": [0.0, 0.5], "CESM2": [0.0, 0.5], "TaiESM1": [0.1, 0.4]},
        "world": "v1 seed 1",
    }
    write_json(folder / "champion.json", champion)
    return folder
