"""The kinds of raw files that the doctor tells apart, each with what it takes to look at them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Gridded:
    """Files of one series of monthly or daily maps.

    find: raises UserError where there are none; variables: names that tell of the time axis and
    the units, the first of them that a file has; read: reads one year through the source's own
    reader, which raises UserError where it would refuse the file.
    """

    source: str
    find: Callable[[], list[Path]]
    variables: tuple[str, ...]
    years: tuple[int, int]
    read: Callable[[int], object]
    frequency: str = "mon"


@dataclass(frozen=True)
class Stations:
    """Files of station records in `units`; `read` returns the good ones of one file.

    optional: the stage does without.
    """

    source: str
    find: Callable[[], list[Path]]
    read: Callable[[Path], pd.DataFrame]
    units: str
    optional: bool = False


@dataclass(frozen=True)
class Other:
    """Files that no data set are; `read` raises UserError, and `note` says what is odd."""

    source: str
    files: tuple[Path, ...]
    read: Callable[[], object] = lambda: None
    note: str = ""


@dataclass(frozen=True)
class Maps:
    """A file of maps without time, which no stage needs yet: `read` puts it on the grid."""

    source: str
    path: Path
    variables: tuple[str, ...]
    read: Callable[[], object]


Expected = Gridded | Stations | Maps | Other
