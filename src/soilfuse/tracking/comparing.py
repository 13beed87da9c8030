"""Two sides by their scores: registered versions, or the candidate that is not registered.

A side is an ensemble of networks, or a simple method in its place.
"""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import config, layout
from soilfuse.errors import UserError
from soilfuse.evaluation.bootstrap import paired_intervals
from soilfuse.evaluation.metrics import metrics
from soilfuse.evaluation.outputs import MONTHLY_FILE, read_monthly
from soilfuse.files import read_mapping
from soilfuse.names import ENSEMBLE, method_title
from soilfuse.tracking import fetching
from soilfuse.tracking.aliases import resolve
from soilfuse.tracking.entrant import FACTS_OF_CANDIDATE, entrant
from soilfuse.tracking.promoting import difference_of, facts_of, recorded_facts
from soilfuse.tracking.promotion import Facts, unequal
from soilfuse.tracking.recording import leaves

CANDIDATE = "candidate"
MANIFEST = "fold_0.json"  # one fold's, for what all folds share


@dataclass(frozen=True)
class Side:
    """One of both: what it is called, its facts, its settings, and the folder of monthly.csv."""

    title: str
    facts: Facts
    settings: Mapping[str, Any]
    folder: Path


def compare(params: config.Params, one: str, other: str) -> dict[str, Any]:
    """Compare two versions out of fold, networks or simple methods.

    one, other: a version's number, an alias, or `candidate`: the networks of models/finetune, or
    what params.yaml:promote.method names in their place.
    Returns the titles `one` and `other`; `differ_in`: why their scores cannot be compared, empty
    where they can; `layers`: RMSE in m3 m-3 and R of both for each layer and, where comparable,
    `difference`, `low`, `high` of RMSE (one minus other, 95 % interval of the paired block
    bootstrap); `mean`: the same of the RMSE averaged over layers, which the gate uses; and
    `settings`: {name: [one's, other's]} where they differ.
    Raises UserError for a name that is not registered, and a candidate that is not there.
    """
    name = params.promote.registered_model
    with ExitStack() as opened:
        aside = opened.enter_context(tempfile.TemporaryDirectory())
        a, b = (
            _side(params, wanted, Path(aside) / place, opened)
            for place, wanted in (("one", one), ("other", other))
        )
        differ_in = unequal(a.facts, b.facts)
        (months, own), (others, theirs) = (read_monthly(s.folder / MONTHLY_FILE) for s in (a, b))
        if not np.array_equal(months, others):
            differ_in = [*differ_in, "months"]
        found: dict[str, Any] = {
            "model": name,
            "one": a.title,
            "other": b.title,
            "world": [a.facts.comparable["world"], b.facts.comparable["world"]],
            "differ_in": differ_in,
            "layers": _layers(own, theirs),
            "mean": {"rmse": [a.facts.rmse, b.facts.rmse]},
            "settings": _differing(a.settings, b.settings),
        }
        if not differ_in:
            _add_intervals(found, params, own, theirs)
            difference = difference_of(params, a.folder, b.folder)
            found["mean"] |= vars(difference) if difference else {}
    return found


def _side(params: config.Params, wanted: str, place: Path, opened: ExitStack) -> Side:
    """Return one side; opened: holds the files of a fitted candidate while they are compared."""
    if wanted == CANDIDATE:
        for needed in (layout.EVALUATE / "facts.json", layout.FINETUNE / MANIFEST):
            if not needed.is_file():
                raise UserError(f"no candidate, {needed} is absent: run `dvc repro evaluate`")
        given = opened.enter_context(entrant(params))
        settings = read_mapping(given.folder / MANIFEST, ())
        facts = facts_of(given.content, FACTS_OF_CANDIDATE)
        own = params.promote.method == ENSEMBLE
        title = CANDIDATE if own else f"{CANDIDATE}, {method_title(params.promote.method)}"
        return Side(title, facts, settings, given.evaluated)
    name = params.promote.registered_model
    version = resolve(name, wanted, f"name one of these, or `{CANDIDATE}`")
    # The weights stay where they are.
    facts = recorded_facts(name, version)
    settings = fetching.fetch_mapping(name, version, MANIFEST)
    monthly = fetching.fetch_files(name, version, place, MONTHLY_FILE)
    title = f"version {version}" if wanted.isdecimal() else f"version {version} ({wanted})"
    return Side(title, facts, settings, monthly.parent)


def _layers(own: np.ndarray, theirs: np.ndarray) -> list[dict[str, Any]]:
    scored = [metrics(sums.sum(axis=0), ("rmse", "r")) for sums in (own, theirs)]
    depth = min(own.shape[1], theirs.shape[1])
    return [
        {"layer": d + 1, **{m: [float(s[m][d]) for s in scored] for m in ("rmse", "r")}}
        for d in range(depth)
    ]


def _add_intervals(
    found: dict[str, Any], params: config.Params, own: np.ndarray, theirs: np.ndarray
) -> None:
    samples, block = params.evaluate.bootstrap_samples, params.evaluate.bootstrap_block_months
    rows = paired_intervals(own, theirs, samples, block, params.seed, ("rmse",))
    for layer, row in zip(found["layers"], rows.to_dict("records"), strict=True):
        layer |= {key: float(row[key]) for key in ("difference", "low", "high")}


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return {dotted name: [one's, other's]} of the settings in which two manifests differ."""
    from soilfuse.training.finetune import OF_A_FOLD

    a, b = (
        dict(leaves({key: value for key, value in each.items() if key not in OF_A_FOLD}, "."))
        for each in (one, other)
    )
    names = sorted({*a, *b})
    return {name: [a.get(name), b.get(name)] for name in names if a.get(name) != b.get(name)}
