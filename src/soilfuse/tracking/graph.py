"""The pipeline as DVC recorded it: steps, the files they used and the files they made.

Nodes are paths in the project, and steps under the name that DVC gives them (`infer@ssp370`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CODE = ("pipelines/", "src/", "../../pipelines/", "../../src/")  # the latter two of studies
USED, MADE, PART = "used", "made", "part"
ADDED = "dvc add"
# The gate reads the scores to decide, and quotes them in caveats: no weight comes from them.
DECIDES = {("results/evaluate", "promote")}


@dataclass(frozen=True)
class Recorded:
    """A file or folder as a step recorded it: DVC's md5 (a folder's ends in .dir), bytes, files."""

    path: str
    md5: str
    size: int | None = None
    files: int | None = None


@dataclass(frozen=True)
class Step:
    """One stage, or one item of it, as it last ran; params: as dvc.lock keeps them, by file."""

    name: str
    command: str
    used: Mapping[str, Recorded]
    made: Mapping[str, Recorded]
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def stage(self) -> str:
        """The stage's name without the item."""
        return self.name.split("@")[0]

    @property
    def item(self) -> str | None:
        """The item of a `foreach` stage, None for others."""
        return self.name.split("@", 1)[1] if "@" in self.name else None

    @property
    def code(self) -> dict[str, str]:
        """The scripts and library folders that it ran, with their md5."""
        return {path: found.md5 for path, found in self.used.items() if is_code(path)}

    @property
    def data(self) -> list[str]:
        """The files and folders that it read, code left out."""
        return [path for path in self.used if not is_code(path)]


@dataclass(frozen=True)
class Edge:
    """`target` comes from `source`: a step used a file, made one, or one is part of the other.

    md5: of what was used, as it was then; decides: it decided about the result, no number of which
    comes from it.
    """

    source: str
    target: str
    relation: str
    md5: str = ""
    decides: bool = False


@dataclass(frozen=True)
class Graph:
    """All steps by name, all files by path, and what comes from what."""

    steps: Mapping[str, Step]
    files: Mapping[str, Recorded]
    edges: tuple[Edge, ...]

    def into(self, node: str) -> list[Edge]:
        """Return the edges that end in a node."""
        return [edge for edge in self.edges if edge.target == node]

    def out_of(self, node: str) -> list[Edge]:
        """Return the edges that begin in a node."""
        return [edge for edge in self.edges if edge.source == node]

    def reached(self, start: str, forward: bool, decided: bool = True) -> set[str]:
        """Return all nodes that `start` leads to, itself included, forward or back.

        decided: go also along edges that only decide.
        """
        follow = self.out_of if forward else self.into
        found, waiting = {start}, [start]
        while waiting:
            for edge in follow(waiting.pop()):
                other = edge.target if forward else edge.source
                if other not in found and (decided or not edge.decides):
                    found.add(other)
                    waiting.append(other)
        return found

    def part(self, nodes: set[str]) -> "Graph":
        """Return the graph of some of the nodes."""
        return Graph(
            {name: step for name, step in self.steps.items() if name in nodes},
            {path: found for path, found in self.files.items() if path in nodes},
            tuple(e for e in self.edges if e.source in nodes and e.target in nodes),
        )


def is_code(path: str) -> bool:
    """Return whether a dep is code rather than data."""
    return path.startswith(CODE) or path.endswith(".py")


def covers(folder: str, path: str) -> bool:
    """Return whether a path is a folder or lies in it."""
    return path == folder or path.startswith(f"{folder}/")


def build(steps: Mapping[str, Step]) -> Graph:
    """Return the graph of all steps; a folder and what lies in it are tied by `part` edges."""
    made = {path: found for step in steps.values() for path, found in step.made.items()}
    used = {path: found for step in steps.values() for path, found in step.used.items()}
    edges = [
        Edge(path, step.name, USED, found.md5, (path, step.name) in DECIDES)
        for step in steps.values()
        for path, found in step.used.items()
        if not is_code(path)
    ]
    edges += [
        Edge(step.name, path, MADE, found.md5)
        for step in steps.values()
        for path, found in step.made.items()
    ]
    data = {path: found for path, found in used.items() if not is_code(path)}
    edges += [
        Edge(out, dep, PART)
        for dep in data
        for out in made
        if dep != out and (covers(dep, out) or covers(out, dep))
    ]
    return Graph(steps, {**data, **made}, tuple(edges))


def with_target(
    graph: Graph, target: Recorded, forward: bool, reads: Callable[[Step, str], bool]
) -> Graph:
    """Return the graph with one more path in it: a file of a known folder, a folder, or code.

    reads(step, path): whether a step that depends on a folder looks at this file of it.
    """
    path = target.path
    if path in graph.files:
        return graph
    if forward:
        inside = _outermost(other for other in graph.files if covers(path, other))
        edges = [Edge(path, other, PART) for other in inside]
        edges += [
            Edge(path, step.name, USED, decides=(dep, step.name) in DECIDES)
            for step in graph.steps.values()
            for dep in step.used
            if (covers(dep, path) or (is_code(dep) and covers(path, dep))) and reads(step, path)
        ]
    else:
        inside = [other for other in graph.files if covers(path, other) and graph.into(other)]
        holding = [other for other in graph.files if covers(other, path)]
        outs = [other for other in holding if any(e.relation == MADE for e in graph.into(other))]
        origins = dict.fromkeys([*inside, *(outs or holding)])
        edges = [Edge(other, path, PART) for other in origins]
    return Graph(graph.steps, {**graph.files, path: target}, (*graph.edges, *dict.fromkeys(edges)))


def _outermost(paths: Iterable[str]) -> list[str]:
    found = sorted(paths)
    return [p for p in found if not any(covers(other, p) for other in found if other != p)]
