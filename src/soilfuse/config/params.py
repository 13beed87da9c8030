"""The whole of params.yaml, and the checks across its sections."""

from difflib import get_close_matches

from pydantic import Field, ValidationInfo, field_validator

from soilfuse import names
from soilfuse.config.data import Amsmqtp, Cmip6, Compute, Domain, Era5Land, Insitu, World
from soilfuse.config.learning import (
    Finetune,
    Network,
    Perceptual,
    Pretrain,
    Training,
)
from soilfuse.config.leaving_out import refusal
from soilfuse.config.results import Evaluate, Infer, Leakage, Promote, Report, Trends
from soilfuse.config.searching import Sweep
from soilfuse.config.section import PARAMS_FILE, Section, refuse, repeated, unknown_names


class Params(Section):
    """The whole of params.yaml."""

    profile: str
    seed: int = Field(ge=0)
    raw_root: str = Field(min_length=1)
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
    leakage: Leakage
    promote: Promote
    infer: Infer
    trends: Trends
    report: Report

    @field_validator("experiments")
    @classmethod
    def _known_and_needed(cls, experiments: list[str]) -> list[str]:
        needed = (names.HISTORICAL, "training"), (names.FINAL_TEST, "the final test")
        absent = [name for name, _ in needed if name not in experiments]
        known = names.EXPERIMENT_YEARS
        wrong = [name for name in experiments if name not in known]
        lacking = [
            f"experiments lacks {name!r}, which {use} needs: edit {PARAMS_FILE}:experiments"
            for name, use in needed
            # A misspelt name, which is told with the one meant, is one mistake and not two.
            if name in absent and not get_close_matches(name, wrong)
        ]
        twice = repeated(experiments, "experiments")
        refuse(unknown_names(wrong, "experiment", known, "experiments", absent) + lacking + twice)
        return experiments

    @field_validator("pretrain")
    @classmethod
    def _within_its_target(cls, pretrain: Pretrain, info: ValidationInfo) -> Pretrain:
        refuse(_untrained("pretrain", pretrain, info.data.get("network")))
        if era5_land := info.data.get("era5_land"):
            refuse(_outside(pretrain, era5_land))
        return pretrain

    @field_validator("finetune")
    @classmethod
    def _clean_of_pretraining(cls, finetune: Finetune, info: ValidationInfo) -> Finetune:
        refuse(_untrained("finetune", finetune, info.data.get("network")))
        pretrain = info.data.get("pretrain")
        if pretrain and finetune.protocol == "blocked":
            refuse(_leaks(pretrain))
        return finetune

    @field_validator("evaluate")
    @classmethod
    def _of_known_models(cls, evaluate: Evaluate, info: ValidationInfo) -> Evaluate:
        if cmip6 := info.data.get("cmip6"):
            alone = [f"{names.MODEL}{source_id}" for source_id in cmip6.models]
            named = [name for name in evaluate.baselines if name.startswith(names.MODEL)]
            refuse(unknown_names(named, "baseline", alone, "evaluate.baselines"))
        return evaluate

    @field_validator("promote")
    @classmethod
    def _a_scored_method(cls, promote: Promote, info: ValidationInfo) -> Promote:
        cmip6, evaluate = info.data.get("cmip6"), info.data.get("evaluate")
        if cmip6 and evaluate:
            alone = [f"{names.MODEL}{source_id}" for source_id in cmip6.models]
            others = [name for name in names.BASELINES if name != names.GATE_BASELINE]
            known = [names.ENSEMBLE, *others, *alone]
            if promote.method == names.GATE_BASELINE:
                raise ValueError(
                    f"promote.method is {promote.method!r}, the mark that every method must beat; "
                    f"expected one of {', '.join(known)}: edit {PARAMS_FILE}:promote.method"
                )
            refuse(unknown_names([promote.method], "method", known, "promote.method"))
            if promote.method not in {names.ENSEMBLE, *alone, *evaluate.baselines}:
                raise ValueError(
                    f"promote.method is {promote.method!r}, which evaluate.baselines does not "
                    f"have scored: add it to {PARAMS_FILE}:evaluate.baselines"
                )
        return promote

    @field_validator("infer")
    @classmethod
    def _with_models_to_leave_out(cls, infer: Infer, info: ValidationInfo) -> Infer:
        cmip6, promote = info.data.get("cmip6"), info.data.get("promote")
        if infer.leave_one_out and cmip6 and promote:
            told = refusal(promote.method, "promote.method", len(cmip6.models))
            refuse([told] if told else [])
        return infer


def _untrained(section: str, training: Training, network: Network | None) -> list[str]:
    """Return a line where a network would stay as it was drawn: only a residual may."""
    if training.epochs or network is None or network.has_base:
        return []
    return [
        f"{section}.epochs is 0, which leaves a network with network.residual "
        f"{names.NO_RESIDUAL!r} as it was drawn; expected 1 or more: edit {PARAMS_FILE}:{section}"
    ]


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
    last = names.TRAINING_YEARS[0] - 1 - names.GAP_MONTHS // 12
    problems = [
        f"pretrain.{part} ends in {years[1]}, in or beside years that blocked folds score; allowed "
        f"is {last} or before: edit {PARAMS_FILE}:pretrain.{part}"
        for part, years in (("train_years", train), ("validation_years", validation))
        if years[1] > last
    ]
    years_between = max(train[0], validation[0]) - min(train[1], validation[1]) - 1
    if 12 * years_between < names.GAP_MONTHS:
        problems.append(
            f"pretrain.train_years {list(train)} and validation_years {list(validation)} are less "
            f"than {names.GAP_MONTHS} months apart: edit {PARAMS_FILE}:pretrain"
        )
    return problems
