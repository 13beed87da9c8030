"""The interactive map: what it packs, and what a browser shows of it."""

import hashlib
import json
import re

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.e2e.chromium import PROGRAM, Browser

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.report import labels
from soilfuse.report.map_data import MISSING, STEPS, packed, unpacked
from soilfuse.report.map_page import write_map

NUMBERS = st.floats(-1e6, 1e6) | st.just(np.nan)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=6), elements=NUMBERS))
def test_what_is_packed_comes_back_to_half_a_step(values):
    found = unpacked(json.loads(json.dumps(packed(values))))
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    np.testing.assert_allclose(found, values, rtol=0, atol=0.51 * largest / STEPS)
    assert MISSING < -STEPS


@pytest.fixture(scope="module")
def page(project, champion, trsr, tmp_path_factory):
    from soilfuse.config import Report

    target = tmp_path_factory.mktemp("map") / "map.html"
    settings = Report(title="Soil moisture of <a region>", map_layers=[1, 3, 5])
    folders = project / "products", project / "results" / "trends"
    write_map(target, list(names.EXPERIMENT_YEARS), *folders, champion, settings, trsr)
    return target


def held(page):
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    return json.loads(found[1])


def test_the_page_holds_the_numbers_of_the_files(page, project):
    data = held(page)
    ssp = next(one for one in data["experiments"] if one["key"] == "ssp370")
    with xr.open_dataset(project / "results" / "trends" / "ssp370.nc") as maps:
        slopes = maps["sens_slope"].values.reshape(*maps["sens_slope"].shape[:3], -1)
    rates = unpacked(ssp["rate"])
    expected = slopes[..., data["cells"]] * labels.RATE_SCALE
    np.testing.assert_allclose(rates, expected, atol=ssp["rate"]["scale"])
    assert [season["key"] for season in data["seasons"]] == list(names.SEASONS)
    assert ssp["years"][:2] == [2018.0, 2023.0] and len(ssp["years"]) == 17
    assert unpacked(ssp["series"]).shape == (5, 5, 17, len(data["cells"]))
    with xr.open_dataset(project / "products" / "ssp370.nc") as product:
        values = product["soil_moisture"].values[:, 2].reshape(1032, -1)[:, data["cells"]]
    np.testing.assert_allclose(unpacked(ssp["series"])[0, 2, 3], values[0], atol=2e-5)


def test_the_page_asks_for_nothing_and_is_the_same_twice(page, project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    again = tmp_path / "map.html"
    settings = Report(title="Soil moisture of <a region>", map_layers=[1, 3, 5])
    folders = project / "products", project / "results" / "trends"
    write_map(again, list(names.EXPERIMENT_YEARS), *folders, champion, settings, trsr)
    first, second = (hashlib.sha256(p.read_bytes()).digest() for p in (page, again))
    assert first == second
    text = page.read_text(encoding="utf-8")
    own = text[: text.index("<script>")] + text[text.rindex("<script>") :]
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", own)
    assert "Soil moisture of &lt;a region&gt;" in own
    assert len(text) < 8_000_000


def test_a_missing_product_is_told(project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    settings = Report(title="x", map_layers=[1])
    trends = project / "results" / "trends"
    with pytest.raises(UserError, match="no ssp370.nc in .*run `dvc repro -s infer@"):
        write_map(tmp_path / "m.html", ["ssp370"], tmp_path, trends, champion, settings, trsr)
    assert not (tmp_path / "m.html").exists()


browser_test = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")

SHOWN = """(() => {
  const trace = document.getElementById("map").data[0];
  return {z: trace.z.flat(), told: document.getElementById("told").textContent,
          cell: document.getElementById("cell").textContent,
          series: document.getElementById("series").data.map((one) => one.name)};
})()"""


def choose(browser, **wanted):
    for name, value in wanted.items():
        browser.evaluate(
            f"""(() => {{ const select = document.getElementById({name!r});
            select.value = {value!r};
            select.dispatchEvent(new Event("change", {{bubbles: true}})); }})()"""
        )
    return browser.evaluate(SHOWN)


@browser_test
@pytest.mark.parametrize("size", [(1500, 900), (390, 844)])
def test_the_controls_change_the_map(page, project, tmp_path, size):
    with Browser(tmp_path / "profile", size) as browser:
        browser.send("Log.enable")
        browser.open(page.as_uri())
        browser.wait_for('document.body.dataset.ready === "yes"')
        shown = choose(browser, experiment="ssp585", season="MAM", period="2021-2040", layer="2")
        with xr.open_dataset(project / "results" / "trends" / "ssp585.nc") as maps:
            one = maps["sens_slope"].sel(season="MAM", period="2021-2040").isel(depth=2).values
        expected = one.ravel() * labels.RATE_SCALE
        drawn = np.array([np.nan if z is None else z for z in shown["z"]])
        np.testing.assert_allclose(drawn, expected, atol=2e-3)
        assert shown["told"].startswith("SSP5-8.5, Spring (MAM), 30–50 cm. Sen slope, 2021–2040")
        assert shown["series"] == [labels.experiment_title(e) for e in names.EXPERIMENT_YEARS]
        assert re.match(r"[\d.]+°N [\d.]+°E: [+−]\d+\.\d\d 10⁻³ m³ m⁻³ per decade", shown["cell"])
        changed = choose(browser, quantity="change")
        assert "Change, 2071–2100 against 1995–2014" in changed["told"]
        assert changed["z"] != shown["z"]
        back = choose(browser, experiment="historical")
        assert "Historical" in back["told"] and "Sen slope" in back["told"]
        assert browser.evaluate("document.getElementById('quantity').value") == "rate"
        wide = browser.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        kept = browser.evaluate("location.hash")
        browser.open("about:blank")
        browser.open(page.as_uri() + kept)
        browser.wait_for('document.body.dataset.ready === "yes"')
        assert browser.evaluate(SHOWN)["told"] == back["told"]
