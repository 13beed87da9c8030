"""What a run tells beside its parameters: data, machine, layers, figures."""

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mlflow.tracking import MlflowClient

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.networks.generator import Generator
from soilfuse.networks.registry import parameter_count
from soilfuse.tracking import recording, stages, store
from soilfuse.tracking.figures import layer_scores, training_curves
from soilfuse.tracking.model_summary import summary
from soilfuse.tracking.runs import stage_run
from soilfuse.tracking.stages import declared_run
from soilfuse.tracking.trainings import record_training

SAMPLE = "system/cpu_utilization_percentage"


def md5(content):
    return hashlib.md5(content).hexdigest()


def network_of(name):
    return {
        "name": name,
        "models": 3,
        "layers": 5,
        "width": 4,
        "depth": 2,
        "grid": [9, 13],
        "inputs": "differences",
        "static": 2,
        "season": True,
        "residual": "forced_change",
        "model_dropout": 0.1,
        "months": 3 if name in names.TRAILING else 1,
    }


def stored(run):
    return store.open_client().get_run(run.run_id)


@pytest.fixture
def requests(monkeypatch):
    """Count the client's requests by the name of the method."""
    counts = {}

    def counting(method):
        original = getattr(MlflowClient, method)

        def counted(self, *given, **named):
            counts[method] = counts.get(method, 0) + 1
            return original(self, *given, **named)

        monkeypatch.setattr(MlflowClient, method, counted)

    for method in ("log_inputs", "log_batch", "log_metric", "set_tag", "log_param"):
        counting(method)
    return counts


def test_inputs_are_datasets_with_dvc_hashes_in_one_request(root, params, requests):
    (root / "raw").mkdir()
    (root / "raw" / "a.nc").write_bytes(b"a")
    (root / "target.nc").write_bytes(b"t")
    (root / "models").mkdir()
    (root / "dvc.lock").write_text(
        "stages:\n  pretrain:\n    outs:\n    - path: models\n      md5: " + "0" * 32 + ".dir\n"
    )
    inputs = [Path("raw"), root / "target.nc", Path("models/generator.json")]
    with stage_run("finetune", params, ["seed"], inputs, "0") as run:
        pass
    assert requests["log_inputs"] == 1
    found = {each.dataset.name: each for each in stored(run).inputs.dataset_inputs}
    listing = json.dumps([{"md5": md5(b"a"), "relpath": "a.nc"}]).encode()
    assert {name: each.dataset.digest for name, each in found.items()} == {
        "raw": md5(listing) + ".dir",
        "target.nc": md5(b"t"),
        "models/generator.json": "0" * 32 + ".dir",
    }
    tags = stored(run).data.tags
    for name, each in found.items():
        assert tags[f"soilfuse.input/{name}"] == each.dataset.digest
        assert json.loads(each.dataset.source) == {"uri": name}
        assert [(tag.key, tag.value) for tag in each.tags] == [("mlflow.data.context", "input")]
    assert str(root) not in json.dumps([each.to_dictionary() for each in found.values()])


def declare(monkeypatch, text):
    Path("pipeline.yaml").write_text(text)
    monkeypatch.setattr(stages, "PIPELINE", Path("pipeline.yaml"))


def test_what_a_stage_wrote_is_tagged_with_its_new_hash(root, params, monkeypatch):
    declare(
        monkeypatch,
        "stages:\n  finetune:\n    do:\n      params: [seed]\n      outs:\n"
        "      - models/fold_${item}.json\n      - left_out.nc\n"
        "      - champion:\n          persist: true\n      metrics:\n      - metrics.json\n",
    )
    (root / "dvc.lock").write_text(
        "stages:\n  finetune@1:\n    outs:\n    - path: metrics.json\n      md5: stale\n"
    )
    with declared_run("finetune", params, "1") as run:
        (root / "models").mkdir()
        (root / "champion").mkdir()
        (root / "models" / "fold_1.json").write_bytes(b"fold")
        (root / "champion" / "champion.json").write_bytes(b"{}")
        (root / "metrics.json").write_bytes(b"new")
    tags = stored(run).data.tags
    written = {k: v for k, v in tags.items() if k.startswith("soilfuse.output/")}
    assert written.keys() == {
        f"soilfuse.output/{name}" for name in ("models/fold_1.json", "champion", "metrics.json")
    }
    assert written["soilfuse.output/models/fold_1.json"] == md5(b"fold")
    assert written["soilfuse.output/metrics.json"] == md5(b"new")
    assert written["soilfuse.output/champion"].endswith(".dir")


