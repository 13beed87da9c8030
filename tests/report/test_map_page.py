"""The interactive map: what it packs, and what a browser shows of it."""

import hashlib
import json
import re
import time

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
    np.testing.assert_allclose(rates, expected, atol=0.51 * ssp["rate"]["scale"])
    with xr.open_dataset(project / "results" / "trends" / "ssp370.nc") as maps:
        change = maps["change_percent"].values.reshape(5, 3, 5, -1)[..., data["cells"]]
    np.testing.assert_allclose(unpacked(ssp["change"]), change, atol=0.051)
    assert [one["key"] for one in ssp["changePeriods"]] == ["2021-2040", "2041-2070", "2071-2100"]
    assert len(data["colours"]) == len(data["changeLevels"]) + 1
    assert {len(one["levels"]) for one in ssp["periods"]} == {len(data["changeLevels"])}
    assert set(np.unique(unpacked(ssp["significance"]))) == {0, 1, 2, 3}
    assert [season["key"] for season in data["seasons"]] == list(names.SEASONS)
    assert ssp["years"][:2] == [2018.0, 2023.0] and len(ssp["years"]) == 17
    assert unpacked(ssp["series"]).shape == (5, 5, 17, len(data["cells"]))
    with xr.open_dataset(project / "products" / "ssp370.nc") as product:
        values = product["soil_moisture"].values[:, 2].reshape(1032, -1)[:, data["cells"]]
    np.testing.assert_allclose(unpacked(ssp["series"])[0, 2, 3], values[0], atol=6e-5)


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


