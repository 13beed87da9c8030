"""params.yaml: every problem at once, in one line each."""

import copy
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from soilfuse import config, names
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
        ("network", "inputs", "anomaly", "unknown kind of inputs.*did you mean 'anomalies'"),
        ("network", "residual", "clim", "unknown residual 'clim'.*none, climatology, forced_cha"),
        ("network", "smoothing_years", 20, "an odd number of years, 1 for none, got 20"),
        ("network", "smoothing_years", 67, "fits into 1950-2014"),
        (
            "network",
            "months",
            6,
            "network 'unet' looks at one month, got 6; more are for pscnet, lstm",
        ),
        ("network", "dropout", 1.0, "less than 1"),
        ("finetune", "precision", "fp16", "params.yaml:finetune.precision"),
        ("cmip6", "models", {"CESM3": "r1i1p1f1"}, "did you mean 'CESM2'"),
        ("cmip6", "models", {"CESM2": "first"}, "'first' of CESM2; expected one as r1i1p1f1"),
        ("cmip6", "fill_cells", 41, "less than or equal to 40"),
        ("leakage", "folds", [1, 5], "less than or equal to 4"),
        ("leakage", "folds", [1, 3, 1], "each fold counts once, got .1, 3, 1.; give"),
        ("leakage", "epochs", 0, "greater than or equal to 1"),
        ("insitu", "min_records", 745, "less than or equal to 744"),
        ("insitu", "good_flags", [], r"good_flags is \[\]; expected a list of one or more of G, U"),
        ("insitu", "good_flags", "G", "good_flags is 'G'; expected a list of one or more of G, U"),
        ("insitu", "good_flags", ["G", "C3"], "unknown ISMN flag 'C3'.*did you mean 'C03'"),
        ("domain", "west", 200.0, "must be less than domain.east"),
        ("sweep", "search", {"loss.mse": {"low": 0.1, "high": 1.0}}, "lacks learning_rate"),
        ("sweep", "search", {"loss.mse": {"low": 1, "high": 0.1}}, "must be less than high"),
        ("evaluate", "baselines", ["climatolgy"], "did you mean 'climatology'"),
        ("evaluate", "baselines", ["climatology"], "lacks 'ensemble_mean', which the gate"),
        ("evaluate", "baselines", ["ensemble_mean", "model:CESM"], "did you mean 'model:CESM2'"),
        ("promote", "method", "delta_chnage", "unknown method .*did you mean 'delta_change'"),
        ("promote", "method", "model:MIROC7", "did you mean 'model:MIROC6'.*promote.method"),
        ("domain", "north", 20.0, r"domain.south \(31.0\) must be less than domain.north"),
        ("amsmqtp", "first_year", 2001, "amsmqtp has 2001-2021; the folds need 2000-2014"),
        ("amsmqtp", "last_year", 2013, "amsmqtp has 2000-2013; the folds need 2000-2014"),
        ("amsmqtp", "first_year", 2022, r"the first year \(2022\) must not be after the last"),
        ("era5_land", "first_year", 1960, r"train_years \[1950, 1990\] is not within 1960-2014"),
        ("era5_land", "last_year", 2010, r"test_years \[2008, 2014\] is not within 1950-2010"),
        ("era5_land", "last_year", 1949, r"the first year \(1950\) must not be after the last"),
        ("trends", "reference_period", [2014, 1995], "params.yaml:trends.reference_period"),
        ("trends", "future_periods", [[2041, 2021]], "params.yaml:trends.future_periods.0"),
        ("pretrain", "test_years", [2014, 2008], r"first year \(2014\) must not be after"),
    ],
)
def test_values_that_make_no_sense_are_refused(content, section, key, value, message):
    content[section][key] = value
    with pytest.raises(UserError, match=message):
        config.validate(content)


@pytest.mark.parametrize("section", ["pretrain", "finetune"])
def test_only_a_residual_may_stay_untrained(content, section):
    content["network"]["residual"] = "none"
    content[section]["epochs"] = 0
    with pytest.raises(UserError, match=f"{section}.epochs is 0.*expected 1 or more"):
        config.validate(content)
    content["network"]["residual"] = "climatology"
    content["pretrain"]["epochs"] = content["finetune"]["epochs"] = 0
    assert config.validate(content).network.has_base


def test_a_method_can_be_promoted_only_where_it_is_scored(content):
    content["promote"]["method"] = "model:CESM2"
    assert config.validate(content).promote.method == "model:CESM2"
    content["promote"]["method"] = "ridge"
    content["evaluate"]["baselines"].remove("ridge")
    with pytest.raises(UserError, match="'ridge', which evaluate.baselines does not have scored"):
        config.validate(content)


