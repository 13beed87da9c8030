"""The pipeline's own stages run in a folder, each once: what is done is known by its marker."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from soilfuse.errors import UserError, shortened
from soilfuse.files import read_json, sha256_of_content, sha256_of_files, write_json, written_aside
from studies.methods.attempts import ROOT, Tree, read_yaml

MARKERS, LOGS, FAILED = Path("done"), Path("logs"), Path("failed.json")
LEFT_OUT = ("DVC_ROOT", "MLFLOW_RUN_ID", "SOILFUSE_PARENT_RUN_ID")
KIB_OF_MIB = 1024


class Stage(NamedTuple):
    """A stage of dvc.yaml, and the item of one that has several."""

    name: str
    item: str = ""

    @property
    def title(self) -> str:
        """The name that dvc has for it."""
        return f"{self.name}@{self.item}" if self.item else self.name


@dataclass(frozen=True)
class Place:
    """A folder with the layout of the project's root, its parameters, and what it stands on.

    after: the key of what its first stage reads.
    """

    folder: Path
    params: Tree
    after: str = ""

    def key(self, stages: Sequence[Stage]) -> str:
        """Return the hash of everything but code that decides the last of the stages."""
        values = [
            {name: _value(self.params, name) for name in _declared(stage)["params"]}
            for stage in stages
        ]
        titles = [stage.title for stage in stages]
        return sha256_of_content([self.after, titles, values])

    def marker(self, stage: Stage) -> Path:
        """Return the file that says a stage is done."""
        return self.folder / MARKERS / f"{stage.title}.json"


def code_of(stage: Stage) -> str:
    """Return the hash of the files of code that dvc.yaml names for a stage."""
    deps = [ROOT / dep for dep in _declared(stage)["deps"] if "$" not in dep]
    code = [dep for dep in deps if dep.is_relative_to(ROOT / "src") or dep.suffix == ".py"]
    files = [path for dep in code for path in ([dep] if dep.is_file() else dep.rglob("*.py"))]
    return sha256_of_files(files)


def run_stages(place: Place, stages: Sequence[Stage], strict: bool, threads: int) -> None:
    """Run the stages in order, but those that are done.

    Done is what has a marker with the same parameters and predecessors; strict: and the same code.
    A stage that runs takes the markers of all later ones away. Raises UserError where one fails,
    and leaves its words in failed.json.
    """
    prepare(place)
    (place.folder / FAILED).unlink(missing_ok=True)
    for number, stage in enumerate(stages, start=1):
        key, code = place.key(stages[:number]), code_of(stage)
        if _is_done(place.marker(stage), key, code if strict else None):
            continue
        for later in stages[number - 1 :]:
            place.marker(later).unlink(missing_ok=True)
        cost = _run(place, stage, threads)
        write_json(place.marker(stage), {"key": key, "code": code, **cost})


def is_whole(place: Place, stages: Sequence[Stage]) -> bool:
    """Return whether every stage is done, with the same parameters and code."""
    return all(
        _is_done(place.marker(stage), place.key(stages[:number]), code_of(stage))
        for number, stage in enumerate(stages, start=1)
    )


def prepare(place: Place) -> None:
    """Write params.yaml and link what every stage finds in the project's root."""
    (place.folder / "data").mkdir(parents=True, exist_ok=True)
    with written_aside(place.folder / "params.yaml") as aside, aside.open("w") as stream:
        YAML().dump(place.params, stream)
    link(place.folder / "dvc.yaml", ROOT / "dvc.yaml")
    link(place.folder / "data" / "regions", ROOT / "data" / "regions")


def link(path: Path, target: Path) -> None:
    """Make `path` a link to `target`, whatever link it was before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.symlink_to(target.resolve())


def _is_done(marker: Path, key: str, code: str | None) -> bool:
    found = read_json(marker) if marker.exists() else {}
    return found.get("key") == key and code in (None, found.get("code"))


def _run(place: Place, stage: Stage, threads: int) -> dict[str, float]:
    """Run one stage; return its seconds of wall-clock time and its peak memory in MiB."""
    log = place.folder / LOGS / f"{stage.title}.txt"
    log.parent.mkdir(parents=True, exist_ok=True)
    script = ROOT / "pipelines" / f"{stage.name}.py"
    command = [sys.executable, str(script), *([stage.item] if stage.item else [])]
    start = time.monotonic()
    with log.open("w") as stream:
        process = subprocess.Popen(
            command,
            cwd=place.folder,
            env=_environment(place, threads),
            stdout=stream,
            stderr=stream,
        )
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        last = shortened((log.read_text(encoding="utf-8").strip() or "no word").splitlines()[-1])
        write_json(place.folder / FAILED, {"stage": stage.title, "error": last})
        raise UserError(f"{stage.title} in {place.folder} failed: {last}; all of it is in {log}")
    return {
        "seconds": round(time.monotonic() - start, 1),
        "peak_mib": round(usage.ru_maxrss / KIB_OF_MIB),
    }


def _environment(place: Place, threads: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in LEFT_OUT}
    return kept | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{place.folder.resolve() / 'mlflow.db'}",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": str(ROOT / "src"),
    }


def _declared(stage: Stage) -> dict[str, Any]:
    body = _pipeline()[stage.name]
    return dict(body.get("do", body))


@cache
def _pipeline() -> Tree:
    return dict(read_yaml(ROOT / "dvc.yaml")["stages"])


def _value(params: Tree, name: str) -> Any:
    value: Any = params
    for part in name.split("."):
        value = value[part]
    return value
