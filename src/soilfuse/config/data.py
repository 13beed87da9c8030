"""The sections of what is read: grid, world, sources, stations."""

import math
import re
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from soilfuse import layout, names
from soilfuse.config.section import (
    PARAMS_FILE,
    Count,
    Fraction,
    Positive,
    Section,
    _in_order,
    refuse,
    unknown_names,
)

DEEPEST = 10  # m
MOST_AT_ONCE = 1024  # threads or devices: more is a slip of the pen
VARIANT_LABEL = re.compile(r"r\d+i\d+p\d+f\d+")
HOURS_OF_A_MONTH = 744
ISMN_FLAGS = (  # of soil moisture, as the archive describes them; U (unflagged) is its older scheme
    "G",
    "U",
    "M",
    *(f"C{number:02d}" for number in range(1, 4)),
    *(f"D{number:02d}" for number in range(1, 11)),
)
REGION_FILES = (".geojson", ".json", ".gpkg", ".shp")


class Domain(Section):
    """The target grid, cell centres from west to east and south to north in degrees, and regions.

    regions: one of names.REGION_SETS, or a vector file in layout.REGIONS, where DVC watches it.
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    west: float = Field(ge=-180, le=360)
    east: float = Field(ge=-180, le=360)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)
    resolution: Positive
    regions: str

    @field_validator("east")
    @classmethod
    def _east_of_west(cls, east: float, info: ValidationInfo) -> float:
        if (west := info.data.get("west", -math.inf)) >= east:
            raise ValueError(f"domain.west ({west}) must be less than domain.east ({east})")
        return east

    @field_validator("north")
    @classmethod
    def _north_of_south(cls, north: float, info: ValidationInfo) -> float:
        if (south := info.data.get("south", -math.inf)) >= north:
            raise ValueError(f"domain.south ({south}) must be less than domain.north ({north})")
        return north

    @field_validator("regions")
    @classmethod
    def _built_in_or_a_file(cls, regions: str) -> str:
        path = PurePosixPath(regions)
        watched = path.is_relative_to(layout.REGIONS.as_posix()) and ".." not in path.parts
        if regions in names.REGION_SETS or (watched and path.suffix.lower() in REGION_FILES):
            return regions
        raise ValueError(
            f"domain.regions is {regions!r}; expected {', '.join(names.REGION_SETS)}, or a file in "
            f"{layout.REGIONS} that ends in {', '.join(REGION_FILES)}"
        )


class Compute(Section):
    """How to compute; no result beyond rounding depends on it, so no stage depends on it."""

    threads: int = Field(ge=1, le=MOST_AT_ONCE)
    device: Literal["auto", "cpu", "cuda"]
    devices: int = Field(ge=1, le=MOST_AT_ONCE)
    deterministic: bool


class World(Section):
    """The pseudo-reality: which one, and how much of the daily and hourly record is written."""

    seed: int = Field(ge=0)
    amsmqtp_day_step: int = Field(ge=1, le=10)
    station_hour_step: int = Field(ge=1, le=72)
    stations: Fraction


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


class Cmip6(Section):
    """Which climate models are read, and how far land values are carried into coastal gaps.

    depth: None for mrsos, the upper 10 cm; upper and lower depth in m for mrsol between them.
    """

    models: dict[str, str] = Field(min_length=1)
    depth: tuple[float, float] | None
    fill_cells: int = Field(ge=0, le=40)

    @field_validator("models")
    @classmethod
    def _known(cls, models: dict[str, str]) -> dict[str, str]:
        problems = unknown_names(models, "climate model", names.KNOWN_MODELS, "cmip6.models")
        problems += [
            f"variant_label {label!r} of {model}; expected one as r1i1p1f1: edit "
            f"{PARAMS_FILE}:cmip6.models"
            for model, label in models.items()
            if not VARIANT_LABEL.fullmatch(label)
        ]
        refuse(problems)
        return models

    @field_validator("depth", mode="before")
    @classmethod
    def _none_or_downwards(cls, depth: Any) -> Any:
        if depth is None:
            return None
        numbers = [number for number in _listed(depth) if type(number) in (int, float)]
        if len(_listed(depth)) == len(numbers) == 2 and 0 <= numbers[0] < numbers[1] <= DEEPEST:
            return tuple(numbers)
        raise ValueError(
            f"cmip6.depth is {depth!r}; expected null or [top, bottom] in m, "
            f"0 <= top < bottom <= {DEEPEST}"
        )


class Era5Land(Section):
    """The pre-training target."""

    first_year: int
    last_year: int

    @field_validator("last_year")
    @classmethod
    def _ordered(cls, last: int, info: ValidationInfo) -> int:
        return _in_order((info.data.get("first_year", last), last))[1]


class Amsmqtp(Section):
    """The fine-tuning target."""

    first_year: int
    last_year: int
    min_days: int = Field(ge=1, le=28)

    @field_validator("last_year")
    @classmethod
    def _covers_the_folds(cls, last: int, info: ValidationInfo) -> int:
        first = info.data.get("first_year", names.TRAINING_YEARS[0])
        _in_order((first, last))
        if first > names.TRAINING_YEARS[0] or last < names.TRAINING_YEARS[1]:
            raise ValueError(
                f"amsmqtp has {first}-{last}; the folds need {names.TRAINING_YEARS[0]}-"
                f"{names.TRAINING_YEARS[1]}: edit {PARAMS_FILE}:amsmqtp.first_year, last_year"
            )
        return last


class Insitu(Section):
    """Station records that count, and the forests that spread them over the grid."""

    good_flags: list[str]
    min_records: int = Field(ge=1, le=HOURS_OF_A_MONTH)
    trees: Count
    min_samples_leaf: Count

    @field_validator("good_flags", mode="before")
    @classmethod
    def _known_flags(cls, flags: Any) -> Any:
        given = _listed(flags)
        if not given:
            raise ValueError(
                f"insitu.good_flags is {flags!r}; expected a list of one or more of "
                f"{', '.join(ISMN_FLAGS)}"
            )
        refuse(unknown_names(map(str, given), "ISMN flag", ISMN_FLAGS, "insitu.good_flags"))
        return given
