"""A chain as JSON: nodes and edges in a stable order, for other programs."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from soilfuse.tracking.graph import Recorded, Step
from soilfuse.tracking.trace import Trace

FORMAT = "soilfuse lineage 1"


def content(trace: Trace, files: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, Any]:
    """Return a chain as what JSON can hold; docs/lineage.md tells every entry.

    files: the files of raw folders, name -> md5 by folder, put to their folder where given.
    """
    nodes = [
        *(_file(trace, trace.graph.files[path], files or {}) for path in sorted(trace.graph.files)),
        *(_step(trace, trace.graph.steps[name]) for name in sorted(trace.graph.steps)),
    ]
    edges = sorted(trace.graph.edges, key=lambda e: (e.source, e.target, e.relation))
    return {
        "format": FORMAT,
        "target": trace.target.path,
        "direction": "forward" if trace.forward else "back",
        "changed": trace.changed,
        "nodes": nodes,
        "edges": [
            {
                "from": edge.source,
                "to": edge.target,
                "relation": edge.relation,
                "decides": edge.decides,
                **({"md5": edge.md5} if edge.md5 else {}),
            }
            for edge in edges
        ],
        "warnings": list(trace.warnings),
    }


def _file(trace: Trace, found: Recorded, files: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    return {
        "id": found.path,
        "kind": "file",
        "md5": found.md5,
        "size": found.size,
        "files": found.files,
        "state": trace.states.get(found.path, "not checked"),
        "decided_only": found.path in trace.decided,
        "facts": dict(trace.facts.get(found.path, {})),
        **({"listing": dict(files[found.path])} if found.path in files else {}),
    }


def _step(trace: Trace, step: Step) -> dict[str, Any]:
    run = (trace.runs or {}).get(step.name)
    return {
        "id": step.name,
        "kind": "step",
        "stage": step.stage,
        "item": step.item,
        "command": step.command,
        "code": step.code,
        "params": dict(step.params),
        "run": asdict(run) if run else None,
    }
