"""What the sections of params.yaml are made of: types, strictness, and refusals."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from soilfuse.errors import unknown

PARAMS_FILE = Path("params.yaml")


def _in_order(years: tuple[int, int]) -> tuple[int, int]:
    if years[0] > years[1]:
        raise ValueError(f"the first year ({years[0]}) must not be after the last ({years[1]})")
    return years


# YAML has lists only, which strictness would refuse; the years in them stay strict.
Years = Annotated[tuple[int, int], Field(strict=False), AfterValidator(_in_order)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
SweptCount = Annotated[int, Field(ge=1)] | Literal["sweep"]
SweptPositive = Annotated[float, Field(gt=0)] | Literal["sweep"]
SweptNonNegative = Annotated[float, Field(ge=0)] | Literal["sweep"]


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no conversion but of int to float, immutable.

    Checks across fields are validators of the last field that they need: one of the whole section
    would be silent while any other of its fields is wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def refuse(problems: list[str]) -> None:
    """Raise ValueError with one argument a problem, if there is any."""
    if problems:
        raise ValueError(*problems)


def repeated(values: Sequence[object], field: str) -> list[str]:
    """Return a line for each value that is there more than once."""
    twice = [value for place, value in enumerate(values) if value in values[:place]]
    return [
        f"{field} has {value} more than once; expected each once: edit {PARAMS_FILE}:{field}"
        for value in twice
    ]


def unknown_names(
    got: Iterable[str],
    what: str,
    allowed: Iterable[str],
    field: str,
    likely: Iterable[str] = (),
) -> list[str]:
    """Return a line for each name that is not allowed, with the nearest that is."""
    allowed, where = tuple(allowed), f"{PARAMS_FILE}:{field}"
    return [unknown(what, name, allowed, where, likely) for name in got if name not in allowed]
