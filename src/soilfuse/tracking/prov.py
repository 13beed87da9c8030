"""What a product's inputs came from, back to the raw files, as a part of a PROV-JSON document.

https://www.w3.org/submissions/prov-json/; names begin with `sf:`, hashes are DVC's md5.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError
from soilfuse.tracking import origins
from soilfuse.tracking.facts import told_by
from soilfuse.tracking.graph import MADE, PART, USED, Graph, Recorded, Step, build, covers
from soilfuse.tracking.locked import locked_steps
from soilfuse.tracking.origins import Run
from soilfuse.tracking.standing import with_standing_champion

Document = dict[str, dict[str, Any]]
COLLECTION = {"$": "prov:Collection", "type": "prov:QUALIFIED_NAME"}
TOLD = ("ensemble_hash", "pretrained_sha256", "weights_sha256", "trial")


def upstream(paths: Iterable[str | Path]) -> Document:
    """Return entities, activities and relations of all that some files of the project came from.

    Runs and commits are told where the MLflow store knows them. {} where nothing is recorded, or
    dvc.lock is being written by another stage.
    """
    root = Path.cwd()
    try:
        graph = with_standing_champion(root, build(locked_steps(root)))
    except UserError:
        return {}
    names = [Path(path).as_posix() for path in paths]
    nodes = {node for name in names if name in graph.files for node in graph.reached(name, False)}
    part = graph.part(nodes)
    try:
        runs = origins.runs_of(part.steps.values(), graph) if origins.has_store() else {}
    except UserError:
        runs = {}
    return document(part, told_by(root, part), runs)


def document(
    graph: Graph, facts: Mapping[str, Mapping[str, Any]], runs: Mapping[str, Run]
) -> Document:
    """Return a graph as PROV-JSON; a folder is a collection, of which its files are members."""
    edges = sorted(graph.edges, key=lambda e: (e.source, e.target, e.relation))
    used = [edge for edge in edges if edge.relation == USED]
    made = [edge for edge in edges if edge.relation == MADE]
    # A collection's hash hangs on its members; a member that was made alone does not hang on it.
    derived = [
        (out.target, dep.source)
        for out in made
        for dep in used
        if dep.target == out.source and not dep.decides
    ]
    members = [edge for edge in edges if edge.relation == PART]
    return {
        "entity": {_name(p): _entity(found, facts.get(p, {})) for p, found in graph.files.items()},
        "activity": {_step(name): _activity(s, runs.get(name)) for name, s in graph.steps.items()},
        "wasGeneratedBy": {
            f"_:made{n}": {"prov:entity": _name(e.target), "prov:activity": _step(e.source)}
            for n, e in enumerate(made)
        },
        "used": {
            f"_:read{n}": {
                "prov:activity": _step(e.target),
                "prov:entity": _name(e.source),
                **({"prov:role": "decides"} if e.decides else {}),
            }
            for n, e in enumerate(used)
        },
        "wasDerivedFrom": {
            f"_:from{n}": {"prov:generatedEntity": _name(out), "prov:usedEntity": _name(dep)}
            for n, (out, dep) in enumerate(derived)
        },
        "hadMember": {
            f"_:member{n}": {"prov:collection": _name(whole), "prov:entity": _name(part)}
            for n, (whole, part) in enumerate(_whole_and_part(e.source, e.target) for e in members)
        },
    }


def _whole_and_part(one: str, other: str) -> tuple[str, str]:
    return (one, other) if covers(one, other) else (other, one)


def _name(path: str) -> str:
    return f"sf:{path}"


def _step(name: str) -> str:
    return f"sf:step/{name.replace(' ', '_')}"


def _entity(found: Recorded, told: Mapping[str, Any]) -> dict[str, Any]:
    kind = {"prov:type": COLLECTION} if found.md5.endswith(".dir") else {}
    own = {f"sf:{name}": told[name] for name in TOLD if name in told}
    return {"prov:label": found.path, "sf:hash": found.md5, **kind, **own}


def _activity(step: Step, run: Run | None) -> dict[str, Any]:
    told = {"prov:label": step.name.replace("@", " "), "sf:command": step.command}
    if run is None:
        return told
    commit = {"sf:git_commit": run.commit, "sf:git_dirty": run.dirty}
    return told | {"sf:mlflow_run_id": run.run_id, **commit}
