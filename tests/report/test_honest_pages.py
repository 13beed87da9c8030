"""What every page, product and document must say whatever it shows."""

import json
import re
from dataclasses import asdict
from pathlib import Path

import pandas as pd
import pytest

from soilfuse import config, names
from soilfuse.evaluation.caveats import caveats
from soilfuse.product.attributes import product_attributes
from soilfuse.report.pages import write_evaluation, write_index, write_page
from soilfuse.tracking.promotion import Facts, gate

ROOT = Path(__file__).parents[2]
# A document says it in its own words.
SAID = re.compile(r"AMSMQTP was (itself )?(built|made) from")


def poor_scores():
    rows = []
    for block in ("out_of_fold", "final_test"):
        for method, rmse in (("soilfuse", 0.05), ("climatology", 0.04), ("delta_change", 0.03)):
            key = {"block": block, "season": "annual", "layer": 1, "method": method}
            rows += [
                {**key, "metric": "rmse", "value": rmse},
                {**key, "metric": "anomaly_r", "value": 0.5},
            ]
    return pd.DataFrame(rows)


@pytest.fixture
def poor(champion):
    """The champion's record as promotion writes it of an ensemble that is worse than both."""
    nothing = pd.DataFrame(columns=["method", "metric", "difference", "high", "layer"])
    spread = pd.DataFrame(columns=["method", "interval", "level", "coverage", "layer"])
    said = caveats("soilfuse", poor_scores(), nothing, pd.DataFrame(), 1, spread)
    baselines = {"ensemble_mean": 0.09, "climatology": 0.04, "delta_change": 0.03}
    facts = Facts(True, 0.1, 0.4, 1.0, 0.05, baselines, {"world": "v1 seed 1"}, "a" * 64)
    verdict = gate(facts, None, config.load(ROOT / "params.yaml").promote)
    assert verdict.promoted
    return {**champion, "caveats": [*verdict.caveats, *said]}, asdict(verdict)


def sentences():
    return [
        sentence
        for name in ("the climatology", "delta change")
        for sentence in (
            f"Out of fold this ensemble (RMSE 0.0500 m3 m-3) is worse than {name} ",
            f"Out of fold (2000-2014), soilfuse has no lower RMSE than {name} in layer 1.",
            f"In the final test, soilfuse has no lower RMSE than {name} in layer 1.",
        )
    ]


def test_worse_than_climatology_or_delta_change_stands_at_the_top_of_the_product(poor):
    manifest = {"source_ids": ["MIROC6"], "smoothing_years": 21}
    given = poor[0], manifest, ["MIROC6"], "trsr", "c" * 64, "d" * 64, "e" * 64
    comment = product_attributes("ssp370", *given)["comment"]
    assert all(sentence in comment for sentence in sentences())


def test_worse_than_climatology_or_delta_change_stands_at_the_top_of_every_page(
    poor, project, settings, trsr, tmp_path
):
    champion, verdict = poor
    results = project / "results"
    write_page(
        tmp_path / "ssp370.html",
        tmp_path / "figures",
        "ssp370",
        project / "products" / "ssp370.nc",
        results / "trends",
        champion,
        settings,
        trsr,
    )
    write_index(
        tmp_path / "index.html",
        ["ssp370"],
        results / "evaluate",
        results / "sweep",
        verdict,
        champion,
        results / "trends",
        settings,
        trsr,
    )
    write_evaluation(
        tmp_path / "evaluation.html", results / "evaluate", verdict, champion, settings, trsr
    )
    for name in ("ssp370", "index", "evaluation"):
        page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
        top = page[page.index("<aside") : page.index("</aside>")]
        assert page.index("</aside>") < page.index('<section id="summary"')
        assert all(sentence in top for sentence in sentences()), name


def shown_with_r(page):
    """Give every table and figure of a page with AMSMQTP's station R, and what follows it."""
    for block in re.split(r'(?=<div class="scroll")|(?=<figure>)', page)[1:]:
        block = block.split("</section>")[0]
        table = re.search(r"<thead>.*?<th[^>]*>R</th>.*?</thead>", block, re.DOTALL)
        drawn = re.search(r'alt="[^"]*\bR\b[^"]*station', block)
        if drawn or (table and "AMSMQTP</th>" in block):
            yield block


def test_the_origin_of_amsmqtp_stands_with_every_table_and_figure_of_its_station_r(
    project, champion, settings, trsr, tmp_path
):
    target = tmp_path / "evaluation.html"
    verdict = json.loads((project / "verdict.json").read_text())
    write_evaluation(target, project / "results" / "evaluate", verdict, champion, settings, trsr)
    page = target.read_text(encoding="utf-8")
    found = list(shown_with_r(page))
    assert len(found) == 3, "the figure and a table a block"
    assert all(names.STATIONS_CAVEAT in block for block in found)
    bare = page.replace(names.STATIONS_CAVEAT, "")
    assert not any(names.STATIONS_CAVEAT in block for block in shown_with_r(bare))


DOCUMENTS = [*ROOT.glob("docs/*.md"), ROOT / "README.md", *ROOT.glob("studies/*/*.md")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_document_that_holds_amsmqtp_beside_the_stations_says_so(path):
    text = path.read_text(encoding="utf-8")
    beside = re.search(r"AMSMQTP[^.\n]*beside the stations|orrelation with the stations", text)
    row = re.search(r"^\| `stations.csv`.*AMSMQTP", text, re.MULTILINE)
    assert not (beside or row) or SAID.search(text), path


def test_the_first_caveat_of_all_is_never_left_out():
    empty = pd.DataFrame(columns=["method", "interval", "level", "coverage", "layer"])
    nothing = pd.DataFrame(columns=["method", "metric", "difference", "high", "layer"])
    said = caveats("soilfuse", poor_scores(), nothing, pd.DataFrame(), 1, empty)
    assert said[-1] == names.STATIONS_CAVEAT
