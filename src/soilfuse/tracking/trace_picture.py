"""A chain as a small picture: the pipeline from left to right, a box a step, its files within."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.files import written_aside
from soilfuse.tracking.graph import MADE, PART, USED, Graph
from soilfuse.tracking.trace import Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 100
WIDTH = 16.0  # inches: 1600 pixels
LINE = 0.155  # inches a line of text
GAP = 0.16  # inches between boxes
SHOWN = 4  # files a box
LETTER = 0.06  # inches, of usual text
INK, EDGE, PALE, MARKED, FAINT = "#22303a", "#7b8790", "#f2f5f7", "#fde9d0", "#9aa5ad"
SUFFIXES = (".png", ".svg")


def draw(trace: Trace, target: Path) -> None:
    """Write a chain as PNG or SVG, by the suffix; its metadata name the target and its md5."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    boxes = _boxes(trace)
    columns = _columns(trace.graph, boxes)
    heights = [sum(_height(boxes[n]) + GAP for n in column) for column in columns]
    height = max(2.0, max(heights) + 0.9)
    settings: Any = {"font.family": "DejaVu Sans", "svg.hashsalt": trace.target.path}
    with mpl.rc_context(settings), written_aside(Path(target)) as aside:
        figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
        FigureCanvasAgg(figure)
        axes = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(0, height))
        axes.set_axis_off()
        way = "forward from" if trace.forward else "back from"
        told = f"{way} {trace.target.path}   md5 {trace.target.md5[:8]}"
        axes.text(0.15, height - 0.25, told, fontsize=10, color=INK, weight="bold", va="center")
        places = _places(columns, boxes, height - 0.6)
        _arrows(axes, trace, boxes, places)
        for name, place in places.items():
            _box(axes, trace, name, boxes[name], place)
        figure.savefig(aside, metadata=_metadata(trace, Path(target)))


def _metadata(trace: Trace, target: Path) -> dict[str, Any]:
    told = {"Title": trace.target.path, "Description": f"md5 {trace.target.md5}"}
    return told | ({"Date": None} if target.suffix == ".svg" else {"Software": None})


def _boxes(trace: Trace) -> dict[str, list[str]]:
    """Return the files of every box: a step's outputs; of no step, each folder or file alone."""
    boxes: dict[str, list[str]] = {name: [] for name in trace.graph.steps}
    for path in trace.graph.files:
        into = trace.graph.into(path)
        maker = next((edge.source for edge in into if edge.relation == MADE), None)
        if maker:
            boxes[maker].append(path)
        elif path == trace.target.path or not any(edge.relation == PART for edge in into):
            boxes[path] = [path]
    return {name: paths for name, paths in boxes.items() if paths}


def _ties(graph: Graph, boxes: Mapping[str, list[str]]) -> dict[tuple[str, str], bool]:
    """Return {(box, box that uses it): whether it only decides there}."""
    home = {path: name for name, paths in boxes.items() for path in paths}
    ties: dict[tuple[str, str], bool] = {}
    for path, name in home.items():
        waiting, seen = [path], {path}
        while waiting:
            for edge in graph.out_of(waiting.pop()):
                if edge.relation == PART and edge.target not in seen:
                    seen.add(edge.target)
                    waiting.append(edge.target)
                end = edge.target if edge.relation == USED else home.get(edge.target, "")
                if edge.relation != MADE and end in boxes and end != name:
                    ties[(name, end)] = ties.get((name, end), True) and edge.decides
    return ties


def _columns(graph: Graph, boxes: Mapping[str, list[str]]) -> list[list[str]]:
    """Return the boxes column by column: each right of all that it uses."""
    ties = _ties(graph, boxes)
    depth = dict.fromkeys(boxes, 0)
    for _ in boxes:
        moved = {
            end: max(depth[end], depth[start] + 1)
            for start, end in ties
            if depth[end] <= depth[start]
        }
        if not moved:
            break
        depth |= moved
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for name, place in depth.items():
        columns[place].append(name)
    return [column for column in columns if column]


def _height(paths: list[str]) -> float:
    return LINE * (1 + min(len(paths), SHOWN) + (len(paths) > SHOWN)) + 0.1


def _places(
    columns: list[list[str]], boxes: Mapping[str, list[str]], top: float
) -> dict[str, tuple[float, float, float, float]]:
    """Return (left, bottom, width, height) of every box, in inches."""
    pitch = WIDTH / len(columns)
    width = min(pitch * 0.8, 2.6)
    places = {}
    for number, column in enumerate(columns):
        free = top - sum(_height(boxes[name]) + GAP for name in column)
        y = top - free / 2
        for name in column:
            height = _height(boxes[name])
            places[name] = (pitch * number + (pitch - width) / 2, y - height, width, height)
            y -= height + GAP
    return places


def _box(axes: "Axes", trace: Trace, name: str, paths: list[str], place: tuple[float, ...]) -> None:
    from matplotlib.patches import Rectangle

    left, bottom, width, height = place
    own = trace.target.path in paths
    step = name in trace.graph.steps
    faint = all(path in trace.decided for path in paths)
    axes.add_patch(
        Rectangle(
            (left, bottom),
            width,
            height,
            facecolor=MARKED if own else PALE,
            edgecolor=FAINT if faint else EDGE,
            linestyle="--" if faint else "-",
            zorder=2,
        )
    )
    run = (trace.runs or {}).get(name)
    head = (name if step else "raw") + (f"  {run.commit[:7]}" if run else "")
    letters = int((width - 0.08) / LETTER)
    lines = [head[:letters], *(_line(trace, path, letters) for path in paths[:SHOWN])]
    lines += [f"+{len(paths) - SHOWN} more"] if len(paths) > SHOWN else []
    for number, line in enumerate(lines):
        axes.text(
            left + 0.05,
            bottom + height - 0.05 - LINE * (number + 0.5),
            line,
            fontsize=7,
            weight="normal" if number else "bold",
            color=FAINT if faint else INK,
            va="center",
            zorder=3,
        )


def _line(trace: Trace, path: str, letters: int) -> str:
    """Return a file's name, cut to what the box holds beside the first of its md5."""
    told = " changed" if path in trace.changed else f" {trace.graph.files[path].md5[:6]}"
    name, most = Path(path).name, letters - len(told)
    return (name if len(name) <= most else f"{name[: most - 1]}…") + told


def _arrows(
    axes: "Axes",
    trace: Trace,
    boxes: Mapping[str, list[str]],
    places: Mapping[str, tuple[float, float, float, float]],
) -> None:
    for (start, end), decides in _ties(trace.graph, boxes).items():
        (left, bottom, width, height), (other, low, _, high) = places[start], places[end]
        axes.annotate(
            "",
            xy=(other, low + high / 2),
            xytext=(left + width, bottom + height / 2),
            arrowprops={
                "arrowstyle": "-|>",
                "color": FAINT,
                "linewidth": 0.7,
                "linestyle": "--" if decides else "-",
                "connectionstyle": "arc3,rad=0.06",
            },
            zorder=1,
        )
