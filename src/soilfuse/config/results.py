"""The sections of what is made: evaluation, promotion, products, trends, report."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from soilfuse import names
from soilfuse.config.section import (
    PARAMS_FILE,
    Count,
    Fraction,
    Positive,
    Section,
    Years,
    refuse,
    repeated,
    unknown_names,
)


class Evaluate(Section):
    """Scores and their intervals."""

    baselines: list[str]
    bootstrap_samples: Count
    bootstrap_block_months: Count

    @field_validator("baselines")
    @classmethod
    def _known_with_the_gates(cls, baselines: list[str]) -> list[str]:
        # Those of single climate models are checked where the models are known.
        named = [name for name in baselines if not name.startswith(names.MODEL)]
        problems = unknown_names(named, "baseline", names.BASELINES, "evaluate.baselines")
        if names.GATE_BASELINE not in baselines:
            problems.append(
                f"evaluate.baselines lacks {names.GATE_BASELINE!r}, which the gate of promote "
                f"compares with: edit {PARAMS_FILE}:evaluate.baselines"
            )
        refuse(problems)
        return baselines


class Leakage(Section):
    """The same methods trained under both protocols; no fold leaves them untrained."""

    folds: list[Annotated[int, Field(ge=0, le=4)]]
    epochs: Count
    batch: Count
    patience: Count
    precision: Literal["fp32", "bf16", "auto"]
    learning_rate: Positive

    @field_validator("folds")
    @classmethod
    def _once_each(cls, folds: list[int]) -> list[int]:
        if len(set(folds)) < len(folds):
            raise ValueError(f"each fold counts once, got {folds}; give every one a single time")
        return folds


class Promote(Section):
    """The gate between a trained ensemble and the champion."""

    method: str
    registered_model: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    min_coverage: Fraction
    max_soil_moisture: Fraction
    pin: Annotated[int, Field(ge=1)] | None


class Infer(Section):
    """How products are made."""

    batch: Count
    precision: Literal["fp32", "bf16", "auto"]
    significant_digits: int = Field(ge=2, le=7)
    leave_one_out: bool


class Trends(Section):
    """Trend tests per cell and per region."""

    alpha: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)
    hamed_rao_lags: int = Field(ge=0)
    false_discovery_rate: float = Field(gt=0, lt=1)
    reference_period: Years
    future_periods: list[Years] = Field(min_length=1)

    @field_validator("reference_period")
    @classmethod
    def _historical(cls, period: tuple[int, int]) -> tuple[int, int]:
        refuse(_outside([period], names.EXPERIMENT_YEARS[names.HISTORICAL], "reference_period"))
        return period

    @field_validator("future_periods")
    @classmethod
    def _of_scenarios(cls, periods: list[tuple[int, int]]) -> list[tuple[int, int]]:
        last = max(years[1] for years in names.EXPERIMENT_YEARS.values())
        span = (names.LAST_HISTORICAL + 1, last)
        refuse(_outside(periods, span, "future_periods"))
        refuse(repeated([list(period) for period in periods], "trends.future_periods"))
        return periods


def _outside(periods: list[tuple[int, int]], span: tuple[int, int], field: str) -> list[str]:
    """Return a line for each period with years that no product of its kind has."""
    place = f"trends.{field}"
    return [
        f"{place} has {list(period)}; expected years of {span[0]}-{span[1]}: edit "
        f"{PARAMS_FILE}:{place}"
        for period in periods
        if period[0] < span[0] or period[1] > span[1]
    ]


class Report(Section):
    """What the pages show."""

    title: str
    map_layers: list[Annotated[int, Field(ge=1, le=5)]] = Field(min_length=1)

    @field_validator("map_layers")
    @classmethod
    def _each_once(cls, layers: list[int]) -> list[int]:
        refuse(repeated(layers, "report.map_layers"))
        return layers
