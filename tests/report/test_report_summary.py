"""Sentences say what the numbers say: up, down, nothing, missing."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from soilfuse.report import comparison, labels, scenario_words, summary, tables, words
from soilfuse.report.records import Evaluation
from soilfuse.report.shares import outside_sentence

COLUMNS = ["region", "season", "period", "layer", "slope", "p", "significant"]
PERIOD = "2015-2100"


def regions(slopes, p=0.001, significant=True):
    rows = [
        ("TRSR", "annual", PERIOD, layer, slope, p, significant)
        for layer, slope in enumerate(slopes, start=1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


@given(st.floats(1e-7, 1e-2))
def test_amounts_keep_two_significant_digits(slope):
    written = float(words.amount(-slope).split()[0])
    assert written == pytest.approx(10 * slope, rel=0.051, abs=5e-8)


def test_rates_are_given_a_decade_in_thousandths():
    assert labels.rate(2.43e-4) == "+2.43"
    assert labels.rate(-2.43e-4) == "−2.43"
    assert labels.rate(-1e-9) == "0.00"
    assert labels.starred(2.43e-4, True) == "+2.43*"
    assert labels.starred(2.43e-4, True, True) == "+2.43*†"
    assert labels.starred(2.43e-4, False, True) == "+2.43"
    assert labels.starred(math.nan, True, True) == labels.MISSING


def test_wetting_is_said_with_rate_and_p(make_trends):
    trends = make_trends(regions=regions([2.43e-4]))
    said = summary.trend_sentence(trends, "TRSR", "annual", PERIOD, 1)
    assert said == (
        "The annual mean soil moisture at 0–10 cm of the Three-River-Source Region in 2015–2100 "
        "rises significantly, by 0.0024 m³ m⁻³ per decade (p = 0.001)."
    )


@pytest.mark.parametrize(
    ("p", "held", "said"),
    [(0.02, True, "it stays so"), (0.3, False, "it does not stay so")],
)
def test_significance_is_said_with_and_without_memory(make_trends, p, held, said):
    table = regions([2.43e-4]).assign(p_hamed_rao=p, significant_hamed_rao=held)
    sentence = summary.trend_sentence(make_trends(regions=table), "TRSR", "annual", PERIOD, 1)
    assert f"{said} where the memory of the years is taken into account (p = {p:.2f})." in sentence


def test_a_short_period_is_not_said_to_hold_with_memory(make_trends):
    short = regions([2.43e-4]).assign(
        period="1995-2014", p_hamed_rao=0.01, significant_hamed_rao=True
    )
    said = summary.trend_sentence(make_trends(regions=short), "TRSR", "annual", "1995-2014", 1)
    assert "significantly" in said and "memory" not in said


def test_a_model_without_a_slope_shares_no_sign(make_trends):
    models = pd.DataFrame(
        {"region": "TRSR", "season": "annual", "period": PERIOD, "source_id": list("ABCD")}
    ).assign(slope=[0.0, 1e-4, -1e-4, 0.0], significant=False)
    trends = replace(make_trends(regions=regions([-1e-4])), agreement=models)
    assert "Of 4 climate models 1 have" in summary.models_sentence(trends, "TRSR", PERIOD)


def test_models_are_counted_by_the_product_s_sign(make_trends):
    models = pd.DataFrame(
        {
            "region": "TRSR",
            "season": "annual",
            "period": PERIOD,
            "source_id": list("ABCDE"),
            "slope": [1e-4, 3e-4, -2e-4, 2e-4, math.nan],
            "significant": [True, False, True, True, False],
        }
    )
    trends = replace(make_trends(regions=regions([2.43e-4])), agreement=models)
    assert summary.models_sentence(trends, "TRSR", PERIOD).startswith(
        "Of 4 climate models 3 have the sign of that rate in their upper 10 cm, 2 of them "
        "significantly; their rates run from −2.00 to +3.00, half of them below +1.50"
    )
    table = tables.rates_of_models(trends, "TRSR", PERIOD)
    assert [row[:2] for row in table.rows] == [
        ["B", "+3.00"],
        ["D", "+2.00*"],
        ["A", "+1.00*"],
        ["C", "−2.00*"],
    ]
    assert table.rows[0][2] == labels.MISSING
    alone = replace(trends, agreement=None)
    assert summary.models_sentence(alone, "TRSR", PERIOD) == ""
    assert tables.rates_of_models(alone, "TRSR", PERIOD) is None


def test_rates_are_tabled_with_their_interval(make_trends):
    trends = make_trends()
    table = tables.rates_with_intervals(trends, "TRSR", PERIOD)
    slope = 10 * trends.slope("TRSR", "annual", PERIOD, 2) * 1e3
    ends = [labels.signed(slope + side, 2) for side in (-0.2, 0.2)]
    assert table.rows[0][2] == f"{labels.signed(slope, 2)} [{ends[0]}, {ends[1]}]"


def test_drying_is_said_to_fall(make_trends):
    trends = make_trends(regions=regions([-2.43e-4]))
    said = summary.trend_sentence(trends, "TRSR", "annual", PERIOD, 1)
    assert "falls significantly, by 0.0024" in said
    assert "rises" not in said


def test_no_trend_is_said_to_be_none(make_trends):
    trends = make_trends(regions=regions([2e-6], p=0.43, significant=False))
    said = summary.trend_sentence(trends, "TRSR", "annual", PERIOD, 1)
    assert "shows no significant trend (+0.00002 m³ m⁻³ per decade, p = 0.43)" in said
    assert "significantly" not in said


@pytest.mark.parametrize("slope", [math.nan, None])
def test_a_missing_trend_is_said_to_be_missing(make_trends, slope):
    table = regions([math.nan], significant=False) if slope is not None else regions([])
    table = pd.concat([table, regions([1e-4]).assign(season="JJA")])
    said = summary.trend_sentence(make_trends(regions=table), "TRSR", "annual", PERIOD, 1)
    assert said.startswith("No trend could be computed")
    assert "nan" not in said


def test_layers_are_counted_by_direction(make_trends):
    table = regions([3e-4, 1e-4, -2e-4, 1e-6, math.nan])
    table["significant"] = [True, True, True, False, False]
    said = summary.layers_sentence(make_trends(regions=table), "TRSR", "annual", PERIOD)
    assert said.startswith(
        "Of the five layers two get significantly wetter, one gets significantly drier, one shows "
        "no significant trend and one could not be tested"
    )
    assert "fastest significant change is at 0–10 cm" in said
    assert "slowest at 10–30 cm" in said


def test_all_layers_drier(make_trends):
    table = regions([-3e-4] * 5)
    said = summary.layers_sentence(make_trends(regions=table), "TRSR", "annual", PERIOD)
    assert said.startswith("All five layers get significantly drier")


def test_no_layer_with_a_trend(make_trends):
    table = regions([1e-6] * 5, p=0.4, significant=False)
    said = summary.layers_sentence(make_trends(regions=table), "TRSR", "annual", PERIOD)
    assert said == "None of the five layers shows a significant trend."


def test_scenarios_are_compared_with_stars(make_trends):
    dry = regions([-1e-4] * 5)
    flat = regions([1e-6] * 5, significant=False)
    all_trends = [make_trends("ssp126", regions=dry), make_trends("ssp585", regions=flat)]
    first, second, third = scenario_words.scenarios_summary(all_trends)
    assert first == (
        "Of two scenarios the soil of the Three-River-Source Region at 0–10 cm gets significantly "
        "drier in one and shows no significant trend in one from 2015 to 2100."
    )
    assert "−1.00* under SSP1-2.6 and +0.01 under SSP5-8.5" in second
    assert "across two scenarios: +4.0 to +12.8 % at 0–10 cm" in third
    direction, _, alone = scenario_words.scenarios_summary(all_trends[:1])
    assert direction.startswith("In the one scenario the soil")
    assert "across one scenario: +4.0 % at 0–10 cm" in alone


@pytest.mark.parametrize(
    ("slope", "sure", "said"),
    [
        (1e-4, True, "In both scenarios the soil of the Three-River-Source Region at 0–10 cm "
         "gets significantly wetter from 2015 to 2100; in one of two this holds where the memory "
         "of the years is taken into account too."),
        (-1e-4, True, "gets significantly drier from 2015 to 2100; in one of two this holds"),
        (1e-4, False, "shows no significant trend from 2015 to 2100."),
    ],
)  # fmt: skip
def test_the_first_sentence_tells_the_direction(make_trends, slope, sure, said):
    table = regions([slope] * 5, significant=sure).assign(p_hamed_rao=0.03)
    held = make_trends("ssp126", regions=table.assign(significant_hamed_rao=True))
    lost = make_trends("ssp585", regions=table.assign(significant_hamed_rao=False))
    assert said in scenario_words.scenarios_summary([held, lost])[0]


def test_models_that_share_the_sign_are_counted(make_trends):
    slopes = [3e-4, 1e-4, -1e-4, 0.0, math.nan]
    own = pd.DataFrame({"slope": slopes, "significant": True}).assign(
        region="TRSR", season="annual", period=PERIOD
    )
    trends = replace(make_trends("ssp370", regions=regions([2e-4] * 5)), agreement=own)
    said = scenario_words.scenarios_summary([trends])[-1]
    assert "2 of 4 under SSP3-7.0" in said
    assert "no second witness" in said


def test_seasons_name_the_highest_and_lowest(make_trends):
    said = summary.seasons_sentence(make_trends(), "TRSR", PERIOD, 1)
    assert "highest in spring (+4.03)" in said
    assert "lowest in summer (+0.13, not significant)" in said


def test_periods_separate_significant_from_not(make_trends):
    said = summary.periods_sentence(make_trends(), "TRSR", 1)
    assert "significant in 2021–2040 (+2.52) and 2071–2100 (+2.52), but not in 2041–2070" in said


def test_changes_span_the_layers_with_sign(make_trends):
    rows = [
        ("TRSR", "annual", layer, period, 0.2, change)
        for layer, last in ((1, 11.5), (2, -3.3), (3, math.nan))
        for period, change in (("1995-2014", 0.0), ("2071-2100", last))
    ]
    columns = ["region", "season", "layer", "period", "mean", "change_percent"]
    trends = make_trends(periods=pd.DataFrame(rows, columns=columns))
    assert summary.change_sentence(trends, "TRSR", "annual") == (
        "Change of the annual mean, 2071–2100 against 1995–2014: from −3.3 % at 10–30 cm to "
        "+11.5 % at 0–10 cm."
    )


def test_history_has_no_change_to_tell(make_trends):
    trends = make_trends("historical")
    assert summary.change_sentence(trends, "TRSR", "annual") == ""
    assert scenario_words.scenarios_summary([trends]) == []


def test_no_sentence_of_any_page_shows_a_nan(make_trends):
    table = regions([math.nan] * 5, p=math.nan, significant=False)
    shares = (math.nan, math.nan)
    trends = make_trends(regions=table)
    said = summary.page_summary(trends, shares, math.nan, "2071-2100")
    said += scenario_words.scenarios_summary([trends])
    assert said
    assert not any("nan" in sentence for sentence in said)


def evaluation(errors, future=None, anomaly=0.03):
    rows = [
        (method, "out_of_fold", layer, "annual", "TRSR", "rmse", error)
        for method, own in errors.items()
        for layer, error in enumerate(own, start=1)
    ]
    rows.append((next(iter(errors)), "out_of_fold", 1, "annual", "TRSR", "anomaly_r", anomaly))
    columns = ["method", "block", "layer", "season", "region", "metric", "value"]
    return Evaluation(
        "TRSR",
        pd.DataFrame(rows, columns=columns),
        {} if future is None else {"future": future},
        files=(),
    )


def test_skill_says_better_and_worse():
    said = comparison.skill_sentences(
        evaluation(
            {"soilfuse": [0.030, 0.04], "climatology": [0.040, 0.03], "delta_change": [0.025, 0.05]}
        )
    )
    assert "25.0 % below the climatology and 20.0 % above delta change" in said[0]
    assert "lowest RMSE of all methods in none of two layers" in said[1]
    assert "is 0.03" in said[2]


def test_missing_scores_are_not_compared():
    said = comparison.skill_sentences(evaluation({"soilfuse": [0.03], "climatology": [np.nan]}))
    assert "not comparable with the climatology" in said[0]
    assert (
        "is missing"
        in comparison.skill_sentences(evaluation({"soilfuse": [np.nan], "climatology": [1]}))[0]
    )


def test_future_is_told_best_first_or_not_at_all():
    rows = [
        (method, scenario, 1, quantity, error * factor)
        for method, error in (("soilfuse", 0.02), ("delta_change", 0.01))
        for scenario in ("ssp126", "ssp585")
        for quantity, factor in (("change_2071_2100", 1), ("change_percent_2071_2100", 500))
    ]
    future = pd.DataFrame(rows, columns=["method", "experiment", "layer", "quantity", "rmse"])
    (said,) = comparison.future_sentence(evaluation({"soilfuse": [0.1]}, future))
    assert "best first: delta change 0.01000 and soilfuse ensemble 0.02000" in said
    assert comparison.future_sentence(evaluation({"soilfuse": [0.1]}, future.head(0))) == []
    assert comparison.future_sentence(evaluation({"soilfuse": [0.1]})) == []


def test_verdicts_name_what_failed():
    checks = [{"name": "coverage", "passed": False}, {"name": "finite", "passed": True}]
    said = comparison.verdict_sentence({"promoted": False, "checks": checks})
    assert "not promoted: it failed coverage" in said
    passed = [{"name": "finite", "passed": True}] * 2
    assert "promoted after two checks" in comparison.verdict_sentence(
        {"promoted": True, "checks": passed}
    )
    assert "promoted after one check." in comparison.verdict_sentence(
        {"promoted": True, "checks": passed[:1], "pin": None}
    )


@pytest.mark.parametrize(
    ("verdict", "why"),
    [
        ({"promoted": False, "checks": [], "pin": None}, "was not promoted"),
        ({"promoted": True, "checks": [], "pin": 3}, "registered version 3 is kept as champion"),
    ],
)
def test_scores_that_are_not_the_champion_s_are_said_to_be_so(verdict, why):
    (said,) = comparison.candidate_caveat(verdict)
    assert why in said
    assert "The scores on this page are those of the candidate" in said
    assert comparison.candidate_caveat({"promoted": True, "pin": None}) == []
    assert ("version 3 is champion" in comparison.verdict_sentence(verdict)) == ("3" in why)


def test_a_candidate_is_named_one_in_every_table_and_sentence():
    own = evaluation({"soilfuse": [0.03], "climatology": [0.04]})
    renamed = own.renamed("soilfuse", "candidate")
    assert list(renamed.scores["method"].unique()) == ["candidate", "climatology"]
    assert renamed.table("future") is None
    said = comparison.skill_sentences(renamed)
    assert "the RMSE of the candidate ensemble at" in said[0]
    assert said[1].startswith("The candidate ensemble has the lowest RMSE")
    assert list(own.scores["method"].unique()) == ["soilfuse", "climatology"]


def test_the_flag_of_inputs_is_said_to_be_what_it_is():
    said = outside_sentence(12.4, "2071-2100")
    assert "2071–2100, 12 % of the regions' cells" in said
    assert "own values over the domain in 1950–2014" in said


def test_only_a_pseudo_reality_is_called_one():
    assert comparison.world_caveat("real") == []
    assert "pseudo-reality (v1 seed 1)" in comparison.world_caveat("v1 seed 1")[0]
