"""What stands on every page, in which order, and at the foot of every picture."""

import pytest
from tests.report.page_makers import Reader

from soilfuse.report import style


@pytest.mark.parametrize("name", ["index", "historical", "ssp370", "evaluation"])
def test_a_page_begins_in_short_and_ends_with_its_words_and_lineage(written, name):
    reader = Reader(written / f"{name}.html")
    parts = [part for part in reader.ids if not part.endswith("-title")]
    assert parts[0] == "summary" and parts[-2:] == ["glossary", "lineage"]
    assert ("methods" in parts) == (name == "index")
    for word in ("Sen slope", "Significant", "Pseudo-reality", "Out of fold", "Champion"):
        assert word.lower() in reader.words.lower()


def test_the_source_line_stands_at_the_foot_of_a_picture(tmp_path):
    figure = style.new_figure(4, 3)
    source = "soilfuse  |  ssp370.nc, sha256 0123456789abcdef"
    style.save(figure, tmp_path / "a.png", source, "ab" * 32)
    (line,) = [text for text in figure.texts if text.get_text() == source]
    assert line.get_position()[1] < 0.05
