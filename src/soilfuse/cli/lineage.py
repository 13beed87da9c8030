"""`soilfuse lineage`: the chain of a file on the screen and, where wanted, into a file."""

import json
from pathlib import Path

from soilfuse.cli.outputs import require_unrecorded
from soilfuse.errors import UserError
from soilfuse.files import write_text
from soilfuse.tracking import trace_json, trace_picture, trace_text
from soilfuse.tracking.found import files_of
from soilfuse.tracking.graph import PART, covers
from soilfuse.tracking.trace import Trace, trace

SUFFIXES = (".json", ".txt", *trace_picture.SUFFIXES)


def told(
    path: Path,
    forward: bool,
    as_json: bool,
    output: Path | None,
    every: bool,
    runs: bool,
    check: bool,
) -> tuple[str, bool]:
    """Return what to show, and whether a file of the chain was changed since it was recorded.

    output: written as its suffix says. Raises UserError as `trace` does, for another suffix, and
    for a file that the pipeline made or used.
    """
    if output is not None and output.suffix not in SUFFIXES:
        raise UserError(
            f"--output {output} has suffix {output.suffix!r}; expected one of {', '.join(SUFFIXES)}"
        )
    root = Path.cwd()
    if output is not None:
        require_unrecorded(root, output, "--output")
    chain = trace(root, path, forward, runs, check)
    files = _raw_files(root, chain) if every else None
    text = trace_text.text(chain, files)
    structure = json.dumps(trace_json.content(chain, files), indent=1, ensure_ascii=False)
    if output is not None and output.suffix in trace_picture.SUFFIXES:
        trace_picture.draw(chain, output)
    elif output is not None:
        write_text(output, (structure if output.suffix == ".json" else text) + "\n")
    return (structure if as_json else text), bool(chain.changed)


def _raw_files(root: Path, chain: Trace) -> dict[str, dict[str, str]]:
    """Return the files of the folders that no stage made file by file, name -> md5."""
    graph = chain.graph
    raw = [
        recorded
        for name, recorded in graph.files.items()
        if all(edge.relation == PART and covers(edge.source, name) for edge in graph.into(name))
    ]
    return {folder.path: files_of(root, folder, graph) for folder in raw}
