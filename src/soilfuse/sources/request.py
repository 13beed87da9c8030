"""What is wanted of a provider's files."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from soilfuse.grids.grid import Grid
from soilfuse.sources.quantities import SOIL_MOISTURE, Quantity


@dataclass(frozen=True)
class Request:
    """What is wanted of a provider's files.

    thickness: m of soil over which a mass per area is spread, one number a level where there are
    levels, None to take it from depth bounds; level: the name of a dimension besides time,
    latitude and longitude; levels: the numbers of its coordinate, where it has one, None for any;
    versions: the name of a dimension along which a file holds several versions of each value, of
    which the first valid one counts, in order of their numbers; codes: other names of the variable,
    each with the units that it stands for where the file says none; calendars: those allowed, none
    for any; attributes: what the global attributes must be where a file has them; exclusive:
    whether a file may hold no other years than `years`; complete: whether every month of `years`
    must be there; min_records: days a month needs when frequency is "day".
    """

    provider: str
    variable: str
    years: tuple[int, int]
    frequency: Literal["mon", "day"] = "mon"
    grid: Grid | None = None
    margin: int = 2
    thickness: float | tuple[float, ...] | None = None
    level: str | None = None
    levels: tuple[float, ...] | None = None
    versions: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    calendars: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    exclusive: bool = False
    complete: bool = True
    min_records: int = 1
    quantity: Quantity = SOIL_MOISTURE
