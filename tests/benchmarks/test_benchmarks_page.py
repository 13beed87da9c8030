"""docs/benchmarks.md is what the recorded results say, and they reach their floors."""

import pytest
from benchmarks.__main__ import HEAD, PAGE, RESULTS, section

from soilfuse.files import read_json

RECORDED = sorted(RESULTS.glob("*.json"))


def test_the_page_is_rendered_from_the_results():
    assert PAGE.read_text(encoding="utf-8") == HEAD + "".join(map(section, RECORDED))


@pytest.mark.parametrize(("name", "held"), [("trends", [250, 250, 250]), ("inference", [2])])
def test_what_is_recorded_of_products_and_trends_reaches_its_floor(name, held):
    rows = [row for row in read_json(RESULTS / f"{name}.json") if row.get("floor")]
    assert [row["floor"] for row in rows] == held
    assert [row["name"] for row in rows if row["ratio"] < row["floor"]] == []
