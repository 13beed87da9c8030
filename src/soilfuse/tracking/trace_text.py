"""A chain as an indented tree: one line an entity, with short hashes, commit and run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soilfuse.tracking.found import ABSENT, CHANGED
from soilfuse.tracking.graph import ADDED, MADE, PART, USED
from soilfuse.tracking.trace import Trace
from soilfuse.tracking.trace_words import SHORT, notes_of, summary

COMMIT = 7
LONGEST = 60
RESTORED = "restored"
MARKS = {CHANGED: "!", ABSENT: "-"}


@dataclass
class Node:
    """One line: files that one step made together, the step, and what stands below."""

    paths: list[str]
    step: str = ""
    decides: bool = False
    again: bool = False
    below: list["Node"] = field(default_factory=list)


def text(trace: Trace, files: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Return the tree with a heading line above and what it comes to below.

    files: the files of raw folders, name -> md5 by folder, shown where given; outputs of one step
    then have a line each too.
    """
    every = files is not None
    top = _forward(trace, every) if trace.forward else _back(trace, every)
    rows = [*_rows(trace, top, files or {})]
    told = any(any(row[3:]) for row in rows)
    heads = ("", "md5", "by", *(("commit", "run") if told else ()))
    cells = [row[: len(heads)] for row in rows]
    # A raw file's long name stands out rather than push all columns aside.
    aligned = [row for row in [heads, *cells] if len(row) > 1 and len(row[0]) <= LONGEST]
    widths = [max(len(row[place]) for row in aligned) for place in range(len(heads))]
    lines = [
        " ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip()
        for row in [heads, *cells]
    ]
    return "\n".join([*lines, "", *summary(trace, RESTORED if told else "")])


def _back(trace: Trace, every: bool) -> Node:
    """Return the tree of what the target comes from; a step's inputs stand below it once."""
    graph, seen = trace.graph, set[str]()

    def grow(paths: list[str], decides: bool = False) -> Node:
        into = [edge for path in paths for edge in graph.into(path)]
        step = next((edge.source for edge in into if edge.relation == MADE), "")
        parts = [edge.source for edge in into if edge.relation == PART]
        node = Node(paths, step, decides)
        if (step or paths[0]) in seen:
            node.again = True
            return node
        seen.update([step or paths[0], *paths])
        inputs = graph.into(step) if step else []
        known = [e for e in inputs if e.source in seen or _maker(trace, e.source) in seen]
        if inputs and len(known) == len(inputs) > 1:
            node.below = [Node([f"its {len(inputs)} inputs"], again=True)]
            return node
        if parts and all(graph.into(part) for part in parts):
            node.below += [grow(group) for group in _grouped(trace, parts, every)]
        elif parts:
            node.below += [grow([part]) for part in parts]
        ordered = sorted(inputs, key=lambda edge: edge.decides)
        node.below += [grow([edge.source], edge.decides) for edge in ordered]
        return node

    return grow([trace.target.path])


def _forward(trace: Trace, every: bool) -> Node:
    """Return the tree of what came from the target, each output once, on its shortest way."""
    top = Node([trace.target.path], _maker(trace, trace.target.path))
    seen, waiting, later = {trace.target.path}, [top], list[Node]()
    while waiting or later:
        decided = not waiting
        node = (waiting or later).pop(0)
        if not decided:
            later.append(node)
        for step, decides in _consumers(trace, node.paths):
            if decides and not decided:
                continue
            outs = [p for p in trace.graph.steps[step].made if p not in seen]
            for group in _grouped(trace, outs, every):
                seen.update(group)
                grown = Node(group, step, group[0] in trace.decided)
                node.below.append(grown)
                waiting.append(grown)
    return top


def _consumers(trace: Trace, paths: Iterable[str]) -> dict[tuple[str, bool], None]:
    """Return the steps that use files, also as parts of a folder, and whether these decide only."""
    found: dict[tuple[str, bool], None] = {}
    waiting, seen = list(paths), set(paths)
    while waiting:
        for edge in trace.graph.out_of(waiting.pop(0)):
            if edge.relation == USED:
                found[(edge.target, edge.decides)] = None
            elif edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
    return found


def _grouped(trace: Trace, paths: Iterable[str], every: bool) -> list[list[str]]:
    """Return files in groups of one step and folder, or each alone."""
    groups: dict[Any, list[str]] = {}
    for path in paths:
        key = path if every else (_maker(trace, path) or path, Path(path).parent)
        groups.setdefault(key, []).append(path)
    return list(groups.values())


def _maker(trace: Trace, path: str) -> str:
    made = (e.source for e in trace.graph.into(path) if e.relation == MADE)
    return next(made, "")


def _rows(
    trace: Trace,
    node: Node,
    files: Mapping[str, Mapping[str, str]],
    first: str = "",
    rest: str = "",
) -> Iterator[tuple[str, ...]]:
    """Yield the cells of a node's line, of its notes and of all below it."""
    yield _cells(trace, node, first)
    inner = rest + ("│ " if node.below else "  ")
    if not node.again:
        for path in node.paths:
            yield from ((note,) for note in notes_of(trace, path, inner))
    own = files.get(node.paths[0], {}) if not node.again and not node.step else {}
    names = [(f"{rest}  {name}", md5[:SHORT], "", "", "") for name, md5 in own.items()]
    yield from names
    for number, child in enumerate(node.below):
        last = number == len(node.below) - 1
        yield from _rows(
            trace,
            child,
            files,
            f"{rest}{'└ ' if last else '├ '}",
            f"{rest}{'  ' if last else '│ '}",
        )


def _cells(trace: Trace, node: Node, indent: str) -> tuple[str, ...]:
    name, more = node.paths[0], len(node.paths) - 1
    found = trace.graph.files.get(name)
    label = indent + name + (f" +{more}" if more else "")
    if found and found.files and not node.again:
        label += f" ({found.files} file{'s' if found.files > 1 else ''})"
    label += " (as above)" if node.again else ""
    label += " (decides only)" if node.decides else ""
    states = {trace.states.get(path, "") for path in node.paths}
    mark = next((MARKS[state] for state in (CHANGED, ABSENT) if state in states), " ")
    if CHANGED in states:
        label += f" {CHANGED}"
    if found is None or node.again:
        return (label, "", "", "", "")
    run = (trace.runs or {}).get(node.step)
    step = trace.graph.steps.get(node.step)
    by = ADDED if step and step.command == ADDED else node.step
    if run:
        commit = run.commit[:COMMIT] + ("*" if run.dirty else "")
        return (label, mark + found.md5[:SHORT], by, commit, run.run_id[:SHORT])
    restored = RESTORED if trace.runs is not None and step and by != ADDED else ""
    return (label, mark + found.md5[:SHORT], by, "", restored)
