"""What meets the gate: the networks of models/finetune, or a simple method in their place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from soilfuse import config, layout, names
from soilfuse.errors import UserError, shortened, unknown
from soilfuse.evaluation.metrics import metrics
from soilfuse.evaluation.outputs import (
    HEADLINE,
    METRICS_FILE,
    MONTHLY_FILE,
    read_caveats,
    read_monthly,
    write_monthly_of,
)
from soilfuse.files import read_json, read_mapping, sha256_of_file, sha256_of_files
from soilfuse.grids.regions import regions_of
from soilfuse.inference.fitting import fit_folds
from soilfuse.inference.inputs import input_range
from soilfuse.inference.manifests import read_manifests
from soilfuse.sources.processed import read_models
from soilfuse.tracking.promotion import Facts

FACTS_FILE = "facts.json"
CAVEATS = "caveats"
OWN = ("finite", "minimum", "maximum", "coverage", "rmse", CAVEATS)  # a method's, in facts.json
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
    scored = _scored(content)
    if method not in scored:
        where = "params.yaml:promote.method, or evaluate.baselines and run `dvc repro evaluate`"
        known = [names.ENSEMBLE, *(name for name in scored if name != names.GATE_BASELINE)]
        raise UserError(unknown("method", method, known, where))
    own = _told_of(method, scored)
    _require_scored_target(content)
    manifests = read_manifests(layout.FINETUNE)
    shared, regions = next(iter(manifests.values())), regions_of(params.domain)
    fit_folds(method, manifests, regions, folder)
    write_monthly_of(method, layout.EVALUATE, folder / MONTHLY_FILE)
    historical = read_models(layout.climate_models(names.HISTORICAL))
    told = {
        **content,
        **{key: own[key] for key in OWN if key != CAVEATS},
        "method": method,
        "weights_sha256": sha256_of_files(folder.glob("fold_*.safetensors")),
        "input_range": input_range(historical, regions.grid, shared["source_ids"]),
    }
    scores = _scores(folder / MONTHLY_FILE)
    return Entrant(told, folder, folder, scores, [str(caveat) for caveat in own[CAVEATS]])


def _scored(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what evaluation found of each simple method, by name."""
    scored = content.get("methods", {})
    if not isinstance(scored, dict):
        raise _damaged(f"methods {shortened(scored, 40)}")
    return scored


def _told_of(method: str, scored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a method's own entries: one that lacked would be that of the networks."""
    own = scored[method]
    if not isinstance(own, dict):
        raise _damaged(f"{shortened(own, 40)} for {method}")
    if lacking := [key for key in OWN if key not in own]:
        raise _damaged(f"no {', '.join(lacking)} of {method}")
    if not isinstance(own[CAVEATS], list):
        raise _damaged(f"{CAVEATS} {shortened(own[CAVEATS], 40)} of {method}")
    return own


def _damaged(got: str) -> UserError:
    holder, _, mend = FACTS_OF_CANDIDATE.partition(": ")
    return UserError(f"{holder} holds {got}; expected the facts of an evaluation: {mend}")


def _require_scored_target(content: Mapping[str, Any]) -> None:
    """Raise UserError where the target is not the one by which the method was scored."""
    comparable = content["comparable"]
    scored = comparable.get("target") if isinstance(comparable, dict) else None
    found = sha256_of_file(layout.AMSMQTP)
    if found != scored:
        raise UserError(
            f"{layout.AMSMQTP} has SHA-256 {found[:12]}, {layout.EVALUATE / FACTS_FILE} was made "
            f"with {str(scored)[:12]}; expected the same: run `dvc repro evaluate`"
        )


def _scores(monthly: Path) -> dict[str, dict[str, float]]:
    found = metrics(read_monthly(monthly)[1].sum(axis=0), HEADLINE)
    layers = range(len(found["rmse"]))
    return {f"layer_{d + 1}": {name: float(found[name][d]) for name in HEADLINE} for d in layers}


def _candidate_content() -> dict[str, Any]:
    """Read what evaluation found of the folds in models/finetune."""
    needed = [field.name for field in fields(Facts) if field.name != "method"]
    return read_mapping(layout.EVALUATE / FACTS_FILE, [*needed, "input_range"])
