"""No page of the report complains in a browser, asks for what is not its own, or leaves a phone."""

import pytest
from tests.e2e.chromium import PROGRAM, Browser

from soilfuse import names
from soilfuse.report.map_page import write_map
from soilfuse.report.sections import MAP_PAGE

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no Chromium here")
LOADED = 'document.readyState === "complete"'
DRAWN = 'document.body.dataset.ready === "yes"'
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
OWN = ("file:", "data:", "blob:", "about:")
LOUD = "data:text/html,<script>console.error(1)</script><script>nowhere()</script>" + (
    "<img src='http://127.0.0.1:9/a.png'>"
)
USED = """(() => {
  for (const select of document.querySelectorAll("select")) {
    for (const { value } of [...select.options]) {
      select.value = value;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  for (const key of ["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"]) {
    document.getElementById("map").dispatchEvent(new KeyboardEvent("keydown", { key }));
  }
})()"""


def shown(page, folder, ready, use="0"):
    with Browser(folder / "profile") as browser:
        browser.listen()
        browser.open(page)
        browser.wait_for(ready)
        browser.evaluate(use)
        return browser.told()


def foreign(asked):
    return [address for address in asked if not address.startswith(OWN)]


def test_what_a_page_complains_of_and_asks_for_is_heard(tmp_path):
    complaints, asked = shown(LOUD, tmp_path, LOADED)
    assert "nowhere is not defined" in str(complaints) and "'value': 1" in str(complaints)
    assert foreign(asked) == ["http://127.0.0.1:9/a.png"]


@pytest.mark.parametrize("name", ["index", "historical", "ssp370", "evaluation"])
def test_a_page_is_quiet_and_fits_a_phone(written, tmp_path, name):
    with Browser(tmp_path / "profile") as browser:
        browser.listen()
        browser.send("Emulation.setDeviceMetricsOverride", **PHONE)
        browser.open((written / f"{name}.html").as_uri())
        browser.wait_for(LOADED)
        wide = browser.evaluate("document.documentElement.scrollWidth")
        letters = browser.evaluate("getComputedStyle(document.querySelector('main li')).fontSize")
        complaints, asked = browser.told()
    assert wide <= PHONE["width"], "pictures and tables scroll in boxes of their own"
    assert float(letters.removesuffix("px")) >= 14
    assert complaints == []
    assert asked and foreign(asked) == []


def test_the_map_is_quiet_whatever_is_chosen(project, champion, settings, trsr, tmp_path):
    trends = project / "results" / "trends"
    target = tmp_path / MAP_PAGE
    write_map(target, list(names.EXPERIMENT_YEARS), trends, champion, settings, trsr)
    complaints, asked = shown(target.as_uri(), tmp_path, DRAWN, USED)
    assert complaints == []
    assert asked and foreign(asked) == []
