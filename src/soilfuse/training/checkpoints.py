"""Where training stands after an epoch, written so that the same command goes on from there.

One file a fingerprint: other settings or data neither read nor overwrite it. One generation is
kept, for a second would cost as much disk again (0.6 GB at full width) and guard against nothing:
a checkpoint is renamed into place when it is whole and on the disk, and a digest tells whether the
disk gives back what was written.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from soilfuse.errors import UserError
from soilfuse.files import remove_leftovers, written_aside
from soilfuse.progress import note

SUFFIX = ".pt"
FINISHED = f"finished{SUFFIX}"
DAMAGED = ".damaged"
DIGEST = hashlib.sha256().digest_size


def path_of(state_dir: Path, fingerprint: str) -> Path:
    """Return the file of the training with this fingerprint."""
    return Path(state_dir) / f"{fingerprint[:16]}{SUFFIX}"


def prepare(state_dir: Path, fingerprint: str) -> None:
    """Make the folder and prove before hours of training that checkpoints can be kept in it.

    Removes what killed writes left, and notes the checkpoints of other settings, which nothing
    else would remove. Raises UserError where the folder cannot be written to.
    """
    state_dir, own = Path(state_dir), path_of(state_dir, fingerprint)
    try:
        with written_aside(state_dir / "probe") as aside:
            aside.write_bytes(bytes(DIGEST))
        (state_dir / "probe").unlink()
        remove_leftovers(own)
    except OSError as error:
        raise UserError(
            f"no checkpoints can be kept in the folder '{state_dir}' ({error.strerror}); expected "
            "one that can be written to: free space, mend its permissions, or remove what is in "
            "its place"
        ) from None
    others = [
        path for path in state_dir.glob(f"[!.]*{SUFFIX}") if path.name not in (own.name, FINISHED)
    ]
    if others:
        size = sum(path.stat().st_size for path in others) / 1e6
        note(
            f"{state_dir} also keeps {len(others)} checkpoints of other settings or data "
            f"({size:.0f} MB); delete those that you will not go back to"
        )


def save(state_dir: Path, fingerprint: str, state: Mapping[str, Any]) -> None:
    """Write the state of training to the disk, whole or not at all: OSError leaves the last one.

    fingerprint: a hash of everything that decides the result; `load` gives nothing else back.
    """
    path = path_of(state_dir, fingerprint)
    with written_aside(path) as aside, aside.open("w+b") as stream:
        stream.write(bytes(DIGEST))
        torch.save({"fingerprint": fingerprint, **state}, stream)
        stream.seek(DIGEST)
        digest = hashlib.file_digest(stream, "sha256").digest()
        stream.seek(0)
        stream.write(digest)


def load(state_dir: Path, fingerprint: str) -> dict[str, Any] | None:
    """Return the state that was saved under this fingerprint, or None.

    A damaged file is set aside with one line and counts as none: training then starts at the first
    epoch, which costs time and never correctness.
    """
    for path in (path_of(state_dir, fingerprint), Path(state_dir) / FINISHED):
        if not path.is_file():
            continue
        state = _read(path)
        if state is not None and state["fingerprint"] == fingerprint:
            return state
        if state is None or path.name != FINISHED:  # another training's may be finished
            aside = path.with_suffix(DAMAGED)
            path.replace(aside)
            note(f"the checkpoint '{path}' is damaged, now '{aside}'; training begins again")
    return None


def finish(state_dir: Path, fingerprint: str) -> None:
    """Mark a checkpoint whose training is over, for `clear` once the weights are written."""
    path = path_of(state_dir, fingerprint)
    if path.is_file():
        path.replace(Path(state_dir) / FINISHED)


def clear(state_dir: Path) -> None:
    """Remove the checkpoint of finished training, once what it led to is written.

    Those of other settings stay for who goes back to them, and the folder with them.
    """
    state_dir = Path(state_dir)
    if not state_dir.is_dir():
        return
    for path in (state_dir / FINISHED, *state_dir.glob(f"*{DAMAGED}")):
        path.unlink(missing_ok=True)
    if not any(state_dir.iterdir()):
        state_dir.rmdir()


def _read(path: Path) -> dict[str, Any] | None:
    """Return the state in a file, None where it is not a whole checkpoint."""
    with path.open("rb") as stream:
        written = stream.read(DIGEST)
        if hashlib.file_digest(stream, "sha256").digest() != written:
            return None
        stream.seek(DIGEST)
        try:
            state = torch.load(stream, map_location="cpu", weights_only=True)
        except Exception:  # torch.load raises nearly anything on bytes that are not its own
            return None
    return state if isinstance(state, dict) and "fingerprint" in state else None
