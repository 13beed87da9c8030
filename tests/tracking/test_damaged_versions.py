"""Versions whose files were cut, changed or lost: refused in one line, nothing moved."""

import re
import shutil
from pathlib import Path

import pytest

from soilfuse import config, files, layout
from soilfuse.cli.promotions import pin_checked
from soilfuse.errors import UserError
from soilfuse.files import folder_aside, read_json, write_json
from soilfuse.tracking import store
from soilfuse.tracking.aliases import aliases_of, resolve
from soilfuse.tracking.comparing import compare
from soilfuse.tracking.promoting import facts_of, promote


def contents():
    return {path.name: path.read_bytes() for path in layout.CHAMPION.iterdir()}


def pinned_to(params, version):
    section = params.promote.model_copy(update={"pin": version})
    return params.model_copy(update={"promote": section})


def cut(folder):
    weights = folder / "fold_1.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])


def other_weights(folder):
    """Change weights and record together, so that only the version's tag tells."""
    cut(folder)
    record = read_json(folder / layout.CHAMPION_FILE)
    record["weights_sha256"] = files.sha256_of_files(folder.glob("fold_*.safetensors"))
    write_json(folder / layout.CHAMPION_FILE, record)


@pytest.mark.parametrize("damage", [cut, other_weights])
def test_a_version_of_other_weights_than_were_registered_becomes_no_champion(two, params, damage):
    before = contents()
    damage(two[1])
    with pytest.raises(UserError, match="the weights of version 1 of .*choose another version"):
        promote(pinned_to(params, 1))
    assert contents() == before
    assert aliases_of(store.open_client(), params.promote.registered_model)["champion"] == 2
    assert {p.name for p in layout.CHAMPION.parent.iterdir()} == {"champion", "finetune"}


def test_folds_that_are_not_those_evaluated_are_not_registered(params, candidate_of, versions):
    candidate_of(1)
    cut(layout.FINETUNE)
    with pytest.raises(UserError, match=r"the weights of .*champion have SHA-256 .*`dvc status`"):
        promote(params)
    assert not layout.CHAMPION.exists()
    assert aliases_of(store.open_client(), params.promote.registered_model) == {}


FACTS = {"finite": True, "minimum": 0.1, "maximum": 0.4, "coverage": 1, "rmse": 0.03}
FACTS |= {"baselines": {"ensemble_mean": 0.08}, "comparable": {"world": "1"}}
FACTS |= {"weights_sha256": "abc"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x", "champion.json holds x; expected the facts of an evaluation"),
        ([], "champion.json holds"),
        ({key: value for key, value in FACTS.items() if key != "rmse"}, "in rmse; expected"),
        (FACTS | {"rmse": "small"}, "champion.json holds small in rmse; expected"),
        (FACTS | {"comparable": 5}, "champion.json holds 5 in comparable; expected"),
        (FACTS | {"baselines": {"ensemble_mean": None}}, "in baselines.ensemble_mean; expected"),
    ],
)
def test_facts_of_another_kind_are_one_line(content, told):
    with pytest.raises(UserError) as raised:
        facts_of(content, "champion.json: make it again")
    [line] = raised.value.problems
    assert told in line
    assert line.endswith(": make it again")
    assert facts_of(FACTS, "").rmse == 0.03


@pytest.mark.parametrize("content", ["[]", "{", '{"facts": 5}', '{"facts": {"rmse": 1}}'])
def test_a_version_s_damaged_record_names_the_version_and_no_temporary_place(two, params, content):
    (two[1] / layout.CHAMPION_FILE).write_text(content)
    for command in (lambda: compare(params, "1", "2"), lambda: pin_checked("1")):
        with pytest.raises(UserError) as raised:
            command()
        [line] = raised.value.problems
        assert "champion.json of version 1 of" in line
        assert "choose another version" in line
        assert str(two[1]) not in line
    assert config.load().promote.pin is None


@pytest.mark.parametrize("change", [None, {"facts": "x"}, {"facts": {"rmse": 1}}])
def test_a_damaged_champion_is_one_line_to_the_next_promotion(two, params, change):
    path = layout.CHAMPION / layout.CHAMPION_FILE
    write_json(path, [] if change is None else read_json(path) | change)
    with pytest.raises(UserError, match=r"champion.json holds .*: run `dvc checkout"):
        promote(params)


@pytest.mark.slow
def test_a_version_whose_files_are_gone_is_told_so(root, params, candidate_of):
    candidate_of(1)
    promote(params)
    shutil.rmtree(root / "mlruns" / "soilfuse" / "models")
    with pytest.raises(UserError) as raised:
        promote(pinned_to(params, 1))
    [line] = raised.value.problems
    assert "the files of version 1 of" in line
    assert "are gone from its artifact store" in line
    assert "MLFLOW_TRACKING_URI" not in line


def test_an_alias_of_a_version_that_is_no_more_counts_as_none(two, params, root):
    import sqlite3

    with sqlite3.connect(root / "mlflow.db") as database:
        database.execute("update registered_model_aliases set version=77 where alias='champion'")
    name = params.promote.registered_model
    with pytest.raises(UserError, match="no alias champion of .*registered: 1"):
        resolve(name, "champion")
    assert promote(params).promoted
    assert resolve(name, "champion") == 2


def test_what_a_killed_promotion_left_is_removed_and_a_folder_moved_aside_comes_back(
    tmp_path, monkeypatch
):
    champion = tmp_path / "champion"
    for number in (1, 2):
        left = tmp_path / f".champion.{files.HOST}.{number}-abcdefgh"
        (left / "artifacts").mkdir(parents=True)
    (left / "artifacts" / "champion.replaced").mkdir()
    (left / "artifacts" / "champion.replaced" / "weights").write_text("kept")
    monkeypatch.setattr(files, "lives", lambda process: process == 1)
    with folder_aside(champion) as aside:
        assert (champion / "weights").read_text() == "kept"
        assert aside.parent == tmp_path
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"champion", f".champion.{files.HOST}.1-abcdefgh"}
    assert not re.search("tmp", " ".join(names))
    assert Path(champion).is_dir()
