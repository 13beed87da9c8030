"""Every figure of the page with its title, caption and description."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from soilfuse.evaluation.cmip6.evaluate import Skill
from soilfuse.evaluation.cmip6.tables import AGAINST
from soilfuse.grids.region_sets import BOXES
from soilfuse.report.cmip6 import cycles, looks, scores, taylor_panels, world_maps
from soilfuse.report.pictures import Folder, Picture

if TYPE_CHECKING:
    import pandas as pd

FLUXES = ("pr", "evspsbl", "mrros", "snm")
COLD = ("TIB", "SIB")
HOW_TO_READ = (
    "Angle: correlation R of the monthly series; radius: standard deviation over the reference's; "
    "dotted circles: centred RMS difference over it; star: the reference. Numbers are models, pink "
    "those of the high-resolution group, blue of the low. Points farther out than four times the "
    "reference's deviation lie on the rim. Seasonal cycle included."
)


def map_pictures(folder: Folder, skill: Skill) -> list[Picture]:
    """Draw figures 2 to 4: where the soil is wet, the models' bias, the fluxes."""
    maps = skill.maps
    place = world_maps.place_of(maps)
    pictures = []
    for depth, words in looks.DEPTH_TITLES.items():
        number = 2 if depth == "shallow" else 3
        pictures += [
            folder.draw(
                f"fig{number:02}_mean_{depth}",
                partial(world_maps.mean_figure, place, maps, depth),
                f"Mean soil moisture, {words} (as figure {number} of the paper)",
                "Means over all months. White: sea, Greenland, Antarctica, or no value.",
                f"Four world maps of mean soil moisture of {words}.",
            ),
            folder.draw(
                f"fig{number:02}_ratio_{depth}",
                partial(world_maps.ratio_figure, place, maps, depth),
                f"Ratio of bias, {words}",
                "(Mean of models − reference) / mean of models. Green: the models are wetter.",
                f"Three world maps of the models' relative bias, {words}.",
            ),
        ]
    for name, variables, scale in (
        ("fluxes", ("pr", "evspsbl"), looks.FLUX_SCALE),
        ("runoff", ("mrros",), looks.RUNOFF_SCALE),
        ("gains", ("P-E", "P-E-R"), looks.GAIN_SCALE),
    ):
        pictures.append(
            folder.draw(
                f"fig04_{name}",
                partial(world_maps.flux_figure, place, maps, variables, scale),
                f"{', '.join(looks.FLUX_TITLES[v] for v in variables)} (as figure 4)",
                "Yearly means of ERA5, GLDAS-Noah and the models.",
                "World maps of yearly water fluxes.",
            )
        )
    return pictures


def relation_pictures(folder: Folder, skill: Skill) -> list[Picture]:
    """Draw figure 11: correlation with P - E and P - E - R."""
    place, alpha = world_maps.place_of(skill.maps), float(skill.facts["alpha"])
    return [
        folder.draw(
            "fig11_correlation",
            lambda: world_maps.correlation_figure(place, skill.maps, alpha),
            "Soil moisture of the upper 10 cm against what the surface gains (as figure 11)",
            f"Correlation of monthly values, cell by cell, seasonal cycle included. Dots: p below "
            f"{alpha:g} with the number of months that autocorrelation leaves (Bretherton et al. "
            "1999); maps.nc also holds p with every month counted, which is the paper's.",
            "Six world maps of correlation between soil moisture and P − E or P − E − R.",
        )
    ]


def cycle_pictures(folder: Folder, skill: Skill) -> list[Picture]:
    """Draw figures 5 and 6: annual cycles of the regions."""
    return [
        folder.draw(
            f"fig{number:02}_cycles_{depth}",
            partial(cycles.cycle_figure, skill.tables["cycles"], depth),
            f"Annual cycle, {looks.DEPTH_TITLES[depth]} (as figure {number})",
            "Area means over the land of each box and hemisphere. Each panel has its own scale.",
            f"Fifteen panels of monthly mean soil moisture, {looks.DEPTH_TITLES[depth]}.",
        )
        for number, depth in ((5, "shallow"), (6, "deep"))
    ]


