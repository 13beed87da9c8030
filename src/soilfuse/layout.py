"""Where everything lies under the project's root; dvc.yaml declares the same paths as outs."""

from pathlib import Path

PSEUDO_REALITY = Path("data/raw/pseudo")
PROCESSED = Path("data/processed")
CLIMATE_MODELS = PROCESSED / "cmip6"
ERA5_LAND = PROCESSED / "era5_land.nc"
AMSMQTP = PROCESSED / "amsmqtp.nc"
INSITU = PROCESSED / "insitu"
STATIONS = INSITU / "stations.parquet"
PRETRAIN = Path("models/pretrain")
SWEEP = Path("results/sweep")
BEST = SWEEP / "best.yaml"
FINETUNE = Path("models/finetune")
FINETUNE_CURVES = Path("results/finetune")
EVALUATE = Path("results/evaluate")
VERDICT = Path("results/promote/verdict.json")
CHAMPION = Path("models/champion")
PRODUCTS = Path("products")
TRENDS = Path("results/trends")
REPORTS = Path("reports")
FIGURES = REPORTS / "figures"
STATE = Path(".state")


def raw(raw_root: str, source: str) -> Path:
    """Return the folder of one source's raw files, named as its room in docs/data.md."""
    return Path(raw_root) / source


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
