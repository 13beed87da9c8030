"""Where everything lies under the project's root, or a study's folder, as dvc.yaml declares it."""

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
STUDIES = "studies"


def study() -> str:
    """Return the study in whose folder this process runs, "" for the main pipeline."""
    here = Path.cwd()
    return here.name if here.parent.name == STUDIES else ""


def project_of(folder: Path) -> Path:
    """Return the project that a folder is the root of, or a study of."""
    return folder.parent.parent if folder.parent.name == STUDIES else folder


def _state() -> Path:
    """Return where checkpoints lie: a study has its own place, its stages may have equal names.

    They outlive a workspace: experiments that DVC queues run elsewhere, and say from where.
    """
    given = os.environ.get("DVC_ROOT")
    root = project_of(Path(given)) if given else Path("../.." if study() else "")
    return root / ".state" / study()


STATE = _state()


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
