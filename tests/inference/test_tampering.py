"""Champions whose files were edited, broken or exchanged: one line that names the file."""

import shutil

import pytest
from champion_cases import NETWORK, SOURCES, months_of, retold

from soilfuse.errors import UserError
from soilfuse.files import read_json, write_json
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.manifests import read_manifests
from soilfuse.inference.members import load_members
from soilfuse.training.folds import folds


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


@pytest.mark.parametrize(
    "key", ["train_months", "inner_months", "outer_months", "fold", "protocol", "seed"]
)
def test_a_fold_without_what_is_its_own(champion, key):
    without(champion / "fold_2.json", key)
    assert f"fold_2.json lacks {key};" in line_of(load_members, champion)


@pytest.mark.parametrize("junk", [None, "2012-01", {"2012-01": 1}])
def test_months_that_are_no_list(champion, junk):
    path = champion / "fold_4.json"
    write_json(path, read_json(path) | {"outer_months": junk})
    line = line_of(load_members, champion)
    assert line.startswith(f"{path} has {junk} for outer_months; expected a list of 36 months from")


@pytest.mark.parametrize(
    ("part", "edit", "told"),
    [
        ("train_months", lambda m: [*m[:3], "2012-01", *m[4:]], "2012-01 as month 4;2003-04"),
        ("inner_months", lambda m: m[1:], "2000-02 as month 1;2000-01"),
        ("outer_months", lambda m: m[::-1], "2014-12 as month 1;2012-01"),
        ("outer_months", lambda m: m[:-1], "none as month 36;2014-12"),
        ("outer_months", lambda m: [*m, "2015-01"], "2015-01 as month 37;none"),
        ("outer_months", lambda m: [*m, None], "None as month 37;none"),
        ("outer_months", lambda m: [["x"], *m[1:]], "['x'] as month 1;2012-01"),
        ("outer_months", lambda m: [201201, *m[1:]], "201201 as month 1;2012-01"),
        ("outer_months", lambda _: [], "none as month 1;2012-01"),
    ],
)
def test_months_that_are_not_the_protocol_s(champion, part, edit, told):
    path = champion / "fold_4.json"
    manifest = read_json(path)
    write_json(path, manifest | {part: edit(manifest[part])})
    got, expected = told.split(";")
    assert line_of(read_manifests, champion) == (
        f"{path} has {got} of {part}; expected {expected}, by protocol blocked and seed 1: "
        f"run `dvc checkout {path}`, or `dvc repro` for the stage that writes it"
    )


def test_the_months_of_another_protocol_or_seed_are_its_own(champion):
    retold(champion, seed=2)
    assert len(read_manifests(champion)) == 5  # blocked folds hang on no seed
    retold(champion, protocol="shuffled", seed=2)
    line = line_of(read_manifests, champion)
    assert line.startswith(f"{champion / 'fold_0.json'} has 2004-01 as month 1 of train_months")
    for fold in folds("shuffled", 2):
        path = champion / f"fold_{fold.index}.json"
        write_json(path, read_json(path) | months_of(fold))
    assert len(read_manifests(champion)) == 5
    retold(champion, protocol="shuffled", seed=3)
    assert "by protocol shuffled and seed 3" in line_of(read_manifests, champion)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"protocol": "blokced"}, "protocol blokced and seed 1"),
        ({"protocol": ["blocked"]}, "protocol ['blocked'] and seed 1"),
        ({"seed": "1"}, "seed 1"),
        ({"seed": -1}, "seed -1"),
        ({"seed": True}, "seed True"),
    ],
)
def test_a_protocol_or_seed_that_give_no_folds(champion, changes, told):
    retold(champion, **changes)
    line = line_of(read_manifests, champion)
    assert line.startswith(f"{champion / 'fold_0.json'} has protocol ")
    assert f"{told}; expected one of blocked, shuffled, and a whole number from 0" in line


@pytest.mark.parametrize("junk", [1.0, True, "1", None])
def test_a_fold_that_is_no_whole_number(champion, junk):
    path = champion / "fold_1.json"
    write_json(path, read_json(path) | {"fold": junk})
    assert f"{path} is of fold {junk}; expected fold 1" in line_of(read_manifests, champion)


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


def test_a_champion_of_other_folds_than_those_beside_it(champion):
    path = champion / "champion.json"
    own = read_json(path)["ensemble_hash"]
    for other in ("f" * 64, 7, None):
        write_json(path, read_json(path) | {"ensemble_hash": other})
        assert line_of(Ensemble.load, champion) == (
            f"{path} is of ensemble {str(other)[:12]}, the folds beside it are of {own[:12]}; "
            f"expected the same: run `dvc checkout {champion}`, or `dvc repro promote`"
        )
    write_json(path, read_json(path) | {"ensemble_hash": own})
    assert Ensemble.load(champion).champion["ensemble_hash"] == own
    retold(champion, smoothing_years=5)
    assert f"is of ensemble {own[:12]}" in line_of(Ensemble.load, champion)
