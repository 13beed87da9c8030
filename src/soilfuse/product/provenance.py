"""The provenance of a product as a W3C PROV-JSON file beside it.

https://www.w3.org/submissions/prov-json/. What changes from run to run, and so must not stand in
the product itself, stands here: run, model version, commit, time. What the inputs came from, back
to the raw files, is given as a part of such a document by who knows the pipeline.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soilfuse import __version__, config, layout
from soilfuse.errors import UserError
from soilfuse.files import read_json, sha256_of_file, write_json

PREFIXES = {"sf": "urn:soilfuse:"}
GENERATED = "_:generated"


@dataclass(frozen=True)
class RunRecord:
    """Which run made a product: MLflow's run id, the registered model and its version, the code.

    dirty: whether the code differed from the commit.
    """

    run_id: str
    registered_model: str
    model_version: str
    commit: str
    dirty: bool


def sources(models: Sequence[Path]) -> list[Path]:
    """Return what a product is made from: climate models' files, champion, parameters."""
    return [*models, layout.CHAMPION, config.PARAMS_FILE]


def prov_document(
    product: str,
    product_sha256: str,
    experiment: str,
    used: Mapping[str, str],
    run: RunRecord,
    upstream: Mapping[str, Mapping[str, Any]] | None = None,
    time: str | None = None,
) -> dict[str, Any]:
    """Return the PROV-JSON document of one product.

    product: its path in the project; used: path in the project -> content hash of everything that
    was read (climate models, weights, params.yaml); upstream: what that came from, in PROV-JSON
    with the same prefix; time: of the product's making, ISO 8601 with its offset.
    """
    activity, agent = f"sf:run/{run.run_id}", f"sf:software/{__version__}"
    made = f"sf:{product}"
    sources = {f"sf:{name}": digest for name, digest in sorted(used.items())}
    document = {
        "prefix": PREFIXES,
        "entity": {
            made: {"prov:label": product, "sf:sha256": product_sha256, "sf:experiment": experiment},
            **{
                name: {"prov:label": name[3:], "sf:hash": digest}
                for name, digest in sources.items()
            },
        },
        "activity": {
            activity: {
                "prov:label": f"infer {experiment}",
                "sf:mlflow_run_id": run.run_id,
                "sf:registered_model": run.registered_model,
                "sf:model_version": run.model_version,
                "sf:git_commit": run.commit,
                "sf:git_dirty": run.dirty,
            }
        },
        "agent": {
            agent: {
                "prov:type": {"$": "prov:SoftwareAgent", "type": "prov:QUALIFIED_NAME"},
                "prov:label": f"soilfuse {__version__}",
            }
        },
        "wasGeneratedBy": {
            GENERATED: {
                "prov:entity": made,
                "prov:activity": activity,
                **({"prov:time": time} if time else {}),
            }
        },
        "used": {
            f"_:used{number}": {"prov:activity": activity, "prov:entity": name}
            for number, name in enumerate(sources)
        },
        "wasDerivedFrom": {
            f"_:derived{number}": {"prov:generatedEntity": made, "prov:usedEntity": name}
            for number, name in enumerate(sources)
        },
        "wasAttributedTo": {"_:attributed": {"prov:entity": made, "prov:agent": agent}},
        "wasAssociatedWith": {"_:associated": {"prov:activity": activity, "prov:agent": agent}},
    }
    return _joined(document, upstream or {})


def _joined(document: dict[str, Any], upstream: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return both documents as one; of what both tell, the first one's attributes win."""
    joined = dict(document)
    for kind, records in upstream.items():
        own = joined.get(kind, {})
        joined[kind] = own | {name: {**told, **own.get(name, {})} for name, told in records.items()}
    return joined


def write_prov(
    path: Path,
    product: Path,
    experiment: str,
    used: Mapping[str, str],
    run: RunRecord,
    upstream: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write the PROV-JSON sidecar of a product that has been written; `product` is hashed."""
    product = Path(product)
    digest, now = sha256_of_file(product), datetime.now(UTC).isoformat(timespec="seconds")
    name = product.as_posix()
    write_json(path, prov_document(name, digest, experiment, used, run, upstream, now))


def read_prov(path: Path) -> tuple[str, dict[str, str]]:
    """Return the product's SHA-256 and {path in the project: hash} of what was used.

    Raises UserError where the sidecar is absent or is none.
    """
    try:
        document = read_json(path)
        entities = document["entity"]
        generated = document["wasGeneratedBy"][GENERATED]
        made, run = generated["prov:entity"], generated["prov:activity"]
        of_run = [ends for ends in document["used"].values() if ends["prov:activity"] == run]
        names = [ends["prov:entity"] for ends in of_run]
        used = {entities[name]["prov:label"]: entities[name]["sf:hash"] for name in names}
        return entities[made]["sf:sha256"], used
    except FileNotFoundError:
        raise UserError(f"no {path}, the record of the product beside it; run `dvc pull`") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path} is no record of a product; run `dvc checkout {path}`") from None