def test_the_page_says_which_simple_method_made_it(page, project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    folders = project / "products", project / "results" / "trends"
    told = {**champion, "method": "delta_change"}
    settings = Report(title="x", map_layers=[1])
    write_map(tmp_path / "m.html", ["ssp370"], *folders, told, settings, trsr)
    sentence = "The maps and trends are made by Delta change"
    assert sentence.lower() in (tmp_path / "m.html").read_text(encoding="utf-8").lower()
    assert sentence.lower() not in page.read_text(encoding="utf-8").lower()


def test_a_missing_product_is_told(project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    settings = Report(title="x", map_layers=[1])
    trends = project / "results" / "trends"
    with pytest.raises(UserError, match="no ssp370.nc in .*run `dvc repro -s infer@"):
        write_map(tmp_path / "m.html", ["ssp370"], tmp_path, trends, champion, settings, trsr)
    assert not (tmp_path / "m.html").exists()


browser_test = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")

SHOWN = """(() => {
  const [heat, dots] = document.getElementById("map").data;
  return {z: heat.z.flat(), lat: heat.y, lon: heat.x, dots: dots.x.map((x, i) => [dots.y[i], x]),
          told: document.getElementById("told").textContent,
          cell: document.getElementById("cell").textContent,
          series: document.getElementById("series").data.map((one) => one.name)};
})()"""
READY = 'document.body.dataset.ready === "yes"'


def choose(browser, **wanted):
    for name, value in wanted.items():
        browser.evaluate(
            f"""(() => {{ const select = document.getElementById({name!r});
            select.value = {value!r};
            select.dispatchEvent(new Event("change", {{bubbles: true}})); }})()"""
        )
    return browser.evaluate(SHOWN)


def trend_map(project, experiment, name, **where):
    with xr.open_dataset(project / "results" / "trends" / f"{experiment}.nc") as maps:
        return maps[name].sel(where["at"]).isel(depth=where["depth"]).load()


@browser_test
@pytest.mark.parametrize("phone", [False, True])
def test_the_controls_change_the_map(page, project, tmp_path, phone):
    with Browser(tmp_path / "profile", (1500, 900)) as browser:
        if phone:
            size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
            browser.send("Emulation.setDeviceMetricsOverride", **size)
        browser.open(page.as_uri())
        browser.wait_for(READY)
        shown = choose(browser, experiment="ssp585", season="MAM", period="2021-2040", layer="2")
        at = {"season": "MAM", "period": "2021-2040"}
        one = trend_map(project, "ssp585", "sens_slope", at=at, depth=2)
        expected = one.values.ravel() * labels.RATE_SCALE
        drawn = np.array([np.nan if z is None else z for z in shown["z"]])
        np.testing.assert_allclose(drawn, expected, atol=0.006)
        assert shown["told"].startswith("SSP5-8.5, Spring (MAM), 30–50 cm. Sen slope, 2021–2040")
        assert shown["series"] == [labels.experiment_title(e) for e in names.EXPERIMENT_YEARS]
        cell = r"[\d.]+°N [\d.]+°E: [+−]\d+\.\d\d \[.*\] 10⁻³ m³ m⁻³ per decade, (not )?signif"
        assert re.match(cell, shown["cell"])
        changed = choose(browser, quantity="change")  # of the period that was shown
        assert "Change, 2021–2040 against 1995–2014" in changed["told"]
        later = choose(browser, period="2071-2100")
        assert "Change, 2071–2100 against 1995–2014" in later["told"]
        for one, period in ((changed, "2021-2040"), (later, "2071-2100")):
            at = {"season": "MAM", "future_period": period}
            expected = trend_map(project, "ssp585", "change_percent", at=at, depth=2).values
            found = np.array([np.nan if z is None else z for z in one["z"]])
            np.testing.assert_allclose(found, expected.ravel(), atol=0.051)
        back = choose(browser, experiment="historical")
        assert "Historical" in back["told"] and "Sen slope" in back["told"]
        assert browser.evaluate("document.getElementById('quantity').value") == "rate"
        assert browser.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        kept = browser.evaluate("location.hash")
        browser.open("about:blank")
        browser.open(page.as_uri() + kept)
        browser.wait_for(READY)
        assert browser.evaluate(SHOWN)["told"] == back["told"]


@browser_test
def test_dots_are_the_cells_that_the_files_hold_significant(page, project, tmp_path):
    at = {"season": "annual", "period": "2015-2100"}
    with Browser(tmp_path / "profile", (1300, 900)) as browser:
        browser.open(page.as_uri())
        browser.wait_for(READY)
        counted = {}
        for value, name in (("1", "significant"), ("2", "significant_fdr"), ("0", None)):
            shown = choose(browser, experiment="ssp126", layer="0", dots=value)
            dots = {tuple(place) for place in shown["dots"]}
            held = trend_map(project, "ssp126", name or "significant", at=at, depth=0)
            slope = trend_map(project, "ssp126", "sens_slope", at=at, depth=0)
            inside = np.isfinite(slope.values) & (held.values > 0) & (name is not None)
            rows, columns = np.nonzero(inside)
            expected = {
                (float(held["lat"][r]), float(held["lon"][c]))
                for r, c in zip(rows, columns, strict=True)
            }
            assert dots == expected, name
            counted[name] = expected
        assert counted["significant_fdr"] - counted["significant"]  # neither holds the other
        assert counted["significant"] - counted["significant_fdr"]


@browser_test
def test_a_cell_is_chosen_by_pointing_clicking_and_with_the_keys(page, tmp_path):
    def told(browser):
        return browser.evaluate("document.getElementById('cell').textContent")

    with Browser(tmp_path / "profile", (1300, 900)) as browser:
        browser.open(page.as_uri())
        browser.wait_for(READY)
        first = told(browser)
        browser.evaluate("document.getElementById('map').focus({preventScroll: true})")
        key = {"key": "ArrowRight", "code": "ArrowRight"}
        browser.send("Input.dispatchKeyEvent", type="keyDown", **key)
        second = told(browser)
        assert second != first
        assert "cell=" in browser.evaluate("location.hash")
        middle = browser.evaluate(
            """(() => {
            const plot = document.querySelector("#map .nsewdrag").getBoundingClientRect();
            const axes = document.getElementById("map")._fullLayout;
            const x = plot.x + axes.xaxis.d2p(93), y = plot.y + axes.yaxis.d2p(33.5);
            return [x, y]; })()"""
        )
        place = {"x": middle[0], "y": middle[1]}
        for step in range(100):  # a hand that moves a little: one event may fall into a drawing
            moved = {"x": place["x"] + step % 2, "y": place["y"]}
            browser.send("Input.dispatchMouseEvent", type="mouseMoved", **moved)
            if told(browser).startswith("33.5°N 93°E"):
                break
            time.sleep(0.1)
        assert told(browser).startswith("33.5°N 93°E")
        before = browser.evaluate("location.hash")
        press = {**place, "button": "left", "clickCount": 1}
        browser.send("Input.dispatchMouseEvent", type="mousePressed", buttons=1, **press)
        browser.evaluate("new Promise((done) => requestAnimationFrame(done))")
        browser.send("Input.dispatchMouseEvent", type="mouseReleased", **press)
        browser.wait_for(f"location.hash !== {before!r}")
        browser.send("Input.dispatchMouseEvent", type="mouseMoved", x=2, y=2)
        browser.wait_for("document.getElementById('cell').textContent.startsWith('33.5°N 93°E')")
        kept = browser.evaluate("location.hash")
        browser.open("about:blank")
        browser.open(page.as_uri() + kept)
        browser.wait_for(READY)
        assert told(browser).startswith("33.5°N 93°E")