def test_the_raw_ensemble_mean_cannot_be_promoted(content):
    content["promote"]["method"] = "ensemble_mean"
    with pytest.raises(UserError, match="the mark that every method must beat") as raised:
        config.validate(content)
    (line,) = raised.value.problems
    assert "soilfuse, climatology, bias_corrected_mean" in line
    assert line.endswith("edit params.yaml:promote.method")


def test_models_of_either_published_list_are_allowed(content):
    members = {name: model.variant_label for name, model in names.CHINA_MODELS.items()}
    assert len(members) == 25
    assert len(members.keys() & names.CLIMATE_MODELS.keys()) == 13
    other = {name: label for name, label in members.items() if label != "r1i1p1f1"}
    assert other == {  # Feng et al. 2022, table 1
        "CanESM5-CanOE": "r1i1p2f1",
        "GISS-E2-1-G": "r1i1p1f2",
        "MIROC-ES2L": "r1i1p1f2",
        "UKESM1-0-LL": "r1i1p1f2",
    }
    both = members | {name: model.variant_label for name, model in names.CLIMATE_MODELS.items()}
    assert len(both) == 29
    content["cmip6"]["models"] = both
    assert config.validate(content).cmip6.models == both
    content["cmip6"]["models"] = both | {"GFDL-ESM5": "r1i1p1f1"}
    with pytest.raises(UserError, match="GFDL-ESM5.*did you mean 'GFDL-ESM4'"):
        config.validate(content)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        (None, "seed", "7"),
        (None, "seed", 7.0),
        (None, "profile", 7),
        ("compute", "threads", True),
        ("world", "stations", True),
        ("domain", "resolution", "0.25"),
        ("finetune", "learning_rate", "0.1"),
        ("finetune", "learning_rate", True),
        ("pretrain", "train_years", ["1950", 1990]),
        ("pretrain", "train_years", [1950, True]),
        ("promote", "pin", "3"),
    ],
)
def test_a_value_of_another_kind_is_refused_and_not_converted(content, section, key, value):
    (content[section] if section else content)[key] = value
    with pytest.raises(UserError) as caught:
        config.validate(content)
    (problem,) = caught.value.problems
    place = f"{section}.{key}" if section else key
    assert f"edit params.yaml:{place}" in problem


def test_whole_numbers_are_numbers(content):
    content["world"]["stations"] = 1
    content["finetune"]["loss"]["mse"] = 2
    params = config.validate(content)
    assert (params.world.stations, params.finetune.loss.mse) == (1.0, 2.0)


def test_every_sweep_searches_what_dvc_leaves_out(content):
    content["sweep"]["search"] = {"loss.mes": {"low": 0.1, "high": 1.0}}
    with pytest.raises(UserError) as caught:
        config.validate(content)
    problems = caught.value.problems
    assert "did you mean 'loss.mse'" in problems[0]
    lacking = [problem.split()[2].rstrip(",") for problem in problems[1:]]
    assert lacking == list(config.SEARCHED)


def test_unknown_experiments_and_missing_ones_are_refused_among_other_problems(content):
    content["experiments"] = ["ssp999"]
    content["sweep"]["trils"] = 3
    content["domain"] |= {"north": 20.0, "resolution": 0}
    content["era5_land"]["last_year"] = 2010
    content["trends"]["alpha"] = 2
    with pytest.raises(UserError) as caught:
        config.validate(content)
    assert [" ".join(problem.split()[:2]) for problem in caught.value.problems] == [
        "unknown experiment",
        "experiments lacks",
        "experiments lacks",
        "domain.south (31.0)",
        "bad value",
        "pretrain.test_years [2008,",
        "unknown parameter",
        "bad value",
    ]


def test_one_misspelt_key_or_experiment_is_one_line(content):
    content["pretrain"]["epoch"] = content["pretrain"].pop("epochs")
    content["experiments"] = ["historical", "ssp460"]
    with pytest.raises(UserError) as caught:
        config.validate(content)
    experiment, key = caught.value.problems
    assert experiment.startswith("unknown experiment 'ssp460'; expected one of historical, ssp126,")
    assert "(did you mean 'ssp245'?)" in experiment
    assert key == (
        "unknown parameter 'pretrain.epoch'; did you mean 'pretrain.epochs'?: edit "
        "params.yaml:pretrain.epoch"
    )


def test_pretraining_keeps_off_the_years_of_blocked_folds(content):
    content["pretrain"] |= {"train_years": [1950, 1999], "validation_years": [2000, 2007]}
    with pytest.raises(UserError) as caught:
        config.validate(content)
    first, second, third = caught.value.problems
    assert "pretrain.train_years ends in 1999" in first
    assert "pretrain.validation_years ends in 2007" in second
    assert "less than 12 months apart" in third
    content["finetune"]["protocol"] = "shuffled"
    assert config.validate(content).pretrain.train_years == (1950, 1999)


