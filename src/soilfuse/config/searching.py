"""The section of the sweep: what is searched, how, for how long, and where it is remembered."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from soilfuse import names
from soilfuse.config.learning import Loss
from soilfuse.config.section import (
    PARAMS_FILE,
    Count,
    NonNegative,
    Positive,
    Section,
    refuse,
    unknown_names,
)
from soilfuse.errors import has_password

SEARCHED = ("learning_rate",)  # by every sweep: a number in finetune is no reason to search again
RATES = (*SEARCHED, "discriminator_learning_rate")
WEIGHTS = tuple(f"loss.{name}" for name in Loss.model_fields if name != "adversarial_form")
BATCH, DROPOUT, WIDTH, NETWORK = "batch", "network.dropout", "network.width", "network.name"
SEARCHABLE = (*RATES, *WEIGHTS, BATCH, DROPOUT, WIDTH, NETWORK)
WHOLE = (BATCH, WIDTH)
FOLDS_OF_WILCOXON = 4  # the test cannot tell fewer pairs apart early enough to save a fold


class SearchRange(Section):
    """Bounds of one swept parameter, searched on a log scale (dropout on a plain one)."""

    low: NonNegative
    high: Positive

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        if (low := info.data.get("low", 0.0)) >= high:
            raise ValueError(f"low ({low}) must be less than high ({high})")
        return high


Choices = Annotated[list[int | float | str], Field(min_length=1)]


def _form(value: Any) -> str:
    return "choices" if isinstance(value, list) else "range"


# Told apart by their form, so that one mistake is one line.
Searched = Annotated[
    Annotated[SearchRange, Tag("range")] | Annotated[Choices, Tag("choices")],
    Discriminator(_form),
]


class Sweep(Section):
    """The search, scored on inner validation blocks only."""

    trials: Count
    minutes: Positive | None
    epochs: Count
    folds: int = Field(ge=1, le=5)
    workers: Count
    storage: str | None
    sampler: str
    pruner: str
    hand_search: bool
    pretrain_epochs: Count
    search: dict[str, Searched]

    @field_validator("storage")
    @classmethod
    def _without_password(cls, storage: str | None) -> str | None:
        # The value is never shown: it may be a password.
        if storage is not None and "://" not in storage:
            raise ValueError(
                "sweep.storage is no URL; expected null for a file in .state, or one such as "
                "postgresql://host/database"
            )
        if storage is not None and has_password(storage):
            raise ValueError(
                "sweep.storage holds a password, which params.yaml would give away; expected a "
                f"URL without one: put the whole URL into the environment variable "
                f"{names.SWEEP_STORAGE} and null here"
            )
        return storage

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, word: str) -> str:
        refuse(unknown_names([word], "sampler", names.SAMPLERS, "sweep.sampler"))
        return word

    @field_validator("pruner")
    @classmethod
    def _known_pruner(cls, word: str, info: ValidationInfo) -> str:
        refuse(unknown_names([word], "pruner", names.PRUNERS, "sweep.pruner"))
        folds = info.data.get("folds", FOLDS_OF_WILCOXON)
        if word == names.WILCOXON and folds < FOLDS_OF_WILCOXON:
            raise ValueError(
                f"the pruner wilcoxon compares folds, of which sweep.folds has {folds}; expected "
                f"{FOLDS_OF_WILCOXON} or 5, or one of {names.NO_PRUNER}, {names.HYPERBAND}"
            )
        return word

    @field_validator("search")
    @classmethod
    def _known_and_whole(
        cls, search: dict[str, SearchRange | list[Any]]
    ) -> dict[str, SearchRange | list[Any]]:
        lacking = [
            f"sweep.search lacks {name}, which is always searched: edit {PARAMS_FILE}:sweep.search"
            for name in SEARCHED
            if name not in search
        ]
        strange = unknown_names(search, "swept parameter", SEARCHABLE, "sweep.search")
        known = {name: values for name, values in search.items() if name in SEARCHABLE}
        unfit = [line for name, values in known.items() for line in _unfit(name, values)]
        refuse(strange + lacking + unfit)
        return search


def _unfit(name: str, values: SearchRange | Sequence[Any]) -> list[str]:
    """Return a line for bounds or choices that this parameter cannot take."""
    ends = [values.low, values.high] if isinstance(values, SearchRange) else list(values)
    if name == NETWORK:
        if isinstance(values, SearchRange):
            return [_line(name, "bounds", f"a list of {', '.join(names.NETWORKS)}")]
        return unknown_names(map(str, ends), "network", names.NETWORKS, f"sweep.search.{name}")
    if name in WHOLE:
        fits, allowed = lambda v: v >= 1 and v == int(v), "whole numbers of 1 or more"
    elif name == DROPOUT:
        fits, allowed = lambda v: 0 <= v < 1, "shares of 0 or more and less than 1"
    elif name in WEIGHTS and not isinstance(values, SearchRange):
        fits, allowed = lambda v: v >= 0, "numbers of 0 or more"
    else:
        fits, allowed = lambda v: v > 0, "numbers above 0"
    bad = [value for value in ends if isinstance(value, str) or not fits(value)]
    if len(set(ends)) < len(ends):
        return [_line(name, ends, "each choice once")]
    return [_line(name, ", ".join(map(str, bad)), allowed)] if bad else []


def _line(name: str, got: object, allowed: str) -> str:
    where = f"sweep.search.{name}"
    return f"{where} has {got}; expected {allowed}: edit {PARAMS_FILE}:{where}"
