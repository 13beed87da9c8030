"""The gate: what it asks, what it compares, and what it says."""

import json
import math
from dataclasses import replace

import pytest

from soilfuse.tracking.promotion import Difference, Facts, gate, pinned, write_verdict

GOOD = Facts(
    finite=True,
    minimum=0.05,
    maximum=0.48,
    coverage=1.0,
    rmse=0.030,
    baselines={"ensemble_mean": 0.080, "climatology": 0.040, "delta_change": 0.035},
    comparable={"world": "v1 seed 1", "domain": "trsr", "protocol": "blocked"},
    weights_sha256="new",
)
CHAMPION = replace(GOOD, weights_sha256="old", rmse=0.031)


@pytest.fixture
def settings(params):
    return params.promote


def failed(verdict):
    return [check.name for check in verdict.checks if not check.passed]


def test_a_good_first_ensemble_is_promoted_without_caveats(settings):
    verdict = gate(GOOD, None, settings)
    assert verdict.promoted
    assert verdict.caveats == []
    assert len(verdict.checks) == 4


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ({"finite": False}, "finite"),
        ({"minimum": -0.001}, "physical_range"),
        ({"maximum": 0.81}, "physical_range"),
        ({"coverage": 0.999}, "coverage"),
        ({"rmse": 0.080}, "beats_ensemble_mean"),
    ],
)
def test_each_hard_check_alone_stops_it(settings, change, check):
    verdict = gate(replace(GOOD, **change), None, settings)
    assert not verdict.promoted
    assert failed(verdict) == [check]


def test_nan_anywhere_stops_it(settings):
    bad = replace(GOOD, minimum=math.nan, maximum=math.nan, coverage=math.nan, rmse=math.nan)
    verdict = gate(bad, None, settings)
    assert failed(verdict) == ["finite", "physical_range", "coverage", "beats_ensemble_mean"]


@pytest.mark.parametrize(
    ("interval", "promoted"),
    [
        (Difference(-0.002, -0.003, -0.001), True),  # significantly better
        (Difference(0.001, -0.001, 0.003), True),  # no different
        (Difference(0.002, 0.0005, 0.003), False),  # significantly worse
        (Difference(math.nan, math.nan, math.nan), False),
    ],
)
def test_a_comparable_champion_yields_to_what_is_not_worse(settings, interval, promoted):
    verdict = gate(GOOD, CHAMPION, settings, interval)
    assert verdict.promoted is promoted
    assert failed(verdict) == ([] if promoted else ["not_worse_than_champion"])


def test_a_champion_of_another_world_does_not_decide(settings):
    other = replace(CHAMPION, comparable={**GOOD.comparable, "world": "v1 seed 2"})
    verdict = gate(GOOD, other, settings)
    assert verdict.promoted
    assert "differ in world" in verdict.caveats[0]


def test_the_champion_itself_passes_again(settings):
    same = replace(CHAMPION, weights_sha256=GOOD.weights_sha256)
    assert gate(GOOD, same, settings).promoted


def test_without_common_months_the_hard_checks_decide(settings):
    verdict = gate(GOOD, CHAMPION, settings)
    assert verdict.promoted
    assert "differ in the months they were scored on" in verdict.caveats[0]


def test_worse_than_the_honest_yardsticks_is_said(settings):
    verdict = gate(replace(GOOD, rmse=0.037), None, settings)
    assert verdict.promoted
    assert len(verdict.caveats) == 1
    assert "worse than delta change (0.0350 m3 m-3)" in verdict.caveats[0]
    both = gate(replace(GOOD, rmse=0.041), None, settings).caveats
    assert "worse than the climatology (" in both[0]
    assert len(both) == 2


def test_the_verdict_s_bytes_are_the_same_each_time(settings, tmp_path):
    verdict = gate(GOOD, CHAMPION, settings, Difference(0.0, -0.001, 0.001))
    for name in ("one.json", "two.json"):
        write_verdict(verdict, tmp_path / name)
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    content = json.loads((tmp_path / "one.json").read_text())
    assert set(content) == {"promoted", "checks", "caveats", "world", "pin", "method"}
    assert set(content["checks"][0]) == {"name", "passed", "got", "allowed", "why"}


def test_a_pin_is_a_verdict_of_its_own():
    verdict = pinned(3, {"caveats": ["kept caveat"], "world": "v2 seed 1"})
    assert verdict.pin == 3
    assert verdict.promoted
    assert (verdict.caveats, verdict.world) == (["kept caveat"], "v2 seed 1")
    assert verdict.checks[0].got == "version 3"
