"""The schema of params.yaml: every parameter, its type and range; unknown keys are refused.

Floats are fractions, degrees or m3 m-3 as each field says. `load()` reports all problems at once.
"""

import difflib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from soilfuse import names
from soilfuse.errors import UserError, unknown

PARAMS_FILE = Path("params.yaml")
TRAINING_YEARS = (2000, 2014)  # what the folds of training/folds.py divide among them
GAP_MONTHS = 12  # between any two parts of what trains, stops, scores and tests
SEARCHED = (  # by every sweep, so that a number given for one in finetune is no reason to search
    "learning_rate",
    "discriminator_learning_rate",
    "loss.perceptual",
    "loss.adversarial",
    "loss.insitu",
)
GATE_BASELINE = "ensemble_mean"  # what a candidate must beat to be promoted


def _in_order(years: tuple[int, int]) -> tuple[int, int]:
    if years[0] > years[1]:
        raise ValueError(f"the first year ({years[0]}) must not be after the last ({years[1]})")
    return years


# YAML has lists only, which strictness would refuse; the years in them stay strict.
Years = Annotated[tuple[int, int], Field(strict=False), AfterValidator(_in_order)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
UNION_KINDS = ("constrained-float", "float", "literal['sweep']")
SweptPositive = Annotated[float, Field(gt=0)] | Literal["sweep"]
SweptNonNegative = Annotated[float, Field(ge=0)] | Literal["sweep"]


class Section(BaseModel):
    """A section of params.yaml: no unknown keys, no conversion but of int to float, immutable.

    Checks across fields are validators of the last field that they need: one of the whole section
    would be silent while any other of its fields is wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ValueError(*problems)


def _unknown(got: Iterable[str], what: str, allowed: Iterable[str], field: str) -> list[str]:
    allowed, where = tuple(allowed), f"{PARAMS_FILE}:{field}"
    return [unknown(what, name, allowed, where) for name in got if name not in allowed]


class Domain(Section):
    """The target grid: cell centres from west to east and south to north, in degrees."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    west: float = Field(ge=-180, le=360)
    east: float = Field(ge=-180, le=360)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)
    resolution: Positive

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


class Cmip6(Section):
    """Which climate models are read, and how far land values are carried into coastal gaps."""

    models: dict[str, str] = Field(min_length=1)
    fill_cells: int = Field(ge=0)

    @field_validator("models")
    @classmethod
    def _known(cls, models: dict[str, str]) -> dict[str, str]:
        _refuse(_unknown(models, "climate model", names.CLIMATE_MODELS, "cmip6.models"))
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
        first = info.data.get("first_year", TRAINING_YEARS[0])
        _in_order((first, last))
        if first > TRAINING_YEARS[0] or last < TRAINING_YEARS[1]:
            raise ValueError(
                f"amsmqtp has {first}-{last}; the folds need {TRAINING_YEARS[0]}-"
                f"{TRAINING_YEARS[1]}: edit {PARAMS_FILE}:amsmqtp.first_year, last_year"
            )
        return last


class Insitu(Section):
    """Station records that count, and the forests that spread them over the grid."""

    good_flags: list[str] = Field(min_length=1)
    min_records: Count
    trees: Count
    min_samples_leaf: Count


class Network(Section):
    """The generator."""

    name: str
    width: Count
    depth: int = Field(ge=1, le=6)
    discriminator_width: Count

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        _refuse(_unknown([name], "network", names.NETWORKS, "network.name"))
        return name


class Perceptual(Section):
    """VGG16 features: `imagenet` (published weights), `random` (seeded), or a path."""

    weights: str
    width_divisor: Count


class Loss(Section):
    """Weights of the generator's loss terms (Li et al. 2024, equations 4, 7 and 19)."""

    content: NonNegative
    mse: NonNegative
    perceptual: NonNegative
    adversarial: NonNegative
    insitu: NonNegative
    total_variation: NonNegative
    adversarial_form: Literal["ragan", "authors"]


class SweptLoss(Section):
    """Loss weights of fine-tuning; the word `sweep` takes the sweep's best value."""

    content: SweptNonNegative
    mse: SweptNonNegative
    perceptual: SweptNonNegative
    adversarial: SweptNonNegative
    insitu: SweptNonNegative
    total_variation: SweptNonNegative
    adversarial_form: Literal["ragan", "authors"]