def taylor_pictures(folder: Folder, skill: Skill) -> list[Picture]:
    """Draw figures 7 to 10: Taylor diagrams of hemispheres, boxes and fluxes."""
    taylor = skill.tables["taylor"]
    numbers = numbers_of(skill)
    drawn = []
    for number, depth in ((7, "shallow"), (8, "deep")):
        words = looks.DEPTH_TITLES[depth]
        drawn.append(
            (
                f"fig{number:02}_taylor_{depth}",
                _hemispheres(taylor, depth),
                4,
                f"Hemispheres and resolution groups, {words} (as figure {number})",
            )
        )
    for depth, words in looks.DEPTH_TITLES.items():
        for reference in AGAINST:
            panels = {r: _rows(taylor, depth, reference, r) for r in BOXES}
            drawn.append(
                (
                    f"fig09_taylor_{depth}_{reference}",
                    panels,
                    5,
                    f"Boxes against {looks.title(reference)}, {words} (figure 9, and the southern)",
                )
            )
    panels = {
        f"{looks.FLUX_TITLES[flux]}, {region}, {looks.title(reference)}": _rows(
            taylor, flux, reference, region
        )
        for flux in FLUXES
        for region in COLD
        for reference in AGAINST
    }
    drawn.append(
        (
            "fig10_taylor_fluxes",
            panels,
            4,
            "Precipitation, evaporation, runoff and snowmelt over TIB and SIB (as figure 10)",
        )
    )
    return [
        folder.draw(
            name,
            partial(taylor_panels.taylor_grid, panels, columns, numbers),
            title,
            HOW_TO_READ,
            f"Taylor diagrams: {title}.",
        )
        for name, panels, columns, title in drawn
    ]


def score_pictures(folder: Folder, skill: Skill) -> list[Picture]:
    """Draw figures 12 to 14: Taylor's skill score of every model and region, and counts."""
    models, good = list(numbers_of(skill)), float(skill.facts["good_tss"])
    pictures = [
        folder.draw(
            f"fig{number}_tss_{depth}",
            partial(scores.score_figure, skill.tables["tss"], depth, models, good),
            f"Taylor's skill score, {looks.DEPTH_TITLES[depth]} (as figure {number})",
            f"4(1 + R) / ((s + 1/s)² (1 + R0)), R0 = 1; bold above {good:g}. A dash: the paper's "
            "table 1 has no such variable of that model.",
            "Heat maps of Taylor's skill score, models by regions.",
        )
        for number, depth in ((12, "shallow"), (13, "deep"))
    ]
    return [
        *pictures,
        folder.draw(
            "fig14_counts",
            lambda: scores.count_figure(skill.tables["counts"], models),
            f"How often the skill score is above {good:g} (as figure 14)",
            "A dash: the model has no such variable.",
            "Bars of the number of good models by region and of good regions by model.",
        ),
    ]


def numbers_of(skill: Skill) -> Mapping[str, int]:
    """Return the number by which each model stands in the diagrams."""
    return {name: i for i, name in enumerate(skill.tables["models"]["source_id"], start=1)}


def _rows(taylor: "pd.DataFrame", variable: str, reference: str, region: str) -> "pd.DataFrame":
    return taylor[
        (taylor["variable"] == variable)
        & (taylor["reference"] == reference)
        & (taylor["region"] == region)
    ]


def _hemispheres(taylor: "pd.DataFrame", depth: str) -> "dict[str, pd.DataFrame]":
    """Return eight panels: two references, two hemispheres, two groups of models."""
    panels = {}
    for reference in AGAINST:
        for hemisphere in ("NH", "SH"):
            rows = _rows(taylor, depth, reference, hemisphere)
            for group in ("high", "low"):
                title = f"{hemisphere}, {group} resolution, {looks.title(reference)}"
                panels[title] = rows[(rows["kind"] != "model") | (rows["group"] == group)]
    return panels
