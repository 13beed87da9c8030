"""The pages: one self-contained HTML file an experiment, the first page, and the evaluation's.

Pictures and styles are inside the file: no script, no request to anywhere. The pages with scripts,
the map and the sweep's plots, are made elsewhere. Equal inputs give equal bytes, so pages carry
hashes and never a time of day.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soilfuse import files, names
from soilfuse.config import Report
from soilfuse.errors import UserError, unknown
from soilfuse.grids.regions import Regions
from soilfuse.layout import SWEEP_PLOTS
from soilfuse.report import comparison, inputs, labels, scenario_words, summary
from soilfuse.report.evaluation_page import evaluation_sections, score_pictures, score_tables
from soilfuse.report.methods import method_sentences
from soilfuse.report.moisture import read_moisture
from soilfuse.report.pictures import Folder
from soilfuse.report.sections import (
    GLOSSARY,
    MAP_PAGE,
    Page,
    Section,
    choice_sections,
    page_sections,
    scenario_section,
    write,
)
from soilfuse.report.trend_maps import place_of, significant_share

EVALUATION_LINK = ("evaluation.html", "The whole evaluation")
MAP_LINK = (MAP_PAGE, "Map of every cell")


def write_page(
    target: Path,
    figures_dir: Path,
    experiment: str,
    product_path: Path,
    trends_dir: Path,
    champion: Mapping[str, Any],
    settings: Report,
    regions: Regions,
) -> None:
    """Write one experiment's page to `target` and its PNG to `figures_dir`.

    champion: the content of champion.json; regions: those of the product. Raises UserError where
    the product or a trend file is absent, or a layer of settings.map_layers is not in it.
    """
    if experiment not in names.EXPERIMENT_YEARS:
        where = "params.yaml:experiments"
        raise UserError(unknown("experiment", experiment, names.EXPERIMENT_YEARS, where))
    trends = inputs.read_trends(experiment, trends_dir, regions.whole)
    layers = list(settings.map_layers)
    inputs.require_layers(trends.maps, layers)
    inputs.require_period(trends.maps, trends.main_period, experiment)
    moisture = read_moisture(product_path, trends.future_period or trends.reference_period)
    place = place_of(trends, regions)
    sha256 = files.sha256_of_file(product_path)
    source = f"soilfuse  |  {product_path.name}, sha256 {sha256[:16]}  |  {regions.credit}"
    folder = Folder(Path(figures_dir), source, sha256)
    first = trends.layers[0]
    shares = significant_share(trends, place, "annual", trends.main_period, first)
    world = str(champion.get("world", moisture.attributes.get("soilfuse_world", "")))
    first_year, last_year = names.EXPERIMENT_YEARS[experiment]
    page = Page(
        title=settings.title,
        heading=labels.experiment_title(experiment),
        subtitle=(
            f"Monthly soil moisture in {len(trends.layers)} layers, "
            f"{labels.years_title(f'{first_year}-{last_year}')}"
        ),
        caveats=comparison.champion_caveats(champion, world),
        summary=summary.page_summary(trends, shares, moisture.outside, moisture.period),
        sections=page_sections(folder, place, trends, moisture, layers),
        lineage={
            "product": product_path.name,
            "product sha256": sha256,
            **inputs.named_hashes("product", moisture.attributes),
            **inputs.named_hashes("champion", champion),
        },
        links=[("index.html", "All scenarios"), MAP_LINK, EVALUATION_LINK],
    )
    write(target, page)


def write_index(
    target: Path,
    experiments: Sequence[str],
    evaluate_dir: Path,
    sweep_dir: Path,
    verdict: Mapping[str, Any],
    champion: Mapping[str, Any],
    trends_dir: Path,
    settings: Report,
    regions: Regions,
    manifest: Mapping[str, Any] | None = None,
) -> None:
    """Write the first page to `target`; beside it its PNG in figures/index, and the sweep's plots.

    verdict, champion: the contents of verdict.json and champion.json; regions: those of the
    products; manifest: that of any of the champion's folds. Raises UserError where trends or
    scores.csv are absent; the other tables of the evaluation and the sweep's trials may be.
    """
    whole = regions.whole
    all_trends = [inputs.read_trends(experiment, trends_dir, whole) for experiment in experiments]
    evaluation = _evaluation(evaluate_dir, whole, verdict)
    place = place_of(all_trends[0], regions)
    read = [path for trends in all_trends for path in trends.files]
    sha256 = files.sha256_of_files([*read, *evaluation.files])
    source = f"soilfuse  |  trends and evaluation, sha256 {sha256[:16]}  |  {regions.credit}"
    folder = Folder(Path(target).parent / "figures" / "index", source, sha256)
    caveats = _score_caveats(verdict, champion)
    plots = _beside(target, sweep_dir / SWEEP_PLOTS)
    page = Page(
        title=settings.title,
        heading="Overview",
        subtitle="Scenarios side by side, skill beside simple baselines, methods",
        caveats=caveats,
        summary=_index_summary(all_trends, evaluation, verdict),
        sections=[
            scenario_section(folder, place, all_trends),
            Section(
                "evaluation",
                "Skill beside the baselines",
                pictures=score_pictures(folder, evaluation),
                tables=score_tables(evaluation)[:1],
                links=[EVALUATION_LINK],
            ),
            *choice_sections(sweep_dir, plots, verdict, caveats),
            Section("methods", "Methods", method_sentences(manifest), template="methods.html.j2"),
            GLOSSARY,
        ],
        lineage={"inputs sha256": sha256, **inputs.named_hashes("champion", champion)},
        links=[
            *((f"{name}.html", labels.experiment_title(name)) for name in experiments),
            MAP_LINK,
            EVALUATION_LINK,
        ],
    )
    write(target, page)


def write_evaluation(
    target: Path,
    evaluate_dir: Path,
    verdict: Mapping[str, Any],
    champion: Mapping[str, Any],
    settings: Report,
    regions: Regions,
    beside: Sequence[Path] = (),
) -> None:
    """Write the page of the evaluation to `target`, its PNG to figures/evaluation beside it.

    beside: tables of other stages that it shows; the rest is as in write_index, errors too.
    """
    evaluation = _evaluation(evaluate_dir, regions.whole, verdict, beside)
    sha256 = files.sha256_of_files(evaluation.files)
    source = f"soilfuse  |  evaluation, sha256 {sha256[:16]}  |  {regions.credit}"
    folder = Folder(Path(target).parent / "figures" / "evaluation", source, sha256)
    page = Page(
        title=settings.title,
        heading="Evaluation",
        subtitle="What the ensemble adds to simple baselines, and where it does not",
        caveats=_score_caveats(verdict, champion),
        summary=[*comparison.skill_sentences(evaluation), *comparison.future_sentence(evaluation)],
        sections=[*evaluation_sections(folder, evaluation), GLOSSARY],
        lineage={"evaluation sha256": sha256, **inputs.named_hashes("champion", champion)},
        links=[("index.html", "All scenarios")],
    )
    write(target, page)


def _evaluation(
    evaluate_dir: Path, whole: str, verdict: Mapping[str, Any], beside: Sequence[Path] = ()
) -> inputs.Evaluation:
    """Read an evaluation; the ensemble is called the candidate where it is not the champion."""
    evaluation = inputs.read_evaluation(evaluate_dir, whole, beside)
    if comparison.candidate_caveat(verdict):
        return evaluation.renamed(names.ENSEMBLE, labels.CANDIDATE)
    return evaluation


def _score_caveats(verdict: Mapping[str, Any], champion: Mapping[str, Any]) -> list[str]:
    return comparison.champion_caveats(champion, besides=comparison.candidate_caveat(verdict))


def _beside(target: Path, page: Path) -> Path | None:
    """Copy a page beside another; return where it lies, None where there is none."""
    if not page.exists():
        return None
    copied = Path(target).with_name(page.name)
    files.write_text(copied, page.read_text(encoding="utf-8"))
    return copied


def _index_summary(
    all_trends: Sequence[inputs.Trends], evaluation: inputs.Evaluation, verdict: Mapping[str, Any]
) -> list[str]:
    return [
        *scenario_words.scenarios_summary(all_trends),
        *comparison.skill_sentences(evaluation),
        *comparison.future_sentence(evaluation),
        comparison.verdict_sentence(verdict),
    ]
