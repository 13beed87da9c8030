"""The schema of each study's params.yaml: other pipelines over the same library, in studies/.

A study names itself under the top key `study`. Sections that it shares with the main pipeline keep
their names and types, so that the main pipeline's stage scripts run in its folder too.
"""

import re
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from soilfuse import names
from soilfuse.config.data import VARIANT_LABEL, Cmip6, Compute, Domain, Era5Land
from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.config.learning import Network, Perceptual, Pretrain
from soilfuse.config.sample import (
    CoreSize,
    DownscalingTraining,
    Forest,
    PixelScores,
    Sample,
    Split,
    StepsSeen,
)
from soilfuse.config.section import PARAMS_FILE, Count, Section, Years, refuse, unknown_names

Pixel = Annotated[tuple[float, float], Field(strict=False)]  # YAML has lists only


class StudyWorld(Section):
    """The pseudo-reality of a study; one that has more to say derives its own section."""

    seed: int = Field(ge=0)


class StudyParams(Section):
    """What every study's params.yaml has, for its runs and its raw files."""

    study: str
    profile: str
    seed: int = Field(ge=0)
    raw_root: str
    compute: Compute
    world: StudyWorld


class Cmip6World(StudyWorld):
    """The globe's pseudo-reality: its native grids have 1/coarsen of the models' own lines."""

    coarsen: int = Field(ge=1, le=8)


class Skill(Section):
    """Taylor's skill score that counts as good, and the level of the correlation tests."""

    good_tss: float = Field(gt=0, lt=1)
    alpha: float = Field(gt=0, lt=1)


class StudyReport(Section):
    """What a study's page is called."""

    title: str


class Cmip6Study(StudyParams):
    """The whole of studies/cmip6_evaluation/params.yaml (Qiao et al. 2022).

    models: source_id -> its members, such as r1i1p1f1; years: those that are compared.
    """

    world: Cmip6World
    years: Years
    domain: Domain
    models: dict[str, list[str]] = Field(min_length=1)
    skill: Skill
    report: StudyReport

    @field_validator("models")
    @classmethod
    def _of_members(cls, models: dict[str, list[str]]) -> dict[str, list[str]]:
        problems = unknown_names(models, "climate model", EVALUATED_MODELS, "models")
        problems += [
            f"models.{name} has members {members}; expected one or more as r1i1p1f1: edit "
            f"{PARAMS_FILE}:models.{name}"
            for name, members in models.items()
            if not members or not all(re.fullmatch(VARIANT_LABEL, one) for one in members)
        ]
        known = [EVALUATED_MODELS[name] for name in models if name in EVALUATED_MODELS]
        problems += [
            f"none of models has {variable} in table 1 of Qiao et al. 2022; expected one or more: "
            f"edit {PARAMS_FILE}:models"
            for variable, count in (
                ("mrsos", sum(model.shallow for model in known)),
                ("mrsol", sum(model.deep for model in known)),
            )
            if known and not count
        ]
        refuse(problems)
        return models


class ChinaInfer(Section):
    """How many months a network is given at a time."""

    batch: Count


class Analysis(Section):
    """Where figure 8 is split, in degrees, and the zones' pixels: name -> (lat, lon)."""

    east_of: float = Field(ge=-180, le=360)
    north_of: float = Field(ge=-90, le=90)
    pixels: dict[str, Pixel] = Field(min_length=1)


class ChinaStudy(StudyParams):
    """The whole of studies/china/params.yaml (Feng et al. 2022).

    experiments: what is read; scenarios: those of them whose change is told.
    """

    experiments: list[str]
    scenarios: list[str]
    domain: Domain
    cmip6: Cmip6
    era5_land: Era5Land
    network: Network
    perceptual: Perceptual
    pretrain: Pretrain
    infer: ChinaInfer
    analysis: Analysis
    report: StudyReport

    @field_validator("experiments")
    @classmethod
    def _with_historical(cls, experiments: list[str]) -> list[str]:
        refuse(unknown_names(experiments, "experiment", names.EXPERIMENT_YEARS, "experiments"))
        if names.HISTORICAL not in experiments or len(set(experiments)) != len(experiments):
            raise ValueError(
                f"experiments are {experiments}; expected each once, {names.HISTORICAL} among them"
            )
        return experiments

    @field_validator("scenarios")
    @classmethod
    def _all_but_historical(cls, scenarios: list[str], info: ValidationInfo) -> list[str]:
        read = info.data.get("experiments", [names.HISTORICAL, *scenarios])
        if scenarios != [name for name in read if name != names.HISTORICAL]:
            raise ValueError(
                f"scenarios are {scenarios}; expected those of experiments, {read}, without "
                f"{names.HISTORICAL}"
            )
        return scenarios


class PscnetStudy(StudyParams):
    """The whole of studies/pscnet/params.yaml (Zhou et al. 2025)."""

    sample: Sample
    split: Split
    inputs: StepsSeen
    methods: Annotated[list[str], Field(min_length=1)]
    networks: dict[str, CoreSize]
    forest: Forest
    train: DownscalingTraining
    evaluate: PixelScores
    report: StudyReport

    @field_validator("split")
    @classmethod
    def _years_of_the_sample(cls, split: Split, info: ValidationInfo) -> Split:
        if "sample" in info.data:
            there, used = info.data["sample"].years, split.train_years + split.test_years
            if missing := [year for year in used if year not in there]:
                raise ValueError(f"split has years {missing}; expected those of sample, {there}")
        return split

    @field_validator("inputs")
    @classmethod
    def _reach_within_the_gap(cls, inputs: StepsSeen, info: ValidationInfo) -> StepsSeen:
        if {"sample", "split"} <= set(info.data):
            reach = inputs.hours_before(info.data["sample"].step_hours)
            gap = info.data["split"].gap_days
            if reach > 24 * gap:
                raise ValueError(
                    f"split.gap_days is {gap}, but inputs reach {reach} hours back, into days that "
                    f"are held out; expected at least {-(-reach // 24)}, or fewer inputs.steps: "
                    f"edit {PARAMS_FILE}:split.gap_days"
                )
        return inputs

    @field_validator("methods")
    @classmethod
    def _known_methods(cls, methods: list[str]) -> list[str]:
        refuse(unknown_names(methods, "method", names.DOWNSCALING_METHODS, "methods"))
        if len(set(methods)) != len(methods):
            raise ValueError(f"methods are {methods}; expected each once")
        return methods

    @field_validator("networks")
    @classmethod
    def _sizes_of_methods(
        cls, networks: dict[str, CoreSize], info: ValidationInfo
    ) -> dict[str, CoreSize]:
        refuse(unknown_names(networks, "network", names.NETWORKS, "networks"))
        asked = [name for name in info.data.get("methods", []) if name != names.FOREST]
        if missing := [name for name in asked if name not in networks]:
            raise ValueError(
                f"networks has no size of {', '.join(missing)}; expected one of each of methods: "
                f"edit {PARAMS_FILE}:networks"
            )
        return networks


STUDIES: dict[str, type[StudyParams]] = {
    "china": ChinaStudy,
    "cmip6_evaluation": Cmip6Study,
    "pscnet": PscnetStudy,
}


def study_of(content: Any) -> str | None:
    """Return the study that a parsed params file says it is of, None for the main pipeline."""
    study = content.get("study") if isinstance(content, dict) else None
    return None if study is None else str(study)
