"""The one progress helper: a bar in a terminal, silence elsewhere."""

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
