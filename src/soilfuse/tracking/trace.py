"""The chain of one path through the pipeline: back to the raw files, or forward to all it touched.

As text, JSON or picture: `trace_text`, `trace_json`, `trace_picture`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.tracking import found, origins
from soilfuse.tracking.facts import foreign_records, told_by
from soilfuse.tracking.graph import Graph, Recorded, build, with_target
from soilfuse.tracking.lineage import LOCK
from soilfuse.tracking.locked import locked_steps
from soilfuse.tracking.origins import Run
from soilfuse.tracking.standing import EARLIER, trained_on, with_standing_champion

CHAMPION = layout.CHAMPION.as_posix()


@dataclass(frozen=True)
class Trace:
    """A target, the part of the graph that it leads to, and all that is known of it.

    decided: what is reached only through the gate's decision, not through numbers; states: by
    path, whether it is as it was recorded, where that was looked at; runs: by step, None where the
    store was not asked; warnings: a line each.
    """

    target: Recorded
    forward: bool
    graph: Graph
    decided: frozenset[str]
    states: Mapping[str, str]
    facts: Mapping[str, Mapping[str, Any]]
    runs: Mapping[str, Run] | None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> list[str]:
        """The files whose bytes are not those that dvc.lock recorded."""
        return sorted(path for path, state in self.states.items() if state == found.CHANGED)


def trace(
    root: Path, given: Path, forward: bool = False, runs: bool = True, check: bool = True
) -> Trace:
    """Return the chain of one file or folder of the project in `root`.

    forward: to all that came from it, not back to what it came from; runs: ask the MLflow store;
    check: hash what lies here. Raises UserError outside a project's root, for a path that the
    pipeline does not know, and where dvc.lock is absent or damaged.
    """
    root = Path(root)
    graph = with_standing_champion(root, build(locked_steps(root)))
    target = found.target_of(root, graph, given)
    graph = with_target(graph, target, forward, found.reads)
    nodes = graph.reached(target.path, forward)
    values = graph.reached(target.path, forward, decided=False)
    part = graph.part(nodes)
    warnings: list[str] = []
    asked = _runs(part, graph, warnings) if runs else None
    foreign = foreign_records(root, part.files, graph.steps.values())
    warnings += [
        f"{record} is not the one that {LOCK} recorded, so what it names is left out"
        for record in foreign
    ]
    facts = _facts(root, part, foreign)
    if asked is not None:
        asked |= _named(part, facts, asked)
        _registered(part, facts, asked, warnings)
    return Trace(
        target=target,
        forward=forward,
        graph=part,
        decided=frozenset(nodes - values),
        states=_states(root, part, foreign) if check else {},
        facts=facts,
        runs=asked,
        warnings=tuple(warnings),
    )


def _runs(part: Graph, whole: Graph, warnings: list[str]) -> dict[str, Run] | None:
    if not origins.has_store():
        warnings.append("no MLflow store here: runs and commits are not known")
        return None
    try:
        return origins.runs_of(part.steps.values(), whole)
    except UserError as error:
        warnings.append(f"runs and commits are not known: {error}")
        return None


def _states(root: Path, graph: Graph, foreign: list[str]) -> dict[str, str]:
    return found.states(root, graph.files.values()) | dict.fromkeys(foreign, found.CHANGED)


def _facts(root: Path, graph: Graph, foreign: list[str]) -> dict[str, dict[str, Any]]:
    facts = told_by(root, graph, foreign)
    if EARLIER in graph.steps:
        kept = {"kept": True, "trained_on": trained_on(root)}
        facts[CHAMPION] = {**facts.get(CHAMPION, {}), **kept}
    return facts


def _registered(
    graph: Graph, facts: dict[str, dict[str, Any]], runs: dict[str, Run], warnings: list[str]
) -> None:
    """Add the champion's registered versions to what is known, and the run that promoted it."""
    own = facts.get(CHAMPION, {})
    if "weights_sha256" not in own:
        return
    try:
        versions = origins.versions_of(str(own["weights_sha256"]))
    except UserError as error:
        warnings.append(f"registered versions are not known: {error}")
        return
    own["versions"] = [
        f"{v.name} version {v.version}" + (f" ({', '.join(v.aliases)})" if v.aliases else "")
        for v in versions
    ]
    for version in versions:
        run = origins.run_named(version.run_id) if version.run_id else None
        if run is not None and EARLIER in graph.steps:
            runs[EARLIER] = run


def _named(
    graph: Graph, facts: Mapping[str, Mapping[str, Any]], asked: Mapping[str, Run]
) -> dict[str, Run]:
    """Return the runs that products' sidecars name, which know it better than what fits."""
    told = {}
    for step in graph.steps.values():
        for path in step.made:
            run_id = str(facts.get(path, {}).get("run", ""))
            if run_id and (step.name not in asked or asked[step.name].run_id != run_id):
                own = facts[path]
                dirty = bool(own.get("dirty"))
                told[step.name] = Run(run_id, str(own.get("commit", "unknown")), dirty, "", "")
    return told
