"""`soilfuse compare`, `promote VERSION` and `rollback`: of versions and the candidate."""

import json

import pytest
from typer.testing import CliRunner

from soilfuse import config, layout
from soilfuse.cli.commands import app
from soilfuse.errors import UserError
from soilfuse.evaluation.outputs import read_monthly
from soilfuse.files import read_json, write_json
from soilfuse.tracking.promoting import challenge, difference_of, promote


def said(*arguments, code=0):
    done = CliRunner().invoke(app, arguments)
    if isinstance(done.exception, UserError):
        raise done.exception
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_versions_are_compared_by_layer_as_promotion_does(two, params):
    found = json.loads(said("compare", "2", "previous", "--json"))
    assert (found["one"], found["other"]) == ("version 2", "version 1 (previous)")
    assert found["differ_in"] == []
    assert found["mean"]["rmse"] == [0.02, 0.03]
    expected = difference_of(params, two[2], two[1])
    assert found["mean"]["difference"] == expected.difference < 0
    assert (found["mean"]["low"], found["mean"]["high"]) == (expected.low, expected.high)
    assert [layer["layer"] for layer in found["layers"]] == [1, 2, 3, 4, 5]
    for layer in found["layers"]:
        assert layer["rmse"] == pytest.approx([0.02, 0.03], rel=0.01)
        assert layer["low"] <= layer["difference"] <= layer["high"] < 0
    assert found["settings"]["network.width"] == [4, 2]
    assert not {"weights_sha256", "ensemble_hash", "inner_months"} & set(found["settings"])


def test_the_table_says_who_is_better_and_what_differs(two, candidate_of):
    lines = said("compare", "previous", "champion").splitlines()
    assert lines[0].endswith("one is version 1 (previous), other is version 2 (champion)")
    assert "one is significantly worse: as a candidate against other it would be rejected" in lines
    assert "  network.width: 2 | 4" in lines
    candidate_of(2, 0.02, width=4)
    lines = said("compare", "candidate", "champion").splitlines()
    assert lines[0].endswith("one is candidate, other is version 2 (champion)")
    assert any(line.startswith("one is not significantly different") for line in lines)
    assert lines[-1] == "no setting differs"


def test_ensembles_of_other_worlds_or_months_are_not_compared(two, candidate_of, root):
    candidate_of(3, 0.01)
    path = layout.EVALUATE / "facts.json"
    write_json(path, read_json(path) | {"comparable": {"world": "v1 seed 2"}})
    found = json.loads(said("compare", "candidate", "champion", "--json"))
    assert found["differ_in"] == ["world"]
    assert "difference" not in found["mean"]
    assert "difference" not in found["layers"][0]
    table = said("compare", "candidate", "champion")
    assert "not comparable: they differ in world (worlds: v1 seed 2 | v1 seed 1)" in table
    candidate_of(3, 0.01)
    monthly = layout.EVALUATE / "monthly.csv"
    lines = monthly.read_text().splitlines(keepends=True)
    monthly.write_text("".join(line for line in lines if not line.startswith("2014-12")))
    assert len(read_monthly(monthly)[0]) == 179
    found = json.loads(said("compare", "candidate", "champion", "--json"))
    assert found["differ_in"] == ["months"]


def test_unknown_names_are_one_line_with_what_there_is(params, candidate_of, kept):
    name = params.promote.registered_model
    for command in (("compare", "champion", "1"), ("promote", "1"), ("rollback",)):
        with pytest.raises(UserError, match=f"of {name}; registered: none yet"):
            said(*command)
    with pytest.raises(UserError, match="no candidate, .* is absent: run `dvc repro evaluate`"):
        said("compare", "candidate", "champion")
    candidate_of(1)
    promote(params)
    with pytest.raises(UserError) as raised:
        said("compare", "champion", "chalenger")
    [line] = raised.value.problems
    assert line == (
        f"no alias chalenger of {name}; registered: 1 (champion): name one of these, or `candidate`"
    )
    with pytest.raises(UserError, match=r"no version 9 of .*; registered: 1 \(champion\)"):
        said("promote", "9")
    assert config.load().promote.pin is None


def test_promote_of_a_version_pins_it_if_its_record_passes_today_s_checks(two, change_params):
    assert "promote.pin is 1; `dvc repro`" in said("promote", "previous")
    assert config.load().promote.pin == 1
    said("rollback", "2")
    record = two[1] / layout.CHAMPION_FILE
    content = read_json(record)
    write_json(record, content | {"facts": content["facts"] | {"maximum": 0.9}})
    told = said("promote", "1", code=1)
    assert "version 1 of" in told
    assert "is not promoted: physical_range got 0.1000 to 0.9000 m3 m-3; allowed 0 to 0.8" in told
    assert config.load().promote.pin == 2
    with pytest.raises(UserError, match="promote got version 1 and --challenger"):
        said("promote", "1", "--challenger")


def test_a_challenger_is_registered_with_its_caveats_unless_it_fails_a_hard_check(
    two, params, candidate_of
):
    candidate_of(3, 0.05)
    path = layout.EVALUATE / "facts.json"
    baselines = {"ensemble_mean": 0.08, "climatology": 0.04}
    write_json(path, read_json(path) | {"baselines": baselines})
    before = {path.name: path.stat().st_mtime_ns for path in layout.CHAMPION.iterdir()}
    assert challenge(params) == 3
    assert {path.name: path.stat().st_mtime_ns for path in layout.CHAMPION.iterdir()} == before
    caveats = read_json(two[3] / layout.CHAMPION_FILE)["caveats"]
    assert "is worse than the climatology" in caveats[0]
    assert caveats[1] == "sentence 3"
    candidate_of(4, 0.09)
    with pytest.raises(UserError, match="no ensemble to promote: beats_ensemble_mean got RMSE"):
        challenge(params)
    assert set(two) == {1, 2, 3}


def test_a_stage_that_fails_leaves_the_pin(two, monkeypatch, root):
    from soilfuse.cli import promotions

    said("rollback")
    before = (root / "params.yaml").read_bytes()
    monkeypatch.setattr(promotions.lineage, "upstream_problems", lambda *_: [])
    monkeypatch.setattr(promotions, "FORCED", ("--no-such-option",))
    with pytest.raises(UserError, match="`dvc repro --no-such-option` failed with exit code"):
        said("promote")
    assert (root / "params.yaml").read_bytes() == before
    monkeypatch.setattr(promotions.lineage, "upstream_problems", lambda *_: ["finetune@0 (dry)"])
    for command in (["promote"], ["promote", "--challenger"]):
        with pytest.raises(
            UserError, match=r"stale or missing: finetune@0 \(dry\): run `dvc repro"
        ):
            said(*command)
