"""The words of a chain's printed tree: what outputs say of themselves, and what it comes to."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from soilfuse import layout
from soilfuse.tracking.found import ABSENT
from soilfuse.tracking.graph import USED
from soilfuse.tracking.trace import Trace

SHORT = 8
WIDTH = 100
ENDS = {
    "products": (f"{layout.PRODUCTS}/", ".nc"),
    "pages": (f"{layout.REPORTS}/", ".html"),
    "trends": (f"{layout.TRENDS}/", ".nc"),
}


def notes_of(trace: Trace, path: str, indent: str) -> list[str]:
    """Return lines of what a file says of its origin, and who used another version of it."""
    told = [*_notes(trace.facts.get(path, {})), *_versions(trace, path)]
    width = max(WIDTH - len(indent), WIDTH // 2)
    return [
        indent + line
        for note in told
        for line in textwrap.wrap(f"· {note}", width, subsequent_indent="  ")
    ]


def _notes(told: Mapping[str, Any]) -> list[str]:
    if "trial" in told:
        taken = ", ".join(n.removeprefix("finetune.") for n in told["taken"]) or "nothing"
        score = f"trial {told['trial']} of {told['trials']}, inner RMSE {told['inner_rmse']:.5f}"
        return [f"{score} m3 m-3", f"fine-tuning takes {taken}"]
    notes = []
    if told.get("kept"):
        notes.append("kept or pinned: today's folds are not in it; it was trained on")
        notes += [f"  {name} sha256 {_cut(h)}" for name, h in told["trained_on"].items()]
    hashes = [
        f"{word} {_cut(told[key])}"
        for word, key in (
            ("ensemble", "ensemble_hash"),
            ("weights", "weights_sha256"),
            ("pre-training", "pretrained_sha256"),
        )
        if key in told
    ]
    if hashes:
        notes.append(", ".join(hashes))
    notes += [f"registered as {name}" for name in told.get("versions", ())]
    if "promoted" in told:
        pin = f", pinned to version {told['pin']}" if "pin" in told else ""
        notes.append(("promoted" if told["promoted"] else "rejected") + pin)
    if "model_version" in told:
        notes.append(f"its record names run {_cut(told['run'])}, version {told['model_version']}")
    return notes


def _versions(trace: Trace, path: str) -> list[str]:
    now = trace.graph.files[path].md5
    others: dict[str, list[str]] = {}
    for edge in trace.graph.out_of(path):
        if edge.relation == USED and edge.md5 and now and edge.md5 != now:
            others.setdefault(edge.md5, []).append(edge.target)
    return [
        f"{', '.join(steps)} used another version of it, md5 {_cut(md5)}"
        for md5, steps in others.items()
    ]


def summary(trace: Trace, restored: str) -> list[str]:
    """Return the lines below the tree; restored: the word in place of runs that are not known."""
    lines = _touched(trace) if trace.forward else []
    steps, files = len(trace.graph.steps), len(trace.graph.files)
    way = "forward from" if trace.forward else "back from"
    counted = f"{steps} step{'' if steps == 1 else 's'}"
    lines.append(f"{files} files and folders, {counted} {way} {trace.target.path}")
    known = trace.runs or {}
    if any(name not in known for name in trace.graph.steps) and restored:
        lines.append(f"{restored}: from DVC's cache, no run here made it")
    if any(run.dirty for run in known.values()):
        lines.append("*: the code differed from the commit")
    absent = [path for path, state in trace.states.items() if state == ABSENT]
    if absent:
        lines.append(f"-: not here, {len(absent)} of them; `dvc pull` fetches them")
    if trace.changed:
        lines.append(
            f"!: changed since dvc.lock recorded it: {', '.join(trace.changed)}: run "
            "`dvc checkout` to have it back, or `dvc repro`"
        )
    lines += [f"note: {warning}" for warning in trace.warnings]
    return [part for line in lines for part in textwrap.wrap(line, WIDTH, subsequent_indent="  ")]


def _touched(trace: Trace) -> list[str]:
    """Return which products, pages and trends were touched, by numbers or by decision alone."""
    files = trace.graph.files
    by_numbers = [path for path in files if path not in trace.decided]
    lines = [f"touched: {_named(by_numbers) or 'no product, page or trend'}"]
    if named := _named(trace.decided):
        lines.append(f"by the gate's decision and caveats only: {named}")
    return lines


def _named(paths: Iterable[str]) -> str:
    found: dict[str, list[str]] = {word: [] for word in ENDS}
    for path in sorted(paths):
        for word, (folder, suffix) in ENDS.items():
            if path.startswith(folder) and path.endswith(suffix):
                found[word].append(path.removeprefix(folder).removesuffix(suffix))
    return "; ".join(f"{word} {', '.join(names)}" for word, names in found.items() if names)


def _cut(digest: Any) -> str:
    return str(digest)[:SHORT]
