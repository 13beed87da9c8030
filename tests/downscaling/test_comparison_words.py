"""What the page says first, from tables made by hand."""

import numpy as np
import pandas as pd
import pytest
from sample_cases import small_params

from soilfuse.evaluation.pscnet.outputs import Evaluation
from soilfuse.report.pscnet import words
from soilfuse.report.pscnet.tables import generalisation_table, network_table, top_three

METHODS = ["pscnet", "rf", "lstm", "resnet", "unet", "vit"]
SIMPLE = ["smap_carried", "era5_land_rescaled", "climatology"]


def found(r, target="smap"):
    """An evaluation in which methods and yardsticks have these R, and ubRMSE (1 - R) / 10."""
    rows = [
        {"method": name, "period": "2018", "target": target, "r": x, "ubrmse": (1 - x) / 10}
        for name, x in zip([*METHODS, *SIMPLE, "truth"], r, strict=True)
    ]
    scores = pd.DataFrame(rows).assign(detail_r=np.nan, detail_change_r=np.nan)
    general = pd.DataFrame(
        {
            "method": METHODS,
            "target": "smap",
            "r_change_percent": [-5, 1, 7, -8, 2, 3],
            "ubrmse_change_percent": [1, -1, 0, 0, 3, 2],
        }
    )
    stations = pd.DataFrame(
        [
            {"network": "A", "station": s, "period": "2018", "method": m, "r": x, "n": 9}
            for s, values in (("1", r), ("2", r[::-1]))
            for m, x in zip([*METHODS, *SIMPLE, "truth"], values, strict=True)
        ]
    ).assign(bias=0.0, ubrmse=0.1)
    tables = {"scores": scores, "generalisation": general, "stations": stations}
    return Evaluation(tables, {}, {})


LEARNING_WINS = [0.7, 0.8, 0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 0.0, 0.9]
YARDSTICK_WINS = [0.2, 0.5, 0.5, 0.4, 0.3, 0.1, 0.55, 0.6, 0.0, 0.9]


def test_who_is_best_and_where_pscnet_stands():
    told = words.summary(found(LEARNING_WINS), small_params())
    assert told[0] == (
        "R against SMAP, 2018: of the learned methods RF (0.800) is best, PSCNet second of 6 "
        "(0.700). The best without learning is ERA5-Land rescaled (0.600)."
    )
    assert "RF (0.0200) is best, PSCNet second of 6 (0.0300)" in told[1]
    assert not words.caveats("real", small_params(), found(LEARNING_WINS))[0].startswith("Against")


def test_a_yardstick_that_beats_all_methods_is_told_first():
    made = found(YARDSTICK_WINS)
    told = words.summary(made, small_params())
    assert "PSCNet fifth of 6 (0.200)" in told[0]
    assert told[0].endswith(
        "Without learning, SMAP interpolated (0.550) and ERA5-Land rescaled (0.600) do better "
        "than all of them."
    )
    first = words.caveats("real", small_params(), made)[0]
    assert first.startswith("Against SMAP, SMAP interpolated (R 0.550) and ERA5-Land rescaled")
    assert first.endswith("the best of them is RF (R 0.500).")


def test_a_pseudo_reality_is_no_evidence_and_says_so_before_all_else():
    told = words.caveats("three_hourly 1 seed 1", small_params(), found(YARDSTICK_WINS))
    assert "no evidence about any real product" in told[0]
    assert not any(
        "no evidence" in one for one in words.caveats("real", small_params(), found(YARDSTICK_WINS))
    )


def test_pscnet_that_is_best_has_no_second_place():
    told = words.summary(found([0.9, *LEARNING_WINS[1:]]), small_params())
    assert "of the learned methods PSCNet (0.900) is best. The best" in told[0]


def test_how_many_methods_keep_within_the_paper_s_percent():
    (told,) = (s for s in words.summary(found(LEARNING_WINS), small_params()) if "held-out" in s)
    assert "changes by −8.0 to +7.0 %, ubRMSE by −1.0 to +3.0 %: 3 of 6 methods" in told


def test_the_best_three_count_learned_methods_alone():
    counts, places = top_three(found(LEARNING_WINS).tables["stations"], "2018")
    assert places == 2
    assert counts["pscnet"] == 2  # 0.7 is second at one station, 0.9 first at the other
    assert counts["rf"] == 1
    assert "truth" not in counts
    assert sum(counts.values()) == 6


def test_tables_write_what_is_missing_as_a_dash():
    made = found(LEARNING_WINS)
    table = made.tables["generalisation"].assign(
        r_held_out=0.5, r_later=0.4, ubrmse_held_out=0.1, ubrmse_later=np.nan
    )
    html = str(generalisation_table(table, "2018", "smap").html())
    assert "nan" not in html
    assert "<td>–</td>" in html
    assert generalisation_table(table, "2018", "truth") is None
    rows = network_table(made.tables["stations"], "2018").rows
    assert rows[0][0] == "PSCNet"
    assert rows[0][-1] == "2 of 2"
    assert rows[-1][-1] == ""


@pytest.mark.parametrize("values", [[np.nan] * 6, [0.5, *[np.nan] * 5]])
def test_methods_without_a_score_are_left_out(values):
    told = words.summary(found([*values, 0.1, 0.2, 0.3, 0.9]), small_params())
    assert "nan" not in " ".join(told)
