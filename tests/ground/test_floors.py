"""A room imports only from floors below its own, and light modules stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "soilfuse"
FLOORS = [
    {
        *("checks", "config", "errors", "files", "layout", "names", "processes", "progress"),
        *("room", "seeding"),
    },
    {"grids"},
    {"sources", "world"},
    {"archives", "insitu", "networks"},
    {"training", "baselines"},
    {"inference"},
    {"evaluation", "trends"},
    {"tracking", "product"},
    {"report"},
    {"cli"},
]
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def room_of(path):
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported_rooms(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("soilfuse"):
            parts = node.module.split(".")
            yield from [parts[1]] if len(parts) > 1 else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("soilfuse."))


def test_every_room_stands_on_a_floor():
    rooms = {room_of(p) for p in SOURCE.rglob("*.py")} - {"__init__"}
    assert rooms == set(FLOOR_OF)


@pytest.mark.parametrize(
    "path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE))
)
def test_imports_point_down(path):
    room = room_of(path)
    if room == "__init__":
        return
    wrong = [
        other
        for other in imported_rooms(path)
        if other in FLOOR_OF and other != room and FLOOR_OF[other] >= FLOOR_OF[room] > 0
    ]
    assert not wrong, f"{room} imports {wrong} from its own floor or above"


def test_stage_scripts_stay_thin():
    scripts = sorted((SOURCE.parents[1] / "pipelines").glob("*.py"))
    lengths = {path.name: len(path.read_text().splitlines()) for path in scripts}
    assert len(lengths) == 16
    assert max(lengths.values()) < 60, lengths


def test_the_command_starts_without_heavy_libraries():
    code = (
        "import sys, soilfuse.cli.commands, soilfuse.tracking.runs\n"
        "print([m for m in ('torch', 'mlflow', 'xarray', 'sklearn', 'dvc', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
