"""Where training stands after an epoch, written so that the same command goes on from there."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from soilfuse.files import written_aside

FILE = "checkpoint.pt"


def save(state_dir: Path, fingerprint: str, state: Mapping[str, Any]) -> None:
    """Write the state of training whole or not at all.

    fingerprint: a hash of everything that decides the result; `load` gives nothing else back.
    """
    with written_aside(Path(state_dir) / FILE) as aside:
        torch.save({"fingerprint": fingerprint, **state}, aside)


def load(state_dir: Path, fingerprint: str) -> dict[str, Any] | None:
    """Return the state that was saved under this fingerprint, or None.

    A damaged file, or one of other data, settings or versions, counts as none: training then
    starts at the first epoch, which costs time and never correctness.
    """
    path = Path(state_dir) / FILE
    if not path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch.load raises nearly anything on bytes that are not its own
        return None
    return state if state.get("fingerprint") == fingerprint else None


def clear(state_dir: Path) -> None:
    """Remove the checkpoint, once what it led to is written, and what killed writes left."""
    shutil.rmtree(state_dir, ignore_errors=True)
