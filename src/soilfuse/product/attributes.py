"""The global attributes of a product: what it is, made from what, and under which terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from soilfuse import __version__, config, names
from soilfuse.files import sha256_of_content

REFERENCES = (
    "Li et al. (2024), Remote Sensing 16, 4367, https://doi.org/10.3390/rs16234367 (method); "
    "Eyring et al. (2016), https://doi.org/10.5194/gmd-9-1937-2016 (CMIP6)"
)
LICENSE = (
    "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/; the climate models' own terms apply, "
    "https://pcmdi.llnl.gov/CMIP6/TermsOfUse"
)
REAL_WORLD = "real"


def params_hash(params: config.Params) -> str:
    """Return the SHA-256 of the parameters that decide a product's numbers.

    The size of a batch is left out: it changes how long a product takes, not what it holds.
    """
    infer = params.infer.model_dump(exclude={"batch"})
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
    years = int(manifest["smoothing_years"])
    smoothed = f"smoothed each calendar month of them over {years} years; " if years > 1 else ""
    attributes = {
        "Conventions": "CF-1.11",
        "title": f"Soil moisture of {domain.upper()} in five layers, "
        f"{names.EXPERIMENT_TITLES[experiment]}",
        "source": f"soilfuse {__version__}: mean of networks that fuse monthly mrsos of "
        f"{len(source_ids)} CMIP6 models ({', '.join(source_ids)}){without}",
        "history": f"soilfuse {__version__}: interpolated the climate models; {smoothed}predicted "
        "with every fold model; averaged; rounded",
        "references": REFERENCES,
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


def _world_caveat(world: str) -> list[str]:
    """Return the sentence that keeps synthetic data from being taken for a projection."""
    if world == REAL_WORLD:
        return []
    return [
        f"Made from the synthetic pseudo-reality {world}, not from observations or projections."
    ]
