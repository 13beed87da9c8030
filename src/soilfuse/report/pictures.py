"""A figure on disk with its words: what a page embeds."""

import base64
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse.report import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Picture:
    """One PNG with its caption and, for those who cannot see it, its description."""

    path: Path
    title: str
    caption: str
    alt: str

    @property
    def data_uri(self) -> str:
        """The PNG itself as the source of an image element."""
        return "data:image/png;base64," + base64.b64encode(self.path.read_bytes()).decode("ascii")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, from the PNG's header."""
        header = self.path.read_bytes()[16:24]
        width, height = struct.unpack(">II", header)
        return width, height


@dataclass(frozen=True)
class Folder:
    """Where the figures of one page go, and the file they are drawn from."""

    path: Path
    source: str
    sha256: str

    def draw(
        self, name: str, draw: "Callable[[], Figure]", title: str, caption: str, alt: str
    ) -> Picture:
        """Draw one figure, write it as PNG and return it with its words."""
        target = self.path / f"{name}.png"
        with style.drawing():
            style.save(draw(), target, self.source, self.sha256)
        return Picture(target, title, caption, alt)
