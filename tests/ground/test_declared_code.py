"""Every stage of dvc.yaml, and of the studies', depends on the code that its script imports."""

import ast
from functools import cache
from pathlib import Path

import pytest

from soilfuse.tracking.lineage import read_yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "soilfuse"
FOLDERS = [ROOT, *sorted(path.parent for path in (ROOT / "studies").glob("*/dvc.yaml"))]
# Rooms that decide how a result is recorded, shown, stored or refused, not what it is (the header
# of dvc.yaml); what a stage takes from config, it declares as params.
FREE = {
    "tracking",
    "progress",
    "processes",
    "errors",
    "layout",
    "checks",
    "files",
    "room",
    "config",
}


def stages():
    for folder in FOLDERS:
        for name, body in read_yaml(folder / "dvc.yaml")["stages"].items():
            yield pytest.param(folder, body.get("do", body), id=f"{folder.name}-{name}")


class Imports(ast.NodeVisitor):
    """The names that a module imports, also inside functions, but for the sake of types."""

    def __init__(self):
        self.found = set()

    def visit_If(self, node):
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)
        for statement in node.orelse:
            self.visit(statement)

    def visit_Import(self, node):
        self.found.update(alias.name for alias in node.names)

    def visit_ImportFrom(self, node):
        assert node.level == 0, "relative imports are not followed"
        self.found.add(node.module)
        self.found.update(f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imported(path):
    """Return the files of the library, and of the script's own folder, that a file imports."""
    imports = Imports()
    imports.visit(ast.parse(path.read_text()))
    parts = [Path(*name.split(".")) for name in imports.found]
    near = [path.parent / part.with_suffix(".py") for part in parts if len(part.parts) == 1]
    ours = [ROOT / "src" / part for part in parts if part.parts[0] == "soilfuse"]
    files = [*near, *(part.with_suffix(".py") for part in ours)]
    files += [part / "__init__.py" for part in ours if part != PACKAGE]
    return [file for file in files if file.is_file() and does_something(file)]


@cache
def does_something(path):
    """Return whether a file is more than the docstring of a room."""
    return not all(isinstance(node, ast.Expr) for node in ast.parse(path.read_text()).body)


def is_free(path):
    return path.is_relative_to(PACKAGE) and path.relative_to(PACKAGE).parts[0].split(".")[0] in FREE


def reached(script, listed):
    """Return all files that decide what the script makes, free ones only where they are listed."""
    found, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in found and (path in listed or not is_free(path)):
            found.add(path)
            waiting += imported(path)
    return found


def within(path, listed):
    return any(path.is_relative_to(dep) for dep in listed)


@pytest.mark.parametrize(("folder", "stage"), list(stages()))
def test_a_stage_depends_on_all_that_its_script_imports_and_on_no_other_code(folder, stage):
    script = (folder / stage["cmd"].split()[1]).resolve()
    deps = [(folder / dep).resolve() for dep in stage["deps"] if "${" not in dep]
    code = [dep for dep in deps if dep.suffix == ".py" or dep.is_relative_to(PACKAGE)]
    found = reached(script, code)
    lacking = sorted(str(path.relative_to(ROOT)) for path in found if not within(path, code))
    assert not lacking, "a change of these would not run the stage again"
    dead = [str(dep.relative_to(ROOT)) for dep in code if not any(within(p, [dep]) for p in found)]
    assert not dead, "nothing of these is imported"


def test_imports_inside_functions_count_and_those_for_types_do_not(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from soilfuse.grids.grid import Grid\n"
        "else:\n    from soilfuse import seeding\n"
        "def run():\n    from soilfuse.sources import depths\n    import beside\n"
    )
    (tmp_path / "beside.py").write_text("import soilfuse.names\n")
    found = {path.name for path in reached(script, [])}
    assert {"script.py", "beside.py", "names.py", "seeding.py", "depths.py"} <= found
    assert "grid.py" not in found
