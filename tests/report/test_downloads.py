"""The CSV behind every table's link."""

import base64
import io
import time

import numpy as np
import pandas as pd
import pytest
from tests.e2e.chromium import PROGRAM, Browser
from tests.report.page_makers import Reader

from soilfuse.report import labels, scenario_tables, tables
from soilfuse.report.table import Table, file_name

PAGES = ("ssp370", "historical", "index", "evaluation")


def read(table):
    return pd.read_csv(io.StringIO(table.csv))


def test_a_table_of_text_gives_what_it_shows_with_plain_numbers():
    head = ["Region", "a, b", "c"]
    table = Table("Rates", head, [["Upper, left", "\u22121.5", labels.MISSING], ["x", "+2*", "3"]])
    rows = pd.read_csv(io.StringIO(table.csv))
    assert list(rows) == head
    assert rows["a, b"].tolist() == ["-1.5", "+2*"]
    assert np.isnan(rows["c"][0]) and rows["c"][1] == 3
    assert rows["Region"][0] == "Upper, left"


def test_trend_tables_give_the_unrounded_rows_of_the_results(make_trends):
    trends = make_trends()
    regions = trends.regions
    by_region = read(tables.rates_by_region(trends, "2015-2100"))
    expected = regions.query("season == 'annual' and period == '2015-2100'")
    np.testing.assert_allclose(by_region["slope"], expected["slope"], rtol=1e-8)
    assert by_region["region"].tolist() == expected["region"].tolist()
    parts = read(tables.rates_by_season(trends, "TRSR", ["2021-2040", "2041-2070"]))
    assert set(parts["period"]) == {"2021-2040", "2041-2070"}
    assert set(parts["region"]) == {"TRSR"} and len(parts) == 2 * 5 * 5
    basins = read(tables.rates_by_region_and_season(trends, "2015-2100"))
    assert len(basins) == 3 * 4 * 5 and "annual" not in set(basins["season"])
    means = read(tables.period_means(trends, "TRSR"))
    assert means["change_percent"].abs().max() > 0


def test_tables_over_scenarios_name_the_experiment_of_each_row(make_trends):
    both = [make_trends("historical"), make_trends("ssp370")]
    rows = read(scenario_tables.scenario_rates(both))
    assert list(rows)[:2] == ["experiment", "region"]
    assert set(zip(rows["experiment"], rows["period"], strict=True)) == {
        ("historical", "1995-2014"),
        ("ssp370", "2015-2100"),
    }
    seasons = scenario_tables.scenario_seasons(both)
    assert len(seasons.rows) == 4 * 2
    assert set(read(seasons)["season"]) == {"annual", *labels.QUARTERS}
    parts = scenario_tables.scenario_periods(both)
    assert [row[0] for row in parts.rows] == [
        "Historical, 1995–2014",
        *(f"SSP3-7.0, {years}" for years in ("2021–2040", "2041–2070", "2071–2100")),
    ]
    changes = scenario_tables.scenario_changes(both)
    assert set(read(changes)["experiment"]) == {"ssp370"}


def test_file_names_are_plain():
    said = f"SSP3-7.0 Rate by season, Three-River <b> ({labels.RATE_UNIT}), 2015–2100"
    assert file_name(said) == "ssp3-7-0-rate-by-season-three-river-b-2015-2100.csv"
    assert file_name("../黄河/x") == "黄河-x.csv"


@pytest.mark.parametrize("name", PAGES)
def test_every_table_of_a_page_has_its_csv_inside(written, name):
    reader = Reader(written / f"{name}.html")
    links = [link for link in reader.links if link.startswith("data:")]
    assert len(links) == reader.tags.count("table") > 0
    for link in links:
        kind, content = link.split(",", 1)
        assert kind == "data:text/csv;charset=utf-8;base64"
        rows = pd.read_csv(io.BytesIO(base64.b64decode(content)), encoding="utf-8-sig")
        assert len(rows) and len(rows.columns) > 1


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
def test_a_click_saves_the_csv_from_a_page_on_disk(written, tmp_path):
    with Browser(tmp_path / "profile") as browser:
        browser.open((written / "ssp370.html").as_uri())
        browser.wait_for("document.readyState === 'complete' && !!document.querySelector('footer')")
        saved = tmp_path / "saved"
        browser.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(saved))
        link = "document.querySelector('a[download]')"
        name = browser.evaluate(f"{link}.download")
        browser.evaluate(f"{link}.click()")
        for _ in range(100):
            if (saved / name).is_file():
                break
            time.sleep(0.1)
        rows = pd.read_csv(saved / name, encoding="utf-8-sig")
    assert name == "ssp3-7-0-annual-rate-2015-2100.csv"
    assert set(rows["region"]) == {"TRSR", "yangtze", "yellow", "lancang"}
