"""dvc.lock and .dvc files, read whole or refused in one line."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError, shortened
from soilfuse.tracking.graph import ADDED, Recorded, Step, is_code
from soilfuse.tracking.lineage import LOCK, PIPELINE, parsed


def locked_steps(root: Path) -> dict[str, Step]:
    """Return the steps that dvc.lock of a project records, and one for every `dvc add` they used.

    Steps of stages that dvc.yaml no longer has are left out. Raises UserError outside a project's
    root, where nothing was made yet, and where a file is damaged.
    """
    root = Path(root)
    _require_project(root)
    stages = _mapping(root / PIPELINE).get("stages") or {}
    recorded = _mapping(root / LOCK).get("stages") or {}
    try:
        steps = {name: _step(name, body) for name, body in recorded.items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise UserError(_damaged(root / LOCK, f"an entry is not DVC's: {error!r}")) from None
    steps = {name: step for name, step in steps.items() if step.stage in stages}
    if not steps:
        raise UserError(f"{LOCK} records no stage of {PIPELINE}: run `dvc repro`")
    return {**steps, **_added(root, steps)}


def _require_project(root: Path) -> None:
    if not (root / PIPELINE).is_file():
        above = next((f for f in root.parents if (f / PIPELINE).is_file()), None)
        where = f"`cd {above}` first" if above else "change to the project's root first"
        raise UserError(f"no {PIPELINE} in {root}, so no pipeline to tell of: {where}")
    if not (root / LOCK).is_file():
        raise UserError(
            f"no {LOCK} in {root}, so nothing is recorded: run `dvc repro`, or `git checkout "
            f"{LOCK}` where the repository has it"
        )


def _mapping(path: Path) -> dict[str, Any]:
    from yaml import YAMLError

    try:
        content = parsed(path)
    except (YAMLError, ValueError, RecursionError) as error:
        raise UserError(_damaged(path, shortened(error, 150))) from None
    if not isinstance(content, dict) or not isinstance(content.get("stages") or {}, dict):
        raise UserError(_damaged(path, f"it holds {shortened(content, 40)}"))
    return content


def _damaged(path: Path, why: str) -> str:
    return (
        f"{path.name} in {path.parent} is damaged ({why}); expected what DVC writes: run "
        f"`git checkout {path.name}`, or `dvc repro`"
    )


def _step(name: str, body: Mapping[str, Any]) -> Step:
    return Step(
        name=str(name),
        command=str(body["cmd"]),
        used=_entries(body.get("deps") or ()),
        made=_entries(body.get("outs") or ()),
        params={str(file): dict(values) for file, values in (body.get("params") or {}).items()},
    )


def _entries(entries: Iterable[Mapping[str, Any]]) -> dict[str, Recorded]:
    found = {}
    for entry in entries:
        md5 = entry.get("md5") or entry.get("etag") or ""
        if not isinstance(md5, str):
            raise ValueError(f"md5 {md5!r} of {entry['path']}")
        path = str(entry["path"]).rstrip("/")
        found[path] = Recorded(path, md5, entry.get("size"), entry.get("nfiles"))
    return found


def _added(root: Path, steps: Mapping[str, Step]) -> dict[str, Step]:
    """Return a step for every file or folder of `dvc add` that the steps used."""
    made = {path for step in steps.values() for path in step.made}
    data = {path for step in steps.values() for path in step.used if not is_code(path)} - made
    places = {place for path in sorted(data) for place in _beside(root, Path(path))}
    found = {}
    for place in sorted(places):
        (entry,) = (_mapping(place).get("outs") or [None])[:1] or [None]
        if not isinstance(entry, dict) or "path" not in entry:
            raise UserError(_damaged(place, "it names no file"))
        out = (place.parent / str(entry["path"])).relative_to(root).as_posix()
        name = place.relative_to(root).as_posix()
        recorded = Recorded(out, str(entry.get("md5", "")), entry.get("size"), entry.get("nfiles"))
        found[name] = Step(name, ADDED, {}, {out: recorded})
    return found


def _beside(root: Path, path: Path) -> list[Path]:
    """Return the .dvc files of a path, of the folders that it lies in, and of what lies in it."""
    above = [place.with_name(f"{place.name}.dvc") for place in (path, *path.parents) if place.name]
    own = [root / place for place in above if (root / place).is_file()]
    return [*own, *(p for p in sorted((root / path).rglob("*.dvc")) if p.is_file())]
