"""The study's page: one self-contained HTML file, its PNG beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import files
from soilfuse.config import Cmip6Study
from soilfuse.evaluation.cmip6.evaluate import Skill
from soilfuse.evaluation.cmip6.groups import ALL
from soilfuse.evaluation.cmip6.outputs import read_skill
from soilfuse.evaluation.cmip6.tables import AGAINST
from soilfuse.report import labels
from soilfuse.report.cmip6 import looks, pictures
from soilfuse.report.pictures import Folder
from soilfuse.report.sections import Page, Section, write
from soilfuse.report.table import Table
from soilfuse.sources.netcdf import REAL

if TYPE_CHECKING:
    import pandas as pd

PAPER_YEARS = (1979, 2014)
NO_EVIDENCE = (
    "These numbers come from a pseudo-reality ({world}) that soilfuse made itself: the files carry "
    "the names of real models and reanalyses and hold none of their output. They show that the "
    "calculation runs, and are no evidence about any real model or reanalysis."
)
# Qiao et al. 2022, figures 9 and 11: mean of models against ERA5, upper 10 cm.
PUBLISHED = {"TIB": (0.48, 0.33, 0.89), "NA-WA": (0.70, 0.76, 0.72)}


def write_study_page(target: Path, results: Path, params: Cmip6Study) -> None:
    """Write the page to `target` and its figures beside it; results: the folder of stage skill."""
    skill = read_skill(results)
    sha256 = files.sha256_of_files(path for path in Path(results).iterdir() if path.is_file())
    source = (
        f"soilfuse  |  results of stage skill, sha256 {sha256[:16]}  |  boxes: Qiao et al. 2022"
    )
    folder = Folder(Path(target).parent / "figures", source, sha256)
    world = str(skill.facts["world"])
    first, last = params.years
    page = Page(
        title=params.report.title,
        heading="CMIP6 models against reanalyses",
        subtitle=(
            f"Soil moisture of the upper 10 and 200 cm, {labels.years_title(f'{first}-{last}')}, "
            "after Qiao et al. 2022"
        ),
        caveats=_caveats(world, params),
        summary=_summary(skill),
        sections=_sections(folder, skill, world),
        lineage={"results sha256": sha256, "world": world},
    )
    write(target, page)


def _caveats(world: str, params: Cmip6Study) -> list[str]:
    told = [] if world == REAL else [NO_EVIDENCE.format(world=world)]
    if tuple(params.years) != PAPER_YEARS:
        told.append(
            f"Years are {params.years[0]}–{params.years[1]}; the paper's are 1979–2014 "
            "(params.yaml:years)."
        )
    if params.domain.resolution > 1.125:
        told.append(
            f"The common grid has {params.domain.resolution:g}°; the paper's has 1.125° "
            "(params.yaml:domain)."
        )
    told.append(
        "Monthly values keep their seasonal cycle, as in the paper: correlations and skill scores "
        "mostly tell whether the seasons agree, and free-running models share no weather with the "
        "reanalyses."
    )
    return told


def _summary(skill: Skill) -> list[str]:
    facts, models = skill.facts, skill.tables["models"]
    told = [
        f"{len(models)} models of {models['parent'].nunique()} parents. The mean of models takes "
        "submodels of one parent together first, then the parents."
    ]
    left_out = models[models["left_out"].fillna("") != ""]
    told += [
        f"{row.source_id} is left out of what needs {row.left_out} soil moisture: the paper's "
        "table 1 has no members with it."
        for row in left_out.itertuples()
    ]
    for depth, words in looks.DEPTH_TITLES.items():
        shares = " and ".join(
            f"{100 * facts[f'good_share/{depth}/{reference}']:.0f} % against "
            f"{looks.title(reference)}"
            for reference in AGAINST
        )
        told.append(f"Skill score above {facts['good_tss']:g}, {words}: {shares} of model boxes.")
    signs = ", ".join(
        f"{labels.signed(facts[f'r_with_p_e/SIB/{source}'])} ({looks.title(source)})"
        for source in (ALL, *AGAINST)
    )
    told.append(f"Mean correlation of the upper 10 cm with P − E over SIB: {signs}.")
    return told


def _sections(folder: Folder, skill: Skill, world: str) -> list[Section]:
    return [
        Section("maps", "Climatology and bias", pictures=pictures.map_pictures(folder, skill)),
        Section("cycles", "Annual cycles", pictures=pictures.cycle_pictures(folder, skill)),
        Section(
            "taylor",
            "Taylor diagrams",
            lead=["MMEM is the mean of all models; means of the two groups stand beside it."],
            pictures=pictures.taylor_pictures(folder, skill),
            tables=[_published(skill.tables["taylor"], world)],
        ),
        Section(
            "relations",
            "Soil moisture and what the surface gains",
            pictures=pictures.relation_pictures(folder, skill),
            tables=[_significant(skill.facts)],
        ),
        Section("scores", "Skill scores", pictures=pictures.score_pictures(folder, skill)),
        Section("models", "Models", tables=[_models(skill.tables["models"])]),
    ]


def _published(taylor: "pd.DataFrame", world: str) -> Table:
    rows = []
    for region, numbers in PUBLISHED.items():
        chosen = taylor[
            (taylor["variable"] == "shallow")
            & (taylor["reference"] == "era5")
            & (taylor["source"] == ALL)
            & (taylor["region"] == region)
        ].iloc[0]
        ours = (chosen["r"], chosen["sd_ratio"], chosen["crmsd"])
        rows.append(
            [
                region,
                *(labels.plain(x, 2) for pair in zip(numbers, ours, strict=True) for x in pair),
            ]
        )
    return Table(
        caption="Mean of models against ERA5, 0–10 cm: the paper and this page",
        head=["Region", "R, paper", "R", "SD, paper", "SD", "RMS, paper", "RMS"],
        rows=rows,
        note=""
        if world == REAL
        else "A pseudo-reality need not agree with the paper, and does not.",
    )


def _significant(facts: Mapping[str, float]) -> Table:
    sources = (ALL, "era5", "era_interim", "gldas")
    return Table(
        caption=f"Share of land cells with p below {facts['alpha']:g}, 0–10 cm against P − E (%)",
        head=["Source", "every month counted", "months that autocorrelation leaves"],
        rows=[
            [
                looks.title(source),
                *(
                    f"{100 * facts[f'significant_share/{name}/{source}']:.0f}"
                    for name in ("p", "p_effective")
                ),
            ]
            for source in sources
        ],
    )


def _models(models: "pd.DataFrame") -> Table:
    return Table(
        caption="Models, their weights in the two-step mean, and what they lack",
        head=["Model", "Parent", "Land model", "Group", "Members", "0–10 cm", "0–200 cm", "Lacks"],
        rows=[
            [
                row.source_id,
                row.parent,
                row.land_model,
                row.resolution_group,
                str(row.members),
                labels.plain(row.weight_shallow, 3),
                labels.plain(row.weight_deep, 3),
                row.left_out if isinstance(row.left_out, str) and row.left_out else labels.MISSING,
            ]
            for row in models.itertuples()
        ],
        words=True,
    )
