"""The study's page: one self-contained HTML file, its PNG beside it."""

from functools import partial
from pathlib import Path

from soilfuse import files
from soilfuse.config import PscnetStudy
from soilfuse.evaluation.pscnet.outputs import Evaluation, read_evaluation
from soilfuse.evaluation.pscnet.scored import TRUTH, later
from soilfuse.report.pictures import Folder, Picture
from soilfuse.report.pscnet import looks, pictures, tables
from soilfuse.report.pscnet.words import caveats, summary
from soilfuse.report.sections import Page, Section, write

NOT_SEEN = (
    "Learning sees means over coarse cells alone. What averages out inside a cell costs a network "
    "nothing, and stripes two or four cells wide, where a map has them, are such: they come from "
    "transposed convolutions (UNet) and tokens (ViT)."
)


def write_study_page(target: Path, results: Path, params: PscnetStudy) -> None:
    """Write the page to `target` and its figures beside it; results: the folder of all stages."""
    found = read_evaluation(results / "evaluate")
    sha256 = files.sha256_of_files(sorted((results / "evaluate").iterdir()))
    source = f"soilfuse studies/pscnet  |  results of stage evaluate, sha256 {sha256[:16]}"
    folder = Folder(Path(target).parent / "figures", source, sha256)
    world = str(found.maps["pixels"].attrs["world"])
    sample = params.sample
    page = Page(
        title=params.report.title,
        heading="Downscaling SMAP with ERA5-Land",
        subtitle=f"{sample.resolution:g}° and {sample.step_hours} hours, "
        f"{sample.south:g}–{sample.north:g}°N {sample.west:g}–{sample.east:g}°E, after Zhou et al. "
        "2025",
        caveats=caveats(world, params, found),
        summary=summary(found, params),
        sections=_sections(folder, found, params),
        lineage={"results sha256": sha256, "world": world},
    )
    write(target, page)


def _sections(folder: Folder, found: Evaluation, params: PscnetStudy) -> list[Section]:
    period, scored = later(params), found.tables["scores"]
    against_truth = tables.truth_table(scored, period)
    generalised = [
        tables.generalisation_table(found.tables["generalisation"], period, target)
        for target in (looks.SMAP, TRUTH)
    ]
    sections = [
        Section(
            "smap",
            "Against SMAP",
            lead=[
                "The mean of a method's fine cells over each coarse cell, where SMAP saw it: in a "
                f"year that taught nobody ({looks.period_title(period)}). The three last methods "
                "learn nothing; SMAP interpolated also sees SMAP's earlier passes of that year."
            ],
            pictures=[_density(folder, found, period), _pixels(folder, found, params, looks.SMAP)],
            tables=[tables.smap_table(scored, period)],
        )
    ]
    if against_truth is not None:
        sections.append(
            Section(
                "truth",
                "Against the truth, and the detail",
                lead=["No paper has this: what the fine cells really were, at every step."],
                pictures=[_pixels(folder, found, params, TRUTH)],
                tables=[against_truth],
            )
        )
    return [
        *sections,
        Section(
            "stations",
            "At stations",
            tables=[tables.network_table(found.tables["stations"], period)],
            folded=[tables.station_table(found.tables["stations"], period)],
        ),
        Section(
            "generalisation",
            "Generalisation in time",
            tables=[table for table in generalised if table is not None],
        ),
        Section("event", "One rain", [NOT_SEEN], pictures=_event(folder, found)),
        Section(
            "learned",
            "How they learned",
            lead=_rules(params),
            tables=[tables.learned_table(found.tables["learned"])],
        ),
    ]


def _density(folder: Folder, found: Evaluation, period: str) -> Picture:
    return folder.draw(
        "density",
        lambda: pictures.density_figure(found, period),
        "Methods and SMAP",
        "After figure 4: how often moisture of SMAP (across) and of a method (up) meet; dashed: "
        "both equal. The truth's panel is the best that noise allows.",
        "Density panels, one a method, with R and RMSE of all pairs.",
    )


def _pixels(folder: Folder, found: Evaluation, params: PscnetStudy, target: str) -> Picture:
    period = later(params)
    shown = [*params.methods, *looks.YARDSTICKS]
    words = "SMAP" if target == looks.SMAP else "the truth"
    return folder.draw(
        f"pixels_{target}",
        partial(pictures.pixel_figure, found, target, period, shown),
        f"R, bias and ubRMSE of every cell against {words}",
        f"After figure 5, {looks.period_title(period)}; beside each map how many cells have which "
        "value. White: no score (too few pairs, or a constant side).",
        "Maps of three scores with histograms, a row a method.",
    )


def _event(folder: Folder, found: Evaluation) -> list[Picture]:
    before, step = (str(moment) for moment in found.maps["event"]["moment"].values)
    cell = found.tables["series"].iloc[0]
    return [
        folder.draw(
            "event",
            lambda: pictures.event_figure(found),
            f"Soil moisture on {step.replace('T', ', ')} UTC",
            "The step after the wettest day of the test years whose end SMAP saw; three hours a "
            "step. White: where SMAP did not look.",
            "Maps of soil moisture: SMAP, the truth, and every method.",
        ),
        folder.draw(
            "change",
            lambda: pictures.change_figure(found),
            "What the rain changed",
            f"Moisture less that of {before.replace('T', ', ')} UTC.",
            "Maps of the change of moisture in a day, one a method.",
        ),
        folder.draw(
            "series",
            lambda: pictures.series_figure(found),
            "Ten days in the coarse cell with the most rain",
            f"Mean over the cell at {cell['lat']:.2f}°N {cell['lon']:.2f}°E, every step; bars from "
            "above are ERA5-Land's rain.",
            "Lines of soil moisture by method, points of SMAP, and rain.",
        ),
    ]


def _rules(params: PscnetStudy) -> list[str]:
    hours = params.inputs.steps * params.sample.step_hours
    smoothed = ", ".join(params.inputs.daily_means)
    told = [
        "No method sees a fine truth. Networks learn fine maps whose mean over a coarse cell is "
        "what SMAP saw; the forest learns on such means and is applied to fine cells.",
        f"All see the same: {params.inputs.steps} trailing steps ({hours} hours) of swvl1, tp, "
        "t2m, skt, ssrd and e, and four maps: elevation, latitude, longitude, and SMAP's mean over "
        "the days that teach. PSCNet and LSTM get the steps as a series, the others as channels.",
        f"Of the training years, of six blocks of {params.split.block_days} days one is held out "
        f"and one stops the training; {params.split.gap_days} days beside them teach nobody.",
    ]
    if smoothed:
        told.insert(
            2,
            f"{smoothed} are means of the last 24 hours, and the hour is not told: SMAP passes at "
            "two hours of the day, and the others would be new to every method.",
        )
    return told
