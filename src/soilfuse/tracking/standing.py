"""A champion that today's folds did not make: one kept from before, or pinned."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json, sha256_of_file
from soilfuse.names import ENSEMBLE
from soilfuse.tracking.found import listing
from soilfuse.tracking.graph import Graph, Recorded, Step, build
from soilfuse.tracking.lineage import content_hash

EARLIER = "an earlier promotion"
PROMOTE = "promote"


def with_standing_champion(root: Path, graph: Graph) -> Graph:
    """Return the graph in which a champion that was kept comes from its own inputs.

    dvc.lock says that `promote` made models/champion from models/finetune, also where the gate
    rejected those folds, or params.yaml:promote.pin put back a version: the folder's own manifests
    then tell what it was trained on. The graph stays as it is where the folder cannot be seen, and
    where `promote` fitted a simple method that passed.
    """
    champion, step = layout.CHAMPION.as_posix(), graph.steps.get(PROMOTE)
    if step is None or champion not in step.made:
        return graph
    own = _weights(root, step.made[champion])
    folds = {
        Path(path).name: found.md5
        for path, found in graph.files.items()
        if Path(path).parent == layout.FINETUNE and path.endswith(".safetensors")
    }
    if not own or not folds or own == folds or _fitted_by_promote(root):
        return graph
    kept = {path: found for path, found in step.made.items() if path != champion}
    earlier = Step(EARLIER, "", _inputs(root, graph), {champion: step.made[champion]})
    return build({**graph.steps, PROMOTE: replace(step, made=kept), EARLIER: earlier})


def _fitted_by_promote(root: Path) -> bool:
    """Return whether the champion is a simple method, and the last that was judged and passed."""
    try:
        champion = read_json(root / layout.CHAMPION / layout.CHAMPION_FILE)
        verdict = read_json(root / layout.VERDICT)
        method = champion.get("method", ENSEMBLE)
        judged = verdict.get("method") if verdict["promoted"] and not verdict.get("pin") else None
    except (OSError, UserError, AttributeError, LookupError):
        return False
    return bool(method != ENSEMBLE and method == judged)


def _weights(root: Path, champion: Recorded) -> dict[str, str]:
    """Return {fold_k.safetensors: md5} of a champion, {} where nothing tells."""
    names = listing(root, champion)
    if names is None:
        folder = root / champion.path
        return {path.name: content_hash(path) for path in sorted(folder.glob("fold_*.safetensors"))}
    return {name: md5 for name, md5 in names.items() if name.endswith(".safetensors")}


def _inputs(root: Path, graph: Graph) -> dict[str, Recorded]:
    """Return those of a champion's inputs that lie here with the same bytes as it was trained on.

    Of the others only a hash is known, which `facts` tells.
    """
    return {
        path: graph.files[path]
        for path, sha256 in trained_on(root).items()
        if path in graph.files and (root / path).is_file() and sha256_of_file(root / path) == sha256
    }


def trained_on(root: Path) -> dict[str, str]:
    """Return {file: SHA-256} of what the champion's first fold was trained on, {} where unknown."""
    try:
        inputs: Any = read_json(root / layout.CHAMPION / "fold_0.json").get("inputs")
    except (OSError, UserError, AttributeError):
        return {}
    return {str(k): str(v) for k, v in inputs.items()} if isinstance(inputs, dict) else {}
