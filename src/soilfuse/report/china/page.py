"""The study's page: one self-contained HTML file, its PNG beside it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soilfuse import files, names
from soilfuse.config import ChinaStudy
from soilfuse.evaluation.china.evaluate import Evaluation, read_evaluation
from soilfuse.grids.regions import regions_of
from soilfuse.inference.china.fields import (
    CLIMATOLOGY,
    DELTA_CHANGE,
    YNET,
)
from soilfuse.report import labels
from soilfuse.report.china import looks
from soilfuse.report.china.pictures import rate_pictures, score_pictures, slope_pictures
from soilfuse.report.china.tables import change_table, score_table, slope_table
from soilfuse.report.maps import Place
from soilfuse.report.pictures import Folder
from soilfuse.report.sections import Page, Section, write
from soilfuse.sources.netcdf import REAL
from soilfuse.trends.china import Changes, read_changes

if TYPE_CHECKING:
    pass

NO_EVIDENCE = (
    "These numbers come from a pseudo-reality ({world}) that soilfuse made itself: the files carry "
    "the names of real models and of ERA5-Land and hold none of their output. They show that the "
    "calculation runs, and are no evidence about China, its climate, or any real model."
)
PAPER_WIDTH, PAPER_EPOCHS, PAPER_TRAINING = 64, 100, (1950, 1999)


def write_study_page(target: Path, results: Path, params: ChinaStudy) -> None:
    """Write the page to `target` and its figures beside it; results: the folder of all stages."""
    found = read_evaluation(results / "evaluate")
    scenarios = {name: read_changes(results / "trends" / name) for name in params.scenarios}
    used = [results / "evaluate", *(results / "trends" / name for name in scenarios)]
    sha256 = files.sha256_of_files(path for folder in used for path in sorted(folder.iterdir()))
    regions = regions_of(params.domain)
    source = (
        f"soilfuse studies/china  |  results sha256 {sha256[:16]}  |  regions: {regions.credit}"
    )
    folder = Folder(Path(target).parent / "figures", source, sha256)
    world = str(found.maps.attrs["world"])
    place = Place(regions.grid.lat, regions.grid.lon, regions.inside, regions.outlines)
    first, last = params.pretrain.test_years
    page = Page(
        title=params.report.title,
        heading="Soil moisture of China by YNet",
        subtitle=f"0.25° from {len(params.cmip6.models)} climate models, after Feng et al. 2022; "
        f"test years {first}–{last}",
        caveats=_caveats(world, params, found),
        summary=_summary(found, scenarios),
        sections=_sections(folder, place, found, scenarios, _sides(params)),
        lineage={"results sha256": sha256, "world": world},
    )
    write(target, page)


def _sides(params: ChinaStudy) -> dict[str, str]:
    north, east = params.analysis.north_of, params.analysis.east_of
    return {
        side: f"{side.capitalize()} of {north:g}°N, east of {east:g}°E"
        for side in ("north", "south")
    }


def _caveats(world: str, params: ChinaStudy, found: Evaluation) -> list[str]:
    told = [] if world == REAL else [NO_EVIDENCE.format(world=world)]
    scores = found.tables["scores"].set_index("method")
    better = [
        looks.TITLES[name].lower()
        for name in (CLIMATOLOGY, DELTA_CHANGE)
        if scores.loc[name, "rmsd"] < scores.loc[YNET, "rmsd"]
    ]
    if better:
        told.append(f"YNet has a larger RMSD than {' and '.join(better)} in the test years.")
    training, network = params.pretrain, params.network
    if (network.width, training.epochs, tuple(training.train_years)) != (
        PAPER_WIDTH,
        PAPER_EPOCHS,
        PAPER_TRAINING,
    ):
        first, last = training.train_years
        told.append(
            f"YNet has {network.width} features and up to {training.epochs} epochs on {first}–"
            f"{last}; the paper's has 64, and 100 epochs on 1950–1999 (params.full.yaml)."
        )
    if missing := [name for name in names.SCENARIOS if name not in params.scenarios]:
        written = ", ".join(map(labels.experiment_title, missing))
        told.append(f"The paper also has {written} (params.full.yaml).")
    told.append(
        "The climate models' mrsos is the upper 10 cm and ERA5-Land's first layer the upper 7 cm; "
        "as in the paper, the one is compared with the other as it is."
    )
    return told


def _summary(found: Evaluation, scenarios: Mapping[str, Changes]) -> list[str]:
    scores = found.tables["scores"].set_index("method")
    written = ", ".join(
        f"{looks.TITLES[name]} {labels.plain(scores.loc[name, 'rmsd'], 4)}" for name in scores.index
    )
    told = [f"RMSD in the test years (m³ m⁻³): {written}."]
    share = 100 * scores.loc[YNET, "share_below_0.04"]
    told.append(f"YNet's MAE is below 0.04 on {share:.1f} % of the area; the paper's on 70.14 %.")
    for name, changes in scenarios.items():
        table = changes.tables["slopes"]
        rows = table[(table["method"] == YNET) & (table["season"] == "annual")].set_index("region")
        told.append(
            f"{labels.experiment_title(name)}: the yearly index falls on "
            f"{100 * rows.loc['north', 'share_drying']:.0f} % of the north and "
            f"{100 * rows.loc['south', 'share_drying']:.0f} % of the south of the east, by YNet."
        )
    return told


def _sections(
    folder: Folder,
    place: Place,
    found: Evaluation,
    scenarios: Mapping[str, Changes],
    sides: Mapping[str, str],
) -> list[Section]:
    world = str(found.maps.attrs["world"])
    return [
        Section(
            "scores",
            "YNet beside simple methods",
            lead=[
                "Climatology and delta change are fitted on YNet's training years. The paper "
                "compares with the ensemble mean alone, which keeps the models' biases; "
                "climatology has little bias and needs no climate model."
            ],
            pictures=score_pictures(folder, place, found),
            tables=[score_table(found.tables["scores"], world)],
        ),
        Section(
            "slopes",
            "Trend of the standardised index",
            lead=[
                "SSMI is soil moisture less its mean, over its standard deviation, both of the "
                "calendar month and of 2015–2100 of the same scenario (equation 6).",
                "The mean of many models has less weather than one world: its standard deviation "
                "is small, and so its index has steeper slopes than any of them need have.",
            ],
            pictures=slope_pictures(folder, place, scenarios),
            tables=[slope_table(name, found) for name, found in scenarios.items()],
        ),
        Section(
            "change",
            "Change rates in the east",
            pictures=rate_pictures(folder, scenarios, sides),
            tables=[change_table(name, found) for name, found in scenarios.items()],
        ),
    ]