def test_a_stage_that_failed_wrote_nothing(root, params, monkeypatch):
    declare(monkeypatch, "stages:\n  world:\n    params: [seed]\n    outs: [raw.nc]\n")
    with pytest.raises(UserError, match="broken"), declared_run("world", params) as run:
        (root / "raw.nc").write_bytes(b"half")
        raise UserError("broken")
    assert not any(key.startswith("soilfuse.output/") for key in stored(run).data.tags)


def test_the_shortest_stage_has_one_sample_of_the_machine(params):
    with stage_run("world", params, ["seed"], []) as run:
        pass
    metrics = stored(run).data.metrics
    assert 0 <= metrics[SAMPLE] <= 100
    assert metrics["system/process_memory_usage_megabytes"] > 10
    assert 0 < metrics["system/system_memory_usage_percentage"] <= 100
    assert len(store.open_client().get_metric_history(run.run_id, SAMPLE)) == 1


def test_samples_go_on_while_a_stage_runs_and_end_with_it(params, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.05")
    with pytest.raises(ZeroDivisionError), stage_run("world", params, ["seed"], []) as run:
        time.sleep(0.6)
        raise ZeroDivisionError
    client = store.open_client()
    history = client.get_metric_history(run.run_id, SAMPLE)
    assert len(history) >= 3
    assert [point.step for point in history] == list(range(len(history)))
    time.sleep(0.3)
    assert len(client.get_metric_history(run.run_id, SAMPLE)) == len(history)
    assert stored(run).info.status == "FAILED"


def test_samples_can_be_turned_off(params, monkeypatch):
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "false")
    with stage_run("world", params, ["seed"], []) as run:
        pass
    assert not stored(run).data.metrics


def test_a_monitor_that_fails_is_no_failure_of_the_stage(params, monkeypatch, capsys):
    def refuse(self):
        raise OSError("no /proc")

    with stage_run("world", params, ["seed"], []) as run:
        from soilfuse.tracking.system_metrics import Sampler

        monkeypatch.setattr(Sampler, "sample", refuse)
    assert stored(run).info.status == "FINISHED"
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_sigterm_ends_stage_and_samples_at_once(root):
    code = (
        "import time\n"
        "from soilfuse import config\n"
        "from soilfuse.errors import one_line_errors\n"
        "from soilfuse.tracking.runs import stage_run\n"
        "params = config.load()\n"
        "with one_line_errors(), stage_run('world', params, ['seed'], []) as run:\n"
        "    print(run.run_id, flush=True)\n"
        "    time.sleep(60)\n"
    )
    stage = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run_id = stage.stdout.readline().strip()
    stage.send_signal(signal.SIGTERM)
    _, told = stage.communicate(timeout=30)
    assert stage.returncode == 130
    assert told.splitlines() == [
        "soilfuse: interrupted; no file is left half-written, and the same command goes on"
    ]
    found = store.open_client().get_run(run_id)
    assert found.info.status == "FAILED"
    assert SAMPLE in found.data.metrics


@pytest.mark.parametrize("name", names.NETWORKS)
def test_the_layers_told_add_up_to_all_weights(name):
    network = network_of(name)
    before = torch.get_rng_state()
    text, total = summary(network)
    assert torch.equal(torch.get_rng_state(), before)
    generator = Generator(**network)
    assert total == parameter_count(generator)
    layers = text.splitlines()[3 : text.splitlines().index("", 3)]
    counts = [line.split()[-1].replace(",", "") for line in layers]
    assert sum(int(count) for count in counts if count != "again") == total
    assert layers[-1].split()[2:9] == ["1", "x", "5", "x", "9", "x", "13"]
    named = {n for n, m in generator.named_modules() if list(m.parameters(recurse=False))}
    assert named <= {line.split()[0] for line in layers}
    assert f"{total:,} weights" in text


