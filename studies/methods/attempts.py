"""The attempts of attempts.yaml, and the whole parameter file of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from soilfuse.errors import UserError, unknown

ROOT = Path(__file__).parents[2]
ATTEMPTS = Path(__file__).with_name("attempts.yaml")
BASE = ROOT / "profiles" / "demo.yaml"
DEVELOPMENT = (1, 2)  # worlds on which methods may be tried; the others are looked at once
Tree = dict[str, Any]


@dataclass(frozen=True)
class Attempt:
    """One thing that was tried: a sentence why, and what it changes of the shared parameters."""

    name: str
    why: str
    changes: Tree = field(default_factory=dict)


def read_yaml(path: Path) -> Tree:
    """Read a YAML 1.2 mapping."""
    return dict(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def merge(*trees: Mapping[str, Any]) -> Tree:
    """Return the trees laid over one another; mappings are merged, all else is the last one's."""
    merged: Tree = {}
    for tree in trees:
        for key, value in tree.items():
            below = merged.get(key)
            both = isinstance(value, Mapping) and isinstance(below, Mapping)
            merged[key] = merge(below or {}, value) if both else value
    return merged


def read_attempts(path: Path = ATTEMPTS) -> dict[str, Attempt]:
    """Return the attempts by name, in the file's order.

    Raises UserError for a part that is not there.
    """
    content = read_yaml(path)
    parts = content["parts"]
    attempts = {}
    for name, own in content["attempts"].items():
        used = own.get("with", ())
        lacking = [unknown("part", part, parts, str(path)) for part in used if part not in parts]
        if lacking:
            raise UserError(*lacking)
        changes = merge(*(parts[part] for part in used), own.get("params", {}))
        attempts[name] = Attempt(name, own["why"], changes)
    return attempts


def chosen(names: list[str], attempts: Mapping[str, Attempt]) -> list[Attempt]:
    """Return the named attempts; raise UserError naming all that are unknown."""
    lacking = [
        unknown("attempt", name, attempts, ATTEMPTS.name) for name in names if name not in attempts
    ]
    if lacking:
        raise UserError(*lacking)
    return [attempts[name] for name in names]


def params_of(world: int, threads: int, changes: Mapping[str, Any] | None = None) -> Tree:
    """Return params.yaml's content for a world seed: demo, shared, then an attempt's changes."""
    own = {"profile": "methods", "world": {"seed": world}, "compute": {"threads": threads}}
    return merge(_shared(), changes or {}, own)


@cache
def _shared() -> Tree:
    return merge(read_yaml(BASE), read_yaml(ATTEMPTS)["shared"])
