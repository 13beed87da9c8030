"""The schema of params.yaml: every parameter, its type and range; unknown keys are refused.

Floats are fractions, degrees or m3 m-3 as each field says. `load()` reports all problems at once.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from soilfuse import names
from soilfuse.errors import UserError, unknown

PARAMS_FILE = Path("params.yaml")
REMOVED: dict[str, str] = {}  # a removed parameter -> what to write instead

Years = tuple[int, int]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
UNION_KINDS = ("constrained-float", "float", "literal['sweep']")
SweptPositive = Annotated[float, Field(gt=0)] | Literal["sweep"]
SweptNonNegative = Annotated[float, Field(ge=0)] | Literal["sweep"]


class Section(BaseModel):
    """A section of params.yaml: strict types, no unknown keys, immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class Domain(Section):
    """The target grid: cell centres from west to east and south to north, in degrees."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    west: float = Field(ge=-180, le=360)
    east: float = Field(ge=-180, le=360)
    south: float = Field(ge=-90, le=90)
    north: float = Field(ge=-90, le=90)
    resolution: Positive

    @model_validator(mode="after")
    def _ordered(self) -> "Domain":
        if self.west >= self.east:
            raise ValueError(
                f"domain.west ({self.west}) must be less than domain.east ({self.east})"
            )
        if self.south >= self.north:
            raise ValueError(
                f"domain.south ({self.south}) must be less than domain.north ({self.north})"
            )
        return self


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

    @model_validator(mode="after")
    def _known(self) -> "Cmip6":
        problems = [
            unknown("climate model", source_id, names.CLIMATE_MODELS, "params.yaml:cmip6.models")
            for source_id in self.models
            if source_id not in names.CLIMATE_MODELS
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Era5Land(Section):
    """The pre-training target."""

    first_year: int
    last_year: int


class Amsmqtp(Section):
    """The fine-tuning target."""

    first_year: int
    last_year: int
    min_days: int = Field(ge=1, le=28)


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

    @model_validator(mode="after")
    def _known(self) -> "Network":
        if self.name not in names.NETWORKS:
            raise ValueError(
                unknown("network", self.name, names.NETWORKS, "params.yaml:network.name")
            )
        return self


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

    @model_validator(mode="after")
    def _ordered(self) -> "SearchRange":
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be less than high ({self.high})")
        return self


class Sweep(Section):
    """The search over loss weights and learning rates, on inner validation blocks only."""

    trials: Count
    epochs: Count
    folds: int = Field(ge=1, le=5)
    search: dict[str, SearchRange] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> "Sweep":
        allowed = (
            "learning_rate",
            "discriminator_learning_rate",
            *(f"loss.{name}" for name in Loss.model_fields if name != "adversarial_form"),
        )
        problems = [
            unknown("swept parameter", key, allowed, "params.yaml:sweep.search")
            for key in self.search
            if key not in allowed
        ]
        problems += [
            f"sweep.search lacks {name}, which every sweep searches: edit params.yaml:sweep.search"
            for name in allowed[:2]
            if name not in self.search
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


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

    @model_validator(mode="after")
    def _known(self) -> "Evaluate":
        problems = [
            unknown("baseline", name, names.BASELINES, "params.yaml:evaluate.baselines")
            for name in self.baselines
            if name not in names.BASELINES
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


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

    @model_validator(mode="after")
    def _consistent(self) -> "Params":
        problems = [
            unknown("experiment", name, names.EXPERIMENT_YEARS, "params.yaml:experiments")
            for name in self.experiments
            if name not in names.EXPERIMENT_YEARS
        ]
        problems += [
            f"experiments lacks {name!r}, which {use} needs: edit params.yaml:experiments"
            for name, use in ((names.HISTORICAL, "training"), (names.FINAL_TEST, "the final test"))
            if name not in self.experiments
        ]
        if problems:
            raise ValueError("; ".join(problems))
        return self


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


def _one_line(place: str, problems: list[Mapping[str, Any]], path: Path) -> str:
    first = problems[0]
    where = f"{path}:{place}" if place else str(path)
    if place in REMOVED:
        return f"parameter {place} was removed: {REMOVED[place]}: edit {where}"
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, _leaf_keys(Params), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "remove it"
        return f"unknown parameter {place!r}; {hint}: edit {where}"
    if first["type"] == "missing":
        return (
            f"missing parameter {place!r}: add it to {path}, or start from `soilfuse profile demo`"
        )
    if first["type"] == "value_error":
        message = str(first["ctx"]["error"])
        return message if "params.yaml" in message else f"{message}: edit {where}"
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
        lines = [_one_line(place, problems, path) for place, problems in found.items()]
        raise UserError(*lines) from None


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
