"""A simple method through the gate: judged, registered, loaded and compared as networks are."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_sources import write_sources

from soilfuse import layout
from soilfuse.cli import comparison
from soilfuse.errors import UserError
from soilfuse.evaluation.outputs import CONTENDERS_FILE, monthly_table, read_monthly
from soilfuse.files import read_json, sha256_of_file, write_json
from soilfuse.inference.ensemble import Ensemble
from soilfuse.tracking import store
from soilfuse.tracking.entrant import OWN
from soilfuse.tracking.facts import told_by
from soilfuse.tracking.graph import Graph
from soilfuse.tracking.promoting import challenge, promote
from soilfuse.tracking.standing import _fitted_by_promote

ERRORS = {
    "climatology": 0.02,
    "delta_change": 0.025,
    "ensemble_mean": 0.08,
    "model:CESM2": 0.05,
    "model:MIROC6": 0.09,
    "quantile_delta_mapping": 0.028,
}
NETWORKS = 0.03


def scored_on():
    target = sha256_of_file(layout.AMSMQTP)
    return {"comparable": {"world": "v1 seed 1", "target": target}}


@pytest.fixture
def judged(root, params, candidate_of, toy):
    """Lay out networks of RMSE 0.03, and what evaluation found of four methods beside them."""
    write_sources(toy.domain, toy.source_ids)
    candidate_of(1, NETWORKS)
    path = layout.EVALUATE / "facts.json"
    own = {"finite": True, "minimum": 0.1, "maximum": 0.4, "coverage": 1.0}
    methods = {
        name: {**own, "rmse": rmse, "caveats": [f"sentence of {name}"]}
        for name, rmse in ERRORS.items()
    }
    write_json(path, read_json(path) | {"method": "soilfuse", "methods": methods, **scored_on()})
    parts = [
        monthly_table(toy.months, toy.sums(rmse)).assign(method=name)
        for name, rmse in ERRORS.items()
    ]
    pd.concat(parts).to_csv(layout.EVALUATE / CONTENDERS_FILE, index=False)
    domain = type(params.domain)(**toy.domain)

    def by(method):
        chosen = params.promote.model_copy(update={"method": method})
        return params.model_copy(update={"promote": chosen, "domain": domain})

    return by


def record():
    return read_json(layout.CHAMPION / layout.CHAMPION_FILE)


def champion(params):
    model = store.open_client().get_registered_model(params.promote.registered_model)
    return int(model.aliases["champion"])


def test_a_better_method_takes_the_networks_place_and_a_pin_brings_them_back(judged, kept, toy):
    networks, simple = judged("soilfuse"), judged("delta_change")
    promote(networks)
    weights = record()["weights_sha256"]
    assert record()["method"] == "soilfuse"

    verdict = promote(simple)
    assert verdict.promoted
    assert verdict.method == json.loads(layout.VERDICT.read_text())["method"] == "delta_change"
    assert [check.name for check in verdict.checks][-1] == "not_worse_than_champion"
    assert record()["method"] == record()["facts"]["method"] == "delta_change"
    assert record()["caveats"] == ["sentence of delta_change"]
    assert record()["facts"]["rmse"] == 0.025
    assert champion(simple) == 2
    assert _fitted_by_promote(layout.CHAMPION.resolve().parents[1])
    np.testing.assert_array_equal(read_monthly(layout.CHAMPION / "monthly.csv")[1], toy.sums(0.025))
    before = {path.name: path.read_bytes() for path in layout.CHAMPION.iterdir()}
    assert len(before) == 13
    promote(simple)  # again: equal fits, equal bytes, no further version
    assert before == {path.name: path.read_bytes() for path in layout.CHAMPION.iterdir()}
    assert champion(simple) == 2

    back = promote(networks)  # worse than delta change: the gate keeps it
    assert not back.promoted
    assert champion(networks) == 2
    assert not _fitted_by_promote(layout.CHAMPION.resolve().parents[1])
    assert record()["weights_sha256"] != weights
    pinned = networks.promote.model_copy(update={"pin": 1})
    promote(networks.model_copy(update={"promote": pinned}))
    assert record()["weights_sha256"] == weights


def test_a_worse_method_is_rejected_and_the_networks_stay(judged, versions):
    promote(judged("soilfuse"))
    verdict = promote(judged("model:CESM2"))
    assert not verdict.promoted
    assert record()["method"] == "soilfuse"


@pytest.mark.parametrize("judge", [promote, challenge])
def test_a_method_no_better_than_the_raw_mean_is_refused_by_its_name(judged, versions, judge):
    with pytest.raises(UserError) as raised:
        judge(judged("model:MIROC6"))
    (line,) = raised.value.problems
    refused = "climate model MIROC6 alone cannot be promoted: beats_ensemble_mean got RMSE 0.09000"
    assert line.startswith(refused)
    assert line.endswith(": edit params.yaml:promote.method")
    assert not layout.CHAMPION.exists()


def test_one_climate_model_becomes_champion_where_nothing_stands(judged, versions):
    verdict = promote(judged("model:CESM2"))
    assert verdict.promoted
    assert record()["method"] == "model:CESM2"
    told = [s for s in verdict.caveats if s.startswith("Out of fold climate model CESM2 alone")]
    assert told == []  # the facts name the ensemble mean alone


def test_what_was_not_scored_is_refused_with_the_known_names(judged, versions):
    with pytest.raises(
        UserError, match=r"^unknown method 'ridge'; expected one of soilfuse, clim"
    ) as raised:
        promote(judged("ridge"))
    assert "ensemble_mean" not in str(raised.value)


@pytest.mark.parametrize(
    ("methods", "told"),
    [
        ([], r"facts.json holds methods \[\]; expected the facts"),
        ({"delta_change": 3}, "facts.json holds 3 for delta_change"),
        ({"delta_change": {"rmse": 0.02}}, "holds no finite, minimum, maximum, coverage, caveats"),
        ({"delta_change": {**dict.fromkeys(OWN, 0.1)}}, "holds caveats 0.1 of delta_change"),
    ],
)
def test_damaged_facts_of_a_method_are_one_line(judged, methods, told):
    path = layout.EVALUATE / "facts.json"
    write_json(path, read_json(path) | {"methods": methods})
    with pytest.raises(UserError, match=told) as raised:
        promote(judged("delta_change"))
    assert str(raised.value).endswith("run `dvc repro -s evaluate`")


def test_a_method_is_fitted_to_the_target_that_it_was_scored_by_or_not_at_all(judged):
    params = judged("delta_change")
    path = layout.EVALUATE / "facts.json"
    facts = read_json(path)
    write_json(path, facts | {"comparable": {**facts["comparable"], "target": "0" * 64}})
    with pytest.raises(UserError, match=r"amsmqtp.nc has SHA-256 .* with 000000000000; expe"):
        promote(params)
    assert not layout.CHAMPION.exists()


def test_a_challenger_and_a_comparison_take_the_method(judged, kept):
    promote(judged("soilfuse"))
    assert challenge(judged("climatology")) == 2
    found = comparison.compared(judged("delta_change"), "candidate", "champion")
    assert found["one"] == "candidate, delta change"
    assert found["mean"]["rmse"] == [0.025, 0.03]
    assert found["settings"]["method"] == ["delta_change", None]
    assert found["mean"]["high"] < 0
    both = comparison.compared(judged("soilfuse"), "2", "champion")
    assert both["settings"]["method"] == ["climatology", None]


@pytest.mark.slow
def test_the_registered_method_predicts_what_its_folder_does(judged):
    import mlflow.pyfunc

    params = judged("delta_change")
    promote(params)
    model = mlflow.pyfunc.load_model(f"models:/{params.promote.registered_model}@champion")
    inputs = np.random.default_rng(0).uniform(0.2, 0.4, (2, 3, 8, 8)).astype(np.float32)
    month = np.array([3, 9])
    predicted = model.predict({"soil_moisture": inputs, "month": month})
    expected = Ensemble.load(layout.CHAMPION).predict(inputs, month).mean
    np.testing.assert_array_equal(predicted, expected)
    tags = store.open_client().get_model_version(params.promote.registered_model, "1").tags
    assert tags["method"] == "delta_change"


@pytest.mark.slow
def test_registered_quantile_delta_mapping_says_why_single_months_have_no_answer(judged, recwarn):
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    params = judged("quantile_delta_mapping")
    promote(params)
    assert not [each for each in recwarn if "input example" in str(each.message)]
    model = mlflow.pyfunc.load_model(f"models:/{params.promote.registered_model}@champion")
    given = {"soil_moisture": np.full((1, 3, 8, 8), 0.3, np.float32), "month": np.array([3])}
    with pytest.raises(MlflowException, match="among the 31 years around it, which single months"):
        model.predict(given)


def test_lineage_tells_which_method_was_judged_and_which_is_champion(judged, versions):
    promote(judged("delta_change"))
    made = {path.as_posix(): None for path in (layout.CHAMPION, layout.VERDICT)}
    told = told_by(Path.cwd(), Graph({}, made, ()))
    assert {path: facts["method"] for path, facts in told.items()} == {
        layout.CHAMPION.as_posix(): "delta_change",
        layout.VERDICT.as_posix(): "delta_change",
    }
