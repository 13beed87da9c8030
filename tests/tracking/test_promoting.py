"""Promotion as a stage does it: files, alias, version and verdict, or none of them."""

import json
import shutil

import pytest

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.tracking import registry, store
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


def test_a_promotion_cut_short_is_noticed_by_inference_and_finished_by_the_next(
    params, candidate_of, versions, monkeypatch
):
    candidate_of(seed=1)
    promote(params)
    before = files()
    candidate_of(seed=2, error=0.02)
    for name in ("swap_in", "point"):  # before the champion's files moved, and after

        def cut(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(registry, name, cut)
            with pytest.raises(KeyboardInterrupt):
                promote(params)
        assert (files() == before) == (name == "swap_in")
        assert aliases(params) == {"champion": 1}
    with pytest.raises(UserError, match="points to version 1"):
        registry.require_champion(layout.CHAMPION, params.promote.registered_model)
    promote(params)
    assert aliases(params) == {"champion": 2, "previous": 1}
    assert versions_of(params) == 2


def test_a_version_tells_why_it_is_there(params, candidate_of, versions, git):
    candidate_of(seed=1)
    promote(params)
    tags = store.open_client().get_model_version(params.promote.registered_model, "1").tags
    assert tags["verdict"] == "promoted"
    assert tags["reasons"].startswith("passed finite: every value is finite (allowed: ")
    assert tags["reasons"].count("passed ") == 4
    assert tags["rmse_out_of_fold"] == "0.03"
    assert tags["caveats"] == "sentence 1"
    assert tags["commit"] == git("rev-parse", "HEAD")
    assert tags["dvc_lock_md5"] == "none"
    assert tags["promoted_at"].endswith("+00:00")


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


@pytest.fixture
def two_clones(root, params, candidate_of, monkeypatch):
    """Return a function that enters one of two roots with one store and the champion version 1."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.tracking_uri())
    candidate_of(1)
    promote(params)
    other = root / "colleague"
    other.mkdir()
    for part in ("params.yaml", layout.CHAMPION):
        copy = shutil.copytree if (root / part).is_dir() else shutil.copyfile
        copy(root / part, other / part)

    def enter(name):
        place = {"mine": root, "colleague": other}[name]
        monkeypatch.chdir(place)
        return place

    return enter


@pytest.mark.slow
def test_a_candidate_meets_the_champion_that_a_colleague_promoted(
    params, candidate_of, two_clones, capsys
):
    candidate_of(2, 0.02, two_clones("colleague"))
    assert promote(params).promoted
    theirs = files()
    # Better than version 1, which this folder holds, but not than the colleague's version 2.
    candidate_of(3, 0.025, two_clones("mine"))
    verdict = promote(params)
    assert [c.name for c in verdict.checks if not c.passed] == ["not_worse_than_champion"]
    assert "version 2 of" in capsys.readouterr().err
    assert files() == theirs
    assert aliases(params) == {"champion": 2, "previous": 1}
    assert versions_of(params) == 2
    # The same where a clone has no champion's files at all, whatever its candidate would be alone.
    shutil.rmtree(layout.CHAMPION)
    assert not promote(params).promoted
    assert files() == theirs
    # And a better one wins over what it was judged against.
    candidate_of(4, 0.01)
    assert promote(params).promoted
    assert aliases(params) == {"champion": 3, "previous": 2}


@pytest.mark.slow
def test_a_colleague_s_rollback_is_what_a_candidate_is_judged_against(
    params, candidate_of, two_clones
):
    candidate_of(2, 0.02, two_clones("mine"))
    promote(params)
    two_clones("colleague")
    promote(pinned_to(params, 1))
    first = files()
    candidate_of(3, 0.05, two_clones("mine"))
    assert not promote(params).promoted
    assert files() == first
    assert aliases(params) == {"champion": 1, "previous": 2}
