"""Where everything lies under the project's root; dvc.yaml declares the same paths as outs."""

import os
from pathlib import Path

PSEUDO_REALITY = Path("data/raw/pseudo")
REGIONS = Path("data/regions")  # the user's own outlines; stages depend on the whole folder
PROCESSED = Path("data/processed")
CLIMATE_MODELS = PROCESSED / "cmip6"
ERA5_LAND = PROCESSED / "era5_land.nc"
AMSMQTP = PROCESSED / "amsmqtp.nc"
INSITU = PROCESSED / "insitu"
STATIONS = INSITU / "stations.parquet"
PRETRAIN = Path("models/pretrain")
SWEEP = Path("results/sweep")
BEST = SWEEP / "best.yaml"
SWEEP_PLOTS = "sweep.html"  # in SWEEP, and in REPORTS
FINETUNE = Path("models/finetune")
FINETUNE_CURVES = Path("results/finetune")
EVALUATE = Path("results/evaluate")
LEAKAGE = Path("results/leakage/leakage.csv")
VERDICT = Path("results/promote/verdict.json")
CHAMPION = Path("models/champion")
CHAMPION_FILE = "champion.json"  # beside the weights of all folds
PRODUCTS = Path("products")
TRENDS = Path("results/trends")
REPORTS = Path("reports")
FIGURES = REPORTS / "figures"
# Checkpoints outlive a workspace: experiments that DVC queues run elsewhere, and say from where.
STATE = Path(os.environ.get("DVC_ROOT", "")) / ".state"


def climate_models(experiment: str) -> Path:
    """Return the file of all climate models of one experiment on their native grids."""
    return CLIMATE_MODELS / f"{experiment}.nc"


def station_field(fold: int) -> Path:
    """Return the file of the station field and label density that one fold may see."""
    return INSITU / f"fold_{fold}.nc"


def product(experiment: str) -> Path:
    """Return the product of one experiment."""
    return PRODUCTS / f"{experiment}.nc"


def provenance(experiment: str) -> Path:
    """Return the PROV sidecar of one product."""
    return PRODUCTS / f"{experiment}.prov.json"
