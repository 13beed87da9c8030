"""The global attributes of a product: what it is, made from what, and under which terms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soilfuse import __version__, config, names
from soilfuse.files import sha256_of_content
from soilfuse.inference.fitted import method_of

CMIP6 = "Eyring et al. (2016), https://doi.org/10.5194/gmd-9-1937-2016 (CMIP6)"
OF_NETWORKS = (
    "Li et al. (2024), Remote Sensing 16, 4367, https://doi.org/10.3390/rs16234367 (method)"
)
YEARS = "-".join(map(str, names.TRAINING_YEARS))
LICENSE = (
    "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/; the climate models' own terms apply, "
    "https://pcmdi.llnl.gov/CMIP6/TermsOfUse"
)
REAL_WORLD = "real"


def params_hash(params: config.Params) -> str:
    """Return the SHA-256 of the parameters that decide a product's numbers.

    The size of a batch is left out: it changes how long a product takes, not what it holds. So is
    `leave_one_out` where nothing is asked of it: products keep the hash that they had before it.
    """
    unused = {"batch"} if params.infer.leave_one_out else {"batch", "leave_one_out"}
    infer = params.infer.model_dump(exclude=unused)
    return sha256_of_content([params.domain.model_dump(), infer])


def product_attributes(
    experiment: str,
    champion: Mapping[str, Any],
    manifest: Mapping[str, Any],
    present: Sequence[str],
    domain: str,
    params_sha256: str,
    inputs_sha256: str,
    regions_sha256: str,
) -> dict[str, str]:
    """Return the global attributes of one experiment's product.

    champion: the content of champion.json; manifest: what its folds share; present: the climate
    models that there are, of which it may have been trained to miss some; domain: its name;
    params_sha256: see `params_hash`; inputs_sha256: of the raw files; regions_sha256: of names and
    cells. No run, commit or clock: the same inputs give the same file.
    """
    world = str(champion["world"])
    source_ids = [name for name in manifest["source_ids"] if name in present]
    missing = [name for name in manifest["source_ids"] if name not in present]
    without = f"; without {', '.join(missing)}" if missing else ""
    method = method_of(manifest)
    told = _by_networks(manifest) if method == names.ENSEMBLE else _by_fit(method)
    of_models = f"{len(source_ids)} CMIP6 models ({', '.join(source_ids)}){without}"
    attributes = {
        "Conventions": "CF-1.11",
        "title": f"Soil moisture of {domain.upper()} in five layers, "
        f"{names.EXPERIMENT_TITLES[experiment]}{told.title}",
        "source": f"soilfuse {__version__}: {told.source.replace('MODELS', of_models)}",
        "history": f"soilfuse {__version__}: interpolated the climate models; {told.steps}; "
        "rounded",
        "references": told.references,
        "method": method,
        "license": LICENSE,
        "comment": " ".join([*_world_caveat(world), *map(str, champion.get("caveats", ()))]),
        "experiment": experiment,
        "frequency": "mon",
        "domain": domain,
        "soilfuse_version": __version__,
        "soilfuse_world": world,
        "registered_model": str(champion["registered_model"]),
        "weights_sha256": str(champion["weights_sha256"]),
        "ensemble_hash": str(champion["ensemble_hash"]),
        "params_sha256": params_sha256,
        "inputs_sha256": inputs_sha256,
        "regions_sha256": regions_sha256,
    }
    return {name: text for name, text in attributes.items() if text}


@dataclass(frozen=True)
class Told:
    """What a method lets a product say; MODELS in `source` stands for the climate models."""

    title: str
    source: str
    steps: str
    references: str


def _by_networks(manifest: Mapping[str, Any]) -> Told:
    years = int(manifest["smoothing_years"])
    smoothed = f"smoothed each calendar month of them over {years} years; " if years > 1 else ""
    return Told(
        "",
        "mean of networks that fuse monthly mrsos of MODELS",
        f"{smoothed}predicted with every fold model; averaged",
        f"{OF_NETWORKS}; {CMIP6}",
    )


def _by_fit(method: str) -> Told:
    title = names.method_title(method)
    source = f"{title}, fitted to {names.TARGET} of {YEARS}, of monthly mrsos of MODELS"
    steps = f"applied {title}, fitted to all months of {YEARS}"
    if method.startswith(names.MODEL):
        source = f"monthly mrsos of {title}, the same in every layer; nothing was learned"
        steps = f"took {title}, the same in every layer"
    elif method == names.CLIMATOLOGY:
        source = f"{title} of {names.TARGET} in {YEARS}; climate models have no part in it"
    return Told(f", by {title}", source, steps, CMIP6)


def _world_caveat(world: str) -> list[str]:
    """Return the sentence that keeps synthetic data from being taken for a projection."""
    if world == REAL_WORLD:
        return []
    return [
        f"Made from the synthetic pseudo-reality {world}, not from observations or projections."
    ]
