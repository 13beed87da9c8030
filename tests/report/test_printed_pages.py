"""What a page loses on paper: nothing but its controls."""

import base64
import re

import pytest
from tests.e2e.chromium import PROGRAM, Browser
from tests.report.page_makers import Reader

from soilfuse import names
from soilfuse.report.map_page import write_map

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium to print with"),
]

PAPER = {"width": 718, "height": 1047, "deviceScaleFactor": 1, "mobile": False}  # A4 in its margins
PRINTED = """(() => {
  const shown = (one) => one.checkVisibility({contentVisibilityAuto: true}) && one.offsetHeight > 0;
  const all = (what) => [...document.querySelectorAll(what)];
  return {
    wide: document.documentElement.scrollWidth - innerWidth,
    cut: all(".scroll, .picture").filter((one) => one.scrollWidth > one.clientWidth + 1)
      .map((one) => one.getAttribute("aria-label")),
    hidden: all("details figure, details table").filter((one) => !shown(one)).length,
    folded: all("details").length,
    controls: all(".contents, .links, .download, .controls, .modebar").filter(shown).length,
  };
})()"""
SPILT = """[...document.querySelectorAll(".plot")]
  .filter((one) => one.scrollHeight > one.clientHeight + 1).map((one) => one.id)"""


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def printed(page, folder, ready="!!document.querySelector('footer')"):
    """Give the PDF of a page, and what PRINTED finds where it is laid out for paper."""
    with Browser(folder / "profile") as browser:
        browser.open(page.as_uri())
        browser.wait_for(f"document.readyState === 'complete' && {ready}")
        paper = {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69}
        pdf = base64.b64decode(browser.send("Page.printToPDF", **paper)["data"])
        browser.send("Emulation.setEmulatedMedia", media="print")
        assert browser.evaluate(SPILT) == []
        browser.send("Emulation.setDeviceMetricsOverride", **PAPER)
        browser.wait_for(f"{PRINTED}.wide <= 0")  # plots take their time to follow
        return pdf, browser.evaluate(PRINTED)


@pytest.mark.parametrize("name", ["index", "ssp370", "evaluation"])
def test_a_printed_page_has_all_pictures_and_tables(written, tmp_path, name):
    pdf, found = printed(written / f"{name}.html", tmp_path)
    assert found["cut"] == []
    assert found["folded"] > 0 and found["hidden"] == 0
    assert found["controls"] == 0
    assert pages_of(pdf) > 3
    pictures = Reader(written / f"{name}.html").images
    assert len(re.findall(rb"/Subtype\s*/Image", pdf)) >= len(pictures)


def test_the_printed_map_has_its_view_and_no_controls(project, champion, settings, trsr, tmp_path):
    page = tmp_path / "map.html"
    trends = project / "results" / "trends"
    write_map(page, list(names.EXPERIMENT_YEARS), trends, champion, settings, trsr)
    pdf, found = printed(page, tmp_path, 'document.body.dataset.ready === "yes"')
    assert found["controls"] == 0
    assert 1 <= pages_of(pdf) <= 4
