"""Promotion as a stage does it: files, alias, version and verdict, or none of them."""

import json

import pytest

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.tracking import store
from soilfuse.tracking.promoting import promote


def aliases(params):
    model = store.open_client().get_registered_model(params.promote.registered_model)
    return {name: int(version) for name, version in model.aliases.items()}


def versions_of(params):
    name = params.promote.registered_model
    return len(store.open_client().search_model_versions(f"name='{name}'"))


def files():
    return {path.name: path.read_bytes() for path in layout.CHAMPION.iterdir()}


def pinned_to(params, version):
    promote = params.promote.model_copy(update={"pin": version})
    return params.model_copy(update={"promote": promote})


def test_a_first_candidate_becomes_champion(params, candidate_of, versions):
    weights = candidate_of(seed=1)
    verdict = promote(params)
    assert verdict.promoted
    assert verdict.caveats == ["sentence 1"]
    assert aliases(params) == {"champion": 1}
    record = read_json(layout.CHAMPION / layout.CHAMPION_FILE)
    assert record["weights_sha256"] == weights
    assert record["scores"] == {"layer_1": {"rmse": 0.03}}
    assert len(files()) == 12
    assert json.loads(layout.VERDICT.read_text())["promoted"] is True


def test_equal_weights_make_equal_files_and_no_second_version(params, candidate_of, versions):
    candidate_of(seed=1)
    promote(params)
    before = files(), layout.VERDICT.read_bytes()
    assert promote(params).promoted
    assert (files(), layout.VERDICT.read_bytes()) == before
    assert versions_of(params) == 1
    assert aliases(params) == {"champion": 1}


def test_a_rejected_challenger_leaves_the_champion_and_mends_the_alias(
    params, candidate_of, versions
):
    candidate_of(seed=1)
    promote(params)
    candidate_of(seed=2, error=0.02)
    assert promote(params).promoted
    before = files()
    candidate_of(seed=3, error=0.05)
    for moved in (False, True):
        if moved:
            name = params.promote.registered_model
            store.open_client().set_registered_model_alias(name, "champion", "1")
        verdict = promote(params)
        assert [c.name for c in verdict.checks if not c.passed] == ["not_worse_than_champion"]
        assert files() == before
        assert aliases(params)["champion"] == 2
        assert versions_of(params) == 2
    assert json.loads(layout.VERDICT.read_text())["promoted"] is False
    assert {path.name for path in layout.CHAMPION.parent.iterdir()} == {"champion", "finetune"}


def test_a_first_candidate_that_fails_is_told_and_its_verdict_stays(params, candidate_of, versions):
    candidate_of(seed=1, error=0.09)
    with pytest.raises(
        UserError, match="no ensemble to promote: beats_ensemble_mean got RMSE 0.09"
    ):
        promote(params)
    verdict = json.loads(layout.VERDICT.read_text())
    assert verdict["promoted"] is False
    assert not layout.CHAMPION.exists()


@pytest.mark.slow
def test_a_pin_brings_back_its_version_whatever_the_candidate_scores(params, candidate_of):
    candidate_of(seed=1)
    promote(params)
    first = files()
    candidate_of(seed=2, error=0.02)
    promote(params)
    assert files() != first
    verdict = promote(pinned_to(params, 1))
    assert verdict.pin == 1
    assert verdict.caveats == ["sentence 1"]
    assert files() == first
    assert aliases(params) == {"champion": 1, "previous": 2}
    with pytest.raises(UserError, match=r"no version 7 .*: 1 \(champion\), 2 \(previous\)"):
        promote(pinned_to(params, 7))
    assert files() == first
