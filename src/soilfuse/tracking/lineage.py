"""What a result was made from: DVC hashes, the state of the code, and what upstream is stale."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError, shortened

LOCK = "dvc.lock"
PIPELINE = "dvc.yaml"
UNVERSIONED = "unversioned"
# What a pipeline itself rewrites says nothing about the code that ran.
WRITTEN_BY_RUNS = ("dvc.lock", "results/**", "reports/**")
WAYS_OUT = {  # by a word of DVC's refusal
    LOCK: f"run `git checkout {LOCK}`, or remove it and run `dvc repro`",
    "RWLock-file": "remove .dvc/tmp/rwlock while no other dvc or soilfuse command runs",
    "acquire lock": "wait until the other dvc or soilfuse command has ended, then run this again",
    "is busy": "wait until the other dvc or soilfuse command has ended, then run this again",
    " repository": "run this inside the project's git clone, of which .git and .dvc are parts",
}


def parsed(path: Path) -> Any:
    """Return what a YAML file of DVC's holds; raises YAMLError or ValueError for a damaged one."""
    # dvc.lock has thousands of lines: MLflow's own parser in C reads it 20 times faster.
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(path.read_text(encoding="utf-8"), Loader=loader)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping of a YAML file of DVC's; {} where it is absent or damaged."""
    from yaml import YAMLError

    try:
        content = parsed(path)
    except FileNotFoundError:
        return {}
    except (YAMLError, ValueError, RecursionError):
        # DVC may be writing it for another stage; hashes are then taken from the files themselves.
        return {}
    return content if isinstance(content, dict) else {}


def stage_outs(root: Path) -> dict[str, dict[str, str]]:
    """Return {stage: {path relative to `root`: md5}} of dvc.lock; {} without that file."""
    stages = read_yaml(Path(root) / LOCK).get("stages")
    known = stages.items() if isinstance(stages, dict) else ()
    return {name: dict(_hashed(body)) for name, body in known if isinstance(body, dict)}


def _hashed(stage: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    outs = stage.get("outs")
    for out in outs if isinstance(outs, list) else ():
        entry = out if isinstance(out, dict) else {}
        path, md5 = entry.get("path"), entry.get("md5")
        if isinstance(path, str) and isinstance(md5, str):
            yield path, md5


def dvc_outs(root: Path) -> dict[str, str]:
    """Return {path relative to `root`: md5} of every output in dvc.lock; {} without that file."""
    return {path: md5 for outs in stage_outs(root).values() for path, md5 in outs.items()}


def hash_of(path: Path, root: Path | None = None, outs: Mapping[str, str] | None = None) -> str:
    """Return the DVC hash of an input of a stage.

    That is the md5 that dvc.lock (or a .dvc file) gives for the path, or for the folder it lies in
    when DVC tracks that folder as one; otherwise the hash that DVC would give the file or folder.

    path: a file or folder, absolute or relative to the current folder; root: the folder of
    dvc.lock, the current one by default; outs: what `dvc_outs(root)` returned, to read it once.
    Raises UserError when there is nothing at the path.
    """
    root = Path(root) if root else Path.cwd()
    path = Path.cwd() / path
    outs = dvc_outs(root) if outs is None else outs
    for candidate in (path, *path.parents):
        if not candidate.is_relative_to(root) or candidate == root:
            break
        relative = candidate.relative_to(root).as_posix()
        tracked = outs.get(relative) or _added(candidate)
        if tracked:
            return tracked
    return content_hash(path)


def _added(path: Path) -> str | None:
    tracked = read_yaml(path.with_name(path.name + ".dvc")).get("outs") or [{}]
    md5 = tracked[0].get("md5")
    return str(md5) if md5 else None


def content_hash(path: Path) -> str:
    """Return the md5 that DVC gives a file, or a folder (ending in .dir)."""
    if path.is_file():
        with path.open("rb") as stream:
            return hashlib.file_digest(
                stream, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
    if not path.is_dir():
        raise UserError(
            f"no input at {path}: run `dvc pull` or `dvc repro`, which make or fetch it"
        )
    files = {p.relative_to(path).as_posix(): p for p in path.rglob("*") if p.is_file()}
    listing = [{"md5": content_hash(files[name]), "relpath": name} for name in sorted(files)]
    text = json.dumps(listing, sort_keys=True).encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest() + ".dir"


def git_state(root: Path) -> tuple[str, bool]:
    """Return the commit of `root` and whether its code differs from it.

    dvc.lock and the results that runs write are left out. Without a repository, a commit or git
    itself: ("unversioned", True).
    """
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return UNVERSIONED, True
    own = [f":(top,exclude,glob)**/{pattern}" for pattern in WRITTEN_BY_RUNS]
    changes = _git(root, "status", "--porcelain", "--", ":/", *own)
    return commit, changes != ""


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def upstream_problems(root: Path, targets: Sequence[str]) -> list[str]:
    """Return one phrase for every stage above `targets` that is stale or missing, in DVC's words.

    targets: stage names such as `infer@ssp370`, themselves left out. Raises UserError when DVC
    cannot say (no such stage, another command holds its lock).
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo(str(root)) as repo:
            status = repo.status(targets=list(targets), with_deps=True)
    except DvcException as error:
        advice = next((f"; {way}" for word, way in WAYS_OUT.items() if word in str(error)), "")
        told = f"DVC cannot tell the state of {', '.join(targets)}: {shortened(error)}{advice}"
        raise UserError(told) from None
    return [
        f"{stage} ({_reasons(changes)})"
        for stage, changes in status.items()
        if stage not in targets
    ]


def _reasons(changes: Sequence[str | Mapping[str, Mapping[str, Any]]]) -> str:
    words = []
    for change in changes:
        if isinstance(change, str):
            words.append(change)
            continue
        for what in change.values():
            words.extend(f"{path} {_state(state)}" for path, state in what.items())
    return ", ".join(words)


def _state(state: str | Mapping[str, str]) -> str:
    """Say `deleted`, or for params.yaml `finetune.epochs modified`."""
    if isinstance(state, str):
        return state
    return " and ".join(f"{key} {word}" for key, word in state.items())
