"""What meets the gate: the networks of models/finetune, or a simple method in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from soilfuse import config, layout, names
from soilfuse.errors import UserError, unknown
from soilfuse.evaluation.metrics import metrics
from soilfuse.evaluation.outputs import (
    HEADLINE,
    METRICS_FILE,
    MONTHLY_FILE,
    read_caveats,
    read_monthly,
    write_monthly_of,
)
from soilfuse.files import read_json, read_mapping, sha256_of_files
from soilfuse.grids.regions import regions_of
from soilfuse.inference.fitting import fit_folds
from soilfuse.inference.inputs import input_range
from soilfuse.inference.manifests import read_manifests
from soilfuse.sources.processed import read_models
from soilfuse.tracking.promotion import Facts

FACTS_FILE = "facts.json"
FACTS_OF_CANDIDATE = f"{layout.EVALUATE / FACTS_FILE}: run `dvc repro -s evaluate`"


@dataclass(frozen=True)
class Entrant:
    """What may become champion, and where its files are.

    content: the entries of Facts, and input_range; folder: of fold_<k>.json and the weights;
    evaluated: of monthly.csv; scores: by layer, out of fold; caveats: what evaluation says of it.
    """

    content: Mapping[str, Any]
    folder: Path
    evaluated: Path
    scores: Mapping[str, Any]
    caveats: list[str]


@contextmanager
def entrant(params: config.Params) -> Iterator[Entrant]:
    """Give what params.yaml:promote.method names; a simple method is fitted, in a temporary folder.

    Raises UserError where the trained folds or what evaluation found of the method are missing.
    """
    content, method = _candidate_content(), params.promote.method
    if method == names.ENSEMBLE:
        scores = read_json(layout.EVALUATE / METRICS_FILE)["outer"]
        caveats = read_caveats(layout.EVALUATE)
        yield Entrant(content, layout.FINETUNE, layout.EVALUATE, scores, caveats)
        return
    with TemporaryDirectory() as place:
        yield _fitted(params, content, method, Path(place))


def _fitted(
    params: config.Params, content: Mapping[str, Any], method: str, folder: Path
) -> Entrant:
    """Fit a simple method to the months of the trained folds."""
    scored = content.get("methods", {})
    if method not in scored:
        where = "params.yaml:promote.method, or evaluate.baselines and run `dvc repro evaluate`"
        known = [names.ENSEMBLE, *scored]
        raise UserError(unknown("method", method, known, where))
    manifests = read_manifests(layout.FINETUNE)
    shared, regions = next(iter(manifests.values())), regions_of(params.domain)
    fit_folds(method, manifests, regions, folder)
    write_monthly_of(method, layout.EVALUATE, folder / MONTHLY_FILE)
    historical = read_models(layout.climate_models(names.HISTORICAL))
    own = {key: value for key, value in scored[method].items() if key != "caveats"}
    told = {
        **content,
        **own,
        "method": method,
        "weights_sha256": sha256_of_files(folder.glob("fold_*.safetensors")),
        "input_range": input_range(historical, regions.grid, shared["source_ids"]),
    }
    caveats = list(scored[method]["caveats"])
    return Entrant(told, folder, folder, _scores(folder / MONTHLY_FILE), caveats)


def _scores(monthly: Path) -> dict[str, dict[str, float]]:
    found = metrics(read_monthly(monthly)[1].sum(axis=0), HEADLINE)
    layers = range(len(found["rmse"]))
    return {f"layer_{d + 1}": {name: float(found[name][d]) for name in HEADLINE} for d in layers}


def _candidate_content() -> dict[str, Any]:
    """Read what evaluation found of the folds in models/finetune."""
    needed = [field.name for field in fields(Facts) if field.name != "method"]
    return read_mapping(layout.EVALUATE / FACTS_FILE, [*needed, "input_range"])
