"""What a stage tells whoever watches: a bar in a terminal, and a line where something is odd."""

import sys
from collections.abc import Iterable
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], description: str, total: int | None = None) -> "tqdm[Item]":
    """Wrap an iterable in a progress bar that stays quiet when stderr is no terminal."""
    return tqdm(
        items,
        desc=description,
        total=total,
        disable=not sys.stderr.isatty(),
        leave=False,
        dynamic_ncols=True,
    )


def note(line: str) -> None:
    """Write one line to stderr that no error is, and that a user should know."""
    sys.stderr.write(f"soilfuse: note: {line}\n")
