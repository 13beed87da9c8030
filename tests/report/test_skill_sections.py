import numpy as np
import pandas as pd
import pytest

from soilfuse.report import inputs
from soilfuse.report.comparison import intervals_of
from soilfuse.report.pictures import Folder
from soilfuse.report.records import Evaluation
from soilfuse.report.skill_figures import part_dots, reliability, spectrum_lines
from soilfuse.report.skill_sections import detail_section, parts_section, spread_section


@pytest.fixture
def evaluation(project):
    return inputs.read_evaluation(project / "results" / "evaluate", "TRSR")


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path, "source", "0" * 64)


def test_the_bars_intervals_are_those_of_all_regions_over_the_year_out_of_fold(evaluation):
    rows = intervals_of(evaluation, "out_of_fold")
    assert len(rows) == 6 * 5
    assert not rows.duplicated(["method", "layer", "metric"]).any()
    assert intervals_of(Evaluation("TRSR", evaluation.scores, {}, ()), "out_of_fold") is None


def test_parts_are_a_table_a_layer_and_dots(evaluation, folder):
    section = parts_section(folder, evaluation)
    assert [len(section.tables), len(section.folded)] == [1, 4]
    table, rows = section.tables[0], evaluation.table("r_parts")
    assert table.head == [
        *("Method", "Pooled", "In space", "In time", "Seasons", "Between years", "Anomalies")
    ]
    where = (rows["method"] == "ridge") & (rows["block"] == "out_of_fold") & (rows["layer"] == 1)
    own = rows[where & (rows["region"] == "TRSR")].set_index("part")["value"]
    shown = [row for row in table.rows if row[0].startswith("Ridge")][0][1:]
    assert shown == [f"{own[part]:.2f}".replace("-", "−") for part in own.index]


def test_dots_stand_at_their_values_and_a_missing_part_has_none():
    rows = [("soilfuse", 1, "pooled", 0.9), ("soilfuse", 1, "spatial", np.nan)]
    figure = part_dots(pd.DataFrame(rows, columns=["method", "layer", "part", "value"]))
    (axes,) = figure.axes
    drawn = axes.lines[0].get_ydata()
    assert drawn[0] == 0.9 and np.isnan(drawn[1:]).all()


def test_spread_tells_what_intervals_hold_and_how_much_wider_they_must_be(evaluation, folder):
    section = spread_section(folder, evaluation)
    rows = {row[0]: row[1:] for row in section.tables[0].rows}
    assert rows["50 % interval from the networks' spread: holds (%)"] == ["12"] * 5
    assert rows["90 % interval from out-of-fold errors: holds (%)"] == ["90"] * 5
    assert rows["Ratio of the 90 % widths"] == ["4.0"] * 5
    assert rows["90 % interval from the networks' spread: score (m³ m⁻³)"] == ["0.200"] * 5
    future, final, *others = section.folded
    assert future.rows == [["SSP5-8.5, 2071–2100, from out-of-fold errors", *["80"] * 5]]
    assert final.rows[0][1] == "0.0210" and "final test" in final.caption
    assert [table.caption.split(", ", 1)[1] for table in others] == ["SSP5-8.5, 2071–2100"]


def test_the_reliability_of_a_method_without_spread_has_one_panel(evaluation):
    table = evaluation.table("spread")
    bare = table.query("method == 'ridge' and region == 'TRSR' and block == 'final_test'")
    (axes,) = reliability(bare).axes
    np.testing.assert_allclose(axes.lines[1].get_ydata(), [10, 50, 90])


def test_the_target_is_the_line_of_one(evaluation, folder):
    table = evaluation.table("spectrum")
    figure = spectrum_lines(table[table["block"] == "out_of_fold"])
    assert len(figure.axes) == 2
    assert [len(axes.lines) for axes in figure.axes] == [8, 8]  # seven methods and 1
    assert detail_section(folder, evaluation).pictures[0].path.exists()


@pytest.mark.parametrize("make", [parts_section, spread_section, detail_section])
def test_a_table_that_was_not_made_has_no_section(make, evaluation, folder):
    assert make(folder, Evaluation("TRSR", evaluation.scores, {}, ())) is None
