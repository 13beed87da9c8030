"""The sections of studies/pscnet: a sample of steps of hours, its split, and who learns from it."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from soilfuse import names
from soilfuse.config.section import (
    Count,
    Fraction,
    Positive,
    Section,
    Share,
    refuse,
    unknown_names,
)


class Sample(Section):
    """Where and when the three-hourly sample lies: centres of fine cells in degrees, UTC months.

    block: fine cells a side of a coarse one; days_a_month: the first days that are there, 31 for
    all; step_hours: of a step, whose end is its time.
    """

    west: float = Field(ge=-180, le=360)
    east: float = Field(ge=-180, le=360)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)
    resolution: Positive
    block: int = Field(ge=2, le=64)
    years: Annotated[list[int], Field(min_length=2)]
    months: Annotated[list[int], Field(min_length=1)]
    step_hours: Literal[1, 2, 3, 4, 6]
    days_a_month: int = Field(ge=1, le=31)

    @field_validator("years", "months")
    @classmethod
    def _in_order(cls, given: list[int], info: ValidationInfo) -> list[int]:
        last = 12 if info.field_name == "months" else 9999
        if sorted(set(given)) != given or not 1 <= given[0] <= given[-1] <= last:
            raise ValueError(f"sample.{info.field_name} are {given}; expected each once, in order")
        return given

    @field_validator("block")
    @classmethod
    def _whole_blocks(cls, block: int, info: ValidationInfo) -> int:
        got = info.data
        for low, high in (("west", "east"), ("south", "north")):
            if not {low, high, "resolution"} <= set(got):
                continue
            cells = round((got[high] - got[low]) / got["resolution"]) + 1
            if cells < block or cells % block:
                raise ValueError(
                    f"sample.{low} to sample.{high} are {cells} cells of {got['resolution']:g} "
                    f"degrees; expected a multiple of sample.block ({block})"
                )
        return block


class Split(Section):
    """Which days teach: of train_years all but held-out and stopping blocks and gaps beside them.

    test_years: seen by no training; block_days: of a block; gap_days: between a block that teaches
    and one that does not.
    """

    train_years: Annotated[list[int], Field(min_length=1)]
    test_years: Annotated[list[int], Field(min_length=1)]
    block_days: int = Field(ge=1, le=31)
    gap_days: int = Field(ge=0, le=10)

    @field_validator("train_years", "test_years")
    @classmethod
    def _in_order(cls, years: list[int], info: ValidationInfo) -> list[int]:
        if sorted(set(years)) != years:
            raise ValueError(f"split.{info.field_name} are {years}; expected each once, in order")
        return years

    @field_validator("test_years")
    @classmethod
    def _apart(cls, test: list[int], info: ValidationInfo) -> list[int]:
        if both := sorted(set(test) & set(info.data.get("train_years", []))):
            raise ValueError(
                f"split.train_years and split.test_years share {both}; expected none in both"
            )
        return test

    @property
    def years(self) -> list[int]:
        """All years that are used, in order."""
        return sorted({*self.train_years, *self.test_years})


class StepsSeen(Section):
    """What every method sees: trailing steps, and the variables that come as trailing day means."""

    steps: int = Field(ge=1, le=56)
    daily_means: list[str]

    @field_validator("daily_means")
    @classmethod
    def _known(cls, given: list[str]) -> list[str]:
        allowed = names.SAMPLE_VARIABLES
        refuse(unknown_names(given, "variable", allowed, "inputs.daily_means"))
        return given

    def hours_before(self, step_hours: int) -> int:
        """Return how far before a step of so many hours its inputs begin."""
        mean = 24 - step_hours if self.daily_means else 0
        return (self.steps - 1) * step_hours + mean


class CoreSize(Section):
    """Width, depth and dropout of one network, as docs/training.md says for each."""

    width: Count
    depth: int = Field(ge=1, le=12)
    dropout: Share


class DownscalingTraining(Section):
    """How the networks learn: Adam, the epoch with the least stopping error kept."""

    epochs: Count
    patience: Count
    batch: Count
    learning_rate: Positive


class Forest(Section):
    """The random forest; features: share of the features that a split may look at."""

    trees: Count
    min_samples_leaf: Count
    features: Fraction


class PixelScores(Section):
    """Pairs that a pixel or a station needs for a score."""

    min_pairs: int = Field(ge=2)
