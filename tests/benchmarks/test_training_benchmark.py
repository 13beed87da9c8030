"""The training benchmark at a small size: that both ways agree, and that it tells when not."""

import pytest
import torch
from benchmarks import harness, paper_case, training, whole_finetuning
from benchmarks.harness import Timing
from benchmarks.paper_case import Case

from soilfuse import config
from soilfuse.files import read_json
from soilfuse.training.device import BF16, FP32

CPU = torch.device("cpu")
BOTH = [training.PLAIN, FP32]
SMALL = {
    "network": {"width": 4, "discriminator_width": 4},
    "perceptual": {"weights": "random", "width_divisor": 8},
    "finetune": {"epochs": 2, "batch": 48},
}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def case():
    return Case(paper_case.paper(SMALL), CPU, shape=(32, 40))  # VGG16 sees no less than 32 cells


@pytest.fixture
def steps(case):
    return training.ways(case, 4, BOTH)


def test_the_benchmark_has_the_papers_settings():
    params, profile = paper_case.paper(), config.load(paper_case.PROFILE)
    assert params.finetune == profile.finetune
    assert params.network == profile.network
    assert params.finetune.batch == 100 and params.finetune.epochs == 200
    assert params.perceptual.width_divisor == 1


def test_the_plain_step_and_ours_find_the_same_losses_step_after_step(steps):
    for _ in range(3):
        training.require_agreement(steps)


def test_a_step_from_other_weights_is_refused(steps):
    with torch.no_grad():
        next(steps[training.PLAIN].players.generator.parameters()).mul_(1.1)
    with pytest.raises(AssertionError, match="fp32 mse differs by"):
        training.require_agreement(steps)


@pytest.mark.parametrize("name", ["perceptual", "adversarial", "insitu", "total_variation"])
def test_a_loss_that_is_off_by_a_thousandth_is_refused(steps, name):
    ours = steps[FP32]
    off = {FP32: lambda: {k: v * (1.001 if k == name else 1) for k, v in ours().items()}}
    with pytest.raises(AssertionError, match=f"fp32 {name} differs by 1.0.e-03"):
        training.require_agreement(steps | off)


def test_the_ways_are_timed_against_the_plain_one(case, monkeypatch):
    monkeypatch.setattr(training, "REPEATS", 1)
    timings = training.compare(case, 4, "here")
    assert len(timings) == len(training.names_of_ways(CPU)) - 1
    assert timings[0].name == "step, fp32 against plain fp32, here"
    assert {t.baseline for t in timings} == {timings[0].baseline}
    assert all(t.ours > 0 and t.floor == training.floor_of(t.name[6:10], CPU) for t in timings)


def test_every_fold_is_fine_tuned_to_its_last_epoch(case):
    case = case.with_sections({"finetune": {"patience": 1}})
    done = whole_finetuning.finetune(case, folds=(0, 2))
    assert done.months == 2 * (96 + 84)
    assert done.params.finetune.patience == 2
    assert done.seconds > 0 and done.gib is None
    assert done.told == "whole fine-tuning, 2 folds, 2 epochs, batch 48, VGG16 random, fp32"


def test_what_a_gpu_adds_to_the_results(case, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "some GPU")
    monkeypatch.setattr(training, "names_of_ways", lambda device: BOTH)
    monkeypatch.setattr(training, "REPEATS", 1)
    case = case.with_sections({"finetune": {"epochs": 1}})
    step, whole = training.on_gpu(case)
    assert step.n == 48
    assert whole.name.startswith("whole fine-tuning, 5 folds, 1 epochs, batch 48")
    assert whole.name.endswith("fp32, some GPU") and whole.unit == "s"
    assert whole.n == 4 * 96 + 84
    assert whole.baseline == pytest.approx(1e-3 * step.baseline * whole.n)


@pytest.mark.parametrize(("ratios", "all_met"), [((1.2, 2.5), True), ((1.3, 2.1), False)])
def test_floors_are_told_of_each_way(ratios, all_met, capsys):
    timings = [
        Timing(name, 1.0, ratio, "s", 1, floor)
        for name, ratio, floor in zip(("a", "b"), ratios, (1.2, 2.2), strict=True)
    ]
    timings.append(Timing("c", 1.0, 0.5, "s", 1))
    assert harness.floors_met(timings) is all_met
    said = capsys.readouterr().out.splitlines()
    assert said[1] == f"b: ratio {ratios[1]}, floor 2.2 {'met' if all_met else 'NOT met'}"
    assert said[2] == "c: ratio 0.5, no floor"


def test_floors_are_the_issues(monkeypatch):
    has = {"avx512_bf16": True}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    assert [training.floor_of(p, CPU) for p in (FP32, BF16)] == [1.2, 2.2]
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    assert [training.floor_of(p, CPU) for p in (FP32, BF16)] == [1.2, None]
    monkeypatch.setattr(training, "native_bf16", lambda device: True)
    assert [training.floor_of(p, torch.device("cuda")) for p in (FP32, BF16)] == [None, 5.0]


@pytest.mark.parametrize(("ratio", "code"), [(1.3, 0), (1.1, 1)])
def test_a_missed_floor_is_the_exit_code_and_a_lacking_gpu_a_line(
    ratio, code, monkeypatch, tmp_path, capsys
):
    timing = Timing("step", 1.0, ratio, "ms a month", 4, 1.2)
    monkeypatch.setattr(training, "compare", lambda *_: [timing])
    monkeypatch.setattr(training, "device_of", lambda word: CPU)
    monkeypatch.setattr(harness, "RESULTS", tmp_path)
    assert training.main() == code
    assert "need a GPU" in capsys.readouterr().out
    (row,) = read_json(tmp_path / "training.json")
    assert (row["floor"], row["ratio"]) == (1.2, pytest.approx(ratio))
