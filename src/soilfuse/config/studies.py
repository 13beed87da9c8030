"""The schema of each study's params.yaml: other pipelines over the same library, in studies/.

A study names itself under the top key `study`. Sections that it shares with the main pipeline keep
their names and types, so that the main pipeline's stage scripts run in its folder too.
"""

import re
from typing import Any

from pydantic import Field, field_validator

from soilfuse.config.data import VARIANT_LABEL, Compute, Domain
from soilfuse.config.evaluated_models import EVALUATED_MODELS
from soilfuse.config.section import PARAMS_FILE, Section, Years, refuse, unknown_names


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


STUDIES: dict[str, type[StudyParams]] = {"cmip6_evaluation": Cmip6Study}


def study_of(content: Any) -> str | None:
    """Return the study that a parsed params file says it is of, None for the main pipeline."""
    study = content.get("study") if isinstance(content, dict) else None
    return None if study is None else str(study)