@pytest.mark.parametrize(
    ("train", "validation", "clean"),
    [
        ([1950, 1990], [1992, 1998], True),
        ([1960, 1998], [1950, 1958], True),
        ([1950, 1991], [1992, 1998], False),
        ([1960, 1998], [1950, 1959], False),
        ([1950, 1998], [1970, 1975], False),
        ([1950, 1990], [1992, 1999], False),
    ],
)
def test_a_year_lies_between_all_that_pretraining_sees(content, train, validation, clean):
    content["pretrain"] |= {"train_years": train, "validation_years": validation}
    if clean:
        assert config.validate(content)
    else:
        with pytest.raises(UserError, match="params.yaml:pretrain"):
            config.validate(content)


def test_the_papers_pretraining_is_refused_for_blocked_folds():
    text = (ROOT / "profiles" / "paper.yaml").read_text()
    content = YAML(typ="safe", pure=True).load(text)
    content["finetune"]["protocol"] = "blocked"
    with pytest.raises(UserError, match="blocked folds score"):
        config.validate(content)


def test_scientific_notation_is_a_number(tmp_path, content):
    text = (ROOT / "profiles" / "demo.yaml").read_text()
    path = tmp_path / "params.yaml"
    path.write_text(text.replace("learning_rate: sweep #", "learning_rate: 3e-4 #"))
    assert config.load(path).finetune.learning_rate == 3e-4


def test_broken_yaml_and_absent_file_are_one_line(tmp_path):
    with pytest.raises(UserError, match=r"no .*params.yaml in .*; `soilfuse profile demo`"):
        config.load(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("a: [1")
    for broken in (b"a: [1", b"a: b\xe4r", b"a: " + b"[" * 5000):
        (tmp_path / "params.yaml").write_bytes(broken)
        with pytest.raises(UserError, match="not valid YAML") as caught:
            config.load(tmp_path / "params.yaml")
        assert len(caught.value.problems) == 1


@pytest.mark.parametrize("number", [".inf", ".nan", "-.inf"])
@pytest.mark.parametrize("place", ["finetune.learning_rate", "pretrain.loss.mse", "domain.west"])
def test_numbers_that_are_not_finite_are_refused(content, place, number):
    *above, last = place.split(".")
    section = content
    for key in above:
        section = section[key]
    section[last] = YAML(typ="safe", pure=True).load(number)
    with pytest.raises(UserError, match=f"{place}.*finite number.*edit params.yaml:{place}"):
        config.validate(content)


@pytest.mark.parametrize("key", ["threads", "devices"])
def test_more_threads_or_devices_than_there_are_anywhere_are_refused(content, key):
    content["compute"][key] = 1024
    config.validate(content)
    content["compute"][key] = 1025
    with pytest.raises(UserError, match=f"compute.{key}.*less than or equal to 1024"):
        config.validate(content)


@pytest.mark.parametrize(("items", "got"), [([], "none"), (["0", "1"], "2")])
def test_a_stage_without_its_one_item_says_its_usage(items, got):
    assert config.given_item(["pipelines/finetune.py", "3"], "fold") == "3"
    usage = f"one fold, got {got}; expected `python pipelines/finetune.py <fold>`"
    with pytest.raises(UserError, match=usage):
        config.given_item(["pipelines/finetune.py", *items], "fold")


@pytest.mark.parametrize(
    ("section", "key", "value", "told"),
    [
        (
            "trends",
            "reference_period",
            [1900, 1920],
            r"\[1900, 1920\]; expected years of 1950-2014",
        ),
        (
            "trends",
            "reference_period",
            [2005, 2024],
            r"\[2005, 2024\]; expected years of 1950-2014",
        ),
        (
            "trends",
            "future_periods",
            [[2071, 2150]],
            r"\[2071, 2150\]; expected years of 2015-2100",
        ),
        ("trends", "future_periods", [[2021, 2040]] * 2, r"\[2021, 2040\] more than once"),
        ("trends", "future_periods", [], "at least 1 item"),
        ("report", "map_layers", [1, 3, 1], "has 1 more than once; expected each once"),
        ("report", "map_layers", [], "at least 1 item"),
        ("promote", "pin", 0, "greater than or equal to 1"),
    ],
)
def test_what_would_give_empty_or_double_results_is_refused(content, section, key, value, told):
    content[section][key] = value
    with pytest.raises(
        UserError, match=f"{section}.{key}.*{told}.*edit params.yaml:{section}"
    ) as e:
        config.validate(content)
    assert len(e.value.problems) == 1


def test_an_experiment_named_twice_and_no_place_of_raw_files_are_refused(content):
    content["experiments"] = [*content["experiments"], "ssp126"]
    content["raw_root"] = ""
    with pytest.raises(UserError) as caught:
        config.validate(content)
    assert "raw_root" in caught.value.problems[0]
    assert "experiments has ssp126 more than once" in caught.value.problems[1]