class Training(Section):
    """What pre-training and fine-tuning have in common."""

    epochs: Count
    batch: Count
    patience: Count


class Pretrain(Training):
    """Pre-training on ERA5-Land, split by years."""

    train_years: Years
    validation_years: Years
    test_years: Years
    learning_rate: Positive
    discriminator_learning_rate: Positive
    loss: Loss


class SearchRange(Section):
    """Bounds of one swept parameter, searched on a log scale."""

    low: Positive
    high: Positive

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        if (low := info.data.get("low", 0.0)) >= high:
            raise ValueError(f"low ({low}) must be less than high ({high})")
        return high


class Sweep(Section):
    """The search over loss weights and learning rates, on inner validation blocks only."""

    trials: Count
    epochs: Count
    folds: int = Field(ge=1, le=5)
    search: dict[str, SearchRange]

    @field_validator("search")
    @classmethod
    def _known_and_whole(cls, search: dict[str, SearchRange]) -> dict[str, SearchRange]:
        weights = [f"loss.{name}" for name in Loss.model_fields if name != "adversarial_form"]
        allowed = dict.fromkeys([*SEARCHED, *weights])
        lacking = [
            f"sweep.search lacks {name}, which is always searched: edit {PARAMS_FILE}:sweep.search"
            for name in SEARCHED
            if name not in search
        ]
        _refuse(_unknown(search, "swept parameter", allowed, "sweep.search") + lacking)
        return search


class Finetune(Training):
    """Fine-tuning on AMSMQTP, one ensemble member a fold."""

    protocol: Literal["blocked", "shuffled"]
    learning_rate: SweptPositive
    discriminator_learning_rate: SweptPositive
    loss: SweptLoss


class Evaluate(Section):
    """Scores and their intervals."""

    baselines: list[str]
    bootstrap_samples: Count
    bootstrap_block_months: Count

    @field_validator("baselines")
    @classmethod
    def _known_with_the_gates(cls, baselines: list[str]) -> list[str]:
        problems = _unknown(baselines, "baseline", names.BASELINES, "evaluate.baselines")
        if GATE_BASELINE not in baselines:
            problems.append(
                f"evaluate.baselines lacks {GATE_BASELINE!r}, which the gate of stage promote "
                f"compares with: edit {PARAMS_FILE}:evaluate.baselines"
            )
        _refuse(problems)
        return baselines


class Promote(Section):
    """The gate between a trained ensemble and the champion."""

    registered_model: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    min_coverage: Fraction
    max_soil_moisture: Fraction
    pin: int | None


class Infer(Section):
    """How products are made."""

    batch: Count
    significant_digits: int = Field(ge=2, le=7)


class Trends(Section):
    """Trend tests per cell and per region."""

    alpha: float = Field(gt=0, lt=1)
    reference_period: Years
    future_periods: list[Years]


class Report(Section):
    """What the pages show."""

    title: str
    map_layers: list[Annotated[int, Field(ge=1, le=5)]]


class Params(Section):
    """The whole of params.yaml."""

    profile: str
    seed: int = Field(ge=0)
    raw_root: str
    experiments: list[str] = Field(min_length=1)
    domain: Domain
    compute: Compute
    world: World
    cmip6: Cmip6
    era5_land: Era5Land
    amsmqtp: Amsmqtp
    insitu: Insitu
    network: Network
    perceptual: Perceptual
    pretrain: Pretrain
    sweep: Sweep
    finetune: Finetune
    evaluate: Evaluate
    promote: Promote
    infer: Infer
    trends: Trends
    report: Report

    @field_validator("experiments")
    @classmethod
    def _known_and_needed(cls, experiments: list[str]) -> list[str]:
        needed = (names.HISTORICAL, "training"), (names.FINAL_TEST, "the final test")
        lacking = [
            f"experiments lacks {name!r}, which {use} needs: edit {PARAMS_FILE}:experiments"
            for name, use in needed
            if name not in experiments
        ]
        known = names.EXPERIMENT_YEARS
        _refuse(_unknown(experiments, "experiment", known, "experiments") + lacking)
        return experiments

    @field_validator("pretrain")
    @classmethod
    def _within_its_target(cls, pretrain: Pretrain, info: ValidationInfo) -> Pretrain:
        if era5_land := info.data.get("era5_land"):
            _refuse(_outside(pretrain, era5_land))
        return pretrain

    @field_validator("finetune")
    @classmethod
    def _clean_of_pretraining(cls, finetune: Finetune, info: ValidationInfo) -> Finetune:
        pretrain = info.data.get("pretrain")
        if pretrain and finetune.protocol == "blocked":
            _refuse(_leaks(pretrain))
        return finetune


