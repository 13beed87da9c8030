"""The files of a sweep: read as they were written, named by what decides them, gone in the end."""

import runpy
import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from soilfuse import config, layout
from soilfuse.errors import UserError
from soilfuse.files import write_json
from soilfuse.training import fingerprint, weights
from soilfuse.training import swept as swept_module
from soilfuse.training import trials as trials_module
from soilfuse.training.sweep import Swept
from soilfuse.training.swept import journal_of, read_best, write_swept

ROOT = Path(__file__).parents[2]


def test_best_values_survive_to_the_last_digit(tmp_path):
    best = {"batch": 8, "learning_rate": 0.1 + 0.2, "loss.insitu": 1e-7, "network.name": "ynet"}
    write_swept(tmp_path, Swept(best, 0.02, pd.DataFrame({"trial": [0], "inner_rmse": [0.02]})))
    assert read_best(tmp_path / "best.yaml") == best
    assert (tmp_path / "trials.csv").read_text().splitlines()[0] == "trial,inner_rmse"


def test_an_absent_or_strange_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="dvc repro sweep"):
        read_best(tmp_path / "best.yaml")
    (tmp_path / "best.yaml").write_text("learning_rate: fast\n")
    with pytest.raises(UserError, match="no flat mapping of numbers"):
        read_best(tmp_path / "best.yaml")


@pytest.fixture
def journal(params, lineage, pretrained, tmp_path):
    """Give the journal's name for params or inputs that differ in what is told."""
    stations = [tmp_path / "fold_0.nc"]
    stations[0].write_bytes(b"stations")

    def name(
        changes=None,
        lineage=lineage,
        stations=stations,
        precision="fp32",
        pretrained=pretrained.weights,
    ):
        content = params.model_dump(mode="json")
        for place, value in (changes or {}).items():
            *above, last = place.split("/")
            section = content
            for key in above:
                section = section[key]
            section[last] = value
        given = lineage, stations, precision, pretrained
        return journal_of(tmp_path, config.validate(content), *given).name

    return name


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("seed", 2),
        ("domain/south", 32.5),
        ("network/width", 5),
        ("perceptual/width_divisor", 8),
        ("finetune/protocol", "shuffled"),
        ("finetune/batch", 7),
        ("finetune/patience", 7),
        ("finetune/loss/content", 0.5),
        ("finetune/loss/mse", 0.5),
        ("finetune/loss/total_variation", 0.5),
        ("finetune/loss/adversarial_form", "authors"),
        ("sweep/epochs", 2),
        ("sweep/folds", 2),
        ("sweep/search/learning_rate/low", 1e-5),
        ("sweep/sampler", "random"),
        ("sweep/pruner", "hyperband"),
        ("sweep/hand_search", True),
    ],
)
def test_another_search_has_another_journal(journal, place, value):
    assert journal({place: value}) != journal()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("sweep/trials", 99),
        ("sweep/minutes", 5.0),
        ("sweep/workers", 3),
        ("sweep/storage", "sqlite:///a.db"),
        ("finetune/epochs", 99),
        # what is searched, whatever fine-tuning is given
        ("finetune/learning_rate", 0.5),
        ("finetune/discriminator_learning_rate", 0.5),
        ("finetune/loss/insitu", 0.5),
        ("pretrain/epochs", 99),
        ("compute/threads", 3),
    ],
)
def test_what_decides_no_trial_leaves_the_journal(journal, place, value):
    assert journal({place: value}) == journal()


def test_other_data_weights_code_or_libraries_have_another_journal(
    journal, lineage, pretrained, tmp_path, monkeypatch
):
    first = journal()
    assert journal(lineage=replace(lineage, inputs={"amsmqtp.nc": "abd"})) != first
    assert journal(lineage=replace(lineage, regions="other cells")) != first
    assert journal(pretrained={k: v + 1 for k, v in pretrained.weights.items()}) != first
    (tmp_path / "other.nc").write_bytes(b"others")
    assert journal(stations=[tmp_path / "other.nc"]) != first
    assert journal(precision="bf16") != first
    (tmp_path / "fold_0.nc").write_bytes(b"station")
    assert journal() != first
    (tmp_path / "fold_0.nc").write_bytes(b"stations")
    assert journal() == first
    with monkeypatch.context() as patch:
        patch.setattr(swept_module, "version", lambda name: f"{name} 0")
        assert journal() != first
    with monkeypatch.context() as patch:
        (tmp_path / "seeding.py").write_text("another stream")
        patch.setattr(swept_module.seeding, "__file__", str(tmp_path / "seeding.py"))
        assert journal() != first
    rooms = [tmp_path / room.name for room in fingerprint.CODE]
    assert [room.name for room in rooms] == ["networks", "training"]
    for copy, room in zip(rooms, fingerprint.CODE, strict=True):
        shutil.copytree(room, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "CODE", tuple(rooms))
    fingerprint.code_hashes.cache_clear()
    assert journal() == first
    (rooms[1] / "loss.py").write_text("")
    fingerprint.code_hashes.cache_clear()
    assert journal() != first
    monkeypatch.undo()
    fingerprint.code_hashes.cache_clear()