def history_of(epochs):
    return [
        {
            "epoch": float(epoch),
            "train_loss": 1 / epoch,
            "validation_rmse": float("nan") if epoch == 2 else 0.03 + abs(epoch - 4) / 100,
            "learning_rate": 1e-4 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]


def test_curves_have_every_series_with_units_and_the_best_epoch():
    losses, errors, rates = training_curves(history_of(6), "finetune, fold 0").axes
    assert [line.get_label() for line in losses.lines] == ["loss"]
    curve, best = errors.lines
    assert list(curve.get_xdata()) == [1, 3, 4, 5, 6]  # not the one that is no number
    assert best.get_label() == "best epoch 4: 0.0300"
    assert list(rates.lines[0].get_ydata()) == [record["learning_rate"] for record in history_of(6)]
    assert [axes.get_xlabel() for axes in (losses, errors, rates)] == ["epoch"] * 3
    assert "m³ m⁻³" in errors.get_ylabel()


def test_curves_of_a_training_that_never_gave_a_number_are_drawn_too():
    record = {"epoch": 1.0, "train_loss": float("nan"), "validation_rmse": float("nan")}
    assert len(training_curves([record], "fold 0").axes) == 3


def test_scores_by_layer_show_candidate_and_baselines():
    def scores(rmse):
        return {f"layer_{k}": {"rmse": rmse + k} for k in (1, 2)}

    own = {"layer_1": {"rmse": 0.5}, "layer_2": {}}  # NaN is left out of metrics
    (axes,) = layer_scores(own, {"ridge": scores(1.0)}, "out of fold").axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in axes.lines}
    assert drawn["ridge"] == [2.0, 3.0]
    assert drawn["candidate"][0] == 0.5


def test_a_training_s_run_has_layers_weights_curves_and_manifest(root, params):
    manifest = {"network": network_of("unet"), "inner_rmse": 0.02}
    (root / "fold_2.json").write_text(json.dumps(manifest))
    trained = SimpleNamespace(manifest=manifest, history=history_of(3))
    with stage_run("finetune", params, ["seed"], [], "2") as run:
        record_training(run, trained, root / "fold_2.json", "inner_rmse")
    found = stored(run)
    text, total = summary(manifest["network"])
    assert (found.data.metrics["weights"], found.data.metrics["inner_rmse"]) == (total, 0.02)
    artifacts = root / "mlruns" / "soilfuse" / run.run_id / "artifacts"
    assert (artifacts / "model_summary.txt").read_text() == text
    picture = (artifacts / "figures" / "curves.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert width > 1000 and height > 300
    assert json.loads((artifacts / "fold_2.json").read_text()) == manifest


def epoch(number):
    return {"epoch": number, **{f"train_{k}": 0.1 * number for k in range(9)}}


@pytest.mark.parametrize(("every", "expected"), [(0.0, 5), (3600.0, 1)])
def test_long_epochs_are_one_request_each_and_short_ones_share_it(
    params, requests, monkeypatch, every, expected
):
    monkeypatch.setattr(recording, "EVERY", every)
    with stage_run("finetune", params, ["seed"], [], "0") as run:
        before = requests["log_batch"]
        with run.epochs() as log:
            for number in range(1, 6):
                log(epoch(number))
        # Each request holds whole epochs, and none is empty.
        assert requests["log_batch"] - before == expected
    assert not {"log_metric", "set_tag", "log_param"} & set(requests)
    points = store.open_client().get_metric_history(run.run_id, "train_3")
    assert [(point.step, point.value) for point in points] == [(k, 0.1 * k) for k in range(1, 6)]


def test_epochs_before_an_error_are_logged(params):
    with (
        pytest.raises(ZeroDivisionError),
        stage_run("finetune", params, ["seed"], [], "0") as run,
        run.epochs() as log,
    ):
        log(epoch(1))
        raise ZeroDivisionError
    assert stored(run).data.metrics["train_0"] == 0.1
