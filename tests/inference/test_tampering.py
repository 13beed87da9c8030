"""Champions whose files were edited, broken or exchanged: one line that names the file."""

import shutil

import pytest
from champion_cases import NETWORK, SOURCES, retold

from soilfuse.errors import UserError
from soilfuse.files import read_json, write_json
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.members import load_members, read_manifests


def line_of(load, folder):
    with pytest.raises(UserError) as raised:
        load(folder)
    [line] = raised.value.problems
    return line


def without(path, key):
    write_json(path, {k: v for k, v in read_json(path).items() if k != key})


@pytest.mark.parametrize(
    "changes", [{"smoothing_years": 5}, {"source_ids": SOURCES[::-1]}, {"extra": 1}]
)
@pytest.mark.parametrize("folds", [[0], range(5)])
def test_an_entry_that_was_edited_after_training(champion, changes, folds):
    for fold in folds:
        path = champion / f"fold_{fold}.json"
        write_json(path, read_json(path) | changes)
    line = line_of(read_manifests, champion)
    assert line.startswith(f"{champion / 'fold_0.json'} was changed after training")
    retold(champion, **changes)
    assert len(read_manifests(champion)) == 5


@pytest.mark.parametrize("name", ["fold_3.json", "champion.json"])
@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe{}", b"", b"[" * 100_000])
def test_what_is_no_json(champion, name, content):
    (champion / name).write_bytes(content)
    line = line_of(Ensemble.load, champion)
    assert line.startswith(f"{champion / name} is broken: ")
    assert "expected JSON in UTF-8" in line


@pytest.mark.parametrize("name", ["fold_3.json", "champion.json"])
def test_what_has_no_entries(champion, name):
    write_json(champion / name, [1, 2])
    assert f"{name} holds [1, 2]; expected named entries" in line_of(Ensemble.load, champion)


@pytest.mark.parametrize("key", ["train_months", "inner_months", "outer_months", "fold"])
def test_a_fold_without_what_is_its_own(champion, key):
    without(champion / "fold_2.json", key)
    assert f"fold_2.json lacks {key};" in line_of(load_members, champion)


@pytest.mark.parametrize("junk", [None, [], "2000-01", ["2000-13"], ["soon"], [200001], [["x"]]])
@pytest.mark.parametrize("key", ["train_months", "outer_months"])
def test_months_that_are_none(champion, key, junk):
    path = champion / "fold_4.json"
    write_json(path, read_json(path) | {key: junk})
    line = line_of(load_members, champion)
    assert "fold_4.json ha" in line
    assert key in line
    assert "expected YYYY-MM" in line


def test_a_fold_copied_over_another(champion):
    for suffix in ("json", "safetensors"):
        shutil.copyfile(champion / f"fold_1.{suffix}", champion / f"fold_2.{suffix}")
    assert "fold_2.json is of fold 1; expected fold 2" in line_of(load_members, champion)


@pytest.mark.parametrize(
    ("network", "told"),
    [
        (NETWORK | {"colour": 1}, "lacks nothing and has unknown colour"),
        ({k: v for k, v in NETWORK.items() if k != "width"}, "lacks width and has unknown nothing"),
        ({k: v for k, v in NETWORK.items() if k != "months"}, "lacks months and"),
        (["unet"], "has unknown ['unet']"),
        (NETWORK | {"width": "broad"}, "no network can be built"),
    ],
)
def test_a_network_of_other_arguments(champion, network, told):
    retold(champion, network=network)
    line = line_of(load_members, champion)
    assert line.startswith(f"{champion / 'fold_0.json'}: ")
    assert told in line


def test_a_champion_without_ranges(champion):
    path = champion / "champion.json"
    write_json(path, read_json(path) | {"input_range": {"CESM2": [0.1, "x"]}})
    assert "champion.json has input_range" in line_of(Ensemble.load, champion)
    without(path, "input_range")
    assert "champion.json lacks input_range;" in line_of(Ensemble.load, champion)