@pytest.fixture
def stage(params, fields, lineage, pretrained, tmp_path, monkeypatch):
    """Give the real stage script in a folder of its own, with small fields and no MLflow."""

    class Run:
        def log_metrics(self, values):
            self.metrics = values

        def log_artifact(self, path):
            pass

    @contextmanager
    def declared_run(stage, params):
        yield Run()

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(layout, "STATE", Path(".state"))
    YAML().dump(params.model_dump(mode="json"), Path("params.yaml"))
    weights.save(layout.PRETRAIN / "generator.safetensors", pretrained.weights)
    write_json(layout.PRETRAIN / "generator.json", pretrained.manifest)
    layout.INSITU.mkdir(parents=True)
    layout.station_field(0).write_bytes(b"stations")
    main = runpy.run_path(str(ROOT / "pipelines" / "sweep.py"))["main"]
    main.__globals__["declared_run"] = declared_run
    main.__globals__["log_trial"] = lambda run, trial: None
    main.__globals__["finetuning_fields"] = lambda params, fold: (fields, lineage)
    yield main
    torch.set_num_threads(1)


def journals():
    return list(Path(".state/sweep").glob("*"))


def test_the_stage_searches_writes_and_searches_again(stage, params):
    stage()
    best = read_best(layout.BEST)
    trials = pd.read_csv(layout.SWEEP / "trials.csv")
    assert set(best) == set(params.sweep.search)
    assert list(trials["trial"]) == list(range(params.sweep.trials))
    row = trials.loc[trials["inner_rmse"].idxmin()]
    assert best == pytest.approx(row[list(best)].to_dict())
    written = {path.name: path.read_bytes() for path in layout.SWEEP.iterdir()}
    assert set(written) == {"best.yaml", "trials.csv", "sweep.html"}
    for path in (*layout.SWEEP.iterdir(), *journals()):
        path.unlink()
    stage()
    assert {path.name: path.read_bytes() for path in layout.SWEEP.iterdir()} == written


def test_the_stage_keeps_its_journal_where_it_fails(stage, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setitem(stage.__globals__, "write_swept", full)
        with pytest.raises(OSError, match="No space"):
            stage()
    (kept,) = journals()
    monkeypatch.setattr(trials_module, "run", never_run)
    stage()
    assert journals() == [kept]
    assert read_best(layout.BEST)


def test_a_number_for_what_was_searched_brings_no_trial_back(stage, params, monkeypatch):
    """DVC runs the stage again on it, since not every sweep searches it."""
    content = params.model_dump(mode="json")
    content["sweep"]["search"]["batch"] = [12, 24]
    content["finetune"]["batch"] = "sweep"
    YAML().dump(content, Path("params.yaml"))
    stage()
    written = layout.BEST.read_bytes()
    assert read_best(layout.BEST)["batch"] in (12, 24)
    content["finetune"]["batch"] = 6
    content["finetune"]["loss"]["insitu"] = 0.5
    YAML().dump(content, Path("params.yaml"))
    monkeypatch.setattr(trials_module, "run", never_run)
    stage()
    assert layout.BEST.read_bytes() == written


def never_run(*_):
    raise AssertionError("a finished trial ran again")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("residual", "climatology"),
        ("inputs", "anomalies"),
        ("season", True),
        ("smoothing_years", 3),
    ],
)
def test_pretrained_weights_that_fit_but_mean_something_else_are_refused(stage, params, key, value):
    content = params.model_dump(mode="json")
    content["network"][key] = value
    YAML().dump(content, Path("params.yaml"))
    with pytest.raises(UserError, match=f"generator.json .*{key}.*`dvc repro pretrain`"):
        stage()


def test_pretrained_weights_without_or_with_a_broken_manifest_are_refused(stage):
    beside = layout.PRETRAIN / "generator.json"
    for broken in ("{", "[]", "{}"):
        beside.write_text(broken)
        with pytest.raises(UserError, match="generator.json"):
            stage()
    beside.unlink()
    with pytest.raises(UserError, match="no models/pretrain/generator.json.*dvc repro -f pretrain"):
        stage()


def test_pretrained_weights_that_are_not_finite_name_their_file(stage, pretrained):
    spoilt = {name: weight.clone() for name, weight in pretrained.weights.items()}
    name = next(name for name, weight in sorted(spoilt.items()) if weight.is_floating_point())
    spoilt[name].view(-1)[0] = float("nan")
    weights.save(layout.PRETRAIN / "generator.safetensors", spoilt)
    with pytest.raises(UserError, match=f"generator.safetensors .*not finite in 1 .*{name}"):
        stage()


@pytest.mark.parametrize(
    "content",
    [
        b"learning_rate: [",
        b"learning_rate: \xff",
        b"learning_rate: true",
        b"learning_rate: -1.0",
        b"learning_rate: 0",
        b"learning_rate: .nan",
        b"loss.insitu: .inf",
        b"batch: 2.5",
        b"batch: 0",
        b"network.name: unett",
        b"network.name: 3",
    ],
)
def test_what_no_sweep_would_write_is_one_line(tmp_path, content):
    (tmp_path / "best.yaml").write_bytes(content)
    with pytest.raises(UserError, match="best.yaml .*dvc repro -f sweep") as caught:
        read_best(tmp_path / "best.yaml")
    assert len(caught.value.problems) == 1
