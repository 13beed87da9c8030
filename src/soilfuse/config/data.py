"""The sections of what is read: grid, world, sources, stations."""

import math
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

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

    threads: Count
    device: Literal["auto", "cpu", "cuda"]


class World(Section):
    """The pseudo-reality: which one, and how much of the daily and hourly record is written."""

    seed: int = Field(ge=0)
    amsmqtp_day_step: int = Field(ge=1, le=10)
    station_hour_step: int = Field(ge=1, le=72)
    stations: Fraction


def _downwards(depths: tuple[float, float]) -> tuple[float, float]:
    if not 0.0 <= depths[0] < depths[1] < math.inf:
        raise ValueError(
            f"depths {list(depths)} m are no range; allowed is 0 or more, and the upper one first"
        )
    return depths


# A list in YAML; the numbers in it stay strict.
Depths = Annotated[tuple[float, float], Field(strict=False), AfterValidator(_downwards)]


class Cmip6(Section):
    """Which climate models are read, and how far land values are carried into coastal gaps.

    depth: None for mrsos, the upper 10 cm; upper and lower depth in m for mrsol between them.
    """

    models: dict[str, str] = Field(min_length=1)
    depth: Depths | None
    fill_cells: int = Field(ge=0)

    @field_validator("models")
    @classmethod
    def _known(cls, models: dict[str, str]) -> dict[str, str]:
        refuse(unknown_names(models, "climate model", names.KNOWN_MODELS, "cmip6.models"))
        return models


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

    good_flags: list[str] = Field(min_length=1)
    min_records: Count
    trees: Count
    min_samples_leaf: Count
