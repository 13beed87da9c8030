"""What lies in the workspace today: hashes, folders' listings, and the path that a user named."""

import difflib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError
from soilfuse.tracking.graph import Graph, Recorded, Step, covers
from soilfuse.tracking.lineage import content_hash

if TYPE_CHECKING:
    from dvc.repo import Repo

CHANGED, ABSENT, AS_RECORDED = "changed since", "not here", "as recorded"
DIR = ".dir"
DRS_PARTS = 7  # of a CMIP6 file: variable_table_source_experiment_member_grid_years.nc


def states(root: Path, files: Iterable[Recorded]) -> dict[str, str]:
    """Return AS_RECORDED, CHANGED or ABSENT by path, of all whose recorded hash is known.

    Hashes are DVC's own, which remembers those of files that nobody touched since.
    """
    known = [found for found in files if found.md5]
    here = [found for found in known if (root / found.path).exists()]
    told = dict.fromkeys((found.path for found in known), ABSENT)
    if here:
        with _hashing(root) as md5_of:
            for found in here:
                same = md5_of(root / found.path) == found.md5
                told[found.path] = AS_RECORDED if same else CHANGED
    return told


@contextmanager
def _hashing(root: Path) -> Iterator[Any]:
    """Give a function from a path to the md5 that DVC gives it."""
    repo = _repo(root)
    if repo is None:
        yield content_hash
        return
    from dvc_data.hashfile.build import build

    with repo:

        def md5_of(path: Path) -> str:
            ignore = repo.dvcignore
            odb = repo.cache.local
            return str(build(odb, str(path), repo.fs, "md5", dry_run=True, ignore=ignore)[2].oid)

        yield md5_of


def _repo(root: Path) -> "Repo | None":
    """Return DVC's own view of a project, None where it has none."""
    if not (root / ".dvc").is_dir():
        return None
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        return Repo(str(root))
    except DvcException:
        return None


@cache
def _cache_of(root: Path) -> Path | None:
    """Return where DVC keeps files by their md5: a team may share a cache (`dvc cache dir`)."""
    repo = _repo(root)
    if repo is None:
        return None
    with repo:
        return Path(repo.cache.local.path)


def listing(root: Path, folder: Recorded) -> dict[str, str] | None:
    """Return {name in the folder: md5} as recorded, from DVC's cache or the workspace.

    None where neither has the folder as it was recorded.
    """
    if not folder.md5.endswith(DIR):
        return None
    name, usual = Path(folder.md5[:2], folder.md5[2:]), root / ".dvc/cache/files/md5"
    kept = usual / name
    if not kept.is_file():  # DVC takes a second to answer
        kept = (_cache_of(root) or usual) / name
    try:
        entries = json.loads(kept.read_text(encoding="utf-8"))
        return {str(entry["relpath"]): str(entry["md5"]) for entry in entries}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def target_of(root: Path, graph: Graph, given: Path) -> Recorded:
    """Return the file or folder that a user named, as it is recorded or, within a folder, today.

    Raises UserError for a path outside the project, or one that the pipeline does not know.
    """
    path = _inside(root, given)
    known = {**graph.files, **{p: f for step in graph.steps.values() for p, f in step.used.items()}}
    if path in known:
        return known[path]
    holding = max((other for other in known if covers(other, path)), key=len, default=None)
    if holding is None:
        if any(covers(path, other) for other in known):
            return Recorded(path, "")
        raise UserError(_unknown(path, known))
    names = _names(root, known, path)
    if path in names:
        return Recorded(path, names[path])
    if names and (root / path).is_file():
        raise UserError(
            f"{path} lies in {holding} since dvc.lock recorded that folder, so nothing was made "
            "from it: run `dvc repro` (or `dvc add` for your own files), then this again"
        )
    if not (root / path).exists():
        here = [p.relative_to(root).as_posix() for p in (root / holding).rglob("*")]
        recorded = {other for other in known if other != holding and covers(holding, other)}
        near = _near(path, {*here, *names, *recorded}) or holding
        raise UserError(f"no file {path} in {holding}; nearest: {near}; `dvc pull` fetches files")
    return Recorded(path, content_hash(root / path) if (root / path).is_file() else "")


def _inside(root: Path, given: Path) -> str:
    # Not resolved: a file of the cache that DVC links to is still this one.
    path = Path(*_without_dots((root / given).parts))
    if not path.is_relative_to(root):
        path = (root / given).resolve()
    if not path.is_relative_to(root) or path == root:
        raise UserError(
            f"{given} is not a file or folder within the project {root}: name one of it"
        )
    return path.relative_to(root).as_posix()


def _without_dots(parts: Iterable[str]) -> list[str]:
    kept: list[str] = []
    for part in parts:
        if part == "..":
            kept = kept[:-1] or kept
        else:
            kept.append(part)
    return kept


def _names(root: Path, known: dict[str, Recorded], path: str) -> dict[str, str]:
    """Return {path: md5} of the recorded folder that holds a path, {} where nothing tells."""
    for other, recorded in known.items():
        if covers(other, path) and (names := listing(root, recorded)):
            return {f"{other}/{name}": md5 for name, md5 in names.items()}
    return {}


def _unknown(path: str, known: Iterable[str]) -> str:
    near = _near(path, known)
    hint = f"; nearest known: {near}" if near else ""
    return (
        f"no stage of dvc.lock uses or makes {path}{hint}: name an output, an input, or a file in "
        "one of their folders"
    )


def _near(path: str, names: Iterable[str]) -> str:
    return ", ".join(difflib.get_close_matches(path, sorted(names), n=2, cutoff=0.5))


def reads(step: Step, path: str) -> bool:
    """Return whether a step that depends on a folder looks at a file of it, told by its name.

    A stage of climate models reads the files of its own experiment, and of the models and members
    of its cmip6.models alone, which CMIP6 names tell; of every other stage and name the folder is
    taken as a whole.
    """
    parts = Path(path).name.split("_")
    if step.stage != "cmip6" or len(parts) != DRS_PARTS or not path.endswith(".nc"):
        return True
    _, _, source_id, experiment, member, *_ = parts
    section = step.params.get("params.yaml", {}).get("cmip6")
    models = section.get("models") if isinstance(section, dict) else None
    listed = not isinstance(models, dict) or models.get(source_id) == member
    return experiment == step.item and listed


def files_of(root: Path, folder: Recorded, graph: Graph) -> dict[str, str]:
    """Return {name in the folder: md5} of a recorded folder, {} where nothing tells.

    That is as recorded where DVC's cache has it, or else as the files lie here.
    """
    for recorded in (folder, *graph.files.values()):
        if covers(recorded.path, folder.path) and (names := listing(root, recorded)):
            inside = folder.path[len(recorded.path) + 1 :]
            below = f"{inside}/" if inside else ""
            return {n.removeprefix(below): md5 for n, md5 in names.items() if n.startswith(below)}
    place = root / folder.path
    files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else []
    return {path.relative_to(place).as_posix(): content_hash(path) for path in files}
