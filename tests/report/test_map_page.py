"""The interactive map: what it packs, and what a browser shows of it."""

import hashlib
import json
import re
import shutil
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
    trends = project / "results" / "trends"
    write_map(target, list(names.EXPERIMENT_YEARS), trends, champion, settings, trsr)
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
    with xr.open_dataset(project / "results" / "trends" / "ssp370.nc") as maps:
        means = maps["five_year_mean"].values.reshape(5, 17, 5, -1)[..., data["cells"]]
    np.testing.assert_allclose(unpacked(ssp["series"]), np.moveaxis(means, 1, 2), atol=6e-5)


def test_the_page_asks_for_nothing_and_is_the_same_twice(page, project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    again = tmp_path / "map.html"
    settings = Report(title="Soil moisture of <a region>", map_layers=[1, 3, 5])
    trends = project / "results" / "trends"
    write_map(again, list(names.EXPERIMENT_YEARS), trends, champion, settings, trsr)
    first, second = (hashlib.sha256(p.read_bytes()).digest() for p in (page, again))
    assert first == second
    text = page.read_text(encoding="utf-8")
    own = text[: text.index("<script>")] + text[text.rindex("<script>") :]
    assert not re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", own)
    assert "Soil moisture of &lt;a region&gt;" in own
    assert len(text) < 4_000_000
    assert "Licensed under the MIT license" in own  # plotly's notice, which its own text hides


def test_the_page_says_which_simple_method_made_it(page, project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    trends = project / "results" / "trends"
    told = {**champion, "method": "delta_change"}
    settings = Report(title="x", map_layers=[1])
    write_map(tmp_path / "m.html", ["ssp370"], trends, told, settings, trsr)
    sentence = "The maps and trends are made by Delta change"
    assert sentence.lower() in (tmp_path / "m.html").read_text(encoding="utf-8").lower()
    assert sentence.lower() not in page.read_text(encoding="utf-8").lower()


def test_trends_without_series_are_told(project, champion, trsr, tmp_path):
    from soilfuse.config import Report

    trends, settings = tmp_path / "trends", Report(title="x", map_layers=[1])
    shutil.copytree(project / "results" / "trends", trends)
    with xr.open_dataset(trends / "ssp370.nc") as maps:
        older = maps.drop_vars("five_year_mean").load()
    older.to_netcdf(trends / "ssp370.nc")
    with pytest.raises(UserError, match="ssp370.nc lacks .*run `dvc repro -s trends@ssp370`"):
        write_map(tmp_path / "m.html", ["ssp370"], trends, champion, settings, trsr)
    assert not (tmp_path / "m.html").exists()


browser_test = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")

SHOWN = """(() => {
  const [heat, dots] = document.getElementById("map").data;
  return {z: heat.z.flat(), text: heat.text.flat(), lat: heat.y, lon: heat.x,
          dots: dots.x.map((x, i) => [dots.y[i], x]),
          told: document.getElementById("told").textContent,
          cell: document.getElementById("cell").textContent,
          series: document.getElementById("series").data.map((one) => one.name)};
})()"""
NUMBER = re.compile(r"(?<=[\[ >])[+−]?\d+\.\d\d(?=[,\] ])")
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
        np.testing.assert_allclose(drawn_map(shown), expected, atol=0.006)
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
        # not innerWidth, which grows on a phone with what sticks out
        wide = browser.evaluate("document.documentElement.scrollWidth")
        assert wide <= (390 if phone else 1500)
        kept = browser.evaluate("location.hash")
        browser.open("about:blank")
        browser.open(page.as_uri() + kept)
        browser.wait_for(READY)
        assert browser.evaluate(SHOWN)["told"] == back["told"]


def drawn_map(shown):
    return np.array([np.nan if z is None else z for z in shown["z"]])


@browser_test
def test_every_option_of_every_control_draws_its_map_and_tells_its_numbers(page, project, tmp_path):
    start = {"season": "annual", "period": "2015-2100", "layer": "0"}
    turns = [{"season": season} for season in names.SEASONS]
    turns += [{"period": period} for period in ("2021-2040", "2041-2070", "2071-2100")]
    turns += [{"layer": str(layer)} for layer in range(5)]
    with Browser(tmp_path / "profile", (1300, 900)) as browser:
        browser.open(page.as_uri())
        browser.wait_for(READY)
        for experiment, *asked in [("ssp245", *turns), ("ssp126", {})]:
            for turn in asked:
                wanted = {**start, **turn}
                shown = choose(browser, experiment=experiment, quantity="rate", **wanted)
                at = {"season": wanted["season"], "period": wanted["period"]}
                maps = [
                    trend_map(project, experiment, name, at=at, depth=int(wanted["layer"]))
                    for name in ("sens_slope", "sens_slope_low", "sens_slope_high")
                ]
                rate, low, high = (one.values.ravel() * labels.RATE_SCALE for one in maps)
                np.testing.assert_allclose(drawn_map(shown), rate, atol=0.006, err_msg=str(turn))
                cell = int(np.flatnonzero(np.isfinite(rate))[0])
                told = [float(x.replace("−", "-")) for x in NUMBER.findall(shown["text"][cell])]
                expected = [rate[cell], low[cell], high[cell]]
                np.testing.assert_allclose(told, expected, atol=0.0101, err_msg=str(turn))
                if "period" not in turn:
                    at = {"season": wanted["season"], "future_period": "2071-2100"}
                    shown = choose(browser, quantity="change", period="2071-2100")
                    change = trend_map(
                        project, experiment, "change_percent", at=at, depth=int(wanted["layer"])
                    )
                    np.testing.assert_allclose(drawn_map(shown), change.values.ravel(), atol=0.051)


@browser_test
def test_the_series_is_the_cells_own_by_season_and_layer(page, project, tmp_path):
    cell = held(page)["cells"][7]
    with xr.open_dataset(project / "results" / "trends" / "ssp370.nc") as maps:
        held_means = maps["five_year_mean"].stack(cell=("lat", "lon")).isel(cell=cell).load()
    with Browser(tmp_path / "profile", (1300, 900)) as browser:
        browser.open(f"{page.as_uri()}#cell={cell}&experiment=ssp370")
        browser.wait_for(READY)
        for season in ("annual", "JJA"):
            for layer in (0, 4):
                choose(browser, season=season, layer=str(layer))
                traces = browser.evaluate(
                    "document.getElementById('series').data.map((one) => [one.name, one.x, one.y])"
                )
                drawn = {name: (x, y) for name, x, y in traces}["SSP3-7.0"]
                means = held_means.sel(season=season).isel(depth=layer)
                assert drawn[0] == [2018.0 + 5 * step for step in range(17)]
                np.testing.assert_allclose(drawn[1], means, atol=6e-5)


@browser_test
def test_many_cells_get_annual_series_alone(project, champion, trsr, tmp_path, monkeypatch):
    from soilfuse.config import Report

    monkeypatch.setattr("soilfuse.report.map_data.MANY_CELLS", 10)
    target, settings = tmp_path / "m.html", Report(title="x", map_layers=[1])
    trends = project / "results" / "trends"
    write_map(target, ["ssp370"], trends, champion, settings, trsr)
    with Browser(tmp_path / "profile", (1300, 900)) as browser:
        browser.open(target.as_uri())
        browser.wait_for(READY)
        told = choose(browser, season="DJF")["told"]
        assert told.startswith("SSP3-7.0, Winter (DJF)")
        title = browser.evaluate("document.getElementById('series').layout.title.text")
        assert title.startswith("Annual mean, ")


@browser_test
def test_a_finger_chooses_a_cell_and_the_map_stays_inside_a_phone(page, tmp_path):
    with Browser(tmp_path / "profile", (600, 900)) as browser:
        size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        browser.send("Emulation.setDeviceMetricsOverride", **size)
        browser.send("Emulation.setTouchEmulationEnabled", enabled=True)
        browser.open(page.as_uri())
        browser.wait_for(READY)
        x, y = browser.evaluate(
            """(() => {
            document.getElementById("map").scrollIntoView({behavior: "instant"});
            const plot = document.querySelector("#map .nsewdrag").getBoundingClientRect();
            const axes = document.getElementById("map")._fullLayout;
            return [plot.x + axes.xaxis.d2p(93), plot.y + axes.yaxis.d2p(33.5)]; })()"""
        )
        point = {"x": x, "y": y}
        browser.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[point])
        browser.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        browser.wait_for("document.getElementById('cell').textContent.startsWith('33.5°N 93°E')")
        box = browser.evaluate(
            "(({left, right, height}) => [left, right, height])"
            "(document.getElementById('map').getBoundingClientRect())"
        )
        ends = (
            "(({xaxis, yaxis}) => [xaxis.range, yaxis.range])"
            "(document.getElementById('map')._fullLayout)"
        )
        before = browser.evaluate(ends)
        time.sleep(0.5)  # longer than plotly waits for a second tap
        assert browser.evaluate(ends) == before == [[89.5, 104.0], [30.5, 37.0]]
        assert 0 <= box[0] < box[1] <= 390
        assert 240 <= box[2] <= 422  # half of the screen, so that controls or series stay in sight


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
