"""What the rooms of tracking know has one place and one name."""

import ast
from collections import Counter
from pathlib import Path

import soilfuse.tracking

FOLDER = Path(soilfuse.tracking.__file__).parent
OF_THEIR_MODULE = {"CHAMPION", "DPI", "WIDTH", "summary"}  # an alias and a folder; two pictures


def defined(path):
    """Yield the public names that a module gives a meaning, imports left out."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        for target in node.targets if isinstance(node, ast.Assign) else ():
            yield from (n.id for n in ast.walk(target) if isinstance(n, ast.Name))


def test_no_public_name_means_two_things():
    names = Counter(
        name
        for path in FOLDER.glob("*.py")
        for name in set(defined(path))
        if not name.startswith("_")
    )
    assert {name for name, times in names.items() if times > 1} == OF_THEIR_MODULE


def test_yaml_is_parsed_and_files_are_hashed_in_one_module():
    for words in ("yaml.load(", "hashlib.md5(", '"dvc.yaml"', "CSafeLoader"):
        assert [p.name for p in FOLDER.glob("*.py") if words in p.read_text()] == ["lineage.py"]