def _outside(pretrain: Pretrain, era5_land: Era5Land) -> list[str]:
    """Return a line for each pre-training part that lies outside target and climate models."""
    first, last = names.EXPERIMENT_YEARS[names.HISTORICAL]
    first, last = max(first, era5_land.first_year), min(last, era5_land.last_year)
    parts = ("train_years", "validation_years", "test_years")
    return [
        f"pretrain.{part} {list(years)} is not within {first}-{last}, the years of both era5_land "
        f"and {names.HISTORICAL}: edit {PARAMS_FILE}:pretrain.{part} or era5_land"
        for part in parts
        for years in [getattr(pretrain, part)]
        if years[0] < first or years[1] > last
    ]


def _leaks(pretrain: Pretrain) -> list[str]:
    """Return a line for each way in which pre-training would see years that blocked folds score.

    Its training and validation years must end a gap before the folds' years, and lie a gap apart.
    """
    train, validation = pretrain.train_years, pretrain.validation_years
    last = TRAINING_YEARS[0] - 1 - GAP_MONTHS // 12
    problems = [
        f"pretrain.{part} ends in {years[1]}, in or beside years that blocked folds score; allowed "
        f"is {last} or before: edit {PARAMS_FILE}:pretrain.{part}"
        for part, years in (("train_years", train), ("validation_years", validation))
        if years[1] > last
    ]
    years_between = max(train[0], validation[0]) - min(train[1], validation[1]) - 1
    if 12 * years_between < GAP_MONTHS:
        problems.append(
            f"pretrain.train_years {list(train)} and validation_years {list(validation)} are less "
            f"than {GAP_MONTHS} months apart: edit {PARAMS_FILE}:pretrain"
        )
    return problems


def _leaf_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys.extend(_leaf_keys(field.annotation, f"{prefix}{name}."))
    return keys


def _place(problem: Mapping[str, Any]) -> str:
    # A value that may be a number or a word fails once a kind: pydantic names the kind last.
    return ".".join(str(part) for part in problem["loc"] if str(part) not in UNION_KINDS)


def _lines(place: str, problems: list[Mapping[str, Any]], path: Path) -> list[str]:
    first = problems[0]
    if first["type"] != "value_error":
        return [_one_line(place, problems, path)]
    messages = [str(message) for message in first["ctx"]["error"].args]
    edit = f": edit {path}:{place}"
    return [text if str(PARAMS_FILE) in text else text + edit for text in messages]


def _one_line(place: str, problems: list[Mapping[str, Any]], path: Path) -> str:
    first = problems[0]
    where = f"{path}:{place}" if place else str(path)
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, _leaf_keys(Params), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "remove it"
        return f"unknown parameter {place!r}; {hint}: edit {where}"
    if first["type"] == "missing":
        return (
            f"missing parameter {place!r}: add it to {path}, or start from `soilfuse profile demo`"
        )
    got = repr(first["input"])
    got = got if len(got) < 60 else got[:57] + "..."
    allowed = " or ".join(problem["msg"][0].lower() + problem["msg"][1:] for problem in problems)
    return f"bad value for {place!r}: got {got}; {allowed}: edit {where}"


def validate(content: Any, path: Path = PARAMS_FILE) -> Params:
    """Check a parsed params file; raise UserError with one line for every problem."""
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no parameters; start from `soilfuse profile demo`")
    try:
        return Params.model_validate(content)
    except ValidationError as error:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for problem in error.errors():
            found.setdefault(_place(problem), []).append(problem)
        raise UserError(*(line for at in found.items() for line in _lines(*at, path))) from None


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml (YAML 1.2, so that 3e-4 is a number).

    Raises UserError with every unknown, missing or ill-typed parameter at once.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"no {path} here; run in the project's root, or `soilfuse profile demo`")
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise UserError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    return validate(content, path)


def item_of(argument: str, allowed: list[str], what: str, where: str) -> str:
    """Return a command-line item if it is allowed, else raise UserError that names the choices."""
    if argument not in allowed:
        raise UserError(unknown(what, argument, allowed, where))
    return argument
