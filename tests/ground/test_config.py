"""params.yaml: every problem at once, in one line each."""

import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def content():
    text = (ROOT / "profiles" / "demo.yaml").read_text()
    return copy.deepcopy(YAML(typ="safe", pure=True).load(text))


@pytest.mark.parametrize("profile", sorted(p.stem for p in (ROOT / "profiles").glob("*.yaml")))
def test_profiles_are_valid_and_say_their_name(profile):
    assert config.load(ROOT / "profiles" / f"{profile}.yaml").profile == profile


def test_params_are_the_demo_profile():
    assert (ROOT / "params.yaml").read_bytes() == (ROOT / "profiles" / "demo.yaml").read_bytes()


def test_all_problems_come_at_once_with_place_and_remedy(content):
    content["sweep"]["trils"] = 3
    content["domain"]["west"] = "abc"
    content["finetune"]["learning_rate"] = -1
    content["pretrain"]["epochs"] = 2.5
    del content["infer"]
    with pytest.raises(UserError) as caught:
        config.validate(content)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    assert "did you mean 'sweep.trials'" in problems
    assert "'domain.west': got 'abc'" in problems
    assert "greater than 0 or input should be 'sweep': edit params.yaml:finetune" in problems
    assert "'pretrain.epochs': got 2.5" in problems
    assert "missing parameter 'infer'" in problems


@pytest.mark.parametrize(
    ("section", "key", "value", "message"),
    [
        ("network", "name", "unt", "did you mean 'unet'"),
        ("cmip6", "models", {"CESM3": "r1i1p1f1"}, "did you mean 'CESM2'"),
        ("domain", "west", 200.0, "must be less than domain.east"),
        ("sweep", "search", {"loss.mse": {"low": 0.1, "high": 1.0}}, "lacks learning_rate"),
        ("evaluate", "baselines", ["climatolgy"], "did you mean 'climatology'"),
    ],
)
def test_values_that_make_no_sense_are_refused(content, section, key, value, message):
    content[section][key] = value
    with pytest.raises(UserError, match=message):
        config.validate(content)


def test_unknown_experiments_and_missing_ones_are_refused(content):
    content["experiments"] = ["ssp999"]
    with pytest.raises(UserError) as caught:
        config.validate(content)
    assert "unknown experiment 'ssp999'" in str(caught.value)
    assert "lacks 'historical'" in str(caught.value)
    assert "lacks 'ssp245'" in str(caught.value)


def test_scientific_notation_is_a_number(tmp_path, content):
    text = (ROOT / "profiles" / "demo.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("learning_rate: sweep #", "learning_rate: 3e-4 #"))
    assert config.load(path).finetune.learning_rate == 3e-4


def test_broken_yaml_and_absent_file_are_one_line(tmp_path):
    with pytest.raises(UserError, match="run in the project's root"):
        config.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1")
    with pytest.raises(UserError, match="not valid YAML"):
        config.load(tmp_path / "params.yaml")
