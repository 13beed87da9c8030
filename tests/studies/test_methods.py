"""The runner of attempts, and the page that tells of them."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from studies.methods import attempts, gather, page, run, stages
from studies.methods.stages import Place, Stage

from soilfuse import config, layout, names
from soilfuse.errors import UserError
from soilfuse.evaluation.future import CHANGE, FUTURE_COLUMNS, SLOPE
from soilfuse.evaluation.metrics import STATISTICS, pair_terms
from soilfuse.evaluation.outputs import monthly_table
from soilfuse.files import write_json
from soilfuse.grids.months import month_axis

ATTEMPTS = attempts.read_attempts()


@pytest.mark.parametrize("name", ATTEMPTS)
def test_attempts_fit_the_schema_and_need_no_sweep(name):
    params = attempts.params_of(1, 1, ATTEMPTS[name].changes)
    config.validate(params)
    assert params["domain"]["resolution"] == 0.1
    assert names.SWEEP not in json.dumps(params["finetune"])
    assert len(ATTEMPTS[name].why) > 20


def test_shared_parameters_decide_a_method_whatever_the_demo_is():
    shared = attempts.read_yaml(attempts.ATTEMPTS)["shared"]
    demo = attempts.read_yaml(attempts.BASE)
    for section in ("network", "perceptual", "pretrain", "finetune"):
        assert set(shared[section]) == set(demo[section])


def test_attempts_differ_from_one_another():
    whole = [json.dumps(attempts.params_of(1, 1, one.changes)) for one in ATTEMPTS.values()]
    assert len(set(whole)) == len(whole)


def test_merge_goes_into_mappings_and_replaces_the_rest():
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 1}
    assert attempts.merge(below, {"a": {"c": [3]}}, {"e": {"f": 2}}) == {
        "a": {"b": 1, "c": [3]},
        "d": 1,
        "e": {"f": 2},
    }
    assert below == {"a": {"b": 1, "c": [1, 2]}, "d": 1}


def test_unknown_names_are_refused_with_the_near_one(tmp_path):
    with pytest.raises(UserError, match="'unet_gna'.*did you mean 'unet_gan'"):
        attempts.chosen(["unet_gna", "residual_unet"], ATTEMPTS)
    path = tmp_path / "attempts.yaml"
    path.write_text("parts: {still: {}}\nattempts: {one: {why: so, with: [stil]}}\n")
    with pytest.raises(UserError, match="'stil'.*did you mean 'still'"):
        attempts.read_attempts(path)


@pytest.fixture
def ran(monkeypatch):
    """Stand in for running a stage; the list of what ran."""
    titles = []

    def note(place, stage, threads):
        titles.append(stage.title)
        return {"seconds": 60.0, "peak_mib": 100}

    monkeypatch.setattr(stages, "_run", note)
    return titles


def place_of(folder, **network):
    return Place(folder, attempts.params_of(1, 1, {"network": network}), "a world")


def test_what_is_done_is_left_alone(tmp_path, ran):
    everything = [stage.title for stage in run.LEARNING]
    stages.run_stages(place_of(tmp_path), run.LEARNING, False, 1)
    stages.run_stages(place_of(tmp_path), run.LEARNING, True, 1)
    assert ran == everything == ["pretrain", *(f"finetune@{k}" for k in range(5)), "evaluate"]


def test_a_killed_run_goes_on_with_the_first_stage_that_is_not_done(tmp_path, ran):
    place = place_of(tmp_path)
    stages.run_stages(place, run.LEARNING, False, 1)
    place.marker(Stage("finetune", "3")).unlink()
    ran.clear()
    stages.run_stages(place, run.LEARNING, False, 1)
    assert ran == ["finetune@3", "finetune@4", "evaluate"]


@pytest.mark.parametrize("after, network", [("another", {}), ("a world", {"width": 5})])
def test_other_parameters_or_data_are_run_again(tmp_path, ran, after, network):
    stages.run_stages(place_of(tmp_path), run.LEARNING, False, 1)
    ran.clear()
    changed = Place(tmp_path, place_of(tmp_path, **network).params, after)
    stages.run_stages(changed, run.LEARNING, False, 1)
    assert len(ran) == len(run.LEARNING)


def test_other_code_is_run_again_only_when_asked(tmp_path, ran, monkeypatch):
    stages.run_stages(place_of(tmp_path), run.LEARNING, False, 1)
    monkeypatch.setattr(stages, "code_of", lambda stage: f"new {stage.name == 'evaluate'}")
    ran.clear()
    stages.run_stages(place_of(tmp_path), run.LEARNING, False, 1)
    assert not ran
    stages.run_stages(place_of(tmp_path), run.LEARNING, True, 1)
    assert len(ran) == len(run.LEARNING)


def test_a_world_whose_raw_files_are_gone_is_made_whole_again_when_its_readers_change(
    tmp_path, ran, monkeypatch
):
    run.make_world(tmp_path, 1, 1, strict=True)
    ran.clear()
    run.make_world(tmp_path, 1, 1, strict=True)
    assert not ran
    before = stages.code_of
    monkeypatch.setattr(
        stages, "code_of", lambda stage: "new" if stage.name == "cmip6" else before(stage)
    )
    run.make_world(tmp_path, 1, 1, strict=True)
    params = run.checked(1, 1)
    assert ran == [stage.title for stage in run.data_stages(params)]
    read = [title.split("@")[1] for title in ran if title.startswith("cmip6@")]
    assert read == config.validate(params).experiments  # the stage refuses any other


def test_code_of_a_stage_is_what_dvc_declares():
    assert stages.code_of(Stage("pretrain")) != stages.code_of(Stage("evaluate"))
    assert stages.code_of(Stage("finetune", "0")) == stages.code_of(Stage("finetune", "1"))


def test_a_failure_is_told_and_kept_and_forgotten_when_mended(tmp_path, monkeypatch):
    place, scripts = place_of(tmp_path / "place"), tmp_path / "root"
    (scripts / "pipelines").mkdir(parents=True)
    broken = "import sys; sys.exit('soilfuse: error: empty mask')"
    (scripts / "pipelines" / "pretrain.py").write_text(broken)
    (scripts / "data" / "regions").mkdir(parents=True)
    monkeypatch.setattr(stages, "ROOT", scripts)
    monkeypatch.setattr(stages, "_declared", lambda stage: {"params": ["network"], "deps": []})
    with pytest.raises(UserError, match="pretrain .*failed: .*empty mask"):
        stages.run_stages(place, run.LEARNING[:1], False, 1)
    found = gather.record_of(place.folder, {}, ATTEMPTS["unet_gan"], 1)
    assert found["failed"] == {"stage": "pretrain", "error": "soilfuse: error: empty mask"}
    assert not place.marker(Stage("pretrain")).exists()
    (scripts / "pipelines" / "pretrain.py").write_text("print('trained')")
    stages.run_stages(place, run.LEARNING[:1], False, 1)
    assert json.loads(place.marker(Stage("pretrain")).read_text())["peak_mib"] > 0
    assert not (place.folder / stages.FAILED).exists()


def test_a_shuffled_attempt_has_its_own_station_fields(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(run, "run_stages", lambda place, todo, *_: seen.append(todo[0].name))
    (tmp_path / "world1" / layout.INSITU).mkdir(parents=True)
    for name in ("unet_gan", "unet_gan_shuffled"):
        run.make_attempt(tmp_path, 1, ATTEMPTS[name], "a world", 1, False)
    blocked, shuffled = (tmp_path / f"world1_{name}" for name in ("unet_gan", "unet_gan_shuffled"))
    assert (blocked / layout.INSITU).resolve() == (tmp_path / "world1" / layout.INSITU).resolve()
    assert not (shuffled / layout.INSITU).exists()
    assert seen == ["pretrain", "insitu"]
    assert (shuffled / layout.BEST).read_text() == run.NOTHING_SWEPT


MONTHS = month_axis(2000, 2003)
METHODS = (names.ENSEMBLE, "climatology", "ridge")


def write_results(folder, error, seed):
    """Write what evaluate and the runner leave, with a known error of every month and layer."""
    results = folder / layout.EVALUATE
    results.mkdir(parents=True)
    noise = np.random.default_rng(seed).normal(0, 0.002, (len(MONTHS), 5))
    truth = np.full((len(MONTHS), 5), 0.3)
    sums = np.moveaxis(pair_terms(truth + error + noise, truth, truth), 0, -1)
    monthly_table(MONTHS, sums).to_csv(results / "monthly.csv", index=False)
    scores = [
        (method, block, layer, season, region, metric, 0.02 + 0.001 * layer)
        for method in METHODS
        for block in ("out_of_fold", "final_test")
        for layer in range(1, 6)
        for season in ("annual", "JJA")
        for region in ("trsr", "yellow")
        for metric in ("rmse", "r", "variance_ratio", "anomaly_r")
    ]
    columns = ["method", "block", "layer", "season", "region", "metric", "value"]
    pd.DataFrame(scores, columns=columns).to_csv(results / "scores.csv", index=False)
    intervals = [
        (method, layer, metric, -0.001, -0.002, 0.0005 if method == "ridge" else -0.0005)
        for method in METHODS[1:]
        for layer in range(1, 6)
        for metric in ("rmse", "r")
    ]
    columns = ["method", "layer", "metric", "difference", "low", "high"]
    pd.DataFrame(intervals, columns=columns).to_csv(results / "intervals.csv", index=False)
    future = [
        (method, experiment, layer, quantity, value * (1 + number), 0, 0, 0, 1, 9, 0, 0)
        for method in METHODS
        for number, experiment in enumerate(("ssp245", "ssp585"))
        for layer in range(1, 6)
        for quantity, value in ((CHANGE, 0.004), (SLOPE, 4e-5))
    ]
    pd.DataFrame(future, columns=FUTURE_COLUMNS).to_csv(results / "future.csv", index=False)
    write_json(results / "metrics.json", {"world": "v2 seed 1"})
    marker = {"key": "k", "code": "c" * 64, "seconds": 60.0, "peak_mib": 100}
    for fold in range(5):
        write_json(folder / layout.FINETUNE / f"fold_{fold}.json", {"best_epoch": 3 * fold})
    for stage in run.LEARNING:
        write_json(folder / stages.MARKERS / f"{stage.title}.json", marker)


@pytest.fixture
def state(tmp_path):
    """Results of two attempts on worlds 1 and 3, and one attempt that failed."""
    for world in (1, 3):
        errors = {"unet_gan": 0.02, "residual_unet": 0.01}
        if world == 3:
            errors["forced_change_base"] = 0.005
        for name, error in errors.items():
            place = Place(
                run.folder_of(tmp_path, world, name),
                attempts.params_of(world, 1, ATTEMPTS[name].changes),
            )
            stages.prepare(place)
            write_results(place.folder, error, world)
    failed = {"stage": "pretrain", "error": "soilfuse: error: no such network"}
    write_json(run.folder_of(tmp_path, 1, "differences_ynet") / stages.FAILED, failed)
    return tmp_path


def records_of(state):
    results = state / "results"
    page.gather(state, results, ATTEMPTS)
    return {path.stem: json.loads(path.read_text()) for path in results.glob("*.json")}


def test_records_hold_the_final_test_of_reported_worlds_alone(state):
    records = records_of(state)
    assert set(records["world1_unet_gan"]["scores"]) == {"out_of_fold"}
    assert set(records["world3_unet_gan"]["scores"]) == {"out_of_fold", "final_test"}


def test_intervals_against_other_attempts_come_from_the_same_months(state):
    records = records_of(state)
    assert gather.YARDSTICK not in records["world1_unet_gan"]["intervals"]
    assert gather.BASE not in records["world1_residual_unet"]["intervals"]  # it did not run
    for reference, expected in ((gather.YARDSTICK, -0.01), (gather.BASE, 0.005)):
        against = records["world3_residual_unet"]["intervals"][reference]
        assert len(against) == 5
        for difference, low, high in against:
            assert low < difference < high
            assert difference == pytest.approx(expected, abs=5e-4)


def test_a_comparison_outlives_what_it_was_made_with_but_not_other_scores(state):
    before = records_of(state)["world1_residual_unet"]["intervals"][gather.YARDSTICK]
    shutil.rmtree(run.folder_of(state, 1, "unet_gan"))
    assert records_of(state)["world1_residual_unet"]["intervals"][gather.YARDSTICK] == before
    scores = run.folder_of(state, 1, "residual_unet") / layout.EVALUATE / "scores.csv"
    scores.write_text(scores.read_text().replace("0.021", "0.031"))
    assert gather.YARDSTICK not in records_of(state)["world1_residual_unet"]["intervals"]


def test_records_average_what_the_tables_hold(state):
    record = records_of(state)["world1_residual_unet"]
    assert record["scores"]["out_of_fold"]["rmse"][names.ENSEMBLE] == pytest.approx(
        [0.021, 0.022, 0.023, 0.024, 0.025]
    )
    assert record["future"]["ridge"]["change"] == {"ssp245": [0.004] * 5, "ssp585": [0.008] * 5}
    assert record["seconds"] == 420 and record["peak_mib"] == 100


def test_the_page_tells_scores_intervals_failures_and_final_tests(state):
    records = list(records_of(state).values())
    text = page.page(ATTEMPTS, records)
    assert text == page.page(ATTEMPTS, records[::-1])
    first, last = text.split("## World 3")
    assert "`differences_ynet` failed in pretrain: soilfuse: error: no such network" in first
    # 1.5 of the two scenarios' mean of 0.004 m3 m-3, and of 4e-5 m3 m-3 a year
    row = "| `unet_gan` | 21.00 | 22.00 | 23.00 | 24.00 | 25.00 | 23.00 | 0.02 | 6.00 | 6.00 |"
    assert f"{row} 0, 3, 6, 9, 12 |" in first
    assert "| the climatology | 21.00 |" in first
    assert "**-1.00 [-2.00, -0.50]**" in first
    assert "| `residual_unet` | ridge regression per cell | -1.00 [-2.00, +0.50] |" in first
    assert "Final test" in last and "Final test" not in first
    assert all(f"`{name}`" in text for name in ATTEMPTS)
    short = first.split("## In short")[1].split("## What was tried")[0]
    # of world 3 alone: five layers below the yardstick and the climatology, five above the base,
    # none decided for ridge
    assert (
        "| `residual_unet` | 1 | 23.00 | 6.00 | 6.00 | 5 / 0 / 0 | 0 / 5 / 0 | 5 / 0 / 0 |" in short
    )
    assert "| 0 / 0 / 5 |" in short
    assert "| the climatology | 1 | 23.00 | 6.00 | 6.00 |" in short
    beside = last.split("## Beside the paper")[1]
    assert "| 34.0 | 30.0 | 35.0 | 29.0 | 32.0 | 0.905 |" in beside
    assert "| `unet_gan` | 3 | 21.0 | 22.0 | 23.0 | 24.0 | 25.0 | 0.021 |" in beside


def test_sums_of_the_fixture_are_statistics():
    assert pair_terms(np.ones(1), np.ones(1), np.ones(1)).shape[0] == len(STATISTICS)
