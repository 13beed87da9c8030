"""What readers without a mouse, without eyes or with weak ones need of a page."""

import re

import pytest
from tests.report.page_makers import Reader

from soilfuse.report import style
from soilfuse.report.sections import environment


@pytest.mark.parametrize("name", ["ssp370", "historical", "index", "evaluation"])
def test_a_page_has_a_language_headings_in_order_and_headed_tables(written, name):
    text = (written / f"{name}.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in text
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", text)]
    assert levels.count(1) == 1 and levels[0] == 1
    assert all(after - before <= 1 for before, after in zip(levels[:-1], levels[1:], strict=True))
    assert not re.findall(r"<th(?! scope=\"(?:col|row)\")[ >]", text)
    tags = Reader(written / f"{name}.html").tags
    assert tags.count("caption") == tags.count("table") > 0
    assert tags.count("summary") == tags.count("details") > 0


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_stands_out_from_its_ground_by_4_5_to_1():
    css = environment().loader.get_source(environment(), "page.css")[0]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", css))
    for ground in ("ground", "wash"):
        for ink in ("ink", "soft", "accent"):
            assert contrast(colours[ink], colours[ground]) > 4.5, (ink, ground)
    assert contrast(colours["warn"], colours["warn-wash"]) > 4.5
    assert contrast(style.FAINT, "#ffffff") > 4.5
    assert contrast(style.INK, "#ffffff") > 4.5
