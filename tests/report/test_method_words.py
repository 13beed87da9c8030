"""Pages name the method behind the maps, and show every climate model alone."""

import html
import inspect
import re

import pandas as pd

from soilfuse import names
from soilfuse.report import comparison, methods
from soilfuse.report.score_tables import climate_models_table
from soilfuse.report.sections import environment

VERDICT = {"promoted": True, "checks": [], "pin": None, "method": "delta_change"}


def test_a_simple_method_behind_the_maps_is_named():
    (told,) = comparison.method_caveat({"method": "model:CESM2"})
    assert told.startswith("The maps and trends are made by climate model CESM2 alone, which")
    assert comparison.method_caveat({"method": "soilfuse"}) == comparison.method_caveat({}) == []


def test_the_verdict_on_a_simple_method_is_not_told_of_the_networks():
    assert comparison.verdict_sentence(VERDICT) == "Delta change was promoted after its checks."
    rejected = VERDICT | {"promoted": False}
    assert comparison.verdict_sentence(rejected).startswith("Delta change was not promoted;")
    (told,) = comparison.candidate_caveat(rejected)
    assert told.startswith("The scores on this page are those of the candidate")
    assert told.endswith(
        "by the champion, which may be another: delta change was not promoted, and the networks "
        "that were trained last were not judged."
    )
    assert comparison.candidate_caveat(VERDICT) == []
    networks = rejected | {"method": "soilfuse"}
    assert comparison.verdict_sentence(networks).startswith("The latest ensemble was not promoted")
    assert len(comparison.candidate_caveat(networks)) == 1


def test_every_cited_work_stands_among_the_sources():
    template = environment().get_template("methods.html.j2").render()
    text, sources = template.split("<h3>Sources</h3>")
    said = " ".join([text, *methods.NETWORKS.values(), inspect.getsource(methods)])
    said = " ".join(said.split())
    cited = set(re.findall(r"([A-ZÀ-Ö][\w'’\-]+)(?: et al\.| and [A-Z]\w+)? \(?(\d{4})\b", said))
    assert len(cited) > 15
    listed = html.unescape(sources)
    lacking = [
        f"{name} {year}"
        for name, year in sorted(cited)
        if not re.search(rf"<li>{name}\b[^<]* {year},", listed)
    ]
    assert lacking == []


def test_climate_models_alone_stand_by_their_error():
    columns = ["block", "method", "layer", "mae", "rmse", "r", "anomaly_r", "bias", "ubrmse"]
    rows = [
        ["out_of_fold", "model:CESM2", 1, 0.09, 0.1, 0.5, 0.01, 0.05, 0.08],
        ["out_of_fold", "model:MIROC6", 1, 0.05, 0.06, float("nan"), 0.0, -0.01, 0.05],
        ["out_of_fold", "model:MIROC6", 2, 0.01, 0.01, 0.9, 0.0, 0.0, 0.01],
        ["final_test", "model:CESM2", 1, 0.01, 0.01, 0.9, 0.0, 0.0, 0.01],
    ]
    table = climate_models_table(pd.DataFrame(rows, columns=columns), "out_of_fold", 1, "x")
    assert [row[0] for row in table.rows] == ["MIROC6", "CESM2"]
    assert table.rows[1][1:4] == ["0.0900", "0.1000", "0.50"]
    assert len(table.head) == len(table.rows[0]) == 7


def test_every_network_that_can_be_chosen_has_words_and_a_source():
    assert set(methods.NETWORKS) == set(names.NETWORKS)
    assert all(words.startswith(("a ", "an ")) for words in methods.NETWORKS.values())
    assert all(words[-6:-1].strip().isdigit() for words in methods.NETWORKS.values())
